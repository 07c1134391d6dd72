// @ts-check
/**
 * The list of files. Paints a row at once when its state changes, else at most five times a second. Law: no frame builds or paints for longer
 * than its budget; what does not fit comes with the next one, so that a hundred files dropped at once never stall the page.
 */
import { find } from './dom.js';
import { Row } from './row.js';

/** @typedef {import('../core/types.js').Item} Item */

/** With the tenth of a second that the gateway gathers changes for, and a line that is 100 ms late, the row is within half a second of the truth. */
const PAINT_GAP_MS = 200;
/** Half of what a frame has at 60 Hz: style and layout need the rest. */
const FRAME_BUDGET_MS = 8;

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
    /** Added, and not built yet: in the order of the list. @type {Map<string, Item>} */
    this.coming = new Map();
    /** Pictures that came before their row. @type {Map<string, string>} */
    this.pictures = new Map();
    /** How long rows were built since the last frame. */
    this.spent_ms = 0;
    /** @type {number | null} */
    this.frame = null;
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.timer = undefined;
  }

  /** At once while the frame has time for it. @param {Item} item */
  add(item) {
    this.section.hidden = false;
    this.coming.set(item.id, item);
    if (this.coming.size === 1 && this.spent_ms < FRAME_BUDGET_MS) this.spent_ms += this.build();
    this.schedule(0);
  }

  /** The next row. @returns {number} how long it took, in milliseconds */
  build() {
    const from_ms = performance.now();
    for (const [id, item] of this.coming) {
      this.coming.delete(id);
      const row = new Row(id);
      this.rows.set(id, row);
      this.element.append(row.element);
      const picture = this.pictures.get(id);
      if (picture && this.pictures.delete(id)) row.showPicture(picture);
      this.update(item);
      break;
    }
    return performance.now() - from_ms;
  }

  /** @param {Item} item */
  update(item) {
    if (this.coming.has(item.id)) this.coming.set(item.id, item);
    if (!this.rows.has(item.id)) return;
    this.pending.set(item.id, item);
    this.schedule(0);
  }

  /** What is due now does not wait for what is due later. @param {number} wait_ms until the first of what is pending is due */
  schedule(wait_ms) {
    if (this.frame !== null) return;
    clearTimeout(this.timer);
    if (wait_ms > 0) this.timer = setTimeout(() => this.schedule(0), wait_ms);
    else this.frame = requestAnimationFrame(() => this.paint());
  }

  paint() {
    this.frame = null;
    const [now_ms, from_ms] = [Date.now(), performance.now()];
    const hasTime = () => performance.now() - from_ms < FRAME_BUDGET_MS;
    this.spent_ms = 0;
    while (this.coming.size > 0 && hasTime()) this.build();
    let next_ms = this.coming.size > 0 ? 0 : Infinity;
    for (const [id, item] of this.pending) {
      const painted = this.painted.get(id);
      const wait_ms = painted && painted.state === item.state ? painted.at_ms + PAINT_GAP_MS - now_ms : 0;
      if (wait_ms > 0) next_ms = Math.min(next_ms, wait_ms);
      else if (hasTime()) this.paintRow(id, item, now_ms);
      else next_ms = 0;
    }
    if (next_ms < Infinity) this.schedule(next_ms);
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
    if (this.coming.has(id)) this.pictures.set(id, url);
    else this.rows.get(id)?.showPicture(url);
  }

  /** The focus goes to the next row, else to the one before, else to the first button. @param {string} id */
  remove(id) {
    for (const kept of [this.coming, this.pictures]) kept.delete(id);
    const row = this.rows.get(id);
    if (row) this.removeRow(id, row);
    this.section.hidden = this.rows.size + this.coming.size === 0;
  }

  /** @param {string} id @param {Row} row */
  removeRow(id, row) {
    const had_focus = row.element.contains(document.activeElement);
    const neighbour = row.element.nextElementSibling ?? row.element.previousElementSibling;
    row.element.remove();
    for (const kept of [this.rows, this.painted, this.pending]) kept.delete(id);
    if (!had_focus) return;
    const next = neighbour instanceof HTMLElement ? this.rows.get(neighbour.dataset.id ?? '') : undefined;
    if (next) next.focus();
    else find('choose', HTMLElement).focus();
  }
}
