// @ts-check
/**
 * What a screen reader announces (WCAG 4.1.3): files added, the start, each quarter, the end, each failure. Compares the totals with what
 * was announced before. A quarter is announced once, and again only when files were added.
 *
 * @typedef {import('./batch.js').Totals} Totals
 * @typedef {import('./types.js').Item} Item
 * @typedef {import('./language.js').Words} Words
 * @typedef {{quarter: number, total: number, was_running: boolean}} Announced what the last totals were
 */

/** @type {Announced} */
export const NOTHING_ANNOUNCED = { quarter: 0, total: 0, was_running: false };
/** Pause between two messages, so that a screen reader can finish the first. */
const GAP_MS = 3000;

/**
 * @param {Announced} announced
 * @param {Totals} totals
 * @param {Words} words
 * @returns {{announced: Announced, text: string}} `text` is empty when there is nothing new
 */
export function nextAnnouncement(announced, totals, words) {
  const is_running = totals.running > 0;
  const quarter = Math.floor(totals.percent / 25);
  const total = totals.total - totals.refused;
  const has_grown = total > announced.total;
  const next = { quarter, total, was_running: is_running };
  if (announced.was_running && !is_running && total > 0) return { announced: next, text: completionText(totals, words) };
  if (is_running && !announced.was_running) return { announced: next, text: words.t('announce.started') };
  if (has_grown || !is_running) return { announced: next, text: '' };
  if (quarter > announced.quarter) return { announced: next, text: words.t('announce.percent', { percent: words.percent(quarter * 25) }) };
  return { announced: { ...next, quarter: announced.quarter }, text: '' };
}

/** @param {Totals} totals @param {Words} words */
export function completionText(totals, words) {
  const text = successText(totals, words);
  return totals.done > 0 && totals.failed > 0 ? `${text}${words.t('announce.failed_too', { n: totals.failed })}` : text;
}

/** @param {Totals} totals @param {Words} words */
function successText(totals, words) {
  if (totals.done === 0) return words.t('announce.none_done', { n: totals.total });
  if (totals.saved_percent <= 0) return words.t('announce.done', { n: totals.done });
  return words.t('announce.done_smaller', { n: totals.done, percent: words.percent(totals.saved_percent) });
}

/**
 * @param {{name: string, why: string}[]} failures since the last announcement
 * @param {Words} words
 * @returns {string}
 */
export function failureText(failures, words) {
  if (failures.length === 0) return '';
  if (failures.length > 3) return words.t('announce.failures', { n: failures.length });
  return failures.map(({ name, why }) => words.t('announce.failure', { name, why })).join(' ');
}

/** Milliseconds until the next message may be announced. @param {number} last_ms when the last one was @param {number} now_ms */
export function delayBeforeSpeaking(last_ms, now_ms) {
  return Math.max(0, last_ms + GAP_MS - now_ms);
}
