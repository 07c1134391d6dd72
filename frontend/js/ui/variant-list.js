// @ts-check
/**
 * The files of an image that asked for several results, in its row: a line for each format, with a place for each width from the start, so that
 * nothing moves when one becomes ready. Below them the HTML that shows them. Events (detail: id): `copy-picture-item`, `save-variant` (with the file).
 */
import { el, emit, icon, setAttribute, setText } from './dom.js';
import { downloadAddress } from '../core/outcome.js';
import { snippetOf } from '../core/picture-snippet.js';
import { isFinal } from '../core/states.js';
import { filesOf, slotsOf } from '../core/variants.js';

/** @typedef {import('../core/types.js').Item} Item */
/** @typedef {import('../core/variants.js').Slot} Slot */
/** @typedef {import('../core/variants.js').File} File */
/** @typedef {import('../core/language.js').Words} Words */

export class VariantList {
  /** @param {string} id of the image */
  constructor(id) {
    this.id = id;
    this.formats = el('ul', { class: 'variants-formats' });
    this.copy = el('button', { class: 'button button-small', type: 'button', 'data-control': 'copy-picture' }, icon('code'), el('span'));
    this.note = el('small', { class: 'variants-note' });
    this.summary = el('summary');
    this.code = el('code');
    this.region = el('pre', { tabindex: '0', role: 'region' }, this.code);
    this.html = el('details', { class: 'variants-html' }, this.summary, this.region);
    this.foot = el('div', { class: 'variants-foot' }, this.copy, this.note, this.html);
    this.element = el('div', { class: 'row-variants', role: 'group' }, this.formats, this.foot);
    this.copy.addEventListener('click', () => emit(this.copy, 'copy-picture-item', id));
    /** What is shown now. */
    this.shown = '';
  }

  /** @param {Item} item @param {Words} words @param {boolean} needs_key whether a link cannot fetch the files */
  update(item, words, needs_key) {
    const is_done = item.state === 'done';
    setAttribute(this.element, 'aria-label', words.t('variants.label', { name: item.name }));
    this.element.hidden = item.state === 'expired' || isFinal(item.state) && item.results.length === 0;
    this.foot.hidden = isFinal(item.state) && !is_done;
    this.copy.disabled = !is_done;
    this.html.classList.toggle('is-waiting', !is_done);
    setText(/** @type {Element} */ (this.copy.lastElementChild), words.t('row.copy_picture'));
    setText(this.note, words.t('variants.note'));
    setText(this.summary, words.t('variants.html'));
    setAttribute(this.region, 'aria-label', words.t('variants.html'));
    setText(this.code, is_done ? snippetOf(item) : '');
    this.updateFiles(item, words, needs_key);
  }

  /** Built anew only where another file is ready, or something is called otherwise: what has the focus stays. @param {Item} item @param {Words} words @param {boolean} needs_key */
  updateFiles(item, words, needs_key) {
    const slots = slotsOf(item, isFinal(item.state));
    const shown = JSON.stringify([words.language, item.name, needs_key, slots.map(({ format, width, result }) => [format, width, result?.url])]);
    if (shown === this.shown) return;
    this.shown = shown;
    const focused = document.activeElement instanceof HTMLElement && this.formats.contains(document.activeElement) ? document.activeElement.getAttribute('download') : null;
    const files = new Map(filesOf(item).map(({ result, file }) => [result, file]));
    const formats = [...new Set(slots.map(({ format }) => format))];
    this.formats.replaceChildren(...formats.map((format) => el('li', {}, el('span', { class: 'variants-format' }, words.format(format)),
      el('ul', { class: 'variants-files' }, ...slots.filter((slot) => slot.format === format).map((slot) => el('li', {}, this.place(slot, slot.result && files.get(slot.result), words, needs_key)))))));
    for (const link of this.formats.querySelectorAll('a')) if (focused !== null && link.download === focused) link.focus();
  }

  /** A link to the file, or where it will be. @param {Slot} slot @param {File | null | undefined} file @param {Words} words @param {boolean} needs_key */
  place({ width }, file, words, needs_key) {
    const size = file?.width ?? width;
    const text = size ? words.t('variants.width', { n: String(size) }) : words.t('variants.full_size');
    if (!file) return el('span', { class: 'variant is-pending' }, el('span', {}, text), el('small', {}, words.t('variants.pending')));
    const link = el('a', { class: 'variant', href: downloadAddress(file), download: file.name }, el('span', {}, text), ' ', el('small', {}, words.bytes(file.bytes)),
      el('span', { class: 'visually-hidden' }, ` ${words.t('row.download_name', { name: file.name })}`));
    if (needs_key) link.addEventListener('click', (event) => {
      event.preventDefault();
      emit(link, 'save-variant', { id: this.id, file });
    });
    return link;
  }
}
