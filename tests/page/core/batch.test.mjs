// @ts-check
/** All images added up. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { savedPercent, totalsOf } from '../../../frontend/js/core/batch.js';
import { item } from '../support/fixtures.mjs';

test('totals weigh files by their bytes and count what ended', () => {
  const done = item({ id: 'b', state: 'done', bytes: 3000, percent: 100, result: { url: '', bytes: 600, width: 1, height: 1 } });
  const totals = totalsOf([done, item({ id: 'c', state: 'encoding', percent: 50 }), item({ id: 'd', state: 'invalid' })]);
  assert.deepEqual([totals.total, totals.done, totals.running, totals.percent, totals.saved_percent], [3, 1, 1, 87, 80]);
});

test('totals reach 100 only when every file has ended', () => {
  assert.equal(totalsOf([item({ state: 'confirming', percent: 99 })]).percent, 99);
  assert.equal(totalsOf([item({ state: 'failed' })]).percent, 100);
  assert.equal(totalsOf([]).percent, 0);
});

test('a saving is never rounded to all', () => {
  assert.equal(savedPercent(1_000_000, 10), 99);
  assert.equal(savedPercent(100, 130), -30);
  assert.equal(savedPercent(0, 10), 0);
});

test('refused files count among those that failed, but weigh nothing in the percent', () => {
  const totals = totalsOf([item({ state: 'invalid', bytes: 9000 }), item({ state: 'encoding', percent: 50 }), item({ state: 'expired' })]);
  assert.deepEqual([totals.total, totals.refused, totals.failed, totals.ended, totals.running, totals.percent], [3, 1, 2, 2, 1, 75]);
});

test('what is paused, offline or between two attempts stands still, and its rest is no work under way', () => {
  const totals = totalsOf([item({ state: 'paused', percent: 25 }), item({ state: 'offline' }), item({ state: 'retrying' }), item({ state: 'uploading' })]);
  assert.deepEqual([totals.running, totals.active, totals.paused, totals.weight_standing], [4, 1, 1, 2750]);
});
