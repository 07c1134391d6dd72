// @ts-check
/** Settings in the address: whoever opens a link has the same, and hears of what is not used. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { defaultSettings, QUALITIES } from '../../../frontend/js/core/options.js';
import { queryOf, settingsOfForm } from '../../../frontend/js/core/settings-query.js';
import { hashOf, linkOf, readLink } from '../../../frontend/js/core/settings-address.js';
import { OPTIONS, capabilities } from '../support/fixtures.mjs';

/** @typedef {import('../../../frontend/js/core/options.js').Preset} Preset */

const rich = { ...capabilities, options: OPTIONS };
const DEFAULTS = defaultSettings(rich);

test('a link gives another person the very same settings', () => {
  for (const preset of /** @type {Preset[]} */ (Object.keys(QUALITIES))) {
    for (const more of [{}, { width: '1920' }, { height: '7', metadata: 'all' }, { method: 6, width: '1', height: '16383' }]) {
      const settings = { ...settingsOfForm({ ...DEFAULTS, preset }, true, rich), ...more };
      const { settings: read, unknown, refused } = readLink(linkOf(settings, rich), rich);
      assert.deepEqual([read, unknown, refused], [settings, [], []], linkOf(settings, rich));
      assert.deepEqual(queryOf(read, rich), queryOf(settings, rich));
    }
  }
});

test('the defaults leave no trace in the address, and a link says them all the same', () => {
  assert.equal(hashOf(DEFAULTS, rich), '');
  assert.equal(linkOf(DEFAULTS, rich), '#quality=auto');
  assert.equal(hashOf({ ...DEFAULTS, width: '1920' }, rich), '#quality=auto&width=1920');
  assert.equal(hashOf({ ...DEFAULTS, preset: 'photo', quality: 70 }, rich), '#quality=70');
  assert.equal(hashOf({ ...DEFAULTS, preset: 'lossless' }, rich), '#lossless=true');
});

test('names are the API’s: a query written by hand gives what it says', () => {
  const read = (/** @type {string} */ hash) => readLink(hash, rich).settings;
  assert.deepEqual(read('#quality=auto&width=1920'), { ...DEFAULTS, width: '1920' });
  assert.deepEqual(read('#width=800'), { ...DEFAULTS, width: '800' });
  assert.deepEqual(read('#lossless=auto'), DEFAULTS);
  assert.deepEqual(read('#quality=71'), { ...DEFAULTS, preset: 'photo', quality: 71 });
  assert.deepEqual(read('#near_lossless=40'), { ...DEFAULTS, preset: 'lossless', near_lossless: '40' });
  assert.deepEqual(read('#target_bytes=200000&quality=90'), { ...DEFAULTS, preset: 'photo', quality: 90, target_kilobytes: '200' });
});

test('what a link says wrongly is not used, and is named with what would be right', () => {
  const { settings, unknown, refused } = readLink('#width=99999&qualty=3&quality=200&lossless=maybe&method=-1&metadata=some&__proto__=1&<img>=x', rich);
  assert.deepEqual(settings, DEFAULTS);
  assert.deepEqual(unknown, ['qualty', '__proto__', '<img>']);
  assert.deepEqual(refused.map(({ name, value, accepted }) => `${name}=${value}: ${accepted}`), [
    'width=99999: 1–16383', 'quality=200: 0–100, auto', 'lossless=maybe: true, false, auto', 'method=-1: 0–6', 'metadata=some: none, copyright, all',
  ]);
  for (const value of ['1e3', '0x10', ' 5', '5.5', '', 'NaN', '99999999999999999999']) assert.equal(readLink(`#${new URLSearchParams({ width: value })}`, rich).refused.length, 1, value);
});

test('an effort that follows the queue is for programs: the page says that it has numbers alone', () => {
  const now = { ...rich, options: { ...OPTIONS, method: { anyOf: [{ type: 'integer', minimum: 0, maximum: 6 }, { const: 'auto' }], default: 4 } } };
  const { settings, refused } = readLink('#method=auto&quality=71', now);
  assert.deepEqual([settings.method, settings.quality], [4, 71]);
  assert.deepEqual(refused, [{ name: 'method', value: 'auto', accepted: '0–6' }]);
  assert.equal(readLink('#method=6', now).settings.method, 6);
});

test('an endless address is cut, and one that a gateway does not offer is unknown', () => {
  const link = readLink(`#${Array.from({ length: 2000 }, (_, index) => `${'x'.repeat(500)}${index}=1`).join('&')}`, rich);
  assert.ok(link.unknown.length <= 5 && link.unknown.every((name) => name.length <= 40));
  assert.deepEqual(readLink('#metadata=all', capabilities).unknown, ['metadata']);
  assert.deepEqual(readLink('#lossless=auto', capabilities).refused.map(({ name }) => name), ['lossless']);
});
