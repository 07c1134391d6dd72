// @ts-check
/**
 * Two pictures in one place: a slider, hold to flip, side by side, or the difference; with zoom to single pixels. Everything works without
 * dragging: the slider is a native range, the stage listens to keys, zoom has buttons.
 */
import { el, setText } from './dom.js';
import { createButton } from './compare-button.js';
import { PanZoom } from './pan-zoom.js';

/** @typedef {import('../core/language.js').Words} Words */
/** @typedef {import('../core/zoom.js').Size} Size */
/** @typedef {import('../core/difference.js').Difference} Difference */
/** @typedef {'slider' | 'flicker' | 'side' | 'difference'} Mode */
/** @typedef {'before' | 'after'} Side */

const MODES = /** @type {const} */ ([['slider', 'compare.slider'], ['flicker', 'compare.flicker'], ['side', 'compare.side'], ['difference', 'compare.difference']]);
const SCALES = [1, 2];
/** Up to this size a picture is there in the frame that shows it. A larger one may come a moment later, and stops no frame. */
const PAINTED_AT_ONCE_PIXELS = 16_000_000;

export class CompareStage {
  /** @param {Words} words @param {{onMode: (mode: Mode) => void}} handlers */
  constructor(words, { onMode }) {
    this.words = words;
    this.onMode = onMode;
    this.mode = /** @type {Mode} */ ('slider');
    this.images = { before: this.createImage('before'), after: this.createImage('after') };
    this.tags = { before: el('figcaption', { class: 'compare-tag' }, words.t('compare.before')), after: el('figcaption', { class: 'compare-tag' }) };
    this.range = el('input', { type: 'range', class: 'compare-range', min: '0', max: '100', step: '1', value: '50', autofocus: '', 'aria-label': words.t('compare.reveal') });
    /** What the slider showed when the first finger came. */
    this.value_before_touch = this.range.value;
    this.hold = el('button', { class: 'button button-small compare-hold', type: 'button', 'aria-pressed': 'false' }, words.t('compare.hold'));
    this.percent = el('output', { class: 'compare-percent' });
    this.element = this.createElement();
    this.zoom = new PanZoom(this.element, { width: 1, height: 1 }, {
      room: () => this.room(),
      onView: (scale) => setText(this.percent, words.percent(Math.round(scale * 100))),
      onPress: (event) => this.onPress(event),
      onDrag: (event) => this.slideTo(event),
      onPinch: () => this.slide(this.value_before_touch),
    });
    this.modes = this.createModes();
    this.controls = [this.modes, this.hold, this.createZoomButtons()];
    this.observer = new ResizeObserver(() => this.resize());
    this.observer.observe(this.element);
    this.range.addEventListener('input', () => this.slideByHand(this.range.value));
    this.modes.addEventListener('change', (event) => event.target instanceof HTMLInputElement && this.setMode(/** @type {Mode} */ (event.target.value)));
    this.listenToHold();
    this.setMode('slider');
    this.slide(this.range.value);
  }

  /** @param {Side} side */
  createImage(side) {
    return el('img', { class: 'compare-image', alt: this.words.t(side === 'before' ? 'compare.before' : 'compare.after'), draggable: 'false', hidden: '' });
  }

  createElement() {
    const { words, images, tags } = this;
    const layer = (/** @type {Side} */ side) => el('figure', { class: `compare-layer compare-${side}` }, images[side], tags[side]);
    return el('div', { class: 'compare-stage', tabindex: '0', role: 'group', 'aria-label': words.t('compare.stage'), 'data-mode': 'slider' },
      layer('after'), layer('before'), el('span', { class: 'compare-line', 'aria-hidden': 'true' }), this.range);
  }

  createModes() {
    return el('fieldset', { class: 'segments' }, el('legend', { class: 'visually-hidden' }, this.words.t('compare.mode')),
      ...MODES.map(([name, text]) => el('label', {}, el('input', { type: 'radio', name: 'compare-mode', value: name }), el('span', {}, this.words.t(text)))));
  }

  createZoomButtons() {
    const { words, zoom } = this;
    return el('div', { class: 'compare-zoom', role: 'group', 'aria-label': words.t('compare.zoom') },
      createButton('button-small button-icon', words.t('compare.zoom_out'), () => zoom.zoomOut(), 'minus'), this.percent,
      createButton('button-small button-icon', words.t('compare.zoom_in'), () => zoom.zoomIn(), 'plus'),
      createButton('button-small', words.t('compare.fit'), () => zoom.fit()),
      ...SCALES.map((scale) => createButton('button-small', words.percent(100 * scale), () => zoom.zoomTo(scale))));
  }

  /** By pointer while it is pressed; by key, each press turns it over. */
  listenToHold() {
    const flip = (/** @type {boolean} */ is_held) => {
      this.element.classList.toggle('is-held', is_held);
      this.hold.setAttribute('aria-pressed', String(is_held));
    };
    this.hold.addEventListener('pointerdown', () => flip(true));
    for (const name of ['pointerup', 'pointercancel', 'pointerleave', 'blur']) this.hold.addEventListener(name, () => flip(false));
    this.hold.addEventListener('keydown', (event) => {
      if (event.key !== ' ' && event.key !== 'Enter' || event.repeat) return;
      event.preventDefault();
      flip(!this.element.classList.contains('is-held'));
    });
  }

  /** Another picture comes. @param {Size} size of the result */
  clear(size) {
    for (const side of /** @type {Side[]} */ (['before', 'after'])) this.replace(side, this.createImage(side));
    this.element.classList.remove('is-shown');
    this.showOriginal(false);
    this.zoom.reset(size);
  }

  /**
   * Decoded first, so that no empty picture is seen between two.
   * @param {Side} side
   * @param {Blob | null} blob
   * @returns {Promise<(() => void) | null>} shows it; null where the browser cannot
   */
  async load(side, blob) {
    if (!blob) return null;
    const image = this.createImage(side);
    image.hidden = false;
    image.src = URL.createObjectURL(blob);
    try {
      await image.decode();
      image.decoding = image.naturalWidth * image.naturalHeight <= PAINTED_AT_ONCE_PIXELS ? 'sync' : 'async';
      return () => this.replace(side, image);
    } catch {
      URL.revokeObjectURL(image.src);
      return null;
    }
  }

  /** @param {Side} side @param {HTMLImageElement} image */
  replace(side, image) {
    const former = this.images[side];
    this.images[side] = image;
    former.replaceWith(image);
    URL.revokeObjectURL(former.src);
  }

  /** Both are there, or what there is. @param {boolean} has_original */
  reveal(has_original) {
    const had_original = !this.modes.hidden;
    this.element.classList.toggle('has-no-original', !has_original);
    this.element.classList.add('is-shown');
    this.modes.hidden = !has_original;
    this.setMode(!has_original ? 'flicker' : had_original ? this.mode : 'slider');
    if (!had_original && has_original && !this.element.contains(document.activeElement)) this.range.focus();
  }

  /** @param {boolean} is_preview */
  showOriginal(is_preview) {
    setText(this.tags.before, this.words.t(is_preview ? 'compare.preview' : 'compare.before'));
  }

  /** @param {string} text */
  showResult(text) {
    setText(this.tags.after, text);
  }

  /** @param {Difference | null} difference null: not known */
  showDifference(difference) {
    this.element.style.setProperty('--amplification', String(difference?.amplification ?? 8));
  }

  /** @param {Mode} mode */
  setMode(mode) {
    this.mode = mode;
    this.element.dataset.mode = mode;
    for (const input of this.modes.querySelectorAll('input')) input.checked = input.value === mode;
    const has_original = !this.element.classList.contains('has-no-original');
    this.range.hidden = mode !== 'slider' || !has_original;
    this.hold.hidden = mode !== 'flicker' || !has_original;
    this.resize();
    this.onMode(mode);
  }

  resize() {
    this.element.classList.toggle('is-tall', this.element.clientHeight > this.element.clientWidth);
    this.zoom.resize();
  }

  /** Side by side, each picture has half of the stage. */
  room() {
    const { clientWidth, clientHeight } = this.element;
    const is_split = this.element.dataset.mode === 'side';
    const is_tall = clientHeight > clientWidth;
    return { width: is_split && !is_tall ? clientWidth / 2 : clientWidth, height: is_split && is_tall ? clientHeight / 2 : clientHeight };
  }

  /** @param {string} value percent of the stage that shows the original */
  slide(value) {
    this.range.value = value;
    const share = Number(this.range.value);
    this.element.style.setProperty('--reveal', `${share}%`);
    const values = { before: this.words.percent(share), after: this.words.percent(100 - share) };
    this.range.setAttribute('aria-valuetext', this.words.t('compare.reveal_value', values));
  }

  /** The place that is looked at is chosen by that too. @param {string} value */
  slideByHand(value) {
    this.zoom.is_chosen = true;
    this.slide(value);
  }

  /** @param {PointerEvent} event */
  onPress(event) {
    this.value_before_touch = this.range.value;
    this.slideTo(event);
  }

  /** @param {PointerEvent} event */
  slideTo(event) {
    if (this.range.hidden || this.zoom.canPan()) return;
    const box = this.element.getBoundingClientRect();
    this.slideByHand(String(Math.round(100 * (event.clientX - box.left) / box.width)));
  }

  close() {
    this.observer.disconnect();
    for (const image of Object.values(this.images)) URL.revokeObjectURL(image.src);
  }
}
