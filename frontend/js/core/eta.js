// @ts-check
/**
 * Speed and time left from a growing count. Two guards against a jumping figure: an exponential mean with a half-life of two
 * seconds, and silence until two seconds are known and the estimate has settled (changed under 25 % within the last second).
 *
 * @typedef {object} Eta
 * @property {number} started_ms
 * @property {number} at_ms
 * @property {number} count
 * @property {number} per_s
 * @property {number | null} left_s the estimate, also while it is not yet shown
 * @property {number | null} earlier_s the estimate about a second ago
 * @property {number} earlier_at_ms
 */

const HALF_LIFE_S = 2;
const SETTLING_S = 2;
const STABLE_CHANGE = 0.25;

/**
 * @param {number} now_ms
 * @param {number} [count]
 * @returns {Eta}
 */
export function startEta(now_ms, count = 0) {
  return { started_ms: now_ms, at_ms: now_ms, count, per_s: 0, left_s: null, earlier_s: null, earlier_at_ms: now_ms };
}

/**
 * @param {Eta} meter
 * @param {number} count
 * @param {number} total
 * @param {number} now_ms
 * @returns {Eta}
 */
export function updateEta(meter, count, total, now_ms) {
  const passed_s = (now_ms - meter.at_ms) / 1000;
  if (passed_s <= 0) return { ...meter, count };
  const per_s = smooth(meter.per_s, Math.max(0, count - meter.count) / passed_s, passed_s, meter.per_s === 0);
  const left_s = per_s > 0 ? Math.max(0, total - count) / per_s : null;
  const is_second_old = now_ms - meter.earlier_at_ms >= 1000;
  return {
    ...meter, at_ms: now_ms, count, per_s, left_s,
    earlier_s: is_second_old ? meter.left_s : meter.earlier_s,
    earlier_at_ms: is_second_old ? now_ms : meter.earlier_at_ms,
  };
}

/**
 * @param {number} mean
 * @param {number} sample
 * @param {number} passed_s
 * @param {boolean} is_first
 */
function smooth(mean, sample, passed_s, is_first) {
  if (is_first) return sample;
  const weight = 1 - 0.5 ** (passed_s / HALF_LIFE_S);
  return mean + (sample - mean) * weight;
}

/**
 * Seconds left, or null while the figure would only mislead.
 * @param {Eta | null} meter
 * @returns {number | null}
 */
export function secondsLeft(meter) {
  if (!meter || meter.left_s === null || meter.earlier_s === null) return null;
  if (meter.at_ms - meter.started_ms < SETTLING_S * 1000) return null;
  const change = Math.abs(meter.left_s - meter.earlier_s) / Math.max(meter.earlier_s, 1);
  return change <= STABLE_CHANGE || meter.left_s < SETTLING_S ? meter.left_s : null;
}
