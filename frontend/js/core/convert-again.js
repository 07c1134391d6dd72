// @ts-check
/** Whether an image can be converted again, and from what: the gateway's copy, the file, or its address. */
import { hasFeature } from './capabilities.js';
import { isRetryable } from './problem.js';

/** @typedef {import('./types.js').Item} Item */
/** @typedef {import('./types.js').Capabilities} Capabilities */

/** The job whose source the gateway still has, so that nothing need be sent; else null. @param {Item} item @param {Capabilities} capabilities */
export function storedOrigin(item, capabilities) {
  return hasFeature(capabilities, 'retry') && item.state !== 'expired' ? item.job : null;
}

/** A finished image, with other settings. @param {Item} item @param {Capabilities} capabilities */
export function canConvertAgain(item, capabilities) {
  return item.state === 'done' && (item.has_file || hasFeature(capabilities, 'retry'));
}

/** One that failed, was cancelled or has expired. @param {Item} item @param {Capabilities} capabilities */
export function canTryAgain(item, capabilities) {
  const has_source = item.has_file || item.origin !== null || item.url !== null;
  if (item.state === 'cancelled' || item.state === 'expired') return has_source;
  return item.state === 'failed' && (has_source || storedOrigin(item, capabilities) !== null) && isRetryable(item.problem);
}
