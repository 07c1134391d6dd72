// @ts-check
/** A line chart of the last two minutes. `describe` says in words what it shows. */
import { setAttribute } from './dom.js';

const SVG = 'http://www.w3.org/2000/svg';
/** One value a second. */
const KEPT_VALUES = 120;
const WIDTH = 240;
const HEIGHT = 64;
/** Space above the highest point. */
const MARGIN = 6;

export class Chart {
  /** @param {Element} place */
  constructor(place) {
    /** @type {number[]} */
    this.values = [];
    this.svg = this.create('svg', { class: 'chart', role: 'img', viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: 'none' });
    this.area = this.create('path', { class: 'chart-area' });
    this.line = this.create('path', { class: 'chart-line' });
    this.svg.append(this.area, this.line);
    place.append(this.svg);
  }

  /** @param {string} tag @param {Record<string, string>} attributes */
  create(tag, attributes) {
    const element = document.createElementNS(SVG, tag);
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
    return element;
  }

  /** @param {number} value */
  add(value) {
    this.values = [...this.values, value].slice(-KEPT_VALUES);
    const points = pointsOf(this.values);
    setAttribute(this.line, 'd', `M${points.join('L')}`);
    setAttribute(this.area, 'd', `M${points[0].split(',')[0]},${HEIGHT}L${points.join('L')}L${WIDTH},${HEIGHT}Z`);
  }

  highest() {
    return Math.max(0, ...this.values);
  }

  /** @param {string} text */
  describe(text) {
    setAttribute(this.svg, 'aria-label', text);
  }
}

/** Points of the line as `x,y`, the newest at the right edge. @param {number[]} values @returns {string[]} */
export function pointsOf(values) {
  const highest = Math.max(...values, 1e-9);
  const first = WIDTH - (values.length - 1) * WIDTH / (KEPT_VALUES - 1);
  return values.map((value, index) => `${(first + index * WIDTH / (KEPT_VALUES - 1)).toFixed(1)},${(HEIGHT - 2 - value / highest * (HEIGHT - MARGIN)).toFixed(1)}`);
}
