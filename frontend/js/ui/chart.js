// @ts-check
/** A line chart of the last half hour, with its axes. `describe` says in words what it shows. */
import { segmentsOf, topOf } from '../core/axis.js';
import { el, setAttribute, setText } from './dom.js';

/** @typedef {import('../core/axis.js').Point} Point */

const SVG = 'http://www.w3.org/2000/svg';
export const SPAN_S = 1800;
const WIDTH = 240;
const HEIGHT = 64;

export class Chart {
  /** @param {Element} place */
  constructor(place) {
    this.svg = create('svg', { class: 'chart', role: 'img', viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: 'none' });
    this.area = create('path', { class: 'chart-area' });
    this.line = create('path', { class: 'chart-line' });
    this.high = create('path', { class: 'chart-high' });
    this.svg.append(create('path', { class: 'chart-grid', d: `M0,.5H${WIDTH}M0,${HEIGHT / 2}H${WIDTH}M0,${HEIGHT - 0.5}H${WIDTH}` }), this.area, this.high, this.line);
    this.top = el('span', { class: 'axis-top' });
    this.zero = el('span', { class: 'axis-zero' });
    this.times = ['', '', ''].map(() => el('span'));
    place.append(
      el('div', { class: 'axis-values', 'aria-hidden': 'true' }, this.top, this.zero), this.svg,
      el('div', { class: 'axis-times', 'aria-hidden': 'true' }, ...this.times),
    );
    this.highest = 0;
  }

  /**
   * @param {Point[]} points the oldest first
   * @param {Point[]} high a second line above, such as the 95th percentile
   * @param {number} now_s at the right edge
   * @param {(value: number) => string} format
   */
  draw(points, high, now_s, format) {
    this.highest = Math.max(0, ...points.map(({ value }) => value ?? 0));
    const top = topOf(Math.max(this.highest, ...high.map(({ value }) => value ?? 0)));
    const place = (/** @type {{at: number, value: number}} */ { at, value }) =>
      `${(WIDTH * (1 - (now_s - at) / SPAN_S)).toFixed(1)},${(HEIGHT - 1 - value / top * (HEIGHT - 2)).toFixed(1)}`;
    const lines = segmentsOf(points).map((segment) => segment.map(place));
    setAttribute(this.line, 'd', lines.map((line) => `M${line.join('L')}`).join(''));
    setAttribute(this.area, 'd', lines.map((line) => `M${line[0].split(',')[0]},${HEIGHT}L${line.join('L')}L${(line.at(-1) ?? '').split(',')[0]},${HEIGHT}Z`).join(''));
    setAttribute(this.high, 'd', segmentsOf(high).map((segment) => `M${segment.map(place).join('L')}`).join(''));
    setText(this.top, format(top));
    setText(this.zero, format(0));
  }

  /** Under the left edge, the middle and the right edge. @param {string[]} texts */
  nameTimes(texts) {
    this.times.forEach((each, index) => setText(each, texts[index]));
  }

  /** @param {string} text */
  describe(text) {
    setAttribute(this.svg, 'aria-label', text);
  }
}

/** @param {string} tag @param {Record<string, string>} attributes */
function create(tag, attributes) {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  return element;
}
