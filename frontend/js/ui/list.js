// @ts-check
/** The list of files. Paints a row at once when its state changes, else at most four times a second. */
import { find } from './dom.js';
import { Row } from './row.js';

/** @typedef {import('../core/types.js').Item} Item */

const PAINT_GAP_MS = 250;

export class List {
  /** @param {() => Omit<import('./row.js').Setting, 'now_ms'>} setting */
  constructor(setting) {
    this.setting = setting;
    this.element = find('rows', HTMLUListElement);
    this.section = find('list', HTMLElement);
    /** @type {Map<string, Row>} */
    this.rows = new Map();
    /** @type {Map<string, {at_ms: number, state: string}>} */
    this.painted = new Map();
    /** @type {Map<string, Item>} */
    this.pending = new Map();
    this.is_scheduled = false;
  }

  /** @param {Item} item */
  add(item) {
    const row = new Row(item.id);
    this.rows.set(item.id, row);
    this.element.append(row.element);
    this.section.hidden = false;
    this.update(item);
  }

  /** @param {Item} item */
  update(item) {
    if (!this.rows.has(item.id)) return;
    this.pending.set(item.id, item);
    if (this.is_scheduled) return;
    this.is_scheduled = true;
    requestAnimationFrame(() => this.paint());
  }

  paint() {
    this.is_scheduled = false;
    const now_ms = Date.now();
    let next_ms = Infinity;
    for (const [id, item] of this.pending) {
      const painted = this.painted.get(id);
      const wait_ms = painted && painted.state === item.state ? painted.at_ms + PAINT_GAP_MS - now_ms : 0;
      if (wait_ms <= 0) this.paintRow(id, item, now_ms);
      else next_ms = Math.min(next_ms, wait_ms);
    }
    if (next_ms === Infinity) return;
    this.is_scheduled = true;
    setTimeout(() => requestAnimationFrame(() => this.paint()), next_ms);
  }

  /** @param {string} id @param {Item} item @param {number} now_ms */
  paintRow(id, item, now_ms) {
    this.pending.delete(id);
    this.painted.set(id, { at_ms: now_ms, state: item.state });
    this.rows.get(id)?.update(item, { ...this.setting(), now_ms });
  }

  /** Everything anew: the language changed. @param {Iterable<Item>} items */
  updateAll(items) {
    this.painted.clear();
    for (const item of items) this.update(item);
  }

  /** @param {string} id @param {string} url */
  showPicture(id, url) {
    this.rows.get(id)?.showPicture(url);
  }

  /** The focus goes to the next row, else to the one before, else to the first button. @param {string} id */
  remove(id) {
    const row = this.rows.get(id);
    if (!row) return;
    const had_focus = row.element.contains(document.activeElement);
    const neighbour = row.element.nextElementSibling ?? row.element.previousElementSibling;
    row.element.remove();
    for (const kept of [this.rows, this.painted, this.pending]) kept.delete(id);
    this.section.hidden = this.rows.size === 0;
    if (!had_focus) return;
    const next = neighbour instanceof HTMLElement ? this.rows.get(neighbour.dataset.id ?? '') : undefined;
    if (next) next.focus();
    else find('choose', HTMLElement).focus();
  }
}
