// @ts-check
/** What may stand in a field of the settings, and names for qualities and settings. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isSame, MOST_NAMES, readNamed, withNamed } from '../../../frontend/js/core/named-settings.js';
import { defaultSettings } from '../../../frontend/js/core/options.js';
import { fits, hasDecimals, nameOfQuality, NUMBERS, QUALITY_STOPS, rangeOf, SHAPES, shapeOf, withShape, withWidth } from '../../../frontend/js/core/setting-fields.js';
import { OPTIONS, OPTIONS_OF_FORMATS, capabilities } from '../support/fixtures.mjs';

/** @typedef {import('../../../frontend/js/core/setting-fields.js').NumberField} NumberField */

const { speed, colors, sharpen, blur } = OPTIONS_OF_FORMATS;
const rich = { ...capabilities, options: { ...OPTIONS, speed, colors, sharpen, blur } };
const DEFAULTS = defaultSettings(rich);

test('a number beyond its bounds, or finer than its field takes, does not fit, in any field', () => {
  for (const field of /** @type {NumberField[]} */ (Object.keys(NUMBERS))) {
    const { minimum, maximum } = rangeOf(field, rich);
    for (const right of [minimum, maximum, Math.floor((minimum + maximum) / 2)]) assert.ok(fits(field, String(right), rich), `${field} ${right}`);
    for (const wrong of [minimum - 1, maximum + 1, minimum + (hasDecimals(field, rich) ? 0.05 : 0.5), '1e2', 'x', '--1', `${maximum}0`]) assert.ok(!fits(field, String(wrong), rich), `${field} ${wrong}`);
  }
  assert.deepEqual(rangeOf('target_kilobytes', rich), { minimum: 1, maximum: 1_073_741 }, 'in kilobytes');
  assert.ok(fits('sharpen', '0.7', rich) && fits('blur', '0.3', rich) && !fits('blur', '0.2', rich));
});

test('an empty field means “not set” where there is such a thing', () => {
  assert.deepEqual(Object.keys(NUMBERS).filter((field) => fits(/** @type {NumberField} */ (field), '', rich)), ['width', 'height', 'target_kilobytes', 'near_lossless', 'colors', 'sharpen', 'blur']);
});

test('a shape sets the height of the width, follows another width, and is given up with it', () => {
  const wide = withShape({ ...DEFAULTS, width: '1280' }, '16:9');
  assert.deepEqual([wide.width, wide.height, wide.fit, shapeOf(wide)], ['1280', '720', 'cover', '16:9']);
  assert.deepEqual(withShape(DEFAULTS, '1:1').height, withShape(DEFAULTS, '1:1').width, 'a width is chosen where none was');
  assert.deepEqual([withWidth(wide, '801').height, shapeOf(withWidth(wide, '801'))], ['451', '16:9']);
  for (const none of [withWidth(wide, ''), withShape(wide, '')]) assert.deepEqual([none.fit, none.height, shapeOf(none)], ['inside', '', '']);
  for (const shape of SHAPES) for (const width of ['100', '1280', '1999']) assert.equal(shapeOf(withShape({ ...DEFAULTS, width }, shape)), shape);
  const own = { ...wide, height: '333' };
  assert.deepEqual([shapeOf(own), withShape(own, 'own').height], ['own', '333']);
  assert.deepEqual(withWidth({ ...DEFAULTS, height: '90' }, '50'), { ...DEFAULTS, width: '50', height: '90' }, 'without a shape the height is the reader’s');
});

test('each quality has the nearest name, and the stops have their own', () => {
  for (const { quality, name } of QUALITY_STOPS) assert.equal(nameOfQuality(quality), name);
  assert.deepEqual([0, 65, 75, 86, 100].map(nameOfQuality), ['settings.stop_small', 'settings.stop_small', 'settings.stop_balanced', 'settings.stop_high', 'settings.stop_best']);
});

test('settings are kept by name, and one with the same name is replaced where it stands', () => {
  const web = { name: 'Web', settings: { ...DEFAULTS, width: '1920' } };
  const print = { name: '印刷', settings: { ...DEFAULTS, preset: /** @type {const} */ ('lossless') } };
  const all = withNamed(withNamed([], web) ?? [], print) ?? [];
  assert.deepEqual(withNamed(all, { name: 'Web', settings: DEFAULTS }), [{ name: 'Web', settings: DEFAULTS }, print]);
  assert.deepEqual(readNamed(JSON.parse(JSON.stringify(all)), rich), all);
  assert.ok(isSame(DEFAULTS, { ...DEFAULTS }) && !isSame(DEFAULTS, web.settings));
});

test('what is stored under names is bounded, and what makes no sense is dropped', () => {
  assert.deepEqual(readNamed('x', rich), []);
  assert.deepEqual(readNamed([null, {}, { name: '  ' }, { name: ' a   b ', settings: 7 }], rich), [{ name: 'a b', settings: DEFAULTS }]);
  assert.equal(readNamed([{ name: '😀'.repeat(100) }], rich)[0].name, '😀'.repeat(40));
  const full = Array.from({ length: MOST_NAMES }, (_, index) => ({ name: String(index), settings: DEFAULTS }));
  assert.equal(readNamed([...full, ...full], rich).length, MOST_NAMES);
  assert.equal(withNamed(full, { name: 'one more', settings: DEFAULTS }), null, 'none that was saved is lost for a new one');
  assert.equal(withNamed(full, { name: '3', settings: { ...DEFAULTS, width: '5' } })?.[3].settings.width, '5');
});
