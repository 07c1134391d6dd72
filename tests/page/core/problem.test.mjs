// @ts-check
/** Why an image failed, as a sentence. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sentenceOf } from '../../../frontend/js/core/problem.js';
import { problemOfStatus } from '../../../frontend/js/core/problem-of-status.js';
import { capabilities, chinese, english, item } from '../support/fixtures.mjs';

test('a failure is told in the page’s language; the server’s sentence where it knows more', () => {
  const tell = (/** @type {any} */ problem, words = english) => sentenceOf(problem, item({ bytes: 73_000_000 }), capabilities, words);
  assert.match(tell({ code: 'too_large', detail: 'x', language: 'en' }), /69\.7 MiB; the limit is 64 MiB/);
  assert.equal(tell({ code: 'unsupported_format', detail: 'The file is PDF.', language: 'en' }), 'The file is PDF.');
  assert.match(tell({ code: 'unsupported_format', detail: 'The file is PDF.', language: 'en' }, chinese), /JPEG、WebP/);
  assert.match(tell({ code: 'brand_new' }), /brand_new/);
});

test('an answer that is no problem document is understood by its status', () => {
  assert.deepEqual([0, 413, 401, 429, 502, 500, 418].map((status) => problemOfStatus(status).code),
    ['network_lost', 'proxy_limit', 'unauthorized', 'rate_limited', 'backend_unavailable', 'internal', 'internal']);
});
