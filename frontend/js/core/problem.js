// @ts-check
/**
 * Why an image failed, as a sentence: what happened, the limit, what to do. Usually the page's own, which knows the file. Where the gateway
 * knows more (which format, how many frames), its sentence is shown, provided that it is in the page's language, and speaks to a person: those
 * for programs name options, headers and commands, which nobody sees on the page.
 */
import { capabilitiesFor, DEFAULT_FORMAT, formatNames } from './capabilities.js';

/** @typedef {import('./types.js').Problem} Problem */
/** @typedef {import('./types.js').Item} Item */
/** @typedef {import('./types.js').Capabilities} Capabilities */
/** @typedef {import('./language.js').Words} Words */

/** Code → [key of the page's sentence, whether the gateway's own is better]. */
export const PROBLEMS = /** @type {Record<string, [string, boolean]>} */ ({
  bad_request: ['error.bad_request', true],
  unauthorized: ['error.unauthorized', false],
  cross_site: ['error.cross_site', false],
  not_found: ['error.not_found', false],
  method_not_allowed: ['error.bad_request', false],
  not_ready: ['error.not_ready', false],
  already_finished: ['error.already_finished', false],
  offset_mismatch: ['error.offset_mismatch', false],
  gone: ['error.gone', false],
  too_large: ['error.too_large', false],
  unsupported_format: ['error.unsupported_format', true],
  wrong_host: ['error.wrong_host', false],
  invalid_option: ['error.invalid_option', false],
  damaged_image: ['error.damaged_image', true],
  too_many_pixels: ['error.too_many_pixels', true],
  too_many_frames: ['error.too_many_frames', true],
  empty_file: ['error.empty_file', false],
  rate_limited: ['error.rate_limited', false],
  quota_exceeded: ['error.quota_exceeded', true],
  internal: ['error.internal', true],
  no_realtime: ['error.no_realtime', false],
  queue_full: ['error.queue_full', false],
  backend_unavailable: ['error.backend_unavailable', false],
  encode_timeout: ['error.encode_timeout', false],
  storage_full: ['error.storage_full', false],
  network_lost: ['error.network_lost', false],
  proxy_limit: ['error.proxy_limit', false],
  file_unreadable: ['error.file_unreadable', false],
});

/** What only a program knows: names of options, settings, codes, headers, methods, protocols, paths and commands. */
const PROGRAMS_WORDS = /[a-z]_[a-z]|[A-Z]_[A-Z]|[“"][a-z]+[”"]|\/(api|problems)\b|[A-Z][a-z]+-[A-Z]|\b(curl|JSON|HTTP|HEAD|PATCH|POST|PUT|DELETE|OPTIONS|tus|multipart|Base64|WebSocket|Socket|ETag|Redis)\b/;

/** Option → the control that sets it. */
const CONTROLS = /** @type {Record<string, string>} */ ({
  format: 'settings.format', quality: 'settings.quality', method: 'settings.method', speed: 'settings.speed', width: 'settings.max_width', height: 'settings.max_height',
  target_bytes: 'settings.target', metadata: 'settings.metadata', lossless: 'settings.preset', near_lossless: 'settings.preset', sharp_yuv: 'settings.preset', subsampling: 'settings.preset',
  formats: 'settings.web_formats', widths: 'settings.web_widths', fit: 'settings.shape', gravity: 'settings.gravity', sharpen: 'settings.sharpen', blur: 'settings.blur', trim: 'settings.trim', watermark: 'settings.watermark', colors: 'settings.colors', progressive: 'settings.progressive',
});

/** Problems that the same file has every time. */
const PERMANENT = new Set(['too_large', 'unsupported_format', 'empty_file', 'damaged_image', 'too_many_frames', 'file_unreadable']);

/** @param {Problem | null} problem */
export const isRetryable = (problem) => !problem || !PERMANENT.has(problem.code);

/** A side is wrong where the result would be too long. @param {Problem} problem */
const settingKey = (problem) => problem.option === 'width' || problem.option === 'height' ? 'error.side' : 'error.setting';

/**
 * @param {Problem} problem
 * @param {Pick<Item, 'name' | 'bytes'> & Partial<Item>} item
 * @param {Capabilities} capabilities
 * @param {Words} words
 * @returns {string}
 */
export function sentenceOf(problem, item, capabilities, words) {
  const [key, is_gateways_better] = PROBLEMS[problem.code] ?? ['error.unknown', true];
  const is_understood = problem.language === words.language && !PROGRAMS_WORDS.test(problem.detail ?? '');
  if (is_gateways_better && problem.detail && is_understood) return problem.detail;
  const control = CONTROLS[problem.option ?? ''];
  return words.t(control ? settingKey(problem) : key, {
    control: control ? words.t(control) : '',
    limit_side: capabilitiesFor(capabilities, (item.options?.formats ?? item.options?.format ?? DEFAULT_FORMAT).split(',')).limits.side_pixels,
    size: words.beyond(item.bytes, capabilities.limits.upload_bytes),
    limit_bytes: words.limit(capabilities.limits.upload_bytes),
    limit_megapixels: words.megapixels(capabilities.limits.pixels),
    limit_frames: capabilities.limits.frames,
    formats: words.list(formatNames(capabilities)),
    code: problem.code,
  });
}
