// @ts-check
/** Why an image failed, as a sentence. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
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

/** What stands for the placeholders of the sentences; 7 for all others. */
const FILLED = /** @type {Record<string, string>} */ ({
  header: 'Upload-Length', option: 'near_lossless', other: 'target_bytes', options: 'job, batch', suggestion: 'sharp_yuv', command: 'curl -T cat.jpg /api/convert',
  form_command: 'curl -F file=@cat.jpg /api/jobs', fetch: 'curl /api/jobs', example: '{"url": "…"}', allowed: 'GET, POST', method: 'PUT', field: 'file',
  path: '/api/job', part: 'redis', etag: '"abc"', host: 'example.com', site: 'https://example.com', accepted: 'JPEG, PNG', format: '16-bit BMP', base: 'BMP',
  state: 'failed', algorithm: 'sha-256', key: 'name', supported: '1.0.0', said: 'application/json', constant: 'NaN', name: 'cat.jpg', found: '}', letters: '22',
});

/** Every sentence of the gateway's texts, as the gateway would send it. @param {string} language @returns {any[]} */
function problemsOf(language) {
  const toml = readFileSync(new URL(`../../../backend/texts/${language}.toml`, import.meta.url), 'utf8');
  return toml.split(/^\[errors\./m).slice(1).flatMap((section) => {
    const code = section.slice(0, section.indexOf(']'));
    const body = section.slice(0, section.search(/^\[/m) > 0 ? section.search(/^\[/m) : undefined);
    const details = [...body.matchAll(/^(?:\w+\.)?detail = (".*")$/gm)].map(([, text]) => JSON.parse(text).replaceAll(/\{(\w+)\}/g, (/** @type {string} */ _, /** @type {string} */ name) => FILLED[name] ?? '7'));
    return details.flatMap((detail) => [{}, { option: 'width' }, { option: 'target_bytes' }, { option: 'xyzzy' }].map((more) => ({ code, detail, language, ...more })));
  });
}

/** An independent judge: what stands in the API's own description, and a program's vocabulary. */
const API_WORDS = [
  'near_lossless', 'alpha_quality', 'target_bytes', 'sharp_yuv', 'auto_orient', 'webhook_url', '“widths”', 'Content-', 'Upload-', 'Tus-', 'Retry-After', 'Accept-', 'If-Match', 'ETag',
  'Authorization', 'Bearer', 'Idempotency', 'auth.key', 'JSON', 'multipart', 'curl', '/api', 'GATEWAY_', 'HEAD', 'POST', 'PUT', 'Base64', 'tus ', 'Socket', 'boundary', 'enctype',
  '“url”', '“width”', '“height”', '“file”', '“error”', 'detail', 'Redis', '_', '{', 'undefined',
];

test('API words stood in the page’s errors: each says it in the words of the page, in both languages', () => {
  for (const words of [english, chinese]) {
    const problems = problemsOf(words.language);
    assert.ok(problems.length > 300 && new Set(problems.map(({ code }) => code)).size > 20);
    for (const problem of problems) {
      const shown = sentenceOf(problem, item({ bytes: 73_000_000 }), capabilities, words);
      assert.deepEqual(API_WORDS.filter((word) => shown.includes(word)), [], `${problem.code}: ${shown}`);
      assert.ok(shown.length > 4 && (words === english || /[\u4e00-\u9fff]/.test(shown)), shown);
    }
  }
});

test('a setting that cannot be used is named as its control', () => {
  const tell = (/** @type {any} */ problem) => sentenceOf({ code: 'invalid_option', detail: 'Set “width”.', language: 'en', ...problem }, item(), capabilities, english);
  assert.equal(tell({ option: 'width' }), 'A side of the result may have 16,383 pixels at most. Set “Largest width” to that or less.');
  assert.match(tell({ option: 'metadata' }), /^“Metadata” does not suit this image/);
  assert.match(tell({ option: 'lossless' }), /^“Kind of image”/);
  assert.match(tell({}), /settings do not go together/);
});

test('an answer that is no problem document is understood by its status', () => {
  assert.deepEqual([0, 413, 401, 429, 502, 500, 418].map((status) => problemOfStatus(status).code),
    ['network_lost', 'proxy_limit', 'unauthorized', 'rate_limited', 'backend_unavailable', 'internal', 'internal']);
});
