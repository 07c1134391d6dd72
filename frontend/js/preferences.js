// @ts-check
/** The reader's language, theme and API key, on every page: chosen in the header, stored in the browser. */
import { loadLanguage, loadTheme, saveLanguage, saveTheme } from './choices.js';
import { pickLanguage, Words } from './core/language.js';
import { loadWords } from './net/catalog.js';
import { loadKey, saveKey } from './net/storage.js';
import { on } from './ui/dom.js';
import { listenToChoices, offeredLanguages, showChoices, showLanguages } from './ui/header.js';
import { showTexts } from './ui/texts.js';

/** @typedef {import('./net/catalog.js').Part} Part */

export class Preferences {
  /**
   * @param {Words} words
   * @param {Set<Part>} parts of the texts that the page shows
   */
  constructor(words, parts) {
    this.words = words;
    this.language = words.language;
    this.parts = parts;
    this.theme = loadTheme();
    this.key = loadKey();
  }

  /**
   * With the page translated and its header ready. `onLanguage` is called after each change of the language.
   * @param {() => void} onLanguage
   * @param {Part[]} parts of the texts, besides those that every page shows
   */
  static async load(onLanguage, ...parts) {
    const languages = offeredLanguages();
    const all = new Set(/** @type {Part[]} */ (['page', ...parts]));
    const preferences = new Preferences(await loadWords(pickLanguage(loadLanguage(), navigator.languages, languages), all), all);
    showLanguages(languages);
    preferences.show();
    preferences.listen(onLanguage);
    return preferences;
  }

  /** The texts of one more part of the page. @param {Part} part */
  async add(part) {
    this.parts.add(part);
    await this.use(this.language);
  }

  /** Another choice may come while the texts are loaded: the last one holds. Another part too: both are kept. @param {string} language */
  async use(language) {
    this.language = language;
    const words = await loadWords(language, this.parts);
    if (language !== this.language) return;
    const known = this.words.language === language ? this.words.catalog : {};
    this.words = new Words(language, { ...known, ...words.catalog });
  }

  show() {
    showTexts(this.words);
    showChoices(this.words.language, this.theme);
  }

  /** @param {() => void} onLanguage */
  listen(onLanguage) {
    listenToChoices();
    on('language-chosen', async (/** @type {string} */ language) => {
      saveLanguage(language);
      await this.use(language);
      this.show();
      onLanguage();
    });
    on('theme-chosen', (/** @type {string} */ theme) => {
      saveTheme(theme);
      this.theme = theme;
      showChoices(this.words.language, theme);
    });
    const form = document.getElementById('key');
    if (!(form instanceof HTMLFormElement)) return;
    form.addEventListener('submit', (event) => {
      event.preventDefault();
      saveKey(String(new FormData(form).get('key')));
      location.reload();
    });
  }
}
