// @ts-check
/** Settings and the query they become. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { defaultSettings, hasQuality, isChanged, QUALITIES, readSettings } from '../../../frontend/js/core/options.js';
import { linkOf, readLink } from '../../../frontend/js/core/settings-address.js';
import { retryQueryOf } from '../../../frontend/js/core/retry-query.js';
import { hasNearLossless, hasTarget, queryOf, settingsOfForm, settingsOfQuery } from '../../../frontend/js/core/settings-query.js';
import { OPTIONS, OPTIONS_OF_FORMATS, capabilities } from '../support/fixtures.mjs';

/** @typedef {import('../../../frontend/js/core/options.js').Preset} Preset */

const rich = { ...capabilities, options: OPTIONS };
const DEFAULTS = defaultSettings(rich);
const NAMES = /** @type {Preset[]} */ (Object.keys(QUALITIES));

test('who chooses nothing gets Automatic: the gateway decides the quality, and whether to be lossless', () => {
  assert.equal(DEFAULTS.preset, 'auto');
  assert.deepEqual(queryOf(DEFAULTS, rich), { method: '4', quality: 'auto', lossless: 'auto' });
});

test('each kind becomes its options', () => {
  const queries = Object.fromEntries(NAMES.map((preset) => [preset, queryOf(settingsOfForm({ ...DEFAULTS, preset }, true, rich), rich)]));
  assert.deepEqual(queries, {
    auto: { method: '4', quality: 'auto', lossless: 'auto' },
    photo: { method: '4', quality: '80' },
    graphic: { method: '4', quality: '90', lossless: 'auto', sharp_yuv: 'true' },
    lossless: { method: '4', lossless: 'true' },
  });
  const full = { ...DEFAULTS, width: '800', height: '600', metadata: 'all' };
  for (const preset of NAMES) {
    const { width, height, metadata } = queryOf({ ...full, preset }, rich);
    assert.deepEqual([width, height, metadata], ['800', '600', 'all'], preset);
  }
});

test('a gateway that lacks an option or one of its words gets what it offers', () => {
  assert.deepEqual(queryOf(DEFAULTS, capabilities), { method: '4', quality: 'auto' });
  assert.deepEqual(queryOf({ ...DEFAULTS, preset: 'graphic', quality: 90 }, capabilities), { method: '4', quality: '90' });
  assert.deepEqual(queryOf({ ...DEFAULTS, preset: 'lossless', near_lossless: '60' }, capabilities), { method: '4', lossless: 'true' });
  const numbers_only = { ...rich, options: { ...OPTIONS, quality: { type: 'integer', minimum: 0, maximum: 100, default: 75 } } };
  assert.deepEqual(queryOf(defaultSettings(numbers_only), numbers_only), { method: '4', quality: '75', lossless: 'auto' });
  const { lossless, ...others } = OPTIONS;
  for (const preset of NAMES) assert.ok(!('lossless' in queryOf({ ...DEFAULTS, preset }, { ...rich, options: others })), `${preset}, ${lossless.default}`);
});

test('lossless never meets a size, which the gateway would refuse; where the gateway decides it may', () => {
  for (const preset of NAMES) {
    const query = queryOf({ ...DEFAULTS, preset, target_kilobytes: '9', near_lossless: '60' }, rich);
    assert.ok(!(query.target_bytes && (query.lossless === 'true' || query.near_lossless)), JSON.stringify(query));
    assert.equal('target_bytes' in query, hasTarget({ ...DEFAULTS, preset }), preset);
  }
  assert.deepEqual(queryOf({ ...DEFAULTS, preset: 'graphic', target_kilobytes: '200' }, rich), { method: '4', quality: '80', lossless: 'auto', sharp_yuv: 'true', target_bytes: '200000' });
});

test('smoothing before lossless replaces it', () => {
  assert.deepEqual(queryOf({ ...DEFAULTS, preset: 'lossless', near_lossless: '60' }, rich), { method: '4', near_lossless: '60' });
  assert.deepEqual(NAMES.filter((preset) => hasNearLossless({ ...DEFAULTS, preset })), ['lossless']);
  assert.deepEqual(NAMES.filter((preset) => hasQuality({ ...DEFAULTS, preset })), ['photo', 'graphic']);
});

test('remembered settings that make no sense become the defaults', () => {
  for (const stored of [null, 'x', 7, [], { preset: 'constructor', quality: 'x', method: null, width: -4, near_lossless: 'x', metadata: '<b>' }]) {
    assert.deepEqual(readSettings(stored, rich), DEFAULTS);
  }
  assert.deepEqual(readSettings({ preset: 'photo', quality: '400', method: '9', width: '99999', near_lossless: '-3' }, rich),
    { ...DEFAULTS, preset: 'photo', quality: 100, method: 6, width: '16383', near_lossless: '0' });
});

test('settings that an earlier version stored are carried over', () => {
  const old = { quality: 80, method: 4, width: '', height: '', target_kilobytes: '', metadata: 'none' };
  const now = (/** @type {object} */ more) => readSettings({ ...old, ...more }, rich);
  assert.deepEqual(now({ preset: 'photo' }), DEFAULTS, 'the first preset of old, untouched: Automatic');
  assert.deepEqual(now({ preset: 'photo', width: '1920' }), { ...DEFAULTS, width: '1920' });
  assert.deepEqual(now({ preset: 'photo', quality: 71 }), { ...DEFAULTS, preset: 'photo', quality: 71 }, 'a quality was chosen');
  assert.deepEqual(now({ preset: 'photo', method: 6 }), { ...DEFAULTS, preset: 'photo', method: 6 }, 'an effort was chosen');
  assert.deepEqual(now({ preset: 'drawing', quality: 85 }), { ...DEFAULTS, preset: 'graphic', quality: 90 });
  assert.deepEqual(now({ preset: 'text', quality: 60, metadata: 'all' }), { ...DEFAULTS, preset: 'graphic', quality: 90, metadata: 'all' }, 'the 60 was a smoothing');
  assert.deepEqual(now({ preset: 'lossless' }), { ...DEFAULTS, preset: 'lossless' });
  const chosen_now = { ...DEFAULTS, preset: /** @type {const} */ ('photo') };
  assert.deepEqual(readSettings(JSON.parse(JSON.stringify(chosen_now)), rich), chosen_now, 'Photo that was chosen today stays');
});

test('defaults and ranges are the gateway’s, not the page’s', () => {
  const other = { ...rich, options: {
    ...OPTIONS, quality: { anyOf: [{ minimum: 20, maximum: 95 }, {}], default: 71 }, method: { minimum: 1, maximum: 3, default: 2 }, width: { minimum: 1, maximum: 4000, default: null },
    metadata: { enum: ['none', 'copyright'], default: 'copyright' },
  } };
  assert.deepEqual(defaultSettings(other), {
    format: 'webp', formats: '', widths: '640,1280,1920', preset: 'auto', quality: 71, method: 2, speed: 0, width: '', height: '', target_kilobytes: '', near_lossless: '', metadata: 'copyright',
    colors: '', progressive: true, fit: 'inside', gravity: 'attention', sharpen: '', blur: '', trim: '', watermark: '',
  });
  assert.deepEqual(readSettings({ quality: 100, method: 0, width: 9000, metadata: 'all' }, other), { ...defaultSettings(other), quality: 95, method: 1, width: '4000' });
  assert.deepEqual(queryOf({ ...defaultSettings(other), preset: 'photo' }, other), { quality: '71', method: '2' }, 'a default need not be sent');
  assert.ok(!isChanged(defaultSettings(other), other) && isChanged(DEFAULTS, other));
});

test('a new kind brings its own quality, or the gateway’s default where it has none', () => {
  const chosen = (/** @type {Preset} */ preset) => settingsOfForm({ ...DEFAULTS, quality: 33, preset }, true, rich).quality;
  assert.deepEqual(NAMES.map(chosen), [80, 80, 90, 80]);
  assert.equal(settingsOfForm({ ...DEFAULTS, preset: 'photo', quality: 33 }, false, rich).quality, 33);
});

test('an image opens its settings with what it was sent with', () => {
  for (const preset of NAMES) {
    for (const more of [{}, { quality: hasQuality({ ...DEFAULTS, preset }) ? 55 : 80, width: '64' }, { target_kilobytes: hasTarget({ ...DEFAULTS, preset }) ? '200' : '', metadata: 'all' }]) {
      const settings = { ...DEFAULTS, preset, ...more };
      assert.deepEqual(settingsOfQuery(queryOf(settings, rich), rich), settings, JSON.stringify(settings));
    }
  }
  const smoothed = { ...DEFAULTS, preset: /** @type {const} */ ('lossless'), near_lossless: '40' };
  assert.deepEqual(settingsOfQuery(queryOf(smoothed, rich), rich), smoothed);
  assert.equal(settingsOfQuery({}, rich).preset, 'auto');
  assert.equal(settingsOfQuery({ quality: '80', lossless: 'false', sharp_yuv: 'false' }, rich).preset, 'photo');
});

test('a retry takes back every option that the settings do not have', () => {
  const cleared = { method: '4', lossless: 'true', width: '100', quality: '', near_lossless: '', sharp_yuv: '', height: '', target_bytes: '', metadata: '' };
  assert.deepEqual(retryQueryOf({ method: '4', lossless: 'true', width: '100' }, Object.keys(OPTIONS)), cleared, 'a gateway of old is asked for nothing that it does not know');
  assert.deepEqual(retryQueryOf({ method: '4', lossless: 'true', width: '100' }, Object.keys(OPTIONS_OF_FORMATS)), {
    ...cleared, ...Object.fromEntries(['format', 'formats', 'widths', 'quality_scale', 'subsampling', 'colors', 'progressive', 'fit', 'gravity', 'sharpen', 'blur', 'trim'].map((name) => [name, ''])),
  });
});

test('a mark is one that the operator gave, wherever the settings come from', () => {
  const marked = { ...rich, options: { ...OPTIONS, watermark: { type: 'string', default: null } }, watermarks: ['logo', 'draft'] };
  const settings = readSettings({ watermark: 'logo' }, marked);
  assert.deepEqual(queryOf(settings, marked), { method: '4', quality: 'auto', lossless: 'auto', watermark: 'logo' });
  assert.deepEqual([settingsOfQuery(queryOf(settings, marked), marked), readLink(linkOf(settings, marked), marked).settings], [settings, settings]);
  assert.deepEqual([readSettings({ watermark: 'gone' }, marked).watermark, readSettings({ watermark: 'logo' }, rich).watermark], ['', '']);
  assert.deepEqual(readLink('#watermark=gone', marked).refused, [{ name: 'watermark', value: 'gone', accepted: 'logo, draft' }]);
  assert.deepEqual(retryQueryOf({}, ['watermark']).watermark, '');
});
