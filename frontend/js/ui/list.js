// @ts-check
/**
 * The list of images. Paints a row in the next frame when its state changes, else at most five times a second. Law: no frame builds or paints
 * for longer than its budget. What does not fit waits for the next frame, so that a hundred dropped files never stall the page.
 */
import { find } from './dom.js';
import { Row } from './row.js';

/** @typedef {import('../core/types.js').Item} Item */

/** The gateway merges the changes of 100 ms. With this and a latency of 100 ms, a row is at most half a second behind. */
const PAINT_GAP_MS = 200;
/** Half of a frame at 60 Hz; style and layout need the rest. */
const FRAME_BUDGET_MS = 8;

export class List {
  /** @param {() => Omit<import('./row.js').Context, 'now_ms'>} context */
  constructor(context) {
    this.context = context;
    this.element = find('rows', HTMLUListElement);
    this.section = find('list', HTMLElement);
    /** @type {Map<string, Row>} */
    this.rows = new Map();
    /** @type {Map<string, {at_ms: number, state: string}>} */
    this.painted = new Map();
    /** @type {Map<string, Item>} */
    this.pending = new Map();
    /** Added, but without a row yet, in the order of the list. @type {Map<string, Item>} */
    this.unbuilt = new Map();
    /** Pictures that came before their row. @type {Map<string, string>} */
    this.pictures = new Map();
    /** The ids of the rows to show, in their order. @type {() => string[]} */
    this.arranged = () => [...this.rows.keys()];
    this.is_unarranged = false;
    /** Time spent on building rows since the last frame. */
    this.spent_ms = 0;
    /** @type {number | null} */
    this.frame = null;
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.timer = undefined;
  }

  /** Builds the row at once while the frame has time. @param {Item} item */
  add(item) {
    this.section.hidden = false;
    this.unbuilt.set(item.id, item);
    if (this.unbuilt.size === 1 && this.spent_ms < FRAME_BUDGET_MS) this.spent_ms += this.buildNext();
    this.schedule(0);
  }

  /** @returns {number} how long it took, in milliseconds */
  buildNext() {
    const started_ms = performance.now();
    for (const [id, item] of this.unbuilt) {
      this.unbuilt.delete(id);
      this.is_unarranged = true;
      const row = new Row(id);
      this.rows.set(id, row);
      this.element.append(row.element);
      const picture = this.pictures.get(id);
      if (picture && this.pictures.delete(id)) row.showPicture(picture);
      this.update(item);
      break;
    }
    return performance.now() - started_ms;
  }

  /** @param {Item} item */
  update(item) {
    if (this.unbuilt.has(item.id)) this.unbuilt.set(item.id, item);
    if (!this.rows.has(item.id)) return;
    this.pending.set(item.id, item);
    this.schedule(0);
  }

  /** Something due now does not wait for a timer that was set before. @param {number} wait_ms until the first pending row is due */
  schedule(wait_ms) {
    if (this.frame !== null) return;
    clearTimeout(this.timer);
    if (wait_ms > 0) this.timer = setTimeout(() => this.schedule(0), wait_ms);
    else this.frame = requestAnimationFrame(() => this.paint());
  }

  paint() {
    this.frame = null;
    const [now_ms, started_ms] = [Date.now(), performance.now()];
    const hasTime = () => performance.now() - started_ms < FRAME_BUDGET_MS;
    this.spent_ms = 0;
    while (this.unbuilt.size > 0 && hasTime()) this.buildNext();
    if (this.is_unarranged) this.arrange();
    let next_ms = this.unbuilt.size > 0 ? 0 : Infinity;
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
    this.rows.get(id)?.update(item, { ...this.context(), now_ms });
  }

  /** In the next frame: it moves and hides rows. */
  arrangeSoon() {
    this.is_unarranged = true;
    this.schedule(0);
  }

  /** Moves only what stands elsewhere, and keeps the focus, which a move would take. */
  arrange() {
    this.is_unarranged = false;
    const focused = document.activeElement;
    const shown = this.arranged().map((id) => this.rows.get(id)?.element).filter((each) => each !== undefined);
    const is_shown = new Set(shown);
    for (const { element } of this.rows.values()) element.hidden = !is_shown.has(element);
    let next = this.element.firstElementChild;
    for (const element of shown) {
      while (next instanceof HTMLElement && next.hidden) next = next.nextElementSibling;
      if (element === next) next = next.nextElementSibling;
      else this.element.insertBefore(element, next);
    }
    if (focused instanceof HTMLElement && this.element.contains(focused) && focused !== document.activeElement) this.keepFocus(focused, shown);
  }

  /** @param {HTMLElement} focused @param {HTMLElement[]} shown */
  keepFocus(focused, shown) {
    const is_hidden = focused.closest('.row[hidden]') !== null;
    const next = is_hidden ? this.rows.get(shown[0]?.dataset.id ?? '') : undefined;
    if (next) next.focus();
    else if (!is_hidden) focused.focus({ preventScroll: true });
  }

  /** Whether a pointer or the focus is on a row. */
  isUsed() {
    return this.element.matches(':hover, :focus-within');
  }

  /** Repaint every row: the language changed. @param {Iterable<Item>} items */
  updateAll(items) {
    this.painted.clear();
    for (const item of items) this.update(item);
  }

  /** @param {string} id @param {string} url @param {string} [color] that stands there until the picture is loaded */
  showPicture(id, url, color) {
    if (this.unbuilt.has(id)) this.pictures.set(id, url);
    else this.rows.get(id)?.showPicture(url, color);
  }

  /** The focus goes to the next row, else to the one before, else to the first button. @param {string} id */
  remove(id) {
    for (const kept of [this.unbuilt, this.pictures]) kept.delete(id);
    const row = this.rows.get(id);
    if (row) this.removeRow(id, row);
    this.section.hidden = this.rows.size + this.unbuilt.size === 0;
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
