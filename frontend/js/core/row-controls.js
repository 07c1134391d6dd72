// @ts-check
/** What a reader can do with one image, as two tables in the order shown: the buttons of its row, and the entries of its menu. */
import { canConvertAgain, canTryAgain } from './convert-again.js';
import { canTryLossless, isLarger } from './outcome.js';
import { canCancel, canPause, isFinal } from './states.js';

/** @typedef {import('./types.js').Item} Item */
/** @typedef {import('./types.js').Capabilities} Capabilities */
/**
 * @typedef {object} Control
 * @property {string} name the event is `<name>-item`
 * @property {string} symbol
 * @property {string} text
 * @property {string} [label] with the image's name
 * @property {boolean} [has_text] shown beside the symbol
 * @property {(item: Item, capabilities: Capabilities) => boolean} isShown
 */

/** @param {Item} item */
const isDone = ({ state }) => state === 'done';

/** @type {Control[]} */
export const BUTTONS = [
  { name: 'now', symbol: 'play', text: 'row.now', label: 'row.now_name', isShown: (item) => item.state === 'retrying' },
  { name: 'resume', symbol: 'play', text: 'row.resume', label: 'row.resume_name', isShown: (item) => item.state === 'paused' },
  { name: 'pause', symbol: 'pause', text: 'row.pause', label: 'row.pause_name', isShown: (item) => canPause(item.state) && item.state !== 'retrying' },
  { name: 'cancel', symbol: 'close', text: 'row.cancel', label: 'row.cancel_name', isShown: (item) => canCancel(item.state) },
  { name: 'retry', symbol: 'again', text: 'row.retry', label: 'row.retry_name', has_text: true, isShown: canTryAgain },
  { name: 'compare', symbol: 'compare', text: 'row.compare', label: 'row.compare_name', has_text: true, isShown: isDone },
  { name: 'menu', symbol: 'more', text: 'row.menu', label: 'row.menu_name', isShown: isDone },
  { name: 'remove', symbol: 'close', text: 'row.remove', label: 'row.remove_name', isShown: (item) => isFinal(item.state) && !isDone(item) },
];

/** @type {Control[]} */
export const ENTRIES = [
  { name: 'lossless', symbol: 'again', text: 'row.lossless', isShown: canTryLossless },
  { name: 'anyway', symbol: 'download', text: 'row.anyway', isShown: isLarger },
  { name: 'rename', symbol: 'pencil', text: 'row.rename', isShown: isDone },
  { name: 'again', symbol: 'tune', text: 'row.settings', isShown: canConvertAgain },
  { name: 'copy-image', symbol: 'image', text: 'row.copy_image', isShown: isDone },
  { name: 'copy', symbol: 'link', text: 'row.copy', isShown: (item, capabilities) => isDone(item) && !capabilities.auth },
  { name: 'copy-picture', symbol: 'code', text: 'row.copy_picture', isShown: isDone },
  { name: 'remove', symbol: 'close', text: 'row.remove', isShown: isDone },
];
