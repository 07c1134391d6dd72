// @ts-check
/**
 * The menu of a button (the menu button of ARIA's practices). One at a time, at the end of the button's section, so that no row cuts it off. Arrow keys, Home, End
 * and first letters move; Escape, Tab, a press elsewhere or a choice closes it. The focus returns to the button.
 */
import { el, icon } from './dom.js';

/** @typedef {{name: string, symbol: string, text: string}} Entry */

const ID = 'row-menu';
const GAP = 4;
const EDGE = 8;

/** @type {Menu | null} */
let open_menu = null;

/**
 * A second press on the button closes its menu.
 * @param {HTMLElement} button
 * @param {{label: string, entries: Entry[], onChoose: (name: string) => void, is_last_first?: boolean}} given `is_last_first`: begin at the last entry
 */
export function toggleMenu(button, { label, entries, onChoose, is_last_first = false }) {
  const was_open = open_menu?.button === button;
  open_menu?.close();
  if (was_open) return;
  open_menu = new Menu(button, label, entries, onChoose);
  open_menu.focus(is_last_first ? -1 : 0);
}

/** The button is gone, or is about to be. @param {HTMLElement} button */
export function closeMenuOf(button) {
  if (open_menu?.button === button) open_menu.close();
}

class Menu {
  /** @param {HTMLElement} button @param {string} label @param {Entry[]} entries @param {(name: string) => void} onChoose */
  constructor(button, label, entries, onChoose) {
    this.button = button;
    this.items = entries.map(({ name, symbol, text }) => {
      const item = el('button', { class: 'menu-item', type: 'button', role: 'menuitem', tabindex: '-1', 'data-action': name }, icon(symbol), el('span', {}, text));
      item.addEventListener('click', () => this.close() ?? onChoose(name));
      return item;
    });
    this.element = el('div', { class: 'menu', id: ID, role: 'menu', 'aria-label': label }, ...this.items);
    this.listening = new AbortController();
    this.listen();
    (button.closest('section') ?? document.body).append(this.element);
    button.setAttribute('aria-expanded', 'true');
    button.setAttribute('aria-controls', ID);
    this.place();
  }

  listen() {
    const { signal } = this.listening;
    this.element.addEventListener('keydown', (event) => this.onKey(event));
    this.element.addEventListener('pointermove', ({ target }) => this.items.find((item) => target instanceof Node && item.contains(target))?.focus({ preventScroll: true }));
    const isOutside = (/** @type {Event} */ { target }) => !(target instanceof Node && (this.element.contains(target) || this.button.contains(target)));
    document.addEventListener('pointerdown', (event) => isOutside(event) && this.close(), { signal, capture: true });
    document.addEventListener('focusin', (event) => isOutside(event) && this.close(), { signal });
    addEventListener('scroll', () => this.place(), { signal, passive: true });
    addEventListener('resize', () => this.place(), { signal });
  }

  /** Below the button, or above where there is more room; never beyond the edge of the window. */
  place() {
    const { right, top, bottom } = this.button.getBoundingClientRect();
    const [width, height] = [document.documentElement.clientWidth, window.innerHeight];
    if (bottom < 0 || top > height) return this.close();
    const [below, above] = [height - bottom - GAP - EDGE, top - GAP - EDGE];
    const is_below = this.element.scrollHeight <= below || below >= above;
    const { style, offsetWidth } = this.element;
    style.maxHeight = `${Math.max(is_below ? below : above, 0)}px`;
    style.top = `${is_below ? bottom + GAP : top - GAP - Math.min(this.element.offsetHeight, above)}px`;
    style.left = `${Math.max(EDGE, Math.min(right, width - EDGE) - offsetWidth)}px`;
  }

  /** @param {number} index counted from the end where negative */
  focus(index) {
    this.items.at(index % this.items.length)?.focus();
  }

  /** @param {KeyboardEvent} event */
  onKey(event) {
    const at = this.items.findIndex((item) => item === document.activeElement);
    const moves = /** @type {Record<string, () => void>} */ ({
      ArrowDown: () => this.focus(at + 1), ArrowUp: () => this.focus(at - 1), Home: () => this.focus(0), End: () => this.focus(-1), Escape: () => this.close(),
    });
    const move = moves[event.key];
    // The browser goes on from the button.
    if (event.key === 'Tab') return this.close();
    if (!move && (event.key.length !== 1 || event.key === ' ' || event.ctrlKey || event.metaKey || event.altKey)) return;
    event.preventDefault();
    event.stopPropagation();
    if (move) move();
    else this.focusLetter(event.key, at);
  }

  /** The next entry that begins with it. @param {string} letter @param {number} at */
  focusLetter(letter, at) {
    const order = [...this.items.slice(at + 1), ...this.items.slice(0, at + 1)];
    order.find((item) => item.textContent?.toLocaleLowerCase().startsWith(letter.toLocaleLowerCase()))?.focus();
  }

  close() {
    const had_focus = this.element.contains(document.activeElement);
    this.listening.abort();
    open_menu = null;
    this.button.setAttribute('aria-expanded', 'false');
    this.button.removeAttribute('aria-controls');
    if (had_focus) this.button.focus();
    this.element.remove();
  }
}
