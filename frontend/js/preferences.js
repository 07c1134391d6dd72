// @ts-check
/** The reader's language, theme and API key, on every page: chosen in the header, stored in the browser. */
import { pickLanguage } from './core/language.js';
import { loadWords } from './net/catalog.js';
import { loadKey, loadValue, saveKey, saveValue } from './net/storage.js';
import { find, on } from './ui/dom.js';
import { listenToChoices, offeredLanguages, showChoices, showLanguages } from './ui/header.js';
import { showTexts } from './ui/texts.js';

/** @typedef {import('./core/language.js').Words} Words */

export class Preferences {
  /** @param {Words} words */
  constructor(words) {
    this.words = words;
    this.theme = String(loadValue('theme') ?? 'system');
    this.key = loadKey();
  }

  /** With the page translated and its header ready. `onLanguage` is called after each change of the language. @param {() => void} onLanguage */
  static async load(onLanguage) {
    const languages = offeredLanguages();
    const chosen = /** @type {string | null} */ (loadValue('language'));
    const preferences = new Preferences(await loadWords(pickLanguage(chosen, navigator.languages, languages)));
    showLanguages(languages);
    preferences.show();
    preferences.listen(onLanguage);
    return preferences;
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
      this.words = await loadWords(language);
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
