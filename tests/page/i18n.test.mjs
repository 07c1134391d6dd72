// @ts-check
/** Every language of the page is complete, and nothing in one is left over. A language is a file in `frontend/i18n`. */
import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { test } from 'node:test';
import { languageName } from '../../frontend/js/core/language.js';
import { PROBLEMS } from '../../frontend/js/core/problem.js';
import { EN as en, ZH as zh, catalogOf, partsOf } from './support/catalogs.mjs';

/** @typedef {Record<string, string>} Catalog */

const FRONTEND = new URL('../../frontend/', import.meta.url);
const ERRORS = new URL('../../backend/errors.py', import.meta.url);

const tags = readdirSync(new URL('i18n/', FRONTEND)).map((name) => name.replace(/\.json$/, ''));
const catalogs = /** @type {[string, Catalog][]} */ (tags.map((tag) => [tag, catalogOf(tag)]));
const sources = readdirSync(FRONTEND, { recursive: true, encoding: 'utf8' })
  .filter((path) => /\.(js|html)$/.test(path) && !/^(vendor|i18n)\//.test(path))
  .map((path) => readFileSync(new URL(path, FRONTEND), 'utf8')).join('\n');

/** @param {string} text */
const placeholders = (text) => [...text.matchAll(/\{(\w+)/g)].map(([, name]) => name).sort();

test('each file is named after its language, which browsers can name', () => {
  assert.ok(tags.includes('en') && tags.includes('zh-CN'));
  for (const tag of tags) assert.notEqual(languageName(tag).toLowerCase(), tag.toLowerCase());
});

test('each language has the same keys, in the same parts and the same order', () => {
  const keys = (/** @type {string} */ tag) => partsOf(tag).map(([part, texts]) => [part, Object.keys(texts)]);
  for (const tag of tags) assert.deepEqual(keys(tag), keys('en'), tag);
});

test('no text stands in two parts', () => {
  const keys = partsOf('en').flatMap(([, texts]) => Object.keys(texts));
  assert.deepEqual(keys.filter((key, i) => keys.indexOf(key) < i), []);
});

test('each text has the same placeholders in each language', () => {
  for (const [tag, catalog] of catalogs) {
    for (const [key, text] of Object.entries(en)) {
      assert.deepEqual([...new Set(placeholders(catalog[key]))], [...new Set(placeholders(text))], `${tag} ${key}`);
    }
  }
});

test('no text is empty, and no Chinese text was forgotten in English', () => {
  const same = Object.entries(en).filter(([key, text]) => text === /** @type {Catalog} */ (zh)[key]).map(([key]) => key);
  for (const [tag, catalog] of catalogs) assert.ok(Object.values(catalog).every((text) => text.trim()), tag);
  assert.deepEqual(same.sort(), ['settings.estimate', 'settings.kilobytes', 'state.done']);
});

test('every key is used somewhere on the page', () => {
  const unused = Object.keys(en).filter((key) => !sources.includes(`'${key}'`) && !sources.includes(`"${key}"`));
  assert.deepEqual(unused, []);
});

test('every key that the page uses exists', () => {
  const prefixes = new Set(Object.keys(en).map((key) => key.split('.')[0]));
  const used = [...sources.matchAll(/['"]([a-z]+\.[a-z_]+)['"]/g)].map(([, key]) => key).filter((key) => prefixes.has(key.split('.')[0]));
  assert.deepEqual([...new Set(used)].filter((key) => !(key in en)), []);
});

test('the English that stands in the HTML is the catalog’s', () => {
  for (const name of ['header.html', 'index.html', 'status.html', 'docs/index.html']) {
    const html = readFileSync(new URL(name, FRONTEND), 'utf8');
    const wrong = [...html.matchAll(/data-t="([^"]+)"[^>]*>([^<]*)</g)].filter(([, key, text]) => /** @type {Catalog} */ (en)[key] !== text);
    assert.deepEqual(wrong.map(([, key, text]) => `${key}: ${text}`), [], name);
  }
});

test('every error code of the gateway has its sentence', () => {
  const codes = [...readFileSync(ERRORS, 'utf8').matchAll(/^class \w+\(GatewayError\): code, status = "(\w+)"/gm)].map(([, code]) => code);
  assert.ok(codes.length > 15, 'the codes were found in backend/errors.py');
  assert.deepEqual(codes.filter((code) => !(code in PROBLEMS)), []);
});
