// @ts-check
/** Texts and figures in the reader’s language. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { languageName, pickLanguage } from '../../../frontend/js/core/language.js';
import { chinese, english } from '../support/fixtures.mjs';

test('figures are written as people read them, in both languages', () => {
  assert.deepEqual([0, 999, 1000, 609_700, 999_600, 4_213_004, 1_500_000_000].map((bytes) => english.bytes(bytes)),
    ['0 B', '999 B', '1 KB', '610 KB', '1.0 MB', '4.2 MB', '1.5 GB']);
  assert.equal(english.bytesOf(2_600_000, 4_200_000), '2.6 of 4.2 MB');
  assert.equal(chinese.bytesOf(2_600_000, 4_200_000), '2.6 / 4.2 MB');
  assert.deepEqual([3, 21, 170, 8000].map((seconds) => english.left(seconds)), ['a few seconds', 'about 20 s', 'about 3 min', 'about 2 h']);
  assert.deepEqual([3, 21, 170].map((seconds) => chinese.left(seconds)), ['几秒', '约 20 秒', '约 3 分钟']);
  assert.equal(english.saving(85), '−85%');
  assert.equal(english.saving(-12), '+12%');
  assert.equal(english.t('period.hours', { n: 1 }), '1 hour');
  assert.equal(english.period(86_400), '24 hours');
  assert.equal(chinese.period(604_800), '7 天');
});

const OFFERED = ['en', 'zh-CN'];

test('the language is the one chosen, else the first of the browser’s that is spoken here', () => {
  assert.equal(pickLanguage('zh-CN', ['en'], OFFERED), 'zh-CN');
  assert.equal(pickLanguage(null, ['de', 'zh-TW', 'en'], OFFERED), 'zh-CN');
  assert.equal(pickLanguage(null, ['fr-FR', 'en-US'], OFFERED), 'en');
  assert.equal(pickLanguage('xx', [], OFFERED), 'en');
});

test('a language that the gateway gets is picked without another change', () => {
  assert.equal(pickLanguage(null, ['de-AT', 'en'], ['de', ...OFFERED]), 'de');
  assert.equal(pickLanguage(null, ['zh-TW'], [...OFFERED, 'zh-TW']), 'zh-TW', 'the exact one before another region');
});

test('a language is named in itself', () => {
  assert.deepEqual(['en', 'zh-CN', 'zh-TW', 'de', 'pt-BR', 'fr'].map(languageName), ['English', '简体中文', '繁體中文', 'Deutsch', 'Português (Brasil)', 'Français']);
});

test('one limit stood in three notations: it is told in the unit in which it was set, as in the gateway’s own sentences', () => {
  const table = JSON.parse(readFileSync(new URL('../../unit/texts/limits.json', import.meta.url), 'utf8'));
  for (const [bytes, shown] of table) {
    assert.equal(english.limit(bytes).replace(',', ''), shown.replace('bytes', 'B'));
    assert.equal(chinese.limit(bytes).replace(',', ''), shown.replace('bytes', 'B'));
  }
  assert.equal(english.beyond(2 ** 26 + 1, 2 ** 26), '64.1 MiB');
  assert.equal(english.beyond(73_000_000, 50_000_000), '73 MB');
});

test('a right-to-left value is isolated in its sentence, any other stands as it is', () => {
  assert.equal(english.t('toast.removed', { name: 'صورة.png' }), '“\u2068صورة.png\u2069” removed.');
  assert.equal(english.t('toast.removed', { name: 'cat.png' }), '“cat.png” removed.');
});
