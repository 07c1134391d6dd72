// @ts-check
/** What a reader gets of a finished image. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { canTryLossless, downloadAddress, isLarger, isLargerAsAsked, outcomeOf } from '../../../frontend/js/core/outcome.js';
import { statusText } from '../../../frontend/js/core/status-text.js';
import { totalsOf } from '../../../frontend/js/core/batch.js';
import { capabilities, chinese, english, item } from '../support/fixtures.mjs';

/** @param {Partial<import('../../../frontend/js/core/types.js').Result>} result @param {Partial<import('../../../frontend/js/core/types.js').Item>} [more] */
const done = (result, more) => item({ state: 'done', job: 'j', source: { bytes: 1000, format: 'png' }, result: { url: '/r', bytes: 400, width: 6, height: 4, format: 'webp', ...result }, ...more });

test('a result is larger where the gateway says so, and of an older job where its sizes do', () => {
  assert.deepEqual([done({}), done({ larger_than_source: true }), done({ bytes: 1001 }), done({ bytes: 1000 }), done({ bytes: 1000, original: true })].map(isLarger), [false, true, true, false, false]);
});

test('a larger result is not what is handed out, nor what the totals count', () => {
  const larger = done({ bytes: 1730, larger_than_source: true }, { name: 'shot.png' });
  assert.deepEqual(outcomeOf(larger, { ...capabilities, formats: [{ name: 'png', media_type: 'image/png', extensions: ['png'] }] }), { name: 'shot.png', path: '/api/jobs/j/source', bytes: 1000, format: 'png' });
  const totals = totalsOf([larger, done({})]);
  assert.deepEqual([totals.larger, totals.before_bytes, totals.after_bytes, totals.saved_bytes], [1, 2000, 1400, 600]);
});

test('a larger result is handed out where a format was asked for that more programs read, and is said to be larger', () => {
  for (const [from, to] of [['heic', 'jpeg'], ['jpeg', 'png'], ['webp', 'png'], ['avif', 'jpeg']]) {
    const larger = done({ bytes: 1730, larger_than_source: true, format: to }, { name: `shot.${from}`, source: { bytes: 1000, format: from }, options: { format: to } });
    assert.deepEqual([isLarger(larger), isLargerAsAsked(larger), outcomeOf(larger, capabilities).path], [false, true, '/r'], `${from} → ${to}`);
    assert.deepEqual([statusText(larger, capabilities, english, 0), statusText(larger, capabilities, chinese, 0)], ['6 × 4, larger than the original', '6 × 4，比原图大']);
    assert.deepEqual([totalsOf([larger]).larger, totalsOf([larger]).after_bytes], [0, 1730]);
  }
  for (const [from, to] of [['png', 'avif'], ['jpeg', 'webp'], ['jpeg', 'jpeg'], ['png', 'png']]) {
    const larger = done({ bytes: 1730, format: to }, { source: { bytes: 1000, format: from } });
    assert.deepEqual([isLarger(larger), isLargerAsAsked(larger)], [true, false], `${from} → ${to}`);
  }
});

test('lossless is offered for a larger result where neither it nor its source has lost anything before', () => {
  const larger = (/** @type {string} */ format, /** @type {Record<string, string>} */ options) => canTryLossless(done({ bytes: 2000 }, { source: { bytes: 1000, format }, options }));
  assert.deepEqual([larger('png', {}), larger('jpeg', {}), larger('png', { lossless: 'true' }), larger('png', { lossless: 'auto' }), larger('png', { format: 'avif' }), canTryLossless(done({}))], [true, false, false, false, false, false]);
});

test('a source that is small already is kept and said to be', () => {
  const kept = done({ bytes: 1000, original: true, format: 'jpeg' }, { name: 'photo.jpeg' });
  assert.equal(outcomeOf(kept, capabilities).name, 'photo.jpg');
  assert.match(statusText(kept, capabilities, english, 0), /already small: the original is kept/);
  assert.match(statusText(kept, capabilities, chinese, 0), /保持不变/);
});

test('an address that saves keeps what it has', () => {
  assert.equal(downloadAddress({ path: '/r?width=640', name: 'a & b.webp' }), '/r?width=640&download=1&filename=a%20%26%20b.webp');
});
