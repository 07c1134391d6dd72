// @ts-check
/** A job is followed until its result can be fetched; the gateway is a stand-in that answers from a table. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as afterAnswers } from 'node:timers/promises';
import { Items } from '../../../frontend/js/items.js';
import { JobTracker } from '../../../frontend/js/net/job-tracker.js';
import { item, job } from '../support/fixtures.mjs';

/** @typedef {import('../../../frontend/js/core/types.js').Item} Item */

const GONE = { ok: false, status: 410, problem: { code: 'gone' }, retry_after_s: null };

/** A tracker of one image in this state. @param {Partial<Item>} more @param {Record<string, () => any>} answers method of the API → its answer */
function trackerOf(more, answers = {}) {
  const calls = /** @type {string[]} */ ([]);
  const call = (/** @type {string} */ name) => (/** @type {string} */ id) => {
    calls.push(`${name} ${id}`);
    return Promise.resolve(answers[name]?.() ?? { ok: true, status: 200, body: job({}) });
  };
  const note = (/** @type {string} */ name) => (/** @type {string} */ id) => calls.push(`${name} ${id}`);
  const api = /** @type {any} */ ({ identity: () => ({ language: 'en', key: '' }), job: call('job'), cancel: call('cancel'), checkResult: call('checkResult') });
  const updates = /** @type {any} */ ({ follow: note('follow'), unfollow: note('unfollow'), poll: note('poll') });
  const items = new Items();
  items.add(item({ state: 'verifying', ...more }));
  const tracker = new JobTracker({ api, updates, items, onProblem: (_, { code }) => calls.push(`problem ${code}`), onJobEnded: () => calls.push('ended') });
  return { tracker, calls, state: () => items.get('a')?.state, problem: () => items.get('a')?.problem };
}

test('an accepted upload is followed', () => {
  const { tracker, calls, state } = trackerOf({});
  tracker.accept('a', job({}));
  assert.equal(state(), 'queued');
  assert.deepEqual(calls, ['follow j']);
});

test('a job that had ended in its first answer is not followed', async () => {
  const { tracker, calls, state } = trackerOf({});
  tracker.accept('a', job({ state: 'succeeded', seq: 5 }));
  await afterAnswers();
  assert.equal(state(), 'done');
  assert.ok(!calls.includes('follow j'), String(calls));
});

test('the answer for a former job neither follows nor changes an image that has another', () => {
  const { tracker, calls, state } = trackerOf({ job: 'k', state: 'encoding' });
  tracker.accept('a', job({ state: 'succeeded', seq: 5 }));
  tracker.follow('a', 'j');
  assert.equal(state(), 'encoding');
  assert.deepEqual(calls, []);
});

test('a job that succeeded is done when its result answers, and followed no more', async () => {
  const { tracker, calls, state } = trackerOf({ job: 'j' });
  tracker.apply('a', job({ state: 'succeeded', seq: 5 }));
  assert.equal(state(), 'confirming');
  await afterAnswers();
  assert.equal(state(), 'done');
  assert.deepEqual(calls, ['checkResult j', 'unfollow j', 'ended']);
});

test('a result that is gone is never called done', async () => {
  const { tracker, state } = trackerOf({ job: 'j' }, { checkResult: () => GONE });
  tracker.apply('a', job({ state: 'succeeded', seq: 5 }));
  await afterAnswers();
  assert.equal(state(), 'expired');
});

test('a cancel during the upload reaches the gateway as soon as there is a job', async () => {
  const { tracker, calls, state } = trackerOf({ state: 'cancelling' }, { cancel: () => ({ ok: true, status: 200, body: job({ state: 'cancelled', seq: 2 }) }) });
  tracker.accept('a', job({}));
  assert.ok(calls.includes('cancel j'));
  await afterAnswers();
  assert.equal(state(), 'cancelled');
});

test('a cancel that came too late says so and asks how the job ended', async () => {
  const { tracker, calls } = trackerOf({ state: 'cancelling', job: 'j', seq: 1 }, { cancel: () => ({ ...GONE, status: 409, problem: { code: 'already_finished' } }) });
  await tracker.cancel('a', 'j');
  assert.deepEqual(calls, ['cancel j', 'problem already_finished', 'poll j']);
});

test('the reason of a failure is asked for in the page’s language', async () => {
  const failed = job({ state: 'failed', seq: 3, error: { code: 'damaged_image', detail: 'The image is damaged.' } });
  const { tracker, problem } = trackerOf({ job: 'j' }, { job: () => ({ ok: true, status: 200, body: failed }) });
  tracker.apply('a', failed);
  await afterAnswers();
  assert.deepEqual(problem(), { code: 'damaged_image', detail: 'The image is damaged.', language: 'en' });
});
