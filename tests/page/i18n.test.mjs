// @ts-check
/** Both languages are complete, and nothing in them is left over. */
import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { test } from 'node:test';
import { PROBLEMS } from '../../frontend/js/core/problem.js';
import en from '../../frontend/i18n/en.js';
import zh from '../../frontend/i18n/zh-CN.js';
import status_en from '../../frontend/i18n/status-en.js';
import status_zh from '../../frontend/i18n/status-zh-CN.js';

const FRONTEND = new URL('../../frontend/', import.meta.url);
const ERRORS = new URL('../../backend/errors.py', import.meta.url);

const sources = readdirSync(FRONTEND, { recursive: true, encoding: 'utf8' })
  .filter((path) => /\.(js|html)$/.test(path) && !/^(vendor|i18n)\//.test(path))
  .map((path) => readFileSync(new URL(path, FRONTEND), 'utf8')).join('\n');

/** @param {string} text */
const placeholders = (text) => [...text.matchAll(/\{(\w+)/g)].map(([, name]) => name).sort();

test('each language has the same keys, in the same order', () => {
  assert.deepEqual(Object.keys(zh), Object.keys(en));
});

test('each text has the same placeholders in each language', () => {
  for (const [key, text] of Object.entries(en)) {
    const other = /** @type {Record<string, string>} */ (zh)[key];
    assert.deepEqual([...new Set(placeholders(other))], [...new Set(placeholders(text))], key);
  }
});

test('no text is empty, and no Chinese text was forgotten in English', () => {
  const same = Object.entries(en).filter(([key, text]) => text === /** @type {Record<string, string>} */ (zh)[key]).map(([key]) => key);
  assert.ok(Object.values(en).every((text) => text.trim()) && Object.values(zh).every((text) => text.trim()));
  assert.deepEqual(same, ['settings.kilobytes', 'state.done', 'compare.after', 'compare.facts']);
});

test('every key is used somewhere on the page', () => {
  const unused = Object.keys(en).filter((key) => !sources.includes(`'${key}'`) && !sources.includes(`"${key}"`));
  assert.deepEqual(unused, []);
});

test('the operator’s page: the same keys and placeholders in each language, all used, all there', () => {
  assert.deepEqual(Object.keys(status_zh), Object.keys(status_en));
  for (const [key, text] of Object.entries(status_en)) {
    const other = /** @type {Record<string, string>} */ (status_zh)[key];
    assert.deepEqual([...new Set(placeholders(other))], [...new Set(placeholders(text))], key);
    assert.ok(sources.includes(`'${key}'`) || sources.includes(`"${key}"`), key);
  }
  const used = [...sources.matchAll(/['"](status\.[a-z_]+)['"]/g)].map(([, key]) => key);
  assert.deepEqual([...new Set(used)].filter((key) => !(key in status_en)), []);
});

test('every key that the page uses exists', () => {
  const prefixes = new Set(Object.keys(en).map((key) => key.split('.')[0]));
  const used = [...sources.matchAll(/['"]([a-z]+\.[a-z_]+)['"]/g)].map(([, key]) => key).filter((key) => prefixes.has(key.split('.')[0]));
  assert.deepEqual([...new Set(used)].filter((key) => !(key in en)), []);
});

test('the English that stands in the HTML is the catalog’s', () => {
  const html = readFileSync(new URL('index.html', FRONTEND), 'utf8');
  const wrong = [...html.matchAll(/data-t="([^"]+)"[^>]*>([^<]*)</g)].filter(([, key, text]) => /** @type {Record<string, string>} */ (en)[key] !== text);
  assert.deepEqual(wrong.map(([, key, text]) => `${key}: ${text}`), []);
});

test('every error code of the gateway has its sentence', () => {
  const codes = [...readFileSync(ERRORS, 'utf8').matchAll(/^ {4}code(?:, status)? = "(\w+)"/gm)].map(([, code]) => code);
  assert.ok(codes.length > 15, 'the codes were found in backend/errors.py');
  assert.deepEqual(codes.filter((code) => !(code in PROBLEMS)), []);
});
