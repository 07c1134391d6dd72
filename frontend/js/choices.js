// @ts-check
/** What the reader chose in the header, stored for every page: the language also in a cookie, for pages that the server writes. */
import { ROOT } from './core/root.js';
import { loadValue, saveValue } from './net/storage.js';

/** The longest that browsers keep a cookie. */
const COOKIE_MAX_AGE_S = 400 * 86_400;

/** @returns {string | null} null before a choice */
export const loadLanguage = () => /** @type {string | null} */ (loadValue('language'));
export const loadTheme = () => String(loadValue('theme') ?? 'system');

/** @param {string} language */
export function saveLanguage(language) {
  saveValue('language', language);
  rememberLanguage(language);
}

/** @param {string} theme */
export const saveTheme = (theme) => saveValue('theme', theme);

/** As the gateway's own `/plain/language/<tag>` does. @param {string} language */
export function rememberLanguage(language) {
  document.cookie = `gateway_language=${language}; Path=${ROOT || '/'}; Max-Age=${COOKIE_MAX_AGE_S}; SameSite=Lax${location.protocol === 'https:' ? '; Secure' : ''}`;
}
