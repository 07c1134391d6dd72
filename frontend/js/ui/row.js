// @ts-check
/**
 * One file in the list. The row is built once; `update` writes only what changed. A control is built when it is first shown, for a row meets
 * few of them at a time, and from then on only shown or hidden, so that focus survives; where the focused one goes, its neighbour takes the focus.
 * Events: `cancel-item`, `now-item`, `pause-item`, `resume-item`, `retry-item`, `again-item`, `remove-item`, `compare-item`, `copy-item`, `save-item`,
 * `download-item` (detail: id).
 */
import { el, emit, icon, setAttribute, setProperty, setText } from './dom.js';
import { savedPercent } from '../core/batch.js';
import { canCancel, canPause, isConverting, isFinal } from '../core/states.js';
import { isRetryable } from '../core/problem.js';
import { resultName, splitName, stageText } from '../core/status-text.js';

/** @typedef {import('../core/types.js').Item} Item */
/** @typedef {import('../core/types.js').Capabilities} Capabilities */
/** @typedef {import('../core/language.js').Words} Words */
/** @typedef {{capabilities: Capabilities, words: Words, now_ms: number}} Setting what a row needs to know of the page around it */
/** @typedef {{name: string, symbol: string, text: string, label: string, is_worded: boolean, isShown: (item: Item, capabilities: Capabilities) => boolean}} Control */

/** @param {Capabilities} capabilities @param {string} name */
const offers = (capabilities, name) => capabilities.features?.includes(name) ?? false;

/** @type {Control[]} */
const CONTROLS = [
  { name: 'now', symbol: 'play', text: 'row.now', label: 'row.now_name', is_worded: false, isShown: (item) => item.state === 'retrying' },
  { name: 'resume', symbol: 'play', text: 'row.resume', label: 'row.resume_name', is_worded: false, isShown: (item) => item.state === 'paused' },
  { name: 'pause', symbol: 'pause', text: 'row.pause', label: 'row.pause_name', is_worded: false, isShown: (item) => canPause(item.state) && item.state !== 'retrying' },
  { name: 'cancel', symbol: 'close', text: 'row.cancel', label: 'row.cancel_name', is_worded: false, isShown: (item) => canCancel(item.state) },
  { name: 'retry', symbol: 'again', text: 'row.retry', label: 'row.retry_name', is_worded: true, isShown: canRetry },
  { name: 'compare', symbol: 'compare', text: 'row.compare', label: 'row.compare_name', is_worded: true, isShown: (item) => item.state === 'done' },
  { name: 'again', symbol: 'tune', text: 'row.again', label: 'row.again_name', is_worded: false, isShown: (item, capabilities) => item.state === 'done' && (item.has_file || offers(capabilities, 'retry')) },
  { name: 'copy', symbol: 'link', text: 'row.copy', label: 'row.copy_name', is_worded: false, isShown: (item, capabilities) => item.state === 'done' && !capabilities.auth },
  { name: 'remove', symbol: 'close', text: 'row.remove', label: 'row.remove_name', is_worded: false, isShown: (item) => isFinal(item.state) },
];

/** @param {Item} item @param {Capabilities} capabilities */
function canRetry(item, capabilities) {
  if (item.state === 'cancelled' || item.state === 'expired') return item.has_file || item.origin !== null || item.url !== null;
  const has_source = item.has_file || item.origin !== null || item.url !== null || item.job !== null && offers(capabilities, 'retry');
  return item.state === 'failed' && has_source && isRetryable(item.problem);
}

/** State → symbol before the text; the others show none. */
const SYMBOLS = /** @type {Record<string, string>} */ ({
  done: 'check', paused: 'pause', failed: 'alert', invalid: 'alert', expired: 'alert', retrying: 'alert', offline: 'alert', cancelled: 'stop',
});

export class Row {
  /** @param {string} id */
  constructor(id) {
    this.id = id;
    this.picture = el('div', { class: 'row-picture' }, icon('image'));
    this.whole = el('span', { class: 'visually-hidden', id: `name-${id}` });
    this.head = el('span', { class: 'name-head', 'aria-hidden': 'true' });
    this.tail = el('span', { class: 'name-tail', 'aria-hidden': 'true' });
    this.name = el('span', { class: 'row-name' }, this.whole, this.head, this.tail);
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
      el('div', { class: 'row-words' }, this.name, el('p', { class: 'row-stage' }, this.symbol, this.stage), this.bar),
      this.outcome, this.actions);
    this.download.addEventListener('click', (event) => this.onDownload(event));
    this.element.addEventListener('keydown', (event) => this.onKey(event));
    this.state = '';
    this.is_guarded = false;
  }

  /** @param {Control} control */
  createButton(control) {
    const kind = control.is_worded ? 'button button-small' : 'button button-small button-icon button-quiet';
    const button = el('button', { class: kind, type: 'button', 'data-control': control.name }, icon(control.symbol), el('span', { class: control.is_worded ? '' : 'visually-hidden' }));
    button.addEventListener('click', () => emit(button, `${control.name}-item`, this.id));
    return button;
  }

  /** Where the table has it. @param {Control} control */
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

  /** With an API key a link cannot fetch; the bytes are fetched and handed over instead. Without, the link does it, and cannot say why it failed. @param {MouseEvent} event */
  onDownload(event) {
    if (this.is_guarded) event.preventDefault();
    emit(this.element, this.is_guarded ? 'save-item' : 'download-item', this.id);
  }

  /** @param {string} url */
  showPicture(url) {
    const image = el('img', { alt: '', src: url, decoding: 'async' });
    image.addEventListener('error', () => image.replaceWith(icon('image')));
    this.picture.replaceChildren(image);
  }

  /** @param {Item} item @param {Setting} setting */
  update(item, { capabilities, words, now_ms }) {
    const focused = document.activeElement;
    const had_focus = focused instanceof HTMLElement && this.actions.contains(focused);
    this.is_guarded = capabilities.auth;
    this.updateName(item);
    const text = stageText(item, capabilities, words, now_ms);
    this.updateStage(item, text);
    this.updateBar(item, text);
    this.updateOutcome(item, words);
    this.updateControls(item, capabilities, words);
    if (had_focus && focused.hidden) this.focus();
  }

  /** @param {Item} item */
  updateName(item) {
    if (this.name.title === item.name) return;
    const [head, tail] = splitName(item.name);
    setText(this.whole, item.name);
    setText(this.head, head);
    setText(this.tail, tail);
    this.name.title = item.name;
    this.element.dataset.name = item.name;
  }

  /** @param {Item} item @param {string} text */
  updateStage(item, text) {
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
      if (is_shown) this.nameControl(button, words.t(control.text), words.t(control.label, { name: item.name }));
    }
    this.download.hidden = item.state !== 'done' || !item.result;
    if (this.download.hidden || !item.result) return;
    setAttribute(this.download, 'href', `${item.result.url}?download=1`);
    setAttribute(this.download, 'download', resultName(item.name));
    this.nameControl(this.download, words.t('row.download'), words.t('row.download_name', { name: resultName(item.name) }));
  }

  /** @param {HTMLElement} control @param {string} text @param {string} label */
  nameControl(control, text, label) {
    setAttribute(control, 'aria-label', label);
    if (control.classList.contains('button-icon')) setAttribute(control, 'title', text);
    setText(/** @type {Element} */ (control.lastElementChild), text);
  }

  focus() {
    const first = this.actions.querySelector(':scope > :not([hidden])');
    if (first instanceof HTMLElement) first.focus();
  }
}
