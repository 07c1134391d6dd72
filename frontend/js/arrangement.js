// @ts-check
/** Sorts and filters the list. The order is stored, a filter is not. What works on its own moves no row under a reader's pointer or focus. */
import { arrangedIds, readSort } from './core/arrangement.js';
import { isFinal } from './core/states.js';
import { loadValue, saveValue } from './net/storage.js';
import { on } from './ui/dom.js';
import { FILTER_TEXTS, ListBar } from './ui/list-bar.js';

/** @typedef {import('./core/arrangement.js').Sort} Sort */
/** @typedef {import('./core/arrangement.js').Filter} Filter */

/**
 * @typedef {object} Context
 * @property {import('./items.js').Items} items
 * @property {import('./ui/list.js').List} list
 * @property {() => import('./core/language.js').Words} words
 * @property {import('./messages.js').Messages} messages
 * @property {(filter: Filter | null) => void} onFilter
 */

/** Images that end one after the other are ordered together. */
const GATHER_MS = 500;
const STORED = 'sort';

export class ListArrangement {
  /** @param {Context} context */
  constructor({ items, list, words, messages, onFilter }) {
    this.items = items;
    this.list = list;
    this.words = words;
    this.messages = messages;
    this.onFilter = onFilter;
    this.sort = readSort(loadValue(STORED));
    /** @type {Filter | null} */
    this.filter = null;
    this.bar = new ListBar();
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.timer = undefined;
    items.listen({
      onAdded: () => this.list.arrangeSoon(),
      onChanged: (item, before) => item.state !== before.state && (isFinal(item.state) || isFinal(before.state)) && this.arrangeLater(),
      onRemoved: () => this.filter && this.arrangeLater(),
    });
    list.arranged = () => this.ids();
    on('sort-chosen', (/** @type {Sort} */ sort) => this.sortBy(sort));
    on('filter-chosen', (/** @type {Filter | null} */ filter) => this.show(filter === this.filter ? null : filter));
  }

  /** @param {Sort} sort */
  sortBy(sort) {
    this.sort = sort;
    saveValue(STORED, sort);
    this.list.arrangeSoon();
  }

  /** @param {Filter | null} filter null: all */
  show(filter) {
    this.filter = filter;
    this.list.arrangeSoon();
    this.onFilter(filter);
    if (filter) this.messages.announce(FILTER_TEXTS[filter], this.counts(this.arrangedIds()));
    else this.messages.announce('list.all_shown');
  }

  /** A filter that nothing passes any more ends. */
  ids() {
    if (this.filter && this.arrangedIds().length === 0 && this.items.size > 0) this.show(null);
    const ids = this.arrangedIds();
    this.bar.update({ sort: this.sort, filter: this.filter, ...this.counts(ids) }, this.words());
    return ids;
  }

  arrangedIds() {
    return arrangedIds(this.items.all(), this, this.words().language);
  }

  /** @param {string[]} ids */
  counts(ids) {
    return { n: ids.length, total: this.items.size };
  }

  arrangeLater() {
    this.timer ??= setTimeout(() => {
      this.timer = undefined;
      if (this.list.isUsed()) this.arrangeLater();
      else this.list.arrangeSoon();
    }, GATHER_MS);
  }
}
