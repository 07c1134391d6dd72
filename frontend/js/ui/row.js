// @ts-check
/**
 * One image in the list. The row is built once; `update` writes only what changed. A control is built when it is first shown, because most rows
 * need few. From then on it is shown or hidden, so that it keeps the focus. When the focused control is hidden, the first visible one gets it.
 * Events: `cancel-item`, `now-item`, `pause-item`, `resume-item`, `retry-item`, `again-item`, `remove-item`, `compare-item`, `copy-item`, `save-item`,
 * `download-item` (detail: id).
 */
import { el, emit, icon, setAttribute, setProperty, setText } from './dom.js';
import { FileName } from './file-name.js';
import { savedPercent } from '../core/batch.js';
import { canConvertAgain, canTryAgain } from '../core/convert-again.js';
import { withoutIsolates } from '../core/bidi.js';
import { resultName } from '../core/filenames.js';
import { downloadAddress } from '../core/outcome.js';
import { canCancel, canPause, isConverting, isFinal } from '../core/states.js';
import { statusText } from '../core/status-text.js';

/** @typedef {import('../core/types.js').Item} Item */
/** @typedef {import('../core/types.js').Capabilities} Capabilities */
/** @typedef {import('../core/language.js').Words} Words */
/** @typedef {{capabilities: Capabilities, words: Words, now_ms: number}} Context what a row needs besides its item */
/** @typedef {{name: string, symbol: string, text: string, label: string, has_text: boolean, isShown: (item: Item, capabilities: Capabilities) => boolean}} Control */

/** @type {Control[]} */
const CONTROLS = [
  { name: 'now', symbol: 'play', text: 'row.now', label: 'row.now_name', has_text: false, isShown: (item) => item.state === 'retrying' },
  { name: 'resume', symbol: 'play', text: 'row.resume', label: 'row.resume_name', has_text: false, isShown: (item) => item.state === 'paused' },
  { name: 'pause', symbol: 'pause', text: 'row.pause', label: 'row.pause_name', has_text: false, isShown: (item) => canPause(item.state) && item.state !== 'retrying' },
  { name: 'cancel', symbol: 'close', text: 'row.cancel', label: 'row.cancel_name', has_text: false, isShown: (item) => canCancel(item.state) },
  { name: 'retry', symbol: 'again', text: 'row.retry', label: 'row.retry_name', has_text: true, isShown: canTryAgain },
  { name: 'compare', symbol: 'compare', text: 'row.compare', label: 'row.compare_name', has_text: true, isShown: (item) => item.state === 'done' },
  { name: 'again', symbol: 'tune', text: 'row.again', label: 'row.again_name', has_text: false, isShown: canConvertAgain },
  { name: 'copy', symbol: 'link', text: 'row.copy', label: 'row.copy_name', has_text: false, isShown: (item, capabilities) => item.state === 'done' && !capabilities.auth },
  { name: 'remove', symbol: 'close', text: 'row.remove', label: 'row.remove_name', has_text: false, isShown: (item) => isFinal(item.state) },
];

/** State → symbol before the text. Other states show none. */
const SYMBOLS = /** @type {Record<string, string>} */ ({
  done: 'check', paused: 'pause', failed: 'alert', invalid: 'alert', expired: 'alert', retrying: 'alert', offline: 'alert', cancelled: 'stop',
});

export class Row {
  /** @param {string} id */
  constructor(id) {
    this.id = id;
    this.picture = el('div', { class: 'row-picture' }, icon('image'));
    this.name = new FileName(`name-${id}`);
    this.symbol = el('span', { class: 'row-symbol' });
    this.stage = el('span', { class: 'row-stage-text' });
    this.bar = el('div', { class: 'bar', role: 'progressbar', 'aria-labelledby': `name-${id}`, 'aria-valuemin': '0', 'aria-valuemax': '100' },
      el('span', { class: 'bar-part bar-upload' }), el('span', { class: 'bar-part bar-convert' }));
    this.sizes = el('span', { class: 'row-sizes' });
    this.saving = el('span', { class: 'row-saving' });
    this.outcome = el('p', { class: 'row-outcome' }, this.sizes, this.saving);
    this.download = el('a', { class: 'button button-small button-soft', 'data-control': 'download' }, icon('download'), el('span'));
    /** @type {Map<string, HTMLButtonElement>} */
    this.buttons = new Map();
    this.actions = el('div', { class: 'row-actions' }, this.download);
    this.element = el('li', { class: 'row', 'data-id': id },
      this.picture,
      el('div', { class: 'row-words' }, this.name.element, el('p', { class: 'row-stage' }, this.symbol, this.stage), this.bar),
      this.outcome, this.actions);
    this.download.addEventListener('click', (event) => this.onDownload(event));
    this.element.addEventListener('keydown', (event) => this.onKey(event));
    this.state = '';
    this.needs_key = false;
  }

  /** @param {Control} control */
  createButton(control) {
    const kind = control.has_text ? 'button button-small' : 'button button-small button-icon button-quiet';
    const button = el('button', { class: kind, type: 'button', 'data-control': control.name }, icon(control.symbol), el('span', { class: control.has_text ? '' : 'visually-hidden' }));
    button.addEventListener('click', () => emit(button, `${control.name}-item`, this.id));
    return button;
  }

  /** At its place in `CONTROLS`. @param {Control} control */
  addButton(control) {
    const button = this.createButton(control);
    const next = CONTROLS.slice(CONTROLS.indexOf(control) + 1).find((each) => this.buttons.has(each.name));
    this.actions.insertBefore(button, next ? this.buttons.get(next.name) ?? null : null);
    this.buttons.set(control.name, button);
    return button;
  }

  /** @param {KeyboardEvent} event */
  onKey(event) {
    if (event.key !== 'Delete' || !(event.target instanceof HTMLElement)) return;
    const name = this.buttons.get('remove')?.hidden ?? true ? 'cancel' : 'remove';
    emit(this.element, `${name}-item`, this.id);
  }

  /** A link sends no API key: where one is needed, the page fetches the bytes. Else the link downloads, and the page checks whether it can. @param {MouseEvent} event */
  onDownload(event) {
    if (this.needs_key) event.preventDefault();
    emit(this.element, this.needs_key ? 'save-item' : 'download-item', this.id);
  }

  /** @param {string} url */
  showPicture(url) {
    const image = el('img', { alt: '', src: url, decoding: 'async' });
    image.addEventListener('error', () => image.replaceWith(icon('image')));
    this.picture.replaceChildren(image);
  }

  /** @param {Item} item @param {Context} context */
  update(item, { capabilities, words, now_ms }) {
    const focused = document.activeElement;
    const had_focus = focused instanceof HTMLElement && this.actions.contains(focused);
    this.needs_key = capabilities.auth;
    this.name.show(item.name);
    setAttribute(this.element, 'data-name', item.name);
    const text = statusText(item, capabilities, words, now_ms);
    this.updateStatus(item, text);
    this.updateBar(item, text);
    this.updateOutcome(item, words);
    this.updateControls(item, capabilities, words);
    if (had_focus && focused.hidden) this.focus();
  }

  /** @param {Item} item @param {string} text */
  updateStatus(item, text) {
    if (this.state !== item.state) {
      this.state = item.state;
      this.element.dataset.state = item.state;
      const symbol = SYMBOLS[item.state];
      this.symbol.replaceChildren(...(symbol ? [icon(symbol)] : []));
    }
    setText(this.stage, text);
  }

  /** @param {Item} item @param {string} text */
  updateBar(item, text) {
    this.bar.hidden = isFinal(item.state);
    this.element.dataset.percent = String(item.percent);
    if (this.bar.hidden) return;
    const is_known = item.state === 'uploading' || isConverting(item.state) && item.state !== 'queued';
    setProperty(this.bar, '--upload-share', String(item.job ? 1 : item.bytes > 0 ? item.sent_bytes / item.bytes : 0));
    setProperty(this.bar, '--convert-share', String(item.progress / 100));
    setAttribute(this.bar, 'aria-valuenow', is_known ? String(item.percent) : null);
    setAttribute(this.bar, 'aria-valuetext', text);
  }

  /** @param {Item} item @param {Words} words */
  updateOutcome(item, words) {
    const before = item.source?.bytes ?? item.bytes;
    const is_done = item.state === 'done' && item.result !== null;
    this.saving.hidden = !is_done;
    if (!is_done || !item.result) return setText(this.sizes, item.bytes > 0 ? words.bytes(before) : '');
    const saved = savedPercent(before, item.result.bytes);
    const figures = { before: words.bytes(before), after: words.bytes(item.result.bytes) };
    setText(this.sizes, `${figures.before} → ${figures.after}`);
    setAttribute(this.sizes, 'title', words.t('row.sizes', figures));
    setText(this.saving, words.saving(saved));
    setAttribute(this.saving, 'title', words.t(saved > 0 ? 'row.smaller' : 'row.larger', { percent: words.percent(Math.abs(saved)) }));
    this.saving.classList.toggle('is-larger', saved <= 0);
  }

  /** @param {Item} item @param {Capabilities} capabilities @param {Words} words */
  updateControls(item, capabilities, words) {
    for (const control of CONTROLS) {
      const is_shown = control.isShown(item, capabilities);
      const button = this.buttons.get(control.name) ?? (is_shown ? this.addButton(control) : null);
      if (!button) continue;
      button.hidden = !is_shown;
      if (is_shown) this.labelControl(button, words.t(control.text), words.t(control.label, { name: item.name }));
    }
    this.download.hidden = item.state !== 'done' || !item.result;
    if (this.download.hidden || !item.result) return;
    const name = resultName(item.name, item.result.format);
    setAttribute(this.download, 'href', downloadAddress(item.result.url, name));
    setAttribute(this.download, 'download', name);
    this.labelControl(this.download, words.t('row.download'), words.t('row.download_name', { name }));
  }

  /** @param {HTMLElement} control @param {string} text @param {string} label */
  labelControl(control, text, label) {
    setAttribute(control, 'aria-label', withoutIsolates(label));
    if (control.classList.contains('button-icon')) setAttribute(control, 'title', text);
    setText(/** @type {Element} */ (control.lastElementChild), text);
  }

  focus() {
    const first = this.actions.querySelector(':scope > :not([hidden])');
    if (first instanceof HTMLElement) first.focus();
  }
}
