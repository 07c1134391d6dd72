// @ts-check
/** Whose turn it is: which waiting files may be uploaded now, and how long one whose upload broke has to wait. */
import { isSending } from './states.js';

/** @typedef {import('./types.js').Item} Item */

/** Browsers hold six connections to a host over HTTP/1.1: three for uploads leave room for the page itself. */
export const PARALLEL_UPLOADS = 3;
/** An hour and more at the longest delay: a gateway that comes back finds everybody still there. */
export const MAX_ATTEMPTS = 240;
/** Above this, an upload goes in pieces that survive a broken connection. */
export const RESUMABLE_BYTES = 2 * 1024 * 1024;
const FIRST_DELAY_MS = 500;
const LONGEST_DELAY_MS = 16_000;
const JITTER = 0.2;
/** A server that says when there will be room is right more often than a guess; it may be wrong by so much. */
const ASKED_AT_MOST = 4;
const TRANSIENT = new Set([0, 429, 502, 503, 504]);

/**
 * @param {Iterable<Item>} items in the order of the list
 * @returns {Item[]}
 */
export function nextUploads(items) {
  const all = [...items];
  const free = PARALLEL_UPLOADS - all.filter((item) => isSending(item.state)).length;
  return all.filter((item) => item.state === 'waiting').slice(0, Math.max(0, free));
}

/**
 * @param {number} attempt 0 for the first that broke
 * @param {number | null} retry_after_s what the server asked for
 * @param {number} chance 0–1
 * @returns {number} milliseconds
 */
export function delayBefore(attempt, retry_after_s, chance) {
  const asked = (retry_after_s ?? 0) * 1000;
  const longest = asked > 0 ? Math.min(LONGEST_DELAY_MS, ASKED_AT_MOST * asked) : LONGEST_DELAY_MS;
  const backoff = Math.min(longest, FIRST_DELAY_MS * 2 ** attempt);
  return Math.round(Math.max(backoff * (1 - JITTER), asked) + backoff * JITTER * chance);
}

/**
 * @param {number} status HTTP status; 0 when no answer came
 * @param {number} attempt
 */
export function mayRetry(status, attempt) {
  return TRANSIENT.has(status) && attempt < MAX_ATTEMPTS;
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
