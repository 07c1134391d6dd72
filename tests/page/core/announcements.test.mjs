// @ts-check
/** What a screen reader announces. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { NOTHING_ANNOUNCED, completionText, delayBeforeSpeaking, failureText, nextAnnouncement } from '../../../frontend/js/core/announcements.js';
import { totalsOf } from '../../../frontend/js/core/batch.js';
import { chinese, english } from '../support/fixtures.mjs';

/** @param {Partial<import('../../../frontend/js/core/batch.js').Totals>} more */
const totals = (more) => ({ ...totalsOf([]), total: 4, before_bytes: 10, after_bytes: 2, saved_bytes: 8, saved_percent: 80, ...more });

test('a batch is announced at its start, at its quarters and at its end', () => {
  const texts = [];
  let announced = NOTHING_ANNOUNCED;
  for (const [running, percent] of [[4, 0], [4, 10], [3, 26], [2, 30], [2, 55], [1, 80], [0, 100], [0, 100]]) {
    const next = nextAnnouncement(announced, totals({ ended: 4 - running, done: 4 - running, running, percent }), english);
    announced = next.announced;
    if (next.text) texts.push(next.text);
  }
  assert.deepEqual(texts, ['Converting.', '25% done.', '50% done.', '75% done.', '4 images converted, 80% smaller.']);
});

test('failures are told one by one, or as a number when there are many', () => {
  const some = Array.from({ length: 4 }, (_, index) => ({ name: `${index}.png`, why: 'Broken.' }));
  assert.equal(failureText([], english), '');
  assert.equal(failureText(some.slice(0, 2), english), '0.png: Broken. 1.png: Broken.');
  assert.equal(failureText(some, chinese), '4 张图片失败，原因见列表。');
  assert.equal(delayBeforeSpeaking(1000, 2500), 1500);
});

test('the end of a batch tells of failures too', () => {
  assert.equal(completionText(totals({ done: 3, failed: 1 }), english), '3 images converted, 80% smaller. One failed.');
  assert.equal(completionText(totals({ done: 2, failed: 2 }), chinese), '已转换 2 张图片，体积缩小 80%。另有 2 张失败。');
});

test('a refused file neither starts a batch nor swallows a quarter', () => {
  const before = nextAnnouncement(NOTHING_ANNOUNCED, totals({ running: 2, percent: 10 }), english).announced;
  assert.equal(nextAnnouncement(before, totals({ total: 5, refused: 1, running: 2, percent: 30 }), english).text, '25% done.');
  assert.equal(nextAnnouncement(NOTHING_ANNOUNCED, totals({ total: 1, refused: 1, running: 0, percent: 100 }), english).text, '');
});
