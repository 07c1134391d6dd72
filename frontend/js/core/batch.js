// @ts-check
/** All images added up: the figures of the summary bar, the title and the announcements. */
import { canPause, isFinal } from './states.js';

/** @typedef {import('./types.js').Item} Item */
/**
 * @typedef {object} Totals
 * @property {number} total files that were accepted
 * @property {number} ended
 * @property {number} done
 * @property {number} failed
 * @property {number} cancelled
 * @property {number} running
 * @property {number} pausable
 * @property {number} paused
 * @property {number} percent weighted by bytes; 100 only when every file has ended
 * @property {number} weight bytes in all
 * @property {number} weight_done the part of `weight` that is done, by the percent of each file
 * @property {number} before_bytes of the files that are done
 * @property {number} after_bytes
 * @property {number} saved_percent
 */

/**
 * @param {Iterable<Item>} items
 * @returns {Totals}
 */
export function totalsOf(items) {
  const sums = { total: 0, ended: 0, done: 0, failed: 0, cancelled: 0, running: 0, pausable: 0, paused: 0, weight: 0, weight_done: 0, before_bytes: 0, after_bytes: 0 };
  for (const item of items) {
    if (item.state !== 'invalid') addTo(sums, item);
  }
  const share = sums.weight > 0 ? sums.weight_done / sums.weight : 0;
  const percent = sums.total > 0 && sums.running === 0 ? 100 : Math.min(99, Math.floor(100 * share));
  return { ...sums, percent, saved_percent: savedPercent(sums.before_bytes, sums.after_bytes) };
}

/**
 * @param {Omit<Totals, 'percent' | 'saved_percent'>} sums
 * @param {Item} item
 */
function addTo(sums, item) {
  const has_ended = isFinal(item.state);
  const weight = Math.max(item.bytes, 1);
  sums.total += 1;
  sums.weight += weight;
  sums.weight_done += has_ended ? weight : weight * item.percent / 100;
  if (has_ended) sums.ended += 1;
  else sums.running += 1;
  if (canPause(item.state)) sums.pausable += 1;
  if (item.state === 'paused') sums.paused += 1;
  if (item.state === 'failed' || item.state === 'expired') sums.failed += 1;
  if (item.state === 'cancelled') sums.cancelled += 1;
  if (item.state !== 'done' || !item.result) return;
  sums.done += 1;
  sums.before_bytes += item.source?.bytes ?? item.bytes;
  sums.after_bytes += item.result.bytes;
}

/**
 * How much smaller the result is, in whole percent; negative where it is larger. At most 99: a result is never nothing.
 * @param {number} before_bytes
 * @param {number} after_bytes
 */
export function savedPercent(before_bytes, after_bytes) {
  if (before_bytes <= 0) return 0;
  const saved = 100 * (1 - after_bytes / before_bytes);
  return saved > 0 ? Math.min(99, Math.round(saved)) : Math.round(saved);
}
