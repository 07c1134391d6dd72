// @ts-check
/**
 * The images on the page. This is the only place where one changes: `dispatch` takes a fact, `core/item.js` returns the item after it, and the
 * listeners hear of it in the order in which they were added.
 */
import { advance } from './core/item.js';

/** @typedef {import('./core/types.js').Item} Item */
/**
 * @typedef {object} Listener
 * @property {(item: Item) => void} [onAdded]
 * @property {(item: Item, before: Item) => void} [onChanged]
 * @property {(item: Item) => void} [onRemoved]
 */

export class Items {
  constructor() {
    /** @type {Map<string, Item>} */
    this.by_id = new Map();
    /** Job → item, for updates that arrive by job. @type {Map<string, string>} */
    this.id_by_job = new Map();
    this.last_place = 0;
    /** @type {Listener[]} */
    this.listeners = [];
  }

  /** @param {Listener} listener */
  listen(listener) {
    this.listeners.push(listener);
  }

  get size() {
    return this.by_id.size;
  }

  /** After all that are here or were here, also before a reload. */
  nextPlace() {
    return Math.max(this.last_place + 1, Date.now());
  }

  all() {
    return [...this.by_id.values()];
  }

  /** @param {string} id */
  get(id) {
    return this.by_id.get(id);
  }

  /** @param {string} job */
  ofJob(job) {
    return this.by_id.get(this.id_by_job.get(job) ?? '');
  }

  /** @param {Item} item @returns {Item} with its place in the order of the list */
  add(item) {
    const placed = item.place > 0 ? item : { ...item, place: this.nextPlace() };
    this.last_place = Math.max(this.last_place, placed.place);
    this.by_id.set(item.id, placed);
    this.link(placed);
    for (const { onAdded } of this.listeners) onAdded?.(placed);
    return placed;
  }

  /** @param {string} id @param {import('./core/item.js').Fact} fact */
  dispatch(id, fact) {
    const before = this.by_id.get(id);
    if (!before) return;
    const item = advance(before, fact, Date.now());
    if (item === before) return;
    this.by_id.set(id, item);
    if (item.job !== before.job) {
      this.unlink(before);
      this.link(item);
    }
    for (const { onChanged } of this.listeners) onChanged?.(item, before);
  }

  /** @param {Item} item */
  link(item) {
    if (item.job) this.id_by_job.set(item.job, item.id);
  }

  /** @param {Item} item */
  unlink(item) {
    if (item.job) this.id_by_job.delete(item.job);
  }

  /** @param {Item} item */
  remove(item) {
    this.by_id.delete(item.id);
    this.unlink(item);
    for (const { onRemoved } of this.listeners) onRemoved?.(item);
  }
}
