// @ts-check
/** Puts the language's words into the parts of the page that stand in its HTML. */

/** @typedef {import('../core/language.js').Words} Words */

/** Attribute that names the key → attribute that gets the text. */
const TARGETS = { 'data-t-label': 'aria-label', 'data-t-title': 'title', 'data-t-placeholder': 'placeholder' };

/** @param {Words} words */
export function showTexts(words) {
  const root = document.documentElement;
  root.lang = words.language;
  for (const element of document.querySelectorAll('[data-t]')) element.textContent = words.t(element.getAttribute('data-t') ?? '');
  for (const [source, target] of Object.entries(TARGETS)) {
    for (const element of document.querySelectorAll(`[${source}]`)) element.setAttribute(target, words.t(element.getAttribute(source) ?? ''));
  }
  root.classList.remove('switching');
}
