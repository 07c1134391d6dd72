// @ts-check
/** The settings that one can change while comparing: format, kind, quality and size. All others stay those of the image. */
import { formatsOf, hasQuality, presetsOf } from './options.js';
import { settingsOfForm } from './settings-query.js';

/** @typedef {import('./options.js').Settings} Settings */
/** @typedef {import('./types.js').Capabilities} Capabilities */
/** @typedef {import('./types.js').Source} Source */
/** @typedef {import('./types.js').Result} Result */
/** @typedef {{format: string} | {preset: string} | {quality: number} | {size: string}} Change `size`: a value of `sizeChoices` */
/** @typedef {{value: string, side: number | null, is_own: boolean}} SizeChoice `side`: of the longer edge, in pixels; null for the source's size */

/** Longer edges that screens and pages ask for, in pixels. */
const SIDES = [3840, 2560, 1920, 1280, 640];

/**
 * A quality that somebody moves is a number from then on: Automatic becomes Photo, and the target size is given up.
 * @param {Settings} settings
 * @param {Change} change
 * @param {Capabilities} capabilities
 * @returns {Settings}
 */
export function changeSettings(settings, change, capabilities) {
  if ('format' in change) return settingsOfForm({ ...settings, format: change.format }, false, capabilities);
  if ('preset' in change) return settingsOfForm({ ...settings, preset: change.preset }, true, capabilities);
  if ('quality' in change) {
    const preset = hasQuality(settings) ? settings.preset : 'photo';
    return settingsOfForm({ ...settings, preset, quality: change.quality, target_kilobytes: '' }, false, capabilities);
  }
  const [width, height, fit] = change.size.split('x');
  return settingsOfForm({ ...settings, width, height, fit }, false, capabilities);
}

/** @param {Settings} settings the value among `sizeChoices` */
export const sizeOf = ({ width, height, fit }) => fit === 'cover' ? `${width}x${height}x${fit}` : `${width}x${height}`;

/** The source's size, common ones below it, and the present one. @param {Settings} settings of the image @param {Source | null} source @returns {SizeChoice[]} */
export function sizeChoices(settings, source) {
  const longest = Math.max(source?.width ?? 0, source?.height ?? 0);
  const common = SIDES.filter((side) => side < longest).map((side) => ({ value: `${side}x${side}`, side, is_own: false }));
  const choices = [{ value: 'x', side: /** @type {number | null} */ (null), is_own: false }, ...common];
  const own = sizeOf(settings);
  return choices.some(({ value }) => value === own) ? choices : [...choices, { value: own, side: null, is_own: true }];
}

/** Whether the format of the settings keeps every pixel, so that there is no quality to choose. @param {Settings} settings @param {Capabilities} capabilities */
export const isWithoutLoss = (settings, capabilities) => presetsOf(formatsOf(settings), capabilities).length === 0;

/** The quality that a picture has: the one set, or the one that was chosen by the gateway; null for one without loss. @param {Settings} settings @param {Result | null} result */
export function shownQuality(settings, result) {
  if (settings.preset === 'lossless' || result?.lossless === true) return null;
  const chosen = hasQuality(settings) ? settings.quality : result?.quality ?? null;
  return chosen === null ? null : Math.round(chosen);
}

/** Whether two queries ask for the same. @param {Record<string, string>} one @param {Record<string, string>} other */
export function isSameQuery(one, other) {
  const text = (/** @type {Record<string, string>} */ query) => JSON.stringify(Object.entries(query).sort());
  return text(one) === text(other);
}
