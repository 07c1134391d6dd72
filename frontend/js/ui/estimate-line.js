// @ts-check
/** About how large the chosen picture becomes: its small picture, its name, and the figure. */
import { el, setText } from './dom.js';

/** @typedef {import('../core/language.js').Words} Words */
/**
 * @typedef {object} Shown
 * @property {'none' | 'working' | 'known' | 'exact' | 'animated' | 'undecodable' | 'other_format' | 'other_settings' | 'unknown'} state
 * @property {string} [format] that is asked for
 * @property {string} [name] whose figure it is
 * @property {string} [picture] data URL
 * @property {number} [before_bytes]
 * @property {number} [after_bytes] of the last answer, which stays while the next one is awaited
 */

/** State → key of the sentence in the place of a figure. */
const SENTENCES = /** @type {const} */ ({ none: 'settings.estimate_none', animated: 'settings.estimate_animated', undecodable: 'settings.estimate_undecodable', other_format: 'settings.estimate_other_format', other_settings: 'settings.estimate_other_settings', unknown: 'settings.estimate_unknown' });

export function createEstimateLine() {
  return el('div', { class: 'estimate', 'data-state': 'none' },
    el('img', { class: 'estimate-picture', alt: '', width: '40', height: '40', hidden: '' }),
    el('div', { class: 'estimate-words' }, el('span', { class: 'estimate-name' }), el('output', { class: 'estimate-figure' }), el('small', { class: 'estimate-hint' })));
}

/** @param {Element} line @param {Shown} shown @param {Words} words */
export function showEstimate(line, shown, words) {
  const [picture, name, figure, hint] = ['.estimate-picture', '.estimate-name', '.estimate-figure', '.estimate-hint'].map((selector) => line.querySelector(selector));
  if (!(line instanceof HTMLElement) || !(picture instanceof HTMLImageElement) || !name || !figure || !hint) return;
  line.dataset.state = shown.state;
  picture.hidden = !shown.picture;
  if (shown.picture && picture.src !== shown.picture) picture.src = shown.picture;
  setText(name, shown.state === 'none' ? '' : shown.name ?? '');
  setText(figure, figureText(shown, words));
  setText(hint, words.t(shown.state === 'exact' ? 'settings.estimate_exact' : 'settings.estimate_hint'));
}

/** @param {Shown} shown @param {Words} words */
function figureText({ state, format = '', before_bytes = 0, after_bytes }, words) {
  if (state !== 'known' && state !== 'exact' && state !== 'working') return words.t(SENTENCES[state], { format: words.format(format) });
  if (after_bytes === undefined) return words.t('settings.estimate_working');
  const size = state === 'exact' ? words.bytes(after_bytes) : words.t('settings.estimate', { size: words.bytes(after_bytes) });
  return before_bytes <= 0 ? size : words.t('settings.estimate_saving', { size, saving: words.saving(Math.round(100 * (1 - after_bytes / before_bytes))) });
}
