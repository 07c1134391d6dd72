// @ts-check
/** Short messages at the edge of the page, some with Undo. They stay while the pointer or the focus is on them. */
import { el, find, icon } from './dom.js';

/** @typedef {import('../core/language.js').Words} Words */

const SHOWN_MS = 8000;

/**
 * @param {string} text
 * @param {Words} words
 * @param {{onUndo?: () => void, onEnd?: () => void}} [handlers] `onEnd` runs once, when the toast ends without Undo
 */
export function showToast(text, words, handlers = {}) {
  const undo = el('button', { class: 'button button-small button-quiet', type: 'button' }, words.t('toast.undo'));
  const dismiss = el('button', { class: 'button button-small button-icon button-quiet', type: 'button', 'aria-label': words.t('toast.dismiss') }, icon('close'));
  const toast = el('div', { class: 'toast' }, el('span', { class: 'toast-text' }, text), ...(handlers.onUndo ? [undo] : []), dismiss);
  const end = (/** @type {(() => void) | undefined} */ then) => {
    if (!toast.isConnected) return;
    const had_focus = toast.contains(document.activeElement);
    toast.remove();
    if (had_focus) find('choose', HTMLElement).focus();
    then?.();
  };
  /** @type {ReturnType<typeof setTimeout>} */
  let timer;
  const wait = () => { timer = setTimeout(() => end(handlers.onEnd), SHOWN_MS); };
  for (const name of ['pointerenter', 'focusin']) toast.addEventListener(name, () => clearTimeout(timer));
  for (const name of ['pointerleave', 'focusout']) toast.addEventListener(name, wait);
  undo.addEventListener('click', () => end(handlers.onUndo));
  dismiss.addEventListener('click', () => end(handlers.onEnd));
  find('toasts', HTMLElement).append(toast);
  wait();
}
