// @ts-check
/** A page that the server wrote, in the reader's language: only its header has something to choose. */
import { loadLanguage, loadTheme, rememberLanguage, saveLanguage, saveTheme } from './choices.js';
import { on } from './ui/dom.js';
import { listenToChoices, offeredLanguages, showChoices, showLanguages } from './ui/header.js';

const { lang } = document.documentElement;
const chosen = loadLanguage();

showLanguages(offeredLanguages());
showChoices(lang, loadTheme());
listenToChoices();
on('language-chosen', (/** @type {string} */ language) => {
  saveLanguage(language);
  location.reload();
});
on('theme-chosen', (/** @type {string} */ theme) => {
  saveTheme(theme);
  showChoices(lang, theme);
});
// Chosen by an earlier version, which left no cookie: from the next page on.
if (chosen && chosen !== lang) rememberLanguage(chosen);
document.documentElement.classList.remove('switching');
document.documentElement.dataset.ready = '';
