// @ts-check
/** All images added up: the figures of the summary bar, the title and the announcements. */
import { isLarger, sourceBytes } from './outcome.js';
import { canPause, isFailed, isFinal, isStanding } from './states.js';
import { asksForVariants } from './variants.js';

/** @typedef {import('./types.js').Item} Item */
/**
 * @typedef {object} Totals
 * @property {number} total files that were chosen
 * @property {number} refused of them, before anything was sent
 * @property {number} ended
 * @property {number} done
 * @property {number} failed the refused and the expired among them
 * @property {number} cancelled
 * @property {number} running
 * @property {number} pausable
 * @property {number} paused
 * @property {number} active running, and neither paused nor waiting for the network or another attempt
 * @property {number} larger done, with a result that is larger than its source
 * @property {number} percent weighted by bytes; 100 only when every file has ended
 * @property {number} weight bytes in all, without the refused
 * @property {number} weight_done the part of `weight` that is done, by the percent of each file
 * @property {number} weight_standing the part of `weight` that nothing works on now
 * @property {number} before_bytes of the files that are done
 * @property {number} after_bytes of what their reader gets: of the source, where the result is larger
 * @property {number} saved_bytes
 * @property {number} saved_percent
 */

/**
 * @param {Iterable<Item>} items
 * @returns {Totals}
 */
export function totalsOf(items) {
  const sums = {
    total: 0, refused: 0, ended: 0, done: 0, failed: 0, cancelled: 0, running: 0, pausable: 0, paused: 0, active: 0, larger: 0,
    weight: 0, weight_done: 0, weight_standing: 0, before_bytes: 0, after_bytes: 0,
  };
  for (const item of items) addTo(sums, item);
  const share = sums.weight > 0 ? sums.weight_done / sums.weight : 0;
  const percent = sums.total > 0 && sums.running === 0 ? 100 : Math.min(99, Math.floor(100 * share));
  return { ...sums, percent, saved_bytes: sums.before_bytes - sums.after_bytes, saved_percent: savedPercent(sums.before_bytes, sums.after_bytes) };
}

/**
 * @param {Omit<Totals, 'percent' | 'saved_bytes' | 'saved_percent'>} sums
 * @param {Item} item
 */
function addTo(sums, item) {
  const { state } = item;
  sums.total += 1;
  addWeight(sums, item);
  if (isFinal(state)) sums.ended += 1;
  else sums.running += 1;
  if (!isFinal(state) && !isStanding(state)) sums.active += 1;
  if (canPause(state)) sums.pausable += 1;
  if (state === 'paused') sums.paused += 1;
  if (isFailed(state)) sums.failed += 1;
  if (state === 'invalid') sums.refused += 1;
  if (state === 'cancelled') sums.cancelled += 1;
  if (state === 'done' && item.result) addSizes(sums, item, item.result.bytes);
}

/**
 * @param {Pick<Totals, 'weight' | 'weight_done' | 'weight_standing'>} sums
 * @param {Item} item
 */
function addWeight(sums, { state, bytes, percent }) {
  if (state === 'invalid') return;
  const weight = Math.max(bytes, 1);
  const done = isFinal(state) ? weight : weight * percent / 100;
  sums.weight += weight;
  sums.weight_done += done;
  if (isStanding(state)) sums.weight_standing += weight - done;
}

/**
 * Several results of one image are no saving.
 * @param {Pick<Totals, 'done' | 'larger' | 'before_bytes' | 'after_bytes'>} sums
 * @param {Item} item
 * @param {number} result_bytes
 */
function addSizes(sums, item, result_bytes) {
  const is_larger = isLarger(item);
  sums.done += 1;
  if (asksForVariants(item)) return;
  if (is_larger) sums.larger += 1;
  sums.before_bytes += sourceBytes(item);
  sums.after_bytes += is_larger ? sourceBytes(item) : result_bytes;
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
