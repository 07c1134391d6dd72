// @ts-check
/**
 * What a reader gets of a finished image: the result, or the source where the result is the larger file. A larger file is never handed out
 * unless the reader asks for it.
 */
import { resultName, sourceName } from './filenames.js';

/** @typedef {import('./types.js').Item} Item */
/** @typedef {import('./types.js').Capabilities} Capabilities */
/** @typedef {{kind: 'source' | 'result', name: string, bytes: number}} Outcome */

/** The gateway says so; of older jobs the sizes do. @param {Item} item */
export function isLarger({ state, source, result, bytes }) {
  if (state !== 'done' || !result || result.original) return false;
  return result.larger_than_source === true || result.bytes > (source?.bytes ?? bytes);
}

/** A source that is not larger than its result is kept as it is. @param {Item} item */
export const isOriginal = ({ state, result }) => state === 'done' && result?.original === true;

/** Of a finished image. @param {Item} item @param {Capabilities} capabilities @returns {Outcome} */
export function outcomeOf(item, capabilities) {
  if (isLarger(item)) return sourceOutcome(item, capabilities);
  return { kind: 'result', name: resultName(item.name, item.result?.format), bytes: item.result?.bytes ?? 0 };
}

/** The source, under the name that the gateway gives it. @param {Item} item @param {Capabilities} capabilities @returns {Outcome} */
export function sourceOutcome(item, capabilities) {
  const extensions = capabilities.formats.find(({ name }) => name === item.source?.format)?.extensions ?? [];
  return { kind: 'source', name: sourceName(item.name, extensions), bytes: item.source?.bytes ?? item.bytes };
}

/** The address that saves under a name. @param {string} path of a result or a source @param {string} name */
export function downloadAddress(path, name) {
  return `${path}${path.includes('?') ? '&' : '?'}download=1&filename=${encodeURIComponent(name)}`;
}
