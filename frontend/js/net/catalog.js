// @ts-check
/**
 * Loads the texts of one language: those parts of its file in `i18n/` that a page asks for. `page` has the texts that every page shows; the
 * others are loaded with what shows them.
 */
import { Words } from '../core/language.js';
import { ROOT } from '../core/root.js';

/** @typedef {'page' | 'settings' | 'images' | 'status' | 'docs'} Part */

/**
 * @param {string} language one that the gateway offers
 * @param {Iterable<Part>} parts
 * @returns {Promise<Words>}
 */
export async function loadWords(language, parts) {
  return new Words(language, Object.assign({}, ...await Promise.all([...parts].map((part) => loadPart(language, part)))));
}

/** @param {string} language @param {Part} part @returns {Promise<Record<string, string>>} */
async function loadPart(language, part) {
  const response = await fetch(`${ROOT}/static/texts/${language}/${part}.json`);
  return response.json();
}
