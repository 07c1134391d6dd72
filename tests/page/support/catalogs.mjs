// @ts-check
/** The texts of the page, as its files say. */
import { readFileSync } from 'node:fs';

/** @param {string} language @returns {Record<string, string>} */
export const catalogOf = (language) => JSON.parse(readFileSync(new URL(`../../../frontend/i18n/${language}.json`, import.meta.url), 'utf8'));

export const EN = catalogOf('en');
export const ZH = catalogOf('zh-CN');
