// @ts-check
/** A file's state as one line of text, with real figures: what the row shows and what a screen reader says of its bar. */
import { secondsLeft } from './eta.js';
import { sentenceOf } from './problem.js';

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
export function stageText(item, capabilities, words, now_ms) {
  const why = () => item.problem ? sentenceOf(item.problem, item, capabilities, words) : words.t('state.failed');
  switch (item.state) {
    case 'invalid': return why();
    case 'waiting': return words.t('state.waiting');
    case 'uploading': return withTimeLeft(uploadText(item, words), secondsLeft(item.meter), words);
    case 'retrying': return retryText(item, why(), words, now_ms);
    case 'offline': return item.kept_bytes > 0 ? words.t('state.offline_kept', { kept: words.bytesOf(item.kept_bytes, item.bytes) }) : words.t('state.offline');
    case 'paused': return item.kept_bytes > 0 ? words.t('state.paused_kept', { kept: words.bytesOf(item.kept_bytes, item.bytes) }) : words.t('state.paused');
    case 'verifying': return verifyText(item, words);
    case 'queued': return queueText(item, words);
    case 'decoding': return readText(item, words);
    case 'transforming': return words.t('state.transforming', { percent: words.percent(item.progress) });
    case 'encoding': return withTimeLeft(words.t('state.encoding', { percent: words.percent(item.progress) }), item.eta_s, words);
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
function uploadText(item, words) {
  const percent = item.bytes > 0 ? Math.min(100, Math.floor(100 * item.sent_bytes / item.bytes)) : 0;
  return words.t('state.uploading', { percent: words.percent(percent), sent: words.bytesOf(item.sent_bytes, item.bytes) });
}

/** @param {Item} item @param {Words} words */
function verifyText(item, words) {
  if (item.url) return words.t('state.fetching', { host: new URL(item.url).host });
  return words.t(item.origin && item.has_file ? 'state.known' : 'state.verifying');
}

/** @param {string} text @param {number | null} seconds @param {Words} words */
function withTimeLeft(text, seconds, words) {
  return seconds === null ? text : words.t('state.with_time_left', { text, left: words.left(seconds) });
}

/** @param {Item} item @param {string} why @param {Words} words @param {number} now_ms */
function retryText(item, why, words, now_ms) {
  const seconds = Math.max(1, Math.ceil((item.retry_at_ms - now_ms) / 1000));
  return words.t('state.retrying', { why, n: seconds });
}

/** @param {Item} item @param {Words} words */
function queueText(item, words) {
  if (item.url && !item.source?.bytes) return words.t('state.fetching', { host: new URL(item.url).host });
  if (item.position === null || item.position < 1) return words.t('state.queued_next');
  return words.t('state.queued', { n: item.position });
}

/** @param {Item} item @param {Words} words */
function readText(item, words) {
  const { width, height } = item.source ?? {};
  return width && height ? words.t('state.decoding_size', { width: String(width), height: String(height) }) : words.t('state.decoding');
}

/** @param {Item} item @param {Words} words */
function doneText(item, words) {
  const size = item.result ? `${item.result.width} × ${item.result.height}` : '';
  const text = doneFigures(item, size, words);
  const format = otherFormat(item.name, item.source?.format);
  return format ? words.t('state.done_named', { text, format: format.toUpperCase() }) : text;
}

/** @param {Item} item @param {string} size @param {Words} words */
function doneFigures(item, size, words) {
  const is_larger = item.result && item.result.bytes >= (item.source?.bytes ?? item.bytes);
  if (is_larger) return words.t('state.done_larger', { size });
  // A result that was there already took no time worth a figure.
  return item.duration_s === null || item.duration_s < 0.05 ? words.t('state.done', { size }) : words.t('state.done_in', { size, time: words.duration(item.duration_s) });
}

/** Other ends that a format's names have. @type {Record<string, string>} */
const ENDINGS = { jpg: 'jpeg', jpe: 'jpeg', jfif: 'jpeg', apng: 'png', tif: 'tiff', heif: 'heic', dib: 'bmp' };

/**
 * The format that an image really has, where its name says another.
 * @param {string} name
 * @param {string | null | undefined} format
 */
export function otherFormat(name, format) {
  const ending = /\.(jpe?g|jpe|jfif|a?png|gif|webp|avif|hei[cf]|tiff?|bmp|dib|ico)$/i.exec(name)?.[1].toLowerCase();
  return format && ending && (ENDINGS[ending] ?? ending) !== format ? format : null;
}

/**
 * A name in two parts, so that a long one is shortened in its middle: the part that may shrink and the end that always shows.
 * @param {string} name
 * @returns {[string, string]}
 */
export function splitName(name) {
  const points = [...name];
  const kept = Math.min(10, Math.floor(points.length / 2));
  return [points.slice(0, points.length - kept).join(''), points.slice(points.length - kept).join('')];
}

/** @param {string} name */
export function resultName(name) {
  return `${name.replace(/\.[^.]{1,5}$/, '') || 'image'}.webp`;
}
