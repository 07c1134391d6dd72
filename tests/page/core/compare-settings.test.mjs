// @ts-check
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { changeSettings, isSameQuery, shownQuality, sizeChoices, sizeOf } from '../../../frontend/js/core/compare-settings.js';
import { queryOf, settingsOfQuery } from '../../../frontend/js/core/settings-query.js';
import { boundOf } from '../../../frontend/js/net/previews.js';
import { OPTIONS, capabilities as few } from '../support/fixtures.mjs';

const capabilities = { ...few, options: OPTIONS };
/** @param {Record<string, string>} query */
const settingsOf = (query) => settingsOfQuery(query, capabilities);
const source = { bytes: 1, format: 'jpeg', width: 3000, height: 4000, frames: 1 };
/** @type {import('../../../frontend/js/core/types.js').Result} */
const result = { url: '', bytes: 1, width: 1, height: 1 };

test('a quality that is moved in Automatic or Lossless makes the image a photo of that quality', () => {
  for (const query of /** @type {Record<string, string>[]} */ ([{ quality: 'auto', lossless: 'auto' }, { lossless: 'true' }])) {
    const { preset, quality } = changeSettings(settingsOf(query), { quality: 61 }, capabilities);
    assert.deepEqual({ preset, quality }, { preset: 'photo', quality: 61 });
  }
});

test('a quality that is moved in Graphic stays one', () => {
  assert.equal(changeSettings(settingsOf({ quality: '90', sharp_yuv: 'true' }), { quality: 70 }, capabilities).preset, 'graphic');
});

test('a target size would hide what the quality does, so moving the quality gives it up', () => {
  const moved = changeSettings(settingsOf({ quality: '80', target_bytes: '50000' }), { quality: 70 }, capabilities);
  assert.equal(queryOf(moved, capabilities).target_bytes, undefined);
});

test('the other settings of the image stay', () => {
  const moved = changeSettings(settingsOf({ quality: '80', width: '800', metadata: 'all', method: '6' }), { quality: 70 }, capabilities);
  assert.deepEqual(queryOf(moved, capabilities), { quality: '70', width: '800', metadata: 'all', method: '6' });
});

test('sizes are offered below the source’s, by the longer side; the image’s own is among them', () => {
  assert.deepEqual(sizeChoices(settingsOf({ quality: '80' }), source).map(({ side }) => side), [null, 3840, 2560, 1920, 1280, 640]);
  const own = settingsOf({ quality: '80', width: '777' });
  assert.deepEqual(sizeChoices(own, { ...source, width: 800, height: 700 }).map(({ value }) => value), ['x', '640x640', '777x']);
  assert.equal(sizeOf(own), '777x');
  assert.equal(sizeOf(changeSettings(own, { size: 'x' }, capabilities)), 'x');
});

test('the quality that is shown is the one set, or the one that the gateway chose; a picture without loss has none', () => {
  assert.equal(shownQuality(settingsOf({ quality: '64' }), result), 64);
  assert.equal(shownQuality(settingsOf({ quality: 'auto' }), { ...result, quality: 77.5 }), 78, 'a gateway may choose between two');
  assert.equal(shownQuality(settingsOf({ quality: 'auto' }), { ...result, lossless: true }), null);
  assert.equal(shownQuality(settingsOf({ lossless: 'true' }), result), null);
});

test('two queries are the same whatever their order', () => {
  assert.ok(isSameQuery({ a: '1', b: '2' }, { b: '2', a: '1' }));
  assert.ok(!isSameQuery({ a: '1' }, { a: '2' }));
});

test('a preview of a source above twelve megapixels is smaller, whichever way it is turned', () => {
  assert.deepEqual(boundOf(source), {});
  assert.deepEqual(boundOf({ ...source, width: 8000, height: 6000 }), { width: '4000', height: '4000' });
});
