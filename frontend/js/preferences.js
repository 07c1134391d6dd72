// @ts-check
/** The reader's language, theme and API key, on every page: chosen in the header, stored in the browser. */
import { pickLanguage } from './core/language.js';
import { loadWords } from './net/catalog.js';
import { loadKey, loadValue, saveKey, saveValue } from './net/storage.js';
import { find, on } from './ui/dom.js';
import { listenToChoices, offeredLanguages, showChoices, showLanguages } from './ui/header.js';
import { showTexts } from './ui/texts.js';

/** @typedef {import('./core/language.js').Words} Words */
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
    this.theme = String(loadValue('theme') ?? 'system');
    this.key = loadKey();
  }

  /**
   * With the page translated and its header ready. `onLanguage` is called after each change of the language.
   * @param {() => void} onLanguage
   * @param {Part[]} parts of the texts, besides those that every page shows
   */
  static async load(onLanguage, ...parts) {
    const languages = offeredLanguages();
    const chosen = /** @type {string | null} */ (loadValue('language'));
    const all = new Set(/** @type {Part[]} */ (['page', ...parts]));
    const preferences = new Preferences(await loadWords(pickLanguage(chosen, navigator.languages, languages), all), all);
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

  /** Another choice may come while the texts are loaded: the last one holds. @param {string} language */
  async use(language) {
    this.language = language;
    const words = await loadWords(language, this.parts);
    if (language === this.language) this.words = words;
  }

  show() {
    showTexts(this.words);
    showChoices(this.words.language, this.theme);
  }

  /** @param {() => void} onLanguage */
  listen(onLanguage) {
    listenToChoices();
    on('language-chosen', async (/** @type {string} */ language) => {
      saveValue('language', language);
      await this.use(language);
      this.show();
      onLanguage();
    });
    on('theme-chosen', (/** @type {string} */ theme) => {
      saveValue('theme', theme);
      this.theme = theme;
      showChoices(this.words.language, theme);
    });
    find('key', HTMLFormElement).addEventListener('submit', (event) => {
      event.preventDefault();
      saveKey(String(new FormData(find('key', HTMLFormElement)).get('key')));
      location.reload();
    });
  }
}
