// @ts-check
/** In which order the list shows its images, and which of them. */
import { savedPercent } from './batch.js';
import { isLarger, isOriginal, sourceBytes } from './outcome.js';
import { isFailed } from './states.js';
import { asksForVariants } from './variants.js';

/** @typedef {import('./types.js').Item} Item */
/** @typedef {'added' | 'name' | 'size' | 'saving'} Sort */
/** @typedef {'failed' | 'larger'} Filter */
/** @typedef {{sort: Sort, filter: Filter | null}} Arrangement */

/** Those without a result go last. @param {Item} item */
const savingOf = (item) => item.state !== 'done' || !item.result ? -Infinity : isOriginal(item) || asksForVariants(item) ? 0 : savedPercent(sourceBytes(item), item.result.bytes);

/** Order → how two images compare in it. The largest file and the largest saving come first. @type {Record<Sort, (names: Intl.Collator) => (a: Item, b: Item) => number>} */
const ORDERS = {
  added: () => () => 0,
  name: (names) => (a, b) => names.compare(a.name, b.name),
  size: () => (a, b) => sourceBytes(b) - sourceBytes(a),
  saving: () => (a, b) => compareNumbers(savingOf(b), savingOf(a)),
};

/** @type {Record<Filter, (item: Item) => boolean>} */
const FILTERS = { failed: (item) => isFailed(item.state), larger: isLarger };

export const SORTS = /** @type {Sort[]} */ (Object.keys(ORDERS));

/** One that was stored by an earlier visit may be unknown. @param {unknown} stored @returns {Sort} */
export const readSort = (stored) => SORTS.find((each) => each === stored) ?? 'added';

/**
 * The ids of the images to show. Images that are equal in an order stay in the order added.
 * @param {Item[]} items in any order
 * @param {Arrangement} arrangement
 * @param {string} language whose alphabet orders names
 * @returns {string[]}
 */
export function arrangedIds(items, { sort, filter }, language) {
  const shown = filter ? items.filter(FILTERS[filter]) : [...items];
  const compare = ORDERS[sort](new Intl.Collator(language, { numeric: true }));
  return shown.sort((a, b) => compare(a, b) || a.place - b.place).map(({ id }) => id);
}

/** Infinity minus Infinity is no number. @param {number} a @param {number} b */
const compareNumbers = (a, b) => a === b ? 0 : a < b ? -1 : 1;
