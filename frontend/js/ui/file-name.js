// @ts-check
/**
 * A file's name, shortened in its middle where it does not fit. A name that runs from left to right is shortened by CSS: its head shrinks, its
 * tail stays. Two parts of any other name would be ordered each by itself; it stays one text, shortened by measure whenever its room changes.
 */
import { el, setText } from './dom.js';
import { hasRightToLeft } from '../core/bidi.js';
import { shortenedName, splitName } from '../core/filenames.js';

/** @type {WeakMap<Element, FileName>} */
const names = new WeakMap();
const observer = new ResizeObserver((entries) => {
  for (const { target, contentRect } of entries) names.get(target)?.fit(contentRect.width);
});
/** @type {CanvasRenderingContext2D | null} */
let context = null;

export class FileName {
  /** @param {string} id of the element that holds the whole name, for what is labelled by it */
  constructor(id) {
    this.whole = el('span', { class: 'visually-hidden', id });
    this.head = el('span', { class: 'name-head', 'aria-hidden': 'true' });
    this.tail = el('span', { class: 'name-tail', 'aria-hidden': 'true' });
    // The first strong character decides the direction, and the whole name stands first.
    this.element = el('span', { class: 'row-name', dir: 'auto' }, this.whole, this.head, this.tail);
    this.name = '';
  }

  /** @param {string} name */
  show(name) {
    if (this.name === name) return;
    this.name = name;
    const is_measured = hasRightToLeft(name);
    const [head, tail] = is_measured ? [name, ''] : splitName(name);
    setText(this.whole, name);
    setText(this.head, head);
    setText(this.tail, tail);
    this.element.title = name;
    observer.unobserve(this.element);
    names.set(this.element, this);
    // It reports at once, and after each change.
    if (is_measured) observer.observe(this.element);
  }

  /** @param {number} width in CSS pixels */
  fit(width) {
    context ??= el('canvas').getContext('2d');
    if (!context) return;
    const measure = context;
    measure.font = getComputedStyle(this.head).font;
    setText(this.head, shortenedName(this.name, (text) => measure.measureText(text).width <= width - 1));
  }
}
