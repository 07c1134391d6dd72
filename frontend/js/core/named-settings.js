// @ts-check
/** Settings that the reader saved under a name, in the order of saving. */
import { readSettings } from './options.js';

/** @typedef {import('./types.js').Capabilities} Capabilities */
/** @typedef {import('./options.js').Settings} Settings */
/** @typedef {{name: string, settings: Settings}} Named */

/** Characters of a name: more would not fit a button. */
export const LONGEST_NAME = 40;
/** A menu that can still be read; the browser's storage would hold thousands. */
export const MOST_NAMES = 20;

/** @param {unknown} stored @param {Capabilities} capabilities @returns {Named[]} */
export function readNamed(stored, capabilities) {
  const all = Array.isArray(stored) ? stored.filter((each) => each && typeof each.name === 'string' && cleanName(each.name) !== '') : [];
  return all.slice(0, MOST_NAMES).map(({ name, settings }) => ({ name: cleanName(name), settings: readSettings(settings, capabilities) }));
}

/** @param {string} name */
export const cleanName = (name) => [...name.replace(/\s+/g, ' ').trim()].slice(0, LONGEST_NAME).join('');

/** With one more; the same name is replaced where it stands. @param {Named[]} all @param {Named} added @returns {Named[] | null} null when there are too many */
export function withNamed(all, added) {
  const at = all.findIndex(({ name }) => name === added.name);
  if (at >= 0) return all.with(at, added);
  return all.length < MOST_NAMES ? [...all, added] : null;
}

/** @param {Settings} one @param {Settings} other */
export const isSame = (one, other) => Object.entries(one).every(([name, value]) => other[/** @type {keyof Settings} */ (name)] === value);
