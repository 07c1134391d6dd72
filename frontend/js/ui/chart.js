// @ts-check
/** A line over the last two minutes. What it shows is said in words too. */
import { setAttribute } from './dom.js';

const SVG = 'http://www.w3.org/2000/svg';
const KEPT = 120;
const WIDTH = 240;
const HEIGHT = 64;
const ROOM = 6;

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
    this.values = [...this.values, value].slice(-KEPT);
    const points = pointsOf(this.values);
    setAttribute(this.line, 'd', `M${points.join('L')}`);
    setAttribute(this.area, 'd', `M${points[0].split(',')[0]},${HEIGHT}L${points.join('L')}L${WIDTH},${HEIGHT}Z`);
  }

  most() {
    return Math.max(0, ...this.values);
  }

  /** @param {string} text */
  describe(text) {
    setAttribute(this.svg, 'aria-label', text);
  }
}

/** The newest at the right edge. @param {number[]} values @returns {string[]} */
export function pointsOf(values) {
  const most = Math.max(...values, 1e-9);
  const first = WIDTH - (values.length - 1) * WIDTH / (KEPT - 1);
  return values.map((value, index) => `${(first + index * WIDTH / (KEPT - 1)).toFixed(1)},${(HEIGHT - 2 - value / most * (HEIGHT - ROOM)).toFixed(1)}`);
}
