// @ts-check
/**
 * Speed and time left, estimated from a growing count. Two rules keep the figure from jumping. The speed is an exponential mean with a
 * half-life of two seconds. And nothing is shown before two seconds have passed and the estimate changed by under 25 % in a second.
 *
 * @typedef {object} Eta
 * @property {number} started_ms
 * @property {number} at_ms
 * @property {number} count
 * @property {number} per_s
 * @property {number | null} left_s the estimate, shown or not
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
 * @param {Eta} eta
 * @param {number} count
 * @param {number} total
 * @param {number} now_ms
 * @returns {Eta}
 */
export function updateEta(eta, count, total, now_ms) {
  const passed_s = (now_ms - eta.at_ms) / 1000;
  if (passed_s <= 0) return { ...eta, count };
  const per_s = smooth(eta.per_s, Math.max(0, count - eta.count) / passed_s, passed_s, eta.per_s === 0);
  const left_s = per_s > 0 ? Math.max(0, total - count) / per_s : null;
  const is_second_old = now_ms - eta.earlier_at_ms >= 1000;
  return {
    ...eta, at_ms: now_ms, count, per_s, left_s,
    earlier_s: is_second_old ? eta.left_s : eta.earlier_s,
    earlier_at_ms: is_second_old ? now_ms : eta.earlier_at_ms,
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
 * Seconds left; null while the estimate has not settled.
 * @param {Eta | null} eta
 * @returns {number | null}
 */
export function secondsLeft(eta) {
  if (!eta || eta.left_s === null || eta.earlier_s === null) return null;
  if (eta.at_ms - eta.started_ms < SETTLING_S * 1000) return null;
  const change = Math.abs(eta.left_s - eta.earlier_s) / Math.max(eta.earlier_s, 1);
  return change <= STABLE_CHANGE || eta.left_s < SETTLING_S ? eta.left_s : null;
}
