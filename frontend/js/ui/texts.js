// @ts-check
/** Translates the texts that stand in the page's HTML. */

/** @typedef {import('../core/language.js').Words} Words */

/** Attribute that holds the key → attribute that gets the text. */
const TRANSLATED_ATTRIBUTES = { 'data-t-label': 'aria-label', 'data-t-title': 'title', 'data-t-placeholder': 'placeholder' };

/** @param {Words} words */
export function showTexts(words) {
  const root = document.documentElement;
  root.lang = words.language;
  for (const element of document.querySelectorAll('[data-t]')) element.textContent = words.t(element.getAttribute('data-t') ?? '');
  for (const [source, target] of Object.entries(TRANSLATED_ATTRIBUTES)) {
    for (const element of document.querySelectorAll(`[${source}]`)) element.setAttribute(target, words.t(element.getAttribute(source) ?? ''));
  }
  root.classList.remove('switching');
}
