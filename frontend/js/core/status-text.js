// @ts-check
/** The state of an image as one line of text with its figures: shown in the row, and read aloud as the value of its progress bar. */
import { DEFAULT_FORMAT } from './capabilities.js';
import { secondsLeft } from './eta.js';
import { mismatchedFormat } from './filenames.js';
import { isLarger, isLargerAsAsked, isOriginal } from './outcome.js';
import { sentenceOf } from './problem.js';
import { isFollowing } from './states.js';
import { asksForVariants, filesOf, slotsOf } from './variants.js';

/** @typedef {import('./types.js').Item} Item */
/** @typedef {import('./types.js').Capabilities} Capabilities */
/** @typedef {import('./language.js').Words} Words */

/**
 * @param {Item} item
 * @param {Capabilities} capabilities
 * @param {Words} words
 * @param {number} now_ms
 * @returns {string}
 */
export function statusText(item, capabilities, words, now_ms) {
  const text = textOfState(item, capabilities, words, now_ms);
  return item.is_stalled && isFollowing(item.state) ? words.t('state.stalled', { text }) : text;
}

/**
 * @param {Item} item
 * @param {Capabilities} capabilities
 * @param {Words} words
 * @param {number} now_ms
 * @returns {string}
 */
function textOfState(item, capabilities, words, now_ms) {
  const why = () => item.problem ? sentenceOf(item.problem, item, capabilities, words) : words.t('state.failed');
  switch (item.state) {
    case 'invalid': return why();
    case 'waiting': return words.t('state.waiting');
    case 'uploading': return withTimeLeft(uploadingText(item, words), secondsLeft(item.upload_eta), words);
    case 'retrying': return retryingText(item, why(), words, now_ms);
    case 'offline': return item.kept_bytes > 0 ? words.t('state.offline_kept', { kept: words.bytesOf(item.kept_bytes, item.bytes) }) : words.t('state.offline');
    case 'paused': return item.kept_bytes > 0 ? words.t('state.paused_kept', { kept: words.bytesOf(item.kept_bytes, item.bytes) }) : words.t('state.paused');
    case 'verifying': return verifyingText(item, words);
    case 'queued': return queuedText(item, words);
    case 'decoding': return decodingText(item, words);
    case 'transforming': return words.t('state.transforming', { percent: words.percent(item.progress) });
    case 'encoding': return withTimeLeft(withFiles(encodingText(item, words), item, words), item.eta_s, words);
    case 'saving':
    case 'confirming': return words.t('state.saving');
    case 'cancelling': return words.t('state.cancelling');
    case 'done': return doneText(item, words);
    case 'failed': return why();
    case 'cancelled': return words.t('state.cancelled');
    case 'expired': return words.t('state.expired', { period: words.period(capabilities.retention_s) });
  }
}

/** @param {Item} item @param {Words} words */
function uploadingText(item, words) {
  const percent = item.bytes > 0 ? Math.min(100, Math.floor(100 * item.sent_bytes / item.bytes)) : 0;
  return words.t('state.uploading', { percent: words.percent(percent), sent: words.bytesOf(item.sent_bytes, item.bytes) });
}

/** @param {Item} item @param {Words} words */
function verifyingText(item, words) {
  if (item.url) return words.t('state.fetching', { host: new URL(item.url).host });
  return words.t(item.origin && item.has_file ? 'state.origin_found' : 'state.verifying');
}

/** @param {string} text @param {number | null} seconds @param {Words} words */
function withTimeLeft(text, seconds, words) {
  return seconds === null ? text : words.t('state.with_time_left', { text, left: words.left(seconds) });
}

/** @param {Item} item @param {string} why @param {Words} words @param {number} now_ms */
function retryingText(item, why, words, now_ms) {
  const seconds = Math.max(1, Math.ceil((item.retry_at_ms - now_ms) / 1000));
  return words.t('state.retrying', { why, n: seconds });
}

/** @param {Item} item @param {Words} words */
function queuedText(item, words) {
  if (item.url && !item.source?.bytes) return words.t('state.fetching', { host: new URL(item.url).host });
  if (item.position === null || item.position < 1) return words.t('state.queued_next');
  return words.t('state.queued', { n: item.position });
}

/** @param {Item} item @param {Words} words */
function decodingText(item, words) {
  const { width, height } = item.source ?? {};
  return width && height ? words.t('state.decoding_size', { width: String(width), height: String(height) }) : words.t('state.decoding');
}

/** How many of several results are ready. @param {string} text @param {Item} item @param {Words} words */
function withFiles(text, item, words) {
  return asksForVariants(item) ? words.t('state.with_files', { text, n: item.results.length, total: slotsOf(item, false).length }) : text;
}

/** @param {Pick<Item, 'progress' | 'is_estimated'>} item @param {Words} words */
export function encodingText({ progress, is_estimated }, words) {
  return words.t(is_estimated ? 'state.encoding_about' : 'state.encoding', { percent: words.percent(progress) });
}

/** @param {Item} item @param {Words} words */
function doneText(item, words) {
  const size = asksForVariants(item) ? words.t('state.files', { n: filesOf(item).length }) : item.result ? sizeText(item.result, words) : '';
  const text = doneFiguresText(item, size, words);
  const format = mismatchedFormat(item.name, item.source?.format);
  return format ? words.t('state.done_named', { text, format: words.format(format) }) : text;
}

/** The gateway tells of lossless where it decided. @param {import('./types.js').Result} result @param {Words} words */
function sizeText({ width, height, lossless }, words) {
  const size = `${width} × ${height}`;
  return lossless ? words.t('state.lossless', { size }) : size;
}

/** @param {Item} item @param {string} size @param {Words} words */
function doneFiguresText(item, size, words) {
  if (isLarger(item)) return words.t('state.done_larger', { size, format: words.format(item.result?.format ?? DEFAULT_FORMAT) });
  if (isLargerAsAsked(item)) return words.t('state.done_grown', { size });
  if (isOriginal(item)) return words.t('state.done_original', { size });
  // A result that was there already: 0.0 s would say nothing.
  return item.duration_s === null || item.duration_s < 0.05 ? words.t('state.done', { size }) : words.t('state.done_in', { size, time: words.duration(item.duration_s) });
}
