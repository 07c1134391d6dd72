// @ts-check
/** Several results of one image, for a web page: how they are asked for, what of them is shown, and the HTML that they become. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { totalsOf } from '../../../frontend/js/core/batch.js';
import { webFormats } from '../../../frontend/js/core/capabilities.js';
import { canEstimate } from '../../../frontend/js/core/estimate.js';
import { resultName, variantName } from '../../../frontend/js/core/filenames.js';
import { defaultSettings, isChanged, presetsOf, readSettings, readWidths } from '../../../frontend/js/core/options.js';
import { archiveOutcome, hasOutcome, isLarger, outcomesOf } from '../../../frontend/js/core/outcome.js';
import { snippetOf } from '../../../frontend/js/core/picture-snippet.js';
import { linkOf, readLink } from '../../../frontend/js/core/settings-address.js';
import { queryOf, settingsOfForm, settingsOfQuery } from '../../../frontend/js/core/settings-query.js';
import { statusText } from '../../../frontend/js/core/status-text.js';
import { filesOf, isRenamed, slotsOf } from '../../../frontend/js/core/variants.js';
import { accepted, after, capabilities, confirmed, english, four_formats, item, seen, variant } from '../support/fixtures.mjs';

/** @typedef {import('../../../frontend/js/core/options.js').Settings} Settings */
/** @typedef {import('../../../frontend/js/core/types.js').Result} Result */

const DEFAULTS = defaultSettings(four_formats);
/** @param {Partial<Settings>} [more] */
const web = (more) => readSettings({ ...DEFAULTS, format: 'web', ...more }, four_formats);
const OPTIONS = { widths: '320,640', formats: 'avif,webp,jpeg' };

/** @param {Result[]} results @param {Partial<import('../../../frontend/js/core/types.js').Item>} [more] */
const done = (results, more) => after(item({ state: 'verifying', options: OPTIONS, name: 'my cat.png', ...more }), accepted(),
  seen({ state: 'succeeded', progress: 100, source: { filename: 'my cat.png', bytes: 500 }, result: results[0], results, links: { archive: '/api/jobs/j/archive.zip' } }), confirmed());
const ALL = ['avif', 'webp', 'jpeg'].flatMap((format) => [320, 640].map((width) => variant(format, width)));

test('what is asked for is sent as the gateway takes it: widths and formats, and neither width nor format beside them', () => {
  assert.deepEqual(webFormats(four_formats), ['avif', 'webp', 'jpeg', 'png']);
  assert.deepEqual(queryOf(web({ width: '900', height: '600', fit: 'cover' }), four_formats),
    { formats: 'avif,webp,jpeg', widths: '640,1280,1920', quality: 'auto', lossless: 'auto', method: '4', speed: '6' });
  const chosen = web({ formats: 'jpeg,webp', widths: '90', preset: 'photo', quality: 70 });
  assert.deepEqual(queryOf(chosen, four_formats), { formats: 'webp,jpeg', widths: '90', quality: '70', quality_scale: 'look', method: '4' });
  assert.deepEqual(queryOf(web({ formats: 'png', widths: '' }), four_formats), { formats: 'png' }, 'as wide as the source');
});

test('widths are read as people write them, and bounded', () => {
  assert.deepEqual(readWidths(' 640, 320，1280、 640\n', four_formats), { widths: [320, 640, 1280], wrong: [] });
  assert.deepEqual(readWidths('0 16384 -5 1.5 x 16383', four_formats), { widths: [16383], wrong: ['0', '16384', '-5', '1.5', 'x'] });
  const many = Array.from({ length: 20 }, (_, index) => index + 1).join();
  assert.equal(web({ widths: many }).widths.split(',').length, 12);
});

test('the kinds are those that mean something for every format', () => {
  assert.deepEqual(presetsOf(['webp', 'png'], four_formats), ['auto', 'photo', 'graphic', 'lossless']);
  assert.deepEqual(presetsOf(['avif', 'webp'], four_formats), ['auto', 'photo', 'graphic']);
  assert.deepEqual(presetsOf(['png'], four_formats), []);
  assert.equal(web({ formats: 'webp,jpeg', preset: 'lossless' }).preset, 'auto');
});

test('a link, a query and a stored setting bring back what was chosen', () => {
  for (const settings of [web(), web({ formats: 'webp', widths: '' }), web({ formats: 'png', widths: '7,8' }), web({ preset: 'photo', quality: 55, sharpen: '0.7' })]) {
    assert.deepEqual(readSettings(JSON.parse(JSON.stringify(settings)), four_formats), settings);
    assert.deepEqual(settingsOfQuery(queryOf(settings, four_formats), four_formats), settings);
    const link = readLink(linkOf(settings, four_formats), four_formats);
    assert.deepEqual([link.settings, link.unknown, link.meaningless, link.refused], [settings, [], [], []], linkOf(settings, four_formats));
  }
  assert.ok(isChanged(web(), four_formats));
  assert.equal(linkOf(web({ widths: '320,640' }), four_formats), '#formats=avif,webp,jpeg&widths=320,640&quality=auto');
  assert.deepEqual(readLink('#widths=320,640&width=5', four_formats).meaningless, ['width']);
  assert.equal(readLink('#widths=320,640', four_formats).settings.formats, 'webp', 'as the API has it');
  assert.deepEqual(readLink('#widths=1,x&formats=gif', four_formats).refused.map(({ name, accepted: range }) => [name, range]), [['widths', '1–16383 (≤ 12)'], ['formats', 'avif,webp,jpeg,png']]);
});

test('a gateway that makes one result alone is asked for no more', () => {
  assert.deepEqual([webFormats(capabilities), readSettings({ format: 'web' }, capabilities).format], [[], 'webp']);
  assert.deepEqual(readLink('#widths=320', capabilities).unknown, ['widths']);
});

test('another format is chosen and left again without loss of the widths', () => {
  const settings = web({ widths: '10,20', formats: 'webp,png' });
  const back = settingsOfForm({ ...settingsOfForm({ ...settings, format: 'jpeg' }, false, four_formats), format: 'web' }, false, four_formats);
  assert.deepEqual(back, settings);
});

test('every place is known from the start, and filled when its file is ready, in whichever order', () => {
  const running = after(item({ state: 'verifying', options: OPTIONS }), accepted(), seen({ state: 'running', stage: 'encode', progress: 40, results: [variant('avif', 640), variant('jpeg', 320)] }));
  assert.deepEqual(slotsOf(running, false).map(({ format, width, result }) => [format, width, result !== null]),
    [['avif', 320, false], ['avif', 640, true], ['webp', 320, false], ['webp', 640, false], ['jpeg', 320, true], ['jpeg', 640, false]]);
  assert.match(statusText(running, four_formats, english, 0), /Encoding 40%, 2 of 6 files ready/);
  const plain = { ...running, options: { formats: 'avif,webp' }, results: [variant('webp', 0, { url: '/r?format=webp', width: 90 })] };
  assert.deepEqual(slotsOf(plain, false).map(({ format, result }) => [format, result !== null]), [['avif', false], ['webp', true]]);
});

test('widths beyond the source come out alike, and stand once', () => {
  const same = done([variant('webp', 320, { width: 200 }), variant('webp', 640, { width: 200 }), variant('jpeg', 320, { width: 200 })]);
  assert.deepEqual(filesOf(same).map(({ file }) => file.name), ['my cat-200w.webp', 'my cat-200w.jpg']);
  assert.deepEqual(slotsOf(same, true).map(({ format, width }) => [format, width]), [['webp', 200], ['jpeg', 200]]);
});

test('the image stands for its widest file; several files are no saving, and never the larger file', () => {
  const all = done(ALL);
  assert.deepEqual([all.result?.width, all.result?.format], [640, 'avif']);
  assert.ok(!isLarger(all), 'each of 1000 bytes, of a source of 500');
  const { done: count, larger, before_bytes, after_bytes } = totalsOf([all]);
  assert.deepEqual([count, larger, before_bytes, after_bytes], [1, 0, 0, 0]);
  assert.equal(statusText(all, four_formats, english, 0), '6 files');
  assert.deepEqual(archiveOutcome(all), { name: 'my cat.zip', path: '/api/jobs/j/archive.zip', bytes: 6000, format: 'zip' });
  assert.equal(outcomesOf(all, four_formats).length, 6);
  assert.deepEqual([isRenamed(all), isRenamed({ ...all, name: 'dog.png' })], [false, true]);
});

test('what was ready before the image failed or was cancelled can still be saved', () => {
  const half = (/** @type {'failed' | 'cancelled'} */ state) => after(item({ state: 'verifying', options: OPTIONS }), accepted(), seen({ state, results: ALL.slice(0, 2), error: state === 'failed' ? { code: 'internal' } : null }));
  for (const state of /** @type {const} */ (['failed', 'cancelled'])) {
    assert.ok(hasOutcome(half(state)));
    assert.equal(slotsOf(half(state), true).length, 2);
    assert.ok(!hasOutcome({ ...half(state), results: [] }) && !hasOutcome({ ...half(state), state: 'expired' }));
  }
});

test('the HTML offers the formats in their order, names the files as they are saved, and reserves their place', () => {
  const sizes = 'sizes="(max-width: 640px) 100vw, 640px"';
  assert.equal(snippetOf(done(ALL)), [
    '<picture>',
    `  <source type="image/avif" srcset="my%20cat-320w.avif 320w, my%20cat-640w.avif 640w" ${sizes}>`,
    `  <source type="image/webp" srcset="my%20cat-320w.webp 320w, my%20cat-640w.webp 640w" ${sizes}>`,
    `  <img src="my%20cat-640w.jpg" srcset="my%20cat-320w.jpg 320w, my%20cat-640w.jpg 640w" ${sizes} width="640" height="320" alt="my cat" loading="lazy" decoding="async">`,
    '</picture>',
  ].join('\n'));
  assert.doesNotMatch(snippetOf(done(ALL)), /api|jobs/, 'no address of the gateway: it ends');
  const renamed = snippetOf(done(ALL, { name: '"><b>, 猫.png' }));
  assert.doesNotMatch(renamed, /<b>/);
  assert.match(renamed, /alt="&quot;&gt;&lt;b&gt;, 猫"/);
  for (const candidate of renamed.match(/srcset="([^"]*)"/)?.[1].split(', ') ?? []) assert.match(candidate, /^[^\s,]+ \d+w$/, 'a comma in a name does not end a candidate');
});

test('without widths there is one file a format, and nothing to choose by size', () => {
  const plain = done([variant('avif', 0, { url: '/r?format=avif', width: 90, height: 60 }), variant('png', 0, { url: '/r?format=png', width: 90, height: 60 })], { options: { formats: 'avif,png' } });
  assert.equal(snippetOf(plain), ['<picture>', '  <source type="image/avif" srcset="my%20cat.avif">',
    '  <img src="my%20cat.png" width="90" height="60" alt="my cat" loading="lazy" decoding="async">', '</picture>'].join('\n'));
});

test('files are called as the gateway calls them', () => {
  assert.deepEqual([variantName('a.b.heic', 640, 'jpeg'), variantName('猫', 5, 'avif'), variantName('x/y.png', 7, 'webp'), resultName('a.b.heic', 'jpeg')], ['a.b-640w.jpg', '猫-5w.avif', 'y-7w.webp', 'a.b.jpg']);
});

test('no sample says how large several files become, or what is left of a picture that is cut', () => {
  const queries = /** @type {Record<string, string>[]} */ ([{}, OPTIONS, { fit: 'cover' }, { trim: '10' }, { format: 'avif' }]);
  assert.deepEqual(queries.map(canEstimate), [true, false, false, false, false]);
});
