// @ts-check
/** Whether a failed upload is tried again, and after how long: exponential backoff with jitter, and `Retry-After`. */

/** At the longest delay this is over an hour: uploads go on by themselves after a long outage of the gateway. */
const MAX_ATTEMPTS = 240;
const FIRST_DELAY_MS = 500;
const LONGEST_DELAY_MS = 16_000;
/** Share of the delay that is random, so that many pages do not come back at the same moment. */
const JITTER = 0.2;
/** The backoff may exceed `Retry-After` by this factor at most: the server's estimate is better than a guess. */
const RETRY_AFTER_FACTOR = 4;
/** No answer, too many requests, and what a proxy or a busy gateway answers. */
const TRANSIENT_STATUSES = new Set([0, 429, 502, 503, 504]);

/**
 * @param {number} attempt 0 for the first that failed
 * @param {number | null} retry_after_s what the server asked for
 * @param {number} random 0–1
 * @returns {number} milliseconds
 */
export function delayBefore(attempt, retry_after_s, random) {
  const asked = (retry_after_s ?? 0) * 1000;
  const longest = asked > 0 ? Math.min(LONGEST_DELAY_MS, RETRY_AFTER_FACTOR * asked) : LONGEST_DELAY_MS;
  const backoff = Math.min(longest, FIRST_DELAY_MS * 2 ** attempt);
  return Math.round(Math.max(backoff * (1 - JITTER), asked) + backoff * JITTER * random);
}

/**
 * @param {number} status HTTP status; 0 when no answer came
 * @param {number} attempt
 */
export function canRetry(status, attempt) {
  return TRANSIENT_STATUSES.has(status) && attempt < MAX_ATTEMPTS;
}

/**
 * `Retry-After` in seconds (RFC 9110 §10.2.3: seconds or a date).
 * @param {string | null} value
 * @param {number} now_ms
 * @returns {number | null}
 */
export function readRetryAfter(value, now_ms) {
  if (!value) return null;
  if (/^\d+$/.test(value)) return Number(value);
  const date = Date.parse(value);
  return Number.isNaN(date) ? null : Math.max(0, (date - now_ms) / 1000);
}
