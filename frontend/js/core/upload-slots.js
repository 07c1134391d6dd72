// @ts-check
/** Which of the waiting files may be uploaded now. */
import { isSending } from './states.js';

/** @typedef {import('./types.js').Item} Item */

/** Browsers hold six connections to a host over HTTP/1.1: three for uploads leave three for the page itself. */
export const PARALLEL_UPLOADS = 3;

/**
 * @param {Iterable<Item>} items in the order of the list
 * @returns {Item[]}
 */
export function nextUploads(items) {
  const all = [...items];
  const free = PARALLEL_UPLOADS - all.filter((item) => isSending(item.state)).length;
  return all.filter((item) => item.state === 'waiting').slice(0, Math.max(0, free));
}
