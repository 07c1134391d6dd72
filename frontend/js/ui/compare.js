// @ts-check
/**
 * Before and after, in a dialog: a slider, hold to flip, side by side, or the difference; with zoom to single pixels. Everything works without
 * dragging: the slider is a native range, the stage listens to arrow keys, zoom has buttons.
 */
import { el, icon, setText } from './dom.js';
import { PanZoom } from './pan-zoom.js';
import { loadStyles } from './styles.js';
import { savedPercent } from '../core/batch.js';

/** @typedef {import('../core/types.js').Item} Item */
/** @typedef {import('../core/language.js').Words} Words */
/** @typedef {'slider' | 'flicker' | 'side' | 'difference'} Mode */
/** @typedef {{item: Item, before: Blob | string | null, after: Blob | string | null}} Pair as bytes or as an address; null: not available */

const MODES = /** @type {const} */ ([['slider', 'compare.slider'], ['flicker', 'compare.flicker'], ['side', 'compare.side'], ['difference', 'compare.difference']]);
const SCALES = [1, 2];

/** @param {Pair} pair @param {Words} words */
export async function openComparison(pair, words) {
  const opener = document.activeElement;
  await loadStyles('dialog', 'compare');
  const comparison = new Comparison(pair, words);
  document.body.append(comparison.dialog);
  comparison.dialog.addEventListener('close', () => {
    comparison.close();
    if (opener instanceof HTMLElement && opener.isConnected) opener.focus();
  });
  comparison.dialog.showModal();
  comparison.load();
}

class Comparison {
  /** @param {Pair} pair @param {Words} words */
  constructor({ item, before, after }, words) {
    this.words = words;
    this.item = item;
    this.sources = { before, after };
    /** @type {string[]} */
    this.object_urls = [];
    this.before = el('img', { class: 'compare-image', alt: words.t('compare.before'), draggable: 'false' });
    this.after = el('img', { class: 'compare-image', alt: words.t('compare.after'), draggable: 'false' });
    this.range = el('input', { type: 'range', class: 'compare-range', min: '0', max: '100', step: '1', value: '50', 'aria-label': words.t('compare.reveal') });
    /** What the slider showed when the first finger came. */
    this.value_before_touch = this.range.value;
    this.hold = el('button', { class: 'button compare-hold', type: 'button', 'aria-pressed': 'false' }, words.t('compare.hold'));
    this.percent = el('output', { class: 'compare-percent' });
    this.note = el('p', { class: 'compare-note', role: 'status' }, words.t('compare.loading'));
    this.stage = this.createStage();
    this.zoom = new PanZoom(this.stage, { width: item.result?.width ?? 1, height: item.result?.height ?? 1 }, {
      room: () => this.room(),
      onView: (scale) => setText(this.percent, words.percent(Math.round(scale * 100))),
      onPress: (event) => this.onPress(event),
      onDrag: (event) => this.slideTo(event),
      onPinch: () => this.slide(this.value_before_touch),
    });
    this.modes = this.createModes();
    this.dialog = this.createDialog();
    this.observer = new ResizeObserver(() => this.resize());
    this.observer.observe(this.stage);
    this.range.addEventListener('input', () => this.slide(this.range.value));
    this.modes.addEventListener('change', (event) => event.target instanceof HTMLInputElement && this.setMode(/** @type {Mode} */ (event.target.value)));
    this.listenToHold();
    this.setMode('slider');
    this.slide(this.range.value);
  }

  createStage() {
    const { words } = this;
    const layer = (/** @type {string} */ name, /** @type {HTMLElement} */ image, /** @type {string} */ text) =>
      el('figure', { class: `compare-layer compare-${name}` }, image, el('figcaption', { class: 'compare-tag' }, words.t(text)));
    return el('div', { class: 'compare-stage', tabindex: '0', role: 'group', 'aria-label': words.t('compare.stage'), 'data-mode': 'slider' },
      layer('after', this.after, 'compare.after'), layer('before', this.before, 'compare.before'),
      el('span', { class: 'compare-line', 'aria-hidden': 'true' }), this.range);
  }

  createModes() {
    return el('fieldset', { class: 'segments' }, el('legend', { class: 'visually-hidden' }, this.words.t('compare.mode')),
      ...MODES.map(([name, text]) => el('label', {}, el('input', { type: 'radio', name: 'compare-mode', value: name }), el('span', {}, this.words.t(text)))));
  }

  createDialog() {
    const { words, item, zoom } = this;
    const close = createButton('button-icon button-quiet', words.t('compare.close'), () => this.dialog.close(), 'close');
    const zoom_buttons = el('div', { class: 'compare-zoom', role: 'group', 'aria-label': words.t('compare.zoom') },
      createButton('button-small button-icon', words.t('compare.zoom_out'), () => zoom.zoomOut(), 'minus'), this.percent,
      createButton('button-small button-icon', words.t('compare.zoom_in'), () => zoom.zoomIn(), 'plus'),
      createButton('button-small', words.t('compare.fit'), () => zoom.fit()),
      ...SCALES.map((scale) => createButton('button-small', words.percent(100 * scale), () => zoom.zoomTo(scale))));
    return el('dialog', { class: 'compare', 'aria-labelledby': 'compare-title' },
      el('header', { class: 'compare-head' },
        el('div', { class: 'compare-titles' }, el('h2', { id: 'compare-title' }, words.t('compare.title')), el('p', { class: 'compare-name', title: item.name }, item.name)), close),
      this.stage, this.note,
      el('footer', { class: 'compare-foot' }, this.modes, this.hold, zoom_buttons, el('p', { class: 'compare-facts' }, ...this.createFacts())));
  }

  createFacts() {
    const { item, words, zoom } = this;
    const before = item.source?.bytes ?? item.bytes;
    const after = item.result?.bytes ?? 0;
    const saved = savedPercent(before, after);
    const format = (item.source?.format ?? '').toUpperCase();
    return [
      el('span', {}, words.t('compare.facts', { format, before: words.bytes(before), after: words.bytes(after) })),
      el('strong', { class: saved > 0 ? 'is-smaller' : 'is-larger' }, words.saving(saved)),
      el('span', {}, `${zoom.size.width} × ${zoom.size.height}`),
    ];
  }

  /** By pointer while it is pressed; by key, each press turns it over. */
  listenToHold() {
    const flip = (/** @type {boolean} */ is_held) => {
      this.stage.classList.toggle('is-held', is_held);
      this.hold.setAttribute('aria-pressed', String(is_held));
    };
    this.hold.addEventListener('pointerdown', () => flip(true));
    for (const name of ['pointerup', 'pointercancel', 'pointerleave', 'blur']) this.hold.addEventListener(name, () => flip(false));
    this.hold.addEventListener('keydown', (event) => {
      if (event.key !== ' ' && event.key !== 'Enter' || event.repeat) return;
      event.preventDefault();
      flip(!this.stage.classList.contains('is-held'));
    });
  }

  async load() {
    const [before, after] = await Promise.all([this.show(this.before, this.sources.before), this.show(this.after, this.sources.after)]);
    this.stage.classList.toggle('has-no-original', !before);
    if (!before && after) this.setMode('flicker');
    this.modes.hidden = this.range.hidden = !before;
    this.hold.hidden = !before || this.stage.dataset.mode !== 'flicker';
    this.setNote(!after ? 'compare.failed' : !before ? 'compare.no_original' : '');
    this.zoom.fit();
  }

  /** @param {HTMLImageElement} image @param {Blob | string | null} source @returns {Promise<boolean>} whether the browser can show it */
  async show(image, source) {
    if (source === null) return false;
    image.src = typeof source === 'string' ? source : this.createUrl(source);
    try {
      await image.decode();
      return true;
    } catch {
      image.hidden = true;
      return false;
    }
  }

  /** Released by `close`. @param {Blob} blob */
  createUrl(blob) {
    const url = URL.createObjectURL(blob);
    this.object_urls.push(url);
    return url;
  }

  /** @param {string} key or empty for none */
  setNote(key) {
    this.note.hidden = key === '';
    setText(this.note, key && this.words.t(key));
  }

  /** @param {Mode} mode */
  setMode(mode) {
    this.stage.dataset.mode = mode;
    for (const input of this.modes.querySelectorAll('input')) input.checked = input.value === mode;
    this.range.hidden = mode !== 'slider';
    this.hold.hidden = mode !== 'flicker';
    this.setNote(mode === 'difference' ? 'compare.difference_hint' : '');
    this.resize();
  }

  resize() {
    this.stage.classList.toggle('is-tall', this.stage.clientHeight > this.stage.clientWidth);
    this.zoom.resize();
  }

  /** Side by side, each picture has half of the stage. */
  room() {
    const { clientWidth, clientHeight } = this.stage;
    const is_split = this.stage.dataset.mode === 'side';
    const is_tall = clientHeight > clientWidth;
    return { width: is_split && !is_tall ? clientWidth / 2 : clientWidth, height: is_split && is_tall ? clientHeight / 2 : clientHeight };
  }

  /** @param {string} value percent of the stage that shows the original */
  slide(value) {
    this.range.value = value;
    const share = Number(this.range.value);
    this.stage.style.setProperty('--reveal', `${share}%`);
    const values = { before: this.words.percent(share), after: this.words.percent(100 - share) };
    this.range.setAttribute('aria-valuetext', this.words.t('compare.reveal_value', values));
  }

  /** @param {PointerEvent} event */
  onPress(event) {
    this.value_before_touch = this.range.value;
    this.slideTo(event);
  }

  /** @param {PointerEvent} event */
  slideTo(event) {
    if (this.range.hidden || this.zoom.canPan()) return;
    const box = this.stage.getBoundingClientRect();
    this.slide(String(Math.round(100 * (event.clientX - box.left) / box.width)));
  }

  close() {
    this.observer.disconnect();
    for (const url of this.object_urls) URL.revokeObjectURL(url);
    this.dialog.remove();
  }
}

/** With a symbol instead of the text, if one is given. @param {string} kind @param {string} text @param {() => void} act @param {string} [symbol] */
function createButton(kind, text, act, symbol) {
  /** @type {Record<string, string>} */
  const names = symbol ? { 'aria-label': text, title: text } : {};
  const button = el('button', { class: `button ${kind}`, type: 'button', ...names }, symbol ? icon(symbol) : text);
  button.addEventListener('click', act);
  return button;
}
