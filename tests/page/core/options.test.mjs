// @ts-check
/** Settings and the query they become. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DEFAULTS, queryOf, readSettings } from '../../../frontend/js/core/options.js';
import { capabilities } from '../support/fixtures.mjs';

test('settings become options, and only such as the server offers', () => {
  assert.deepEqual(queryOf(DEFAULTS, capabilities), { method: '4', quality: '80' });
  assert.deepEqual(queryOf({ ...DEFAULTS, preset: 'lossless', width: '800' }, capabilities), { method: '4', lossless: 'true', width: '800' });
  assert.deepEqual(queryOf({ ...DEFAULTS, preset: 'text', quality: 60 }, capabilities), { method: '4', lossless: 'true' });
  const rich = { ...capabilities, options: { ...capabilities.options, near_lossless: {}, target_bytes: {}, sharp_yuv: {}, metadata: {} } };
  assert.deepEqual(queryOf({ ...DEFAULTS, preset: 'text', quality: 60 }, rich), { method: '4', near_lossless: '60' });
  assert.deepEqual(queryOf({ ...DEFAULTS, preset: 'drawing', target_kilobytes: '200', metadata: 'all' }, rich),
    { method: '4', quality: '80', sharp_yuv: 'true', target_bytes: '200000', metadata: 'all' });
});

test('lossless never meets a target size, which the server would refuse', () => {
  const rich = { ...capabilities, options: { ...capabilities.options, near_lossless: {}, target_bytes: {} } };
  for (const preset of /** @type {const} */ (['text', 'lossless'])) {
    assert.ok(!('target_bytes' in queryOf({ ...DEFAULTS, preset, target_kilobytes: '9' }, rich)), preset);
  }
});

test('remembered settings that make no sense become the defaults', () => {
  for (const stored of [null, 'x', 7, [], { preset: 'constructor', quality: 'x', method: null, width: -4, metadata: '<b>' }]) {
    assert.deepEqual(readSettings(stored), DEFAULTS);
  }
  assert.deepEqual(readSettings({ preset: 'photo', quality: '400', method: '9', width: '99999' }), { ...DEFAULTS, quality: 100, method: 6, width: '16383' });
});
