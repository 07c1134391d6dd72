// @ts-check
/** Time left. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { secondsLeft, startEta, updateEta } from '../../../frontend/js/core/eta.js';

test('time left is silent for two seconds, then steady', () => {
  let eta = startEta(0);
  for (let at = 100; at <= 4000; at += 100) {
    eta = updateEta(eta, at * 10, 100_000, at);
    if (at < 2000) assert.equal(secondsLeft(eta), null, `at ${at} ms`);
  }
  assert.ok(Math.abs(/** @type {number} */ (secondsLeft(eta)) - 6) < 0.2);
});

test('time left is silent while the speed has just collapsed', () => {
  let eta = startEta(0);
  for (let at = 100; at <= 3000; at += 100) eta = updateEta(eta, at * 10, 1_000_000, at);
  eta = updateEta(eta, eta.count + 1, 1_000_000, 8000);
  assert.equal(secondsLeft(eta), null);
});
