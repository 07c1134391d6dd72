// @ts-check
/** The choice of the output format: what the settings mean for each, and what a gateway that has one format alone sees of it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { capabilitiesFor, outputFormats } from '../../../frontend/js/core/capabilities.js';
import { changeSettings, isWithoutLoss } from '../../../frontend/js/core/compare-settings.js';
import { resultName, zipName } from '../../../frontend/js/core/filenames.js';
import { defaultSettings, isChanged, QUALITIES, presetsOf, readSettings } from '../../../frontend/js/core/options.js';
import { queryOf, settingsOfForm, settingsOfQuery } from '../../../frontend/js/core/settings-query.js';
import { sentenceOf } from '../../../frontend/js/core/problem.js';
import { fits, notesOf, rangeOf } from '../../../frontend/js/core/setting-fields.js';
import { hashOf, linkOf, readLink } from '../../../frontend/js/core/settings-address.js';
import { accepted, after, capabilities, english, four_formats, item, OPTIONS, OUTPUT_FORMATS, seen } from '../support/fixtures.mjs';

/** @typedef {import('../../../frontend/js/core/options.js').Preset} Preset */
/** @typedef {import('../../../frontend/js/core/options.js').Settings} Settings */

const FORMATS = OUTPUT_FORMATS.map(({ name }) => name);
const PRESET_NAMES = /** @type {Preset[]} */ (Object.keys(QUALITIES));
const DEFAULTS = defaultSettings(four_formats);
const of_old = { ...capabilities, options: OPTIONS };

/** Every format with every kind, in turn with every other setting. @returns {Settings[]} */
function manySettings() {
  const rests = [{}, { width: '900', height: '12000' }, { target_kilobytes: '90' }, { near_lossless: '40' }, { metadata: 'all' }, { method: 6, speed: 9, quality: 31 }];
  return FORMATS.flatMap((format) => PRESET_NAMES.flatMap((preset) => rests.map((rest) => ({ ...DEFAULTS, format, preset, ...rest }))));
}

/** Options of a query that mean nothing for its format, by what the gateway says. @param {Record<string, string>} query */
const meaningless = ({ format = 'webp', ...query }) => Object.keys(query).filter((name) => {
  const meant = four_formats.options[name]['x-formats'];
  return meant !== undefined && !meant.includes(format);
});

test('no query has an option that means nothing for its format, whatever the settings', () => {
  for (const settings of manySettings()) {
    const raw = queryOf(settings, four_formats);
    const read = queryOf(readSettings(settings, four_formats), four_formats);
    for (const query of [raw, read, queryOf(readLink(linkOf(settings, four_formats), four_formats).settings, four_formats)]) assert.deepEqual(meaningless(query), [], JSON.stringify([settings, query]));
    assert.equal(read.format ?? 'webp', settings.format);
  }
});

test('each kind becomes what it means for the format', () => {
  const queries = (/** @type {string} */ format) => Object.fromEntries(presetsOf(format, four_formats).map((preset) => [preset, queryOf(settingsOfForm({ ...DEFAULTS, format, preset }, true, four_formats), four_formats)]));
  assert.deepEqual(queries('webp'), {
    auto: { method: '4', quality: 'auto', lossless: 'auto' }, photo: { method: '4', quality: '80' },
    graphic: { method: '4', quality: '90', lossless: 'auto', sharp_yuv: 'true' }, lossless: { method: '4', lossless: 'true' },
  });
  assert.deepEqual(queries('avif'), {
    auto: { format: 'avif', speed: '6', quality: 'auto' }, photo: { format: 'avif', speed: '6', quality: '80', quality_scale: 'look' },
    graphic: { format: 'avif', speed: '6', quality: '90', quality_scale: 'look', subsampling: '4:4:4' },
  });
  assert.deepEqual(queries('jpeg'), { auto: { format: 'jpeg', quality: 'auto' }, photo: { format: 'jpeg', quality: '80', quality_scale: 'look' }, graphic: { format: 'jpeg', quality: '90', quality_scale: 'look', subsampling: '4:4:4' } });
  assert.deepEqual(queries('png'), {}, 'it keeps every pixel: there is nothing to choose');
  assert.deepEqual(queryOf({ ...DEFAULTS, format: 'png', width: '800' }, four_formats), { format: 'png', width: '800' });
  assert.deepEqual(FORMATS.filter((format) => isWithoutLoss({ ...DEFAULTS, format }, four_formats)), ['png']);
});

test('settings and addresses of before are WebP, and so is what makes no sense', () => {
  const { format: _, speed: __, ...stored } = { ...DEFAULTS, preset: 'photo', quality: 71 };
  assert.deepEqual(readSettings(stored, four_formats), { ...DEFAULTS, preset: 'photo', quality: 71 });
  assert.deepEqual(readLink('#quality=71&width=640', four_formats).settings, { ...DEFAULTS, preset: 'photo', quality: 71, width: '640' });
  assert.deepEqual(settingsOfQuery({ quality: '71', method: '6' }, four_formats), { ...DEFAULTS, preset: 'photo', quality: 71, method: 6 });
  for (const format of ['auto', 'gif', '', null, {}, 'constructor']) assert.equal(readSettings({ format }, four_formats).format, 'webp');
  assert.ok(!('format' in queryOf(DEFAULTS, four_formats)) && hashOf(DEFAULTS, four_formats) === '');
});

test('a gateway that writes one format alone offers no choice, and is sent none', () => {
  assert.deepEqual([outputFormats(of_old), outputFormats({ ...four_formats, output_formats: OUTPUT_FORMATS.slice(0, 1) })], [[], []]);
  for (const settings of manySettings()) {
    const query = queryOf(readSettings(settings, of_old), of_old);
    assert.deepEqual(Object.keys(query).filter((name) => !(name in OPTIONS)), [], JSON.stringify(query));
  }
  assert.deepEqual(presetsOf('webp', of_old), PRESET_NAMES);
  assert.deepEqual(readLink('#format=avif&speed=3', of_old).unknown, ['format', 'speed']);
});

test('the format stands in the address, and a link says which of its settings mean nothing', () => {
  for (const settings of manySettings().map((each) => readSettings(each, four_formats))) {
    const { settings: read, unknown, meaningless: unused, refused } = readLink(linkOf(settings, four_formats), four_formats);
    assert.deepEqual(queryOf(read, four_formats), queryOf(settings, four_formats), linkOf(settings, four_formats));
    assert.deepEqual([unknown, unused, refused], [[], [], []]);
  }
  assert.equal(hashOf({ ...DEFAULTS, format: 'avif' }, four_formats), '#format=avif&quality=auto');
  assert.equal(hashOf({ ...DEFAULTS, format: 'png' }, four_formats), '#format=png');
  const link = readLink('#method=6&format=jpeg&lossless=true&width=20000&speed=3', four_formats);
  assert.deepEqual([link.meaningless, link.settings.format, link.settings.preset, link.settings.width], [['method', 'lossless', 'speed'], 'jpeg', 'auto', '20000']);
  assert.deepEqual(readLink('#format=auto', four_formats).refused, [{ name: 'format', value: 'auto', accepted: 'webp, avif, jpeg, png' }]);
  assert.deepEqual(readLink('#format=avif&quality=60&quality_scale=native', four_formats).refused, [{ name: 'quality_scale', value: 'native', accepted: 'look' }]);
  assert.deepEqual(readLink('#format=webp&width=20000', four_formats).refused.map(({ accepted: range }) => range), ['1–16383']);
});

test('sides have the bound of the format, also where the format changes', () => {
  assert.deepEqual(FORMATS.map((format) => rangeOf('width', capabilitiesFor(four_formats, format)).maximum), [16383, 32768, 65500, 65535]);
  assert.ok(fits('height', '65500', capabilitiesFor(four_formats, 'jpeg')) && !fits('height', '65501', capabilitiesFor(four_formats, 'jpeg')));
  const long = settingsOfForm({ ...DEFAULTS, format: 'jpeg', width: '40000' }, false, four_formats);
  assert.deepEqual([long.width, settingsOfForm({ ...long, format: 'webp' }, false, four_formats).width], ['40000', '16383']);
  const sentence = (/** @type {Record<string, string>} */ options) => sentenceOf({ code: 'invalid_option', option: 'width' }, item({ options }), four_formats, english);
  assert.match(sentence({ format: 'jpeg' }), /65500|65,500/);
  assert.match(sentence({}), /16383|16,383/);
});

test('another format keeps what it knows of the settings; one that has no lossless is Automatic', () => {
  const photo = { ...DEFAULTS, preset: /** @type {const} */ ('photo'), quality: 64, width: '800' };
  for (const format of FORMATS) assert.deepEqual(settingsOfForm({ ...photo, format }, false, four_formats), { ...photo, format });
  const back = settingsOfForm({ ...settingsOfForm({ ...photo, format: 'png' }, false, four_formats), format: 'avif' }, false, four_formats);
  assert.deepEqual(back, { ...photo, format: 'avif' }, 'by way of PNG too');
  assert.equal(settingsOfForm({ ...DEFAULTS, preset: 'lossless', format: 'jpeg' }, false, four_formats).preset, 'auto');
  assert.deepEqual(queryOf(changeSettings(photo, { format: 'jpeg' }, four_formats), four_formats), { format: 'jpeg', quality: '64', quality_scale: 'look', width: '800' });
  assert.ok(isChanged({ ...DEFAULTS, format: 'avif' }, four_formats));
});

test('an image opens its settings with the format that it was sent with', () => {
  for (const format of ['webp', 'avif', 'jpeg']) {
    for (const preset of presetsOf(format, four_formats)) {
      const settings = settingsOfForm({ ...DEFAULTS, format, preset }, true, four_formats);
      assert.deepEqual(settingsOfQuery(queryOf(settings, four_formats), four_formats), settings);
    }
  }
  assert.equal(settingsOfQuery({ format: 'png' }, four_formats).format, 'png');
});

test('what a format loses is said as far as it is so', () => {
  assert.deepEqual(Object.fromEntries(FORMATS.map((format) => [format, notesOf(format, four_formats)])), {
    webp: [], avif: ['settings.note_lossy'], jpeg: ['settings.note_alpha', 'settings.note_animation', 'settings.note_lossy'], png: ['settings.note_animation', 'settings.note_lossless'],
  });
});

test('files are called by their format', () => {
  assert.deepEqual(FORMATS.map((format) => resultName('a.heic', format)), ['a.webp', 'a.avif', 'a.jpg', 'a.png']);
  assert.deepEqual([zipName(['webp', 'webp']), zipName(['avif']), zipName(['jpeg', 'webp'])], ['webp.zip', 'avif.zip', 'images.zip']);
});

test('an image knows whether the percent of its job is an estimate', () => {
  const running = (/** @type {Partial<import('../../../frontend/js/core/types.js').Job>} */ more) =>
    after(item({ state: 'verifying' }), accepted(), seen({ state: 'running', stage: 'encode', progress: 40, ...more }));
  assert.deepEqual([running({ progress_is: 'estimated' }), running({ progress_is: 'measured' }), running({})].map((each) => each.is_estimated), [true, false, false]);
  assert.equal(after(running({ progress_is: 'estimated' }), seen({ seq: 2, state: 'running', stage: 'encode', progress: 50, progress_is: 'measured' })).is_estimated, false);
});
