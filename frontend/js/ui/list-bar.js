// @ts-check
/** The line above the list: which images it shows, and in which order. Events: `sort-chosen` (detail: the order), `filter-chosen` (null: all). */
import { el, emit, find, icon, setText } from './dom.js';

/** @typedef {import('../core/arrangement.js').Arrangement} Arrangement */
/** @typedef {import('../core/language.js').Words} Words */

const SORTS = /** @type {const} */ ([['added', 'list.sort_added'], ['name', 'list.sort_name'], ['size', 'list.sort_size'], ['saving', 'list.sort_saving']]);
export const FILTER_TEXTS = { failed: 'list.only_failed', larger: 'list.only_larger' };

export class ListBar {
  constructor() {
    this.element = find('list-bar', HTMLElement);
    this.text = el('span');
    this.all = el('button', { class: 'button button-small', type: 'button', id: 'show-all' }, icon('close'), el('span'));
    this.filter = el('p', { class: 'list-filter', hidden: '' }, this.text, this.all);
    this.label = el('label', { for: 'sort' });
    this.select = el('select', { id: 'sort' }, ...SORTS.map(([value]) => el('option', { value })));
    this.element.append(this.filter, el('p', { class: 'list-sort' }, this.label, this.select));
    this.all.addEventListener('click', () => emit(this.all, 'filter-chosen', null));
    this.select.addEventListener('change', () => emit(this.select, 'sort-chosen', this.select.value));
  }

  /** @param {Arrangement & {n: number, total: number}} now `n` are shown @param {Words} words */
  update({ sort, filter, n, total }, words) {
    this.element.hidden = total < 2;
    setText(this.label, words.t('list.sort'));
    SORTS.forEach(([, text], index) => setText(this.select.options[index], words.t(text)));
    this.select.value = sort;
    const had_focus = document.activeElement === this.all;
    this.filter.hidden = filter === null;
    if (filter) setText(this.text, words.t(FILTER_TEXTS[filter], { n, total }));
    setText(/** @type {Element} */ (this.all.lastElementChild), words.t('list.all'));
    if (had_focus && !filter) this.select.focus();
  }
}
