// @ts-check
/**
 * What is worth saying aloud (WCAG 4.1.3): files added, start, quarters of the whole, the end, each failure. Compares two totals and says
 * what is new; a quarter that was said is not said again until the whole grew.
 *
 * @typedef {import('./batch.js').Totals} Totals
 * @typedef {import('./types.js').Item} Item
 * @typedef {import('./language.js').Words} Words
 * @typedef {{quarter: number, total: number, was_running: boolean}} Said
 */

/** @type {Said} */
export const NOTHING_ANNOUNCED = { quarter: 0, total: 0, was_running: false };

/**
 * @param {Said} said
 * @param {Totals} totals
 * @param {Words} words
 * @returns {{said: Said, text: string}} `text` is empty when there is no news
 */
export function nextAnnouncement(said, totals, words) {
  const is_running = totals.running > 0;
  const quarter = Math.floor(totals.percent / 25);
  const has_grown = totals.total > said.total;
  const next = { quarter, total: totals.total, was_running: is_running };
  if (said.was_running && !is_running && totals.total > 0) return { said: next, text: completionText(totals, words) };
  if (is_running && !said.was_running) return { said: next, text: words.t('news.started') };
  if (has_grown || !is_running) return { said: next, text: '' };
  if (quarter > said.quarter) return { said: next, text: words.t('news.percent', { percent: words.percent(quarter * 25) }) };
  return { said: { ...next, quarter: said.quarter }, text: '' };
}

/** @param {Totals} totals @param {Words} words */
export function completionText(totals, words) {
  if (totals.done === 0) return words.t('news.none_done', { n: totals.total });
  if (totals.saved_percent <= 0) return words.t('news.done', { n: totals.done });
  return words.t('news.done_smaller', { n: totals.done, percent: words.percent(totals.saved_percent) });
}

/**
 * @param {{name: string, why: string}[]} failures since the last word
 * @param {Words} words
 * @returns {string}
 */
export function failureText(failures, words) {
  if (failures.length === 0) return '';
  if (failures.length > 3) return words.t('news.failures', { n: failures.length });
  return failures.map(({ name, why }) => words.t('news.failure', { name, why })).join(' ');
}

const GAP_MS = 3000;

/** When the next message may be spoken: three seconds after the last. @param {number} last_ms @param {number} now_ms */
export function delayBeforeSpeaking(last_ms, now_ms) {
  return Math.max(0, last_ms + GAP_MS - now_ms);
}
