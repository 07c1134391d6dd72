// @ts-check
/** The line of text of each state. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TRANSITIONS } from '../../../frontend/js/core/states.js';
import { statusText } from '../../../frontend/js/core/status-text.js';
import { capabilities, chinese, english, item } from '../support/fixtures.mjs';

/** @typedef {import('../../../frontend/js/core/types.js').Item} Item */

test('every state has its line of text, in both languages, without a hole', () => {
  const long = item({
    sent_bytes: 500, source: { width: 60, height: 40 }, result: { url: '', bytes: 10, width: 60, height: 40 }, duration_s: 1.84, position: 3, progress: 42,
    problem: { code: 'too_large' },
  });
  for (const words of [english, chinese]) {
    for (const state of Object.keys(TRANSITIONS)) {
      const text = statusText({ ...long, state: /** @type {Item['state']} */ (state) }, capabilities, words, 0);
      assert.ok(text && !/[{}|]|undefined|NaN|null|^(state|error)\./.test(text), `${words.language} ${state}: ${text}`);
    }
  }
  assert.equal(statusText({ ...long, state: 'encoding', eta_s: 22 }, capabilities, english, 0), 'Encoding 42%, about 20 s left');
  assert.equal(statusText({ ...long, state: 'queued' }, capabilities, chinese, 0), '排队中，前面 3 张');
  assert.equal(statusText({ ...long, state: 'uploading' }, capabilities, english, 0), 'Uploading 50%, 1 of 1 KB');
});

test('a percent that is estimated is said to be about so much', () => {
  const text = (/** @type {import('../../../frontend/js/core/language.js').Words} */ words, eta_s = 22) => statusText(item({ state: 'encoding', progress: 40, is_estimated: true, eta_s }), capabilities, words, 0);
  assert.deepEqual([text(english), text(chinese)], ['Encoding, about 40%, about 20 s left', '编码中，约 40%，剩余约 20 秒']);
});

test('that Automatic chose lossless is said', () => {
  const text = (/** @type {import('../../../frontend/js/core/language.js').Words} */ words) =>
    statusText(item({ state: 'done', duration_s: 1, result: { url: '', bytes: 10, width: 60, height: 40, lossless: true } }), capabilities, words, 0);
  assert.deepEqual([text(english), text(chinese)], ['60 × 40, lossless, done in 1 s', '60 × 40，无损，用时 1 秒']);
});

test('what was quick is told in tenths of a second, what took longer than a minute in whole ones', () => {
  const done = (/** @type {number} */ duration_s, words = english) =>
    statusText(item({ state: 'done', duration_s, result: { url: '', bytes: 10, width: 60, height: 40 } }), capabilities, words, 0);
  assert.equal(done(0.42), '60 × 40, done in 0.4 s');
  assert.equal(done(0.42, chinese), '60 × 40，用时 0.4 秒');
  assert.equal(done(0.02), '60 × 40', 'it was there already');
  assert.equal(done(59.97), '60 × 40, done in 1 min 0 s');
  assert.equal(done(119.7, chinese), '60 × 40，用时 2 分 0 秒');
});
