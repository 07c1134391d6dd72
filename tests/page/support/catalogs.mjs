// @ts-check
/** The texts of the page, as its files say. */
import { readFileSync } from 'node:fs';

const FOLDER = new URL('../../../frontend/i18n/', import.meta.url);

/** @param {string} language @returns {[string, Record<string, string>][]} name of the part, its texts */
export const partsOf = (language) => Object.entries(JSON.parse(readFileSync(new URL(`${language}.json`, FOLDER), 'utf8')));

/** @param {string} language @returns {Record<string, string>} */
export const catalogOf = (language) => Object.assign({}, ...partsOf(language).map(([, texts]) => texts));

export const EN = catalogOf('en');
export const ZH = catalogOf('zh-CN');
