// @ts-check
/** When a failed upload is tried again. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { canRetry, delayBefore, readRetryAfter } from '../../../frontend/js/core/retry-policy.js';

test('another try waits longer each time, and at least as long as the server asked', () => {
  assert.deepEqual([0, 1, 2, 3, 9].map((attempt) => delayBefore(attempt, null, 0.999)).map((ms) => Math.round(ms / 100) / 10), [0.5, 1, 2, 4, 16]);
  assert.ok(delayBefore(0, 12, 0) >= 12_000);
  assert.ok(delayBefore(9, 1, 0.999) <= 4000, 'nor much longer than that');
});

test('only what may pass by itself is tried again', () => {
  for (const status of [0, 429, 502, 503, 504]) assert.ok(canRetry(status, 0), String(status));
  for (const status of [400, 401, 404, 409, 413, 415, 422, 500, 507]) assert.ok(!canRetry(status, 0), String(status));
  assert.ok(!canRetry(503, 999));
});

test('Retry-After is seconds or a date', () => {
  assert.equal(readRetryAfter('7', 0), 7);
  assert.equal(readRetryAfter('Sat, 21 Nov 2026 00:00:10 GMT', Date.parse('2026-11-21T00:00:00Z')), 10);
  assert.equal(readRetryAfter('soon', 0), null);
  assert.equal(readRetryAfter(null, 0), null);
});
