// @ts-check
/** Settings and the query they become. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { defaultSettings, isChanged, queryOf, readSettings, retryQueryOf, settingsOfForm, settingsOfQuery } from '../../../frontend/js/core/options.js';
import { OPTIONS, capabilities } from '../support/fixtures.mjs';

const rich = { ...capabilities, options: OPTIONS };
const DEFAULTS = defaultSettings(rich);

test('settings become options, and only such as the server offers', () => {
  assert.deepEqual(queryOf(DEFAULTS, capabilities), { method: '4', quality: '80' });
  assert.deepEqual(queryOf({ ...DEFAULTS, preset: 'lossless', width: '800' }, capabilities), { method: '4', lossless: 'true', width: '800' });
  assert.deepEqual(queryOf({ ...DEFAULTS, preset: 'text', quality: 60 }, capabilities), { method: '4', lossless: 'true' });
  assert.deepEqual(queryOf({ ...DEFAULTS, preset: 'text', quality: 60 }, rich), { method: '4', near_lossless: '60' });
  assert.deepEqual(queryOf({ ...DEFAULTS, preset: 'drawing', target_kilobytes: '200', metadata: 'all' }, rich),
    { method: '4', quality: '80', sharp_yuv: 'true', target_bytes: '200000', metadata: 'all' });
});

test('lossless never meets a target size, which the server would refuse', () => {
  for (const preset of /** @type {const} */ (['text', 'lossless'])) {
    assert.ok(!('target_bytes' in queryOf({ ...DEFAULTS, preset, target_kilobytes: '9' }, rich)), preset);
  }
});

test('remembered settings that make no sense become the defaults', () => {
  for (const stored of [null, 'x', 7, [], { preset: 'constructor', quality: 'x', method: null, width: -4, metadata: '<b>' }]) {
    assert.deepEqual(readSettings(stored, rich), DEFAULTS);
  }
  assert.deepEqual(readSettings({ preset: 'photo', quality: '400', method: '9', width: '99999' }, rich), { ...DEFAULTS, quality: 100, method: 6, width: '16383' });
});

test('defaults and ranges are the gateway’s, not the page’s', () => {
  const other = { ...rich, options: {
    ...OPTIONS, quality: { anyOf: [{ minimum: 20, maximum: 95 }, {}], default: 71 }, method: { minimum: 1, maximum: 3, default: 2 }, width: { minimum: 1, maximum: 4000, default: null },
    metadata: { enum: ['none', 'copyright'], default: 'copyright' },
  } };
  assert.deepEqual(defaultSettings(other), { preset: 'photo', quality: 71, method: 2, width: '', height: '', target_kilobytes: '', metadata: 'copyright' });
  assert.deepEqual(readSettings({ quality: 100, method: 0, width: 9000, metadata: 'all' }, other), { ...defaultSettings(other), quality: 95, method: 1, width: '4000' });
  assert.deepEqual(queryOf(defaultSettings(other), other), { quality: '71', method: '2' }, 'a default need not be sent');
  assert.ok(!isChanged(defaultSettings(other), other) && isChanged(DEFAULTS, other));
});

test('a new preset brings its own quality, or the gateway’s default where it has none', () => {
  const chosen = (/** @type {string} */ preset) => settingsOfForm({ ...DEFAULTS, quality: 33, preset }, true, rich).quality;
  assert.deepEqual(['photo', 'drawing', 'text'].map(chosen), [80, 90, 60]);
  assert.equal(settingsOfForm({ ...DEFAULTS, quality: 33 }, false, rich).quality, 33);
});

test('an image opens its settings with what it was sent with', () => {
  for (const settings of [DEFAULTS, { ...DEFAULTS, preset: /** @type {const} */ ('text'), quality: 55, width: '64' }, { ...DEFAULTS, preset: /** @type {const} */ ('drawing'), target_kilobytes: '200', metadata: 'all' }]) {
    assert.deepEqual(settingsOfQuery(queryOf(settings, rich), rich), settings);
  }
});

test('a retry takes back every option that the settings do not have', () => {
  assert.deepEqual(retryQueryOf({ method: '4', quality: '80', width: '100' }),
    { method: '4', quality: '80', width: '100', lossless: '', near_lossless: '', sharp_yuv: '', height: '', target_bytes: '', metadata: '' });
});
