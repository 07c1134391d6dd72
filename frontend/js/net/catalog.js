// @ts-check
/** Loads the texts of one language: the file of that name in `i18n/`. */
import { Words } from '../core/language.js';

/** @param {string} language one that the gateway offers @returns {Promise<Words>} */
export async function loadWords(language) {
  const response = await fetch(new URL(`../../i18n/${language}.json`, import.meta.url));
  return new Words(language, await response.json());
}
