// @ts-check
/**
 * Before and after, in a dialog: a slider, hold to flip, side by side, or the difference; zoom to single pixels. Everything works without
 * dragging: the slider is a native range, the stage listens to arrow keys, zoom has buttons.
 */
import { el, icon, setText } from './dom.js';
import { loadStyles } from './styles.js';
import { savedPercent } from '../core/batch.js';
import { canPan, fitScale, fitView, panBy, zoomTo } from '../core/zoom.js';

/** @typedef {import('../core/types.js').Item} Item */
/** @typedef {import('../core/language.js').Words} Words */
/** @typedef {'slider' | 'flicker' | 'side' | 'difference'} Mode */
/** @typedef {{item: Item, before: Blob | string | null, after: Blob | string | null}} Pair */

const MODES = /** @type {const} */ ([['slider', 'compare.slider'], ['flicker', 'compare.flicker'], ['side', 'compare.side'], ['difference', 'compare.difference']]);
const STEP = 1.25;
const ARROW_PIXELS = 60;
const SMOOTH_UP_TO = 2;
const ARROWS = /** @type {Record<string, [number, number]>} */ ({ ArrowLeft: [1, 0], ArrowRight: [-1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] });

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
    this.size = { width: item.result?.width ?? 1, height: item.result?.height ?? 1 };
    this.view = { scale: 1, x: 0, y: 0 };
    this.is_fitted = true;
    /** @type {Map<number, {x: number, y: number}>} */
    this.pointers = new Map();
    /** Where the slider was when the first finger came. */
    this.before_touch = '50';
    this.before = el('img', { class: 'compare-image', alt: words.t('compare.before'), draggable: 'false' });
    this.after = el('img', { class: 'compare-image', alt: words.t('compare.after'), draggable: 'false' });
    this.range = el('input', { type: 'range', class: 'compare-range', min: '0', max: '100', step: '1', value: '50', 'aria-label': words.t('compare.reveal') });
    this.hold = el('button', { class: 'button compare-hold', type: 'button', 'aria-pressed': 'false' }, words.t('compare.hold'));
    this.percent = el('output', { class: 'compare-percent' });
    this.note = el('p', { class: 'compare-note', role: 'status' }, words.t('compare.loading'));
    this.stage = this.createStage();
    this.modes = this.createModes();
    this.dialog = this.createDialog();
    this.observer = new ResizeObserver(() => this.resize());
    this.observer.observe(this.stage);
    this.listen();
    this.setMode('slider');
    this.slide();
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
    const { words, item } = this;
    const close = el('button', { class: 'button button-icon button-quiet', type: 'button', 'aria-label': words.t('compare.close'), title: words.t('compare.close') }, icon('close'));
    close.addEventListener('click', () => this.dialog.close());
    const zoom = el('div', { class: 'compare-zoom', role: 'group', 'aria-label': words.t('compare.zoom') },
      this.zoomButton('minus', 'compare.zoom_out', () => this.zoomBy(1 / STEP)), this.percent,
      this.zoomButton('plus', 'compare.zoom_in', () => this.zoomBy(STEP)),
      this.textButton(words.t('compare.fit'), () => this.fit()),
      ...[1, 2].map((scale) => this.textButton(words.percent(100 * scale), () => this.zoomTo(scale))));
    return el('dialog', { class: 'compare', 'aria-labelledby': 'compare-title' },
      el('header', { class: 'compare-head' },
        el('div', { class: 'compare-titles' }, el('h2', { id: 'compare-title' }, words.t('compare.title')), el('p', { class: 'compare-name', title: item.name }, item.name)), close),
      this.stage, this.note,
      el('footer', { class: 'compare-foot' }, this.modes, this.hold, zoom, el('p', { class: 'compare-facts' }, ...this.facts())));
  }

  facts() {
    const { item, words } = this;
    const before = item.source?.bytes ?? item.bytes;
    const after = item.result?.bytes ?? 0;
    const saved = savedPercent(before, after);
    const format = (item.source?.format ?? '').toUpperCase();
    return [
      el('span', {}, words.t('compare.facts', { format, before: words.bytes(before), after: words.bytes(after) })),
      el('strong', { class: saved > 0 ? 'is-smaller' : 'is-larger' }, words.saving(saved)),
      el('span', {}, `${this.size.width} × ${this.size.height}`),
    ];
  }

  /** @param {string} symbol @param {string} text @param {() => void} act */
  zoomButton(symbol, text, act) {
    const label = this.words.t(text);
    const button = el('button', { class: 'button button-small button-icon', type: 'button', 'aria-label': label, title: label }, icon(symbol));
    button.addEventListener('click', act);
    return button;
  }

  /** @param {string} text @param {() => void} act */
  textButton(text, act) {
    const button = el('button', { class: 'button button-small', type: 'button' }, text);
    button.addEventListener('click', act);
    return button;
  }

  listen() {
    this.range.addEventListener('input', () => this.slide());
    this.modes.addEventListener('change', (event) => event.target instanceof HTMLInputElement && this.setMode(/** @type {Mode} */ (event.target.value)));
    this.stage.addEventListener('keydown', (event) => this.onKey(event));
    this.stage.addEventListener('wheel', (event) => this.onWheel(event), { passive: false });
    this.stage.addEventListener('dblclick', () => this.fit());
    this.stage.addEventListener('pointerdown', (event) => this.onDown(event));
    this.stage.addEventListener('pointermove', (event) => this.onMove(event));
    for (const name of /** @type {const} */ (['pointerup', 'pointercancel'])) this.stage.addEventListener(name, (event) => this.onUp(event));
    this.listenToHold();
  }

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
    this.fit();
  }

  /** @param {HTMLImageElement} image @param {Blob | string | null} source @returns {Promise<boolean>} */
  async show(image, source) {
    if (source === null) return false;
    image.src = typeof source === 'string' ? source : this.urlOf(source);
    try {
      await image.decode();
      return true;
    } catch {
      image.hidden = true;
      return false;
    }
  }

  /** @param {Blob} blob */
  urlOf(blob) {
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

  slide() {
    const share = Number(this.range.value);
    this.stage.style.setProperty('--reveal', `${share}%`);
    const values = { before: this.words.percent(share), after: this.words.percent(100 - share) };
    this.range.setAttribute('aria-valuetext', this.words.t('compare.reveal_value', values));
  }

  /** The room one picture has. */
  room() {
    const { clientWidth, clientHeight } = this.stage;
    const is_split = this.stage.dataset.mode === 'side';
    const is_tall = clientHeight > clientWidth;
    return { width: is_split && !is_tall ? clientWidth / 2 : clientWidth, height: is_split && is_tall ? clientHeight / 2 : clientHeight };
  }

  resize() {
    const room = this.room();
    this.stage.classList.toggle('is-tall', this.stage.clientHeight > this.stage.clientWidth);
    this.view = this.is_fitted ? fitView(this.size, room) : panBy(this.view, 0, 0, this.size, room);
    this.draw();
  }

  fit() {
    this.is_fitted = true;
    this.resize();
  }

  /** @param {number} scale @param {{x: number, y: number}} [point] */
  zoomTo(scale, point = { x: 0, y: 0 }) {
    this.view = zoomTo(this.view, scale, point, this.size, this.room());
    this.is_fitted = Math.abs(this.view.scale - fitScale(this.size, this.room())) < 1e-6;
    this.draw();
  }

  /** @param {number} factor @param {{x: number, y: number}} [point] */
  zoomBy(factor, point) {
    this.zoomTo(this.view.scale * factor, point);
  }

  /** @param {number} dx @param {number} dy */
  pan(dx, dy) {
    this.view = panBy(this.view, dx, dy, this.size, this.room());
    this.draw();
  }

  draw() {
    const { scale, x, y } = this.view;
    const style = this.stage.style;
    style.setProperty('--width', `${Math.round(this.size.width * scale)}px`);
    style.setProperty('--height', `${Math.round(this.size.height * scale)}px`);
    style.setProperty('--x', `${Math.round(x)}px`);
    style.setProperty('--y', `${Math.round(y)}px`);
    this.stage.classList.toggle('is-pixelated', scale > SMOOTH_UP_TO);
    this.stage.classList.toggle('can-pan', canPan(this.view, this.size, this.room()));
    setText(this.percent, this.words.percent(Math.round(scale * 100)));
  }

  /** @param {KeyboardEvent} event */
  onKey(event) {
    if (event.target === this.range || event.ctrlKey || event.metaKey || event.altKey) return;
    const move = ARROWS[event.key];
    if (move) this.pan(move[0] * ARROW_PIXELS, move[1] * ARROW_PIXELS);
    else if (event.key === '+' || event.key === '=') this.zoomBy(STEP);
    else if (event.key === '-') this.zoomBy(1 / STEP);
    else if (event.key === '0') this.fit();
    else return;
    event.preventDefault();
  }

  /** @param {WheelEvent} event */
  onWheel(event) {
    event.preventDefault();
    this.zoomBy(Math.exp(-event.deltaY / (event.ctrlKey ? 100 : 500)), this.pointOf(event));
  }

  /** A pointer's place, measured from the centre of the picture's room. @param {{clientX: number, clientY: number}} event */
  pointOf(event) {
    const box = this.stage.getBoundingClientRect();
    const room = this.room();
    return { x: (event.clientX - box.left) % room.width - room.width / 2, y: (event.clientY - box.top) % room.height - room.height / 2 };
  }

  /** @param {PointerEvent} event */
  onDown(event) {
    if (event.target === this.range || event.button !== 0) return;
    const is_second = this.pointers.size > 0;
    if (!is_second) this.before_touch = this.range.value;
    this.pointers.set(event.pointerId, { x: event.clientX, y: event.clientY });
    this.stage.setPointerCapture(event.pointerId);
    if (is_second) this.slideBack();
    else this.slideTo(event);
  }

  /** One finger moves the picture, or the slider while there is nothing to move; two zoom. @param {PointerEvent} event */
  onMove(event) {
    const last = this.pointers.get(event.pointerId);
    if (!last) return;
    const now = { x: event.clientX, y: event.clientY };
    const other = [...this.pointers].find(([id]) => id !== event.pointerId)?.[1];
    if (other) this.zoomBy(distance(now, other) / Math.max(1, distance(last, other)), this.pointOf({ clientX: other.x, clientY: other.y }));
    else if (canPan(this.view, this.size, this.room())) this.pan(now.x - last.x, now.y - last.y);
    else this.slideTo(event);
    this.pointers.set(event.pointerId, now);
  }

  /** @param {PointerEvent} event */
  slideTo(event) {
    if (this.range.hidden || canPan(this.view, this.size, this.room())) return;
    const box = this.stage.getBoundingClientRect();
    this.range.value = String(Math.round(100 * (event.clientX - box.left) / box.width));
    this.slide();
  }

  /** Two fingers mean to zoom: what the first did to the slider was not meant. */
  slideBack() {
    this.range.value = this.before_touch;
    this.slide();
  }

  /** @param {PointerEvent} event */
  onUp(event) {
    this.pointers.delete(event.pointerId);
  }

  close() {
    this.observer.disconnect();
    for (const url of this.object_urls) URL.revokeObjectURL(url);
    this.dialog.remove();
  }
}

/** @param {{x: number, y: number}} one @param {{x: number, y: number}} other */
function distance(one, other) {
  return Math.hypot(one.x - other.x, one.y - other.y);
}
