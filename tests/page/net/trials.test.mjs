// @ts-check
/** Trials that are encoded while somebody looks: the gateway is a stand-in that answers when it is told to. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as afterAnswers, setTimeout as pause } from 'node:timers/promises';
import { Trials } from '../../../frontend/js/net/trials.js';
import { job } from '../support/fixtures.mjs';

const SETTLED_MS = 90;
const BUSY = { ok: false, status: 503, problem: { code: 'queue_full' }, retry_after_s: 0 };
const WRONG = { ok: false, status: 422, problem: { code: 'invalid_option' }, retry_after_s: null };
const result = { url: '', bytes: 3, width: 1, height: 1 };

/** @param {{retry?: (quality: string) => any}} [answers] */
function tryOut({ retry } = {}) {
  const [calls, seen] = /** @type {[string[], string[]]} */ ([[], []]);
  /** Answers of jobs that are being made, by quality. @type {Record<string, (answer?: any) => void>} */
  const made = {};
  /** Results that are waited for, by job. @type {Record<string, (answer?: any) => void>} */
  const encoded = {};
  const api = /** @type {any} */ ({
    retry: (/** @type {string} */ origin, /** @type {{quality: string}} */ { quality }) => {
      calls.push(`retry ${origin} ${quality}`);
      const known = retry?.(quality);
      if (known) return Promise.resolve(known);
      return new Promise((resolve) => { made[quality] = () => resolve({ ok: true, status: 202, body: job({ id: `j${quality}` }) }); });
    },
    awaitResult: (/** @type {string} */ id, /** @type {() => void} */ _, /** @type {AbortSignal} */ signal) => new Promise((resolve) => {
      encoded[id] = (answer = { ok: true, status: 200, body: new Blob(['abc']) }) => resolve(answer);
      signal.addEventListener('abort', () => resolve({ ok: false, status: 0, problem: { code: 'network_lost' }, retry_after_s: null }));
    }),
    job: (/** @type {string} */ id) => Promise.resolve({ ok: true, status: 200, body: job({ id, state: 'succeeded', result }) }),
    deleteJob: (/** @type {string} */ id) => calls.push(`delete ${id}`),
  });
  const updates = /** @type {any} */ ({ follow: () => {}, unfollow: () => {} });
  const trials = new Trials({ api, updates }, {
    onProgress: () => {}, onBusy: ({ code }) => seen.push(`busy ${code}`), onTrial: (trial) => seen.push(`trial ${trial.job.id}`), onProblem: ({ code }) => seen.push(`problem ${code}`),
  });
  const want = (/** @type {number} */ quality) => trials.want({ origin: 'source', options: { quality: String(quality) }, key: 'k' });
  return { trials, want, calls, seen, made, encoded };
}

test('movements in a row make one job, of the last', async () => {
  const { want, calls } = tryOut();
  for (const quality of [80, 79, 78]) want(quality);
  await pause(SETTLED_MS);
  assert.deepEqual(calls, ['retry source 78']);
});

test('a movement deletes the job under way before the next is made, and its result is never shown', async () => {
  const { want, calls, seen, made, encoded } = tryOut();
  want(80);
  await pause(SETTLED_MS);
  made[80]();
  await afterAnswers();
  want(70);
  assert.deepEqual(calls, ['retry source 80', 'delete j80'], 'at once, while the hand still moves');
  await pause(SETTLED_MS);
  made[70]();
  await afterAnswers();
  encoded.j80();
  encoded.j70();
  await afterAnswers();
  assert.deepEqual(calls, ['retry source 80', 'delete j80', 'retry source 70']);
  assert.deepEqual(seen, ['trial j70']);
});

test('a job that is answered after the next movement is deleted as soon as its id is known', async () => {
  const { want, calls, seen, made } = tryOut();
  want(80);
  await pause(SETTLED_MS);
  want(70);
  made[80]();
  await afterAnswers();
  assert.deepEqual(calls, ['retry source 80', 'delete j80']);
  assert.deepEqual(seen, []);
});

test('the trial that was shown is deleted when the next is shown, and not before', async () => {
  const { want, calls, made, encoded, trials } = tryOut();
  for (const quality of [80, 70]) {
    want(quality);
    await pause(SETTLED_MS);
    assert.ok(!calls.includes('delete j80'));
    made[quality]();
    await afterAnswers();
    encoded[`j${quality}`]();
    await afterAnswers();
  }
  assert.deepEqual(calls, ['retry source 80', 'retry source 70', 'delete j80']);
  trials.close();
  assert.equal(calls.at(-1), 'delete j70', 'the last one at the end');
});

test('a trial that is taken over is not deleted', async () => {
  const { want, calls, made, encoded, trials } = tryOut();
  want(80);
  await pause(SETTLED_MS);
  made[80]();
  await afterAnswers();
  encoded.j80();
  await afterAnswers();
  assert.equal(trials.release()?.job.id, 'j80');
  trials.close();
  assert.deepEqual(calls, ['retry source 80']);
});

test('a busy gateway is tried again, and a wrong wish is not', async () => {
  let refusals = 0;
  const busy = tryOut({ retry: () => refusals++ === 0 ? BUSY : null });
  busy.want(80);
  await pause(SETTLED_MS + 700);
  assert.deepEqual(busy.seen, ['busy queue_full']);
  assert.deepEqual(busy.calls, ['retry source 80', 'retry source 80']);
  const wrong = tryOut({ retry: () => WRONG });
  wrong.want(80);
  await pause(SETTLED_MS + 700);
  assert.deepEqual(wrong.seen, ['problem invalid_option']);
  assert.deepEqual(wrong.calls, ['retry source 80']);
});

test('the job of an encode that failed is deleted too', async () => {
  const { want, calls, seen, made, encoded } = tryOut();
  want(80);
  await pause(SETTLED_MS);
  made[80]();
  await afterAnswers();
  encoded.j80({ ok: false, status: 410, problem: { code: 'gone' }, retry_after_s: null });
  await afterAnswers();
  assert.deepEqual([calls.at(-1), seen], ['delete j80', ['problem gone']]);
});
