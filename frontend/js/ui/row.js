// @ts-check
/**
 * One image in the list. The row is built once; `update` writes only what changed. A control is built when it is first shown, because most rows
 * need few. From then on it is shown or hidden, so that it keeps the focus. When the focused control is hidden, the first visible one gets it.
 * Events (detail: id): `download-item`, `save-item`, and those of `core/row-controls.js`.
 */
import { canCopyImages } from './clipboard.js';
import { el, emit, icon, setAttribute, setProperty, setText } from './dom.js';
import { FileName } from './file-name.js';
import { closeMenuOf, toggleMenu } from './menu.js';
import { savedPercent } from '../core/batch.js';
import { withoutIsolates } from '../core/bidi.js';
import { archiveOutcome, downloadAddress, hasOutcome, isLarger, isOriginal, outcomeOf, resultOutcome, sourceBytes } from '../core/outcome.js';
import { BUTTONS, ENTRIES } from '../core/row-controls.js';
import { isConverting, isFinal } from '../core/states.js';
import { statusText } from '../core/status-text.js';
import { asksForVariants, filesOf, isRenamed } from '../core/variants.js';
import { loadStyles } from './styles.js';

/** @typedef {import('../core/types.js').Item} Item */
/** @typedef {import('../core/types.js').Capabilities} Capabilities */
/** @typedef {import('../core/language.js').Words} Words */
/** @typedef {{capabilities: Capabilities, words: Words, now_ms: number}} Context what a row needs besides its item */
/** @typedef {import('../core/row-controls.js').Control} Control */
/** @typedef {import('../core/outcome.js').Outcome} Outcome */

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
    this.download = el('a', { class: 'button button-small button-soft', 'data-control': 'download', draggable: 'true' }, icon('download'), el('span'));
    /** @type {Map<string, HTMLButtonElement>} */
    this.buttons = new Map();
    this.actions = el('div', { class: 'row-actions' }, this.download);
    this.element = el('li', { class: 'row', 'data-id': id },
      this.picture,
      el('div', { class: 'row-words' }, this.name.element, el('p', { class: 'row-stage' }, this.symbol, this.stage)), this.bar,
      this.outcome, this.actions);
    this.download.addEventListener('click', (event) => this.onDownload(event));
    this.element.addEventListener('keydown', (event) => this.onKey(event));
    for (const handle of /** @type {HTMLElement[]} */ ([this.picture, this.download])) handle.addEventListener('dragstart', (event) => this.onDrag(event));
    this.state = '';
    this.needs_key = false;
    /** Whether a link cannot give what is downloaded, so that the page does. */
    this.is_saved_by_page = false;
    /** Of an image that asks for several results. @type {import('./variant-list.js').VariantList | null} */
    this.variants = null;
    /** The last item and its context. @type {[Item, Context] | null} */
    this.last = null;
    /** What its menu shows. @type {import('./menu.js').Entry[]} */
    this.entries = [];
    /** What is saved and dragged out. @type {Outcome | null} */
    this.file = null;
  }

  /** @param {Control} control */
  createButton(control) {
    const kind = control.has_text ? 'button button-small' : 'button button-small button-icon button-quiet';
    const button = el('button', { class: kind, type: 'button', 'data-control': control.name }, icon(control.symbol), el('span', { class: control.has_text ? '' : 'visually-hidden' }));
    if (control.name === 'menu') this.listenToMenu(button);
    else button.addEventListener('click', () => emit(button, `${control.name}-item`, this.id));
    return button;
  }

  /** At its place in `BUTTONS`. @param {Control} control */
  addButton(control) {
    const button = this.createButton(control);
    const next = BUTTONS.slice(BUTTONS.indexOf(control) + 1).find((each) => this.buttons.has(each.name));
    this.actions.insertBefore(button, next ? this.buttons.get(next.name) ?? null : null);
    this.buttons.set(control.name, button);
    return button;
  }

  /** @param {HTMLButtonElement} button */
  listenToMenu(button) {
    setAttribute(button, 'aria-haspopup', 'menu');
    setAttribute(button, 'aria-expanded', 'false');
    const toggle = (is_last_first = false) => toggleMenu(button, {
      label: button.getAttribute('aria-label') ?? '', entries: this.entries, onChoose: (name) => emit(button, `${name}-item`, this.id), is_last_first,
    });
    button.addEventListener('click', () => toggle());
    button.addEventListener('keydown', (event) => {
      if (event.key !== 'ArrowDown' && event.key !== 'ArrowUp') return;
      event.preventDefault();
      toggle(event.key === 'ArrowUp');
    });
  }

  /** @param {KeyboardEvent} event */
  onKey(event) {
    if (event.key !== 'Delete' || !(event.target instanceof HTMLElement)) return;
    emit(this.element, isFinal(/** @type {Item['state']} */ (this.state)) ? 'remove-item' : 'cancel-item', this.id);
  }

  /** To the desktop as a file (where the browser knows `DownloadURL`), to other windows as a picture or an address. @param {DragEvent} event */
  onDrag(event) {
    const { file } = this;
    if (!file || !event.dataTransfer) return event.preventDefault();
    const address = new URL(file.path, location.href).href;
    const saved = new URL(downloadAddress(file), location.href).href;
    event.dataTransfer.clearData();
    event.dataTransfer.setData('DownloadURL', `image/${file.format}:${file.name.replaceAll(':', '_')}:${saved}`);
    event.dataTransfer.setData('text/uri-list', address);
    event.dataTransfer.setData('text/plain', address);
    event.dataTransfer.setData('text/html', `<img src="${address}" alt="">`);
    event.dataTransfer.effectAllowed = 'copy';
    event.dataTransfer.setDragImage(this.picture, 28, 28);
  }

  /** A link sends no API key: where one is needed, the page fetches the bytes. Else the link downloads, and the page checks whether it can. @param {MouseEvent} event */
  onDownload(event) {
    if (this.is_saved_by_page) event.preventDefault();
    emit(this.element, this.is_saved_by_page ? 'save-item' : 'download-item', this.id);
  }

  /** @param {string} url @param {string} [color] that stands there until the picture is loaded: afterwards it would shine through */
  showPicture(url, color = '') {
    const image = el('img', { alt: '', src: url, decoding: 'async', draggable: 'false' });
    this.picture.style.backgroundColor = color;
    for (const end of ['load', 'error']) image.addEventListener(end, () => { this.picture.style.backgroundColor = ''; });
    image.addEventListener('error', () => image.replaceWith(icon('image')));
    this.picture.replaceChildren(image);
  }

  /** @param {Item} item @param {Context} context */
  update(item, context) {
    const { capabilities, words, now_ms } = context;
    this.last = [item, context];
    const focused = document.activeElement;
    const had_focus = focused instanceof HTMLElement && this.actions.contains(focused);
    this.needs_key = capabilities.auth;
    this.name.show(item.name);
    setAttribute(this.element, 'data-name', item.name);
    const text = statusText(item, capabilities, words, now_ms);
    this.updateStatus(item, text);
    this.updateBar(item, text);
    this.updateOutcome(item, words);
    this.updateVariants(item, words);
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
    const before = sourceBytes(item);
    const { result } = item;
    if (asksForVariants(item)) return this.updateSums(item, words);
    const is_done = item.state === 'done' && result !== null;
    this.saving.hidden = !is_done || isOriginal(item);
    if (!is_done || isOriginal(item)) return setText(this.sizes, item.bytes > 0 ? words.bytes(before) : '');
    const saved = savedPercent(before, result.bytes);
    const figures = { before: words.bytes(before), after: words.bytes(result.bytes) };
    setText(this.sizes, `${figures.before} → ${figures.after}`);
    setAttribute(this.sizes, 'title', words.t('row.sizes', figures));
    setText(this.saving, words.saving(saved));
    setAttribute(this.saving, 'title', words.t(saved > 0 ? 'row.smaller' : 'row.larger', { percent: words.percent(Math.abs(saved)) }));
    this.saving.classList.toggle('is-larger', isLarger(item));
  }

  /** Of several results: what they weigh together. Nothing is saved by that. @param {Item} item @param {Words} words */
  updateSums(item, words) {
    const before = words.bytes(sourceBytes(item));
    this.saving.hidden = true;
    const figures = { before, after: words.bytes(archiveOutcome(item).bytes), n: filesOf(item).length };
    setText(this.sizes, hasOutcome(item) ? words.t('row.sum', figures) : item.bytes > 0 ? before : '');
    setAttribute(this.sizes, 'title', null);
  }

  /** @param {Item} item @param {Words} words */
  async updateVariants(item, words) {
    if (this.variants) this.variants.element.hidden = !asksForVariants(item);
    if (!asksForVariants(item)) return;
    if (this.variants) return this.variants.update(item, words, this.needs_key);
    const [{ VariantList }] = await Promise.all([import('./variant-list.js'), loadStyles('variants')]);
    if (this.variants || !this.last) return;
    this.variants = new VariantList(this.id);
    this.element.append(this.variants.element);
    this.updateVariants(this.last[0], this.last[1].words);
  }

  /** @param {Item} item @param {Capabilities} capabilities @param {Words} words */
  updateControls(item, capabilities, words) {
    for (const control of BUTTONS) {
      const is_shown = control.isShown(item, capabilities);
      const button = this.buttons.get(control.name) ?? (is_shown ? this.addButton(control) : null);
      if (!button) continue;
      if (!is_shown) closeMenuOf(button);
      button.hidden = !is_shown;
      if (is_shown) this.labelControl(button, words.t(control.text), words.t(control.label ?? control.text, { name: item.name }));
    }
    this.updateEntries(item, capabilities, words);
    this.updateDownload(item, capabilities, words);
  }

  /** @param {Item} item @param {Capabilities} capabilities @param {Words} words */
  updateEntries(item, capabilities, words) {
    const { bytes, format } = resultOutcome(item);
    const shown = ENTRIES.filter(({ name, isShown }) => isShown(item, capabilities) && (name !== 'copy-image' || canCopyImages()));
    this.entries = shown.map(({ name, symbol, text }) => ({ name, symbol, text: words.t(text, { format: words.format(format), size: words.bytes(bytes) }) }));
  }

  /** The smaller file of the two, or the ZIP of several. @param {Item} item @param {Capabilities} capabilities @param {Words} words */
  updateDownload(item, capabilities, words) {
    const is_several = asksForVariants(item);
    const file = !hasOutcome(item) ? null : is_several ? archiveOutcome(item) : outcomeOf(item, capabilities);
    this.is_saved_by_page = this.needs_key || is_several && isRenamed(item);
    this.file = this.needs_key || is_several ? null : file;
    setAttribute(this.picture, 'draggable', this.file ? 'true' : null);
    setAttribute(this.download, 'draggable', this.file ? 'true' : null);
    this.download.hidden = !file;
    if (!file) return;
    setAttribute(this.download, 'href', downloadAddress(file));
    setAttribute(this.download, 'download', file.name);
    const [text, label] = is_several ? ['row.download_zip', 'row.download_zip_name'] : isLarger(item) ? ['row.original', 'row.original_name'] : ['row.download', 'row.download_name'];
    this.labelControl(this.download, words.t(text), words.t(label, { name: file.name }));
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
