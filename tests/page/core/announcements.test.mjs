// @ts-check
/** What a screen reader announces. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { NOTHING_ANNOUNCED, delayBeforeSpeaking, failureText, nextAnnouncement } from '../../../frontend/js/core/announcements.js';
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
