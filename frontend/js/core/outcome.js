// @ts-check
/**
 * What a reader gets of a finished image: the result, or the source where the result is the larger file. A larger file is handed out only to
 * a reader who asks for it: by its name, or by a format that is chosen for who can read it.
 */
import { DEFAULT_FORMAT } from './capabilities.js';
import { resultName, sourceName, stemOf } from './filenames.js';
import { sourcePath } from './paths.js';
import { isFinal } from './states.js';
import { asksForVariants, filesOf } from './variants.js';

/** @typedef {import('./types.js').Item} Item */
/** @typedef {import('./types.js').Capabilities} Capabilities */
/** @typedef {{name: string, path: string, bytes: number, format: string}} Outcome a file to save; `path` is where the gateway has it */

/** Formats whose every pixel a lossless result may keep in less bytes. */
const LOSSLESS_SOURCES = new Set(['png', 'gif', 'bmp', 'tiff', 'ico']);
/** Formats that are asked for because every program reads them, not because they are small. */
const FOR_READERS = new Set(['jpeg', 'png']);

/** @param {Item} item */
export const sourceBytes = (item) => item.source?.bytes ?? item.bytes;

/** The gateway says so; of an older job the sizes do. @param {Item} item */
function hasGrown(item) {
  const { state, result } = item;
  if (state !== 'done' || !result || result.original || asksForVariants(item)) return false;
  return result.larger_than_source === true || result.bytes > sourceBytes(item);
}

/** Whether another format was asked for that more programs read: that stays the result, however large. @param {Item} item */
const isForReaders = ({ result, source }) => FOR_READERS.has(result?.format ?? '') && result?.format !== source?.format;

/** Whether the source is the better file to hand out. @param {Item} item */
export const isLarger = (item) => hasGrown(item) && !isForReaders(item);

/** Whether a larger file is handed out, because its format was asked for. @param {Item} item */
export const isLargerAsAsked = (item) => hasGrown(item) && isForReaders(item);

/** Whether the gateway answered with the source itself, since no result would be smaller. @param {Item} item */
export const isOriginal = ({ state, result }) => state === 'done' && result?.original === true;

/** A larger result may become smaller without loss, where its format has that and neither result nor source has any. @param {Item} item */
export function canTryLossless(item) {
  return isLarger(item) && (item.options.format ?? DEFAULT_FORMAT) === DEFAULT_FORMAT && !['true', 'auto'].includes(item.options.lossless) && LOSSLESS_SOURCES.has(item.source?.format ?? '');
}

/** Of a finished image. @param {Item} item @param {Capabilities} capabilities @returns {Outcome} */
export const outcomeOf = (item, capabilities) => isLarger(item) ? sourceOutcome(item, capabilities) : resultOutcome(item);

/** Whether there is anything to save: of several results also where the image failed or was cancelled before all were made. @param {Item} item */
export const hasOutcome = (item) => item.state === 'done' ? item.result !== null : isFinal(item.state) && item.state !== 'expired' && item.results.length > 0;

/** The results of an image that asked for several, as one ZIP. @param {Item} item @returns {Outcome} */
export function archiveOutcome(item) {
  const bytes = filesOf(item).reduce((sum, { file }) => sum + file.bytes, 0);
  return { name: `${stemOf(resultName(item.name))}.zip`, path: item.archive ?? '', bytes, format: 'zip' };
}

/** All that a reader takes away of an image. @param {Item} item @param {Capabilities} capabilities @returns {Outcome[]} */
export function outcomesOf(item, capabilities) {
  return asksForVariants(item) ? filesOf(item).map(({ file }) => file) : [outcomeOf(item, capabilities)];
}

/** @param {Item} item @returns {Outcome} */
export function resultOutcome({ name, result }) {
  const format = result?.format ?? DEFAULT_FORMAT;
  return { name: resultName(name, format), path: result?.url ?? '', bytes: result?.bytes ?? 0, format };
}

/** Under the name that the gateway gives it. @param {Item} item @param {Capabilities} capabilities @returns {Outcome} */
export function sourceOutcome(item, capabilities) {
  const format = item.source?.format ?? '';
  const extensions = capabilities.formats.find((each) => each.name === format)?.extensions ?? [];
  return { name: sourceName(item.name, extensions), path: sourcePath(item.job ?? ''), bytes: sourceBytes(item), format };
}

/** The address that saves a file under its name. @param {Pick<Outcome, 'name' | 'path'>} outcome */
export function downloadAddress({ name, path }) {
  return `${path}${path.includes('?') ? '&' : '?'}download=1&filename=${encodeURIComponent(name)}`;
}
