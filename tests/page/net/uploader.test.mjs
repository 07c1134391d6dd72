// @ts-check
/** Uploads from an address and from a stored source, against a stand-in for the gateway; those of files need a browser: see `browser.test.mjs`. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as afterAnswers } from 'node:timers/promises';
import { Items } from '../../../frontend/js/items.js';
import { Uploader } from '../../../frontend/js/net/uploader.js';
import { item, job } from '../support/fixtures.mjs';

/** @typedef {import('../../../frontend/js/core/types.js').Item} Item */

const ACCEPTED = { ok: true, status: 202, body: job({}) };
/** @param {number} status @param {string} code */
const refusal = (status, code) => ({ ok: false, status, problem: { code }, retry_after_s: null });

/** @param {any} answer to every upload @param {Partial<Item>[]} given */
function uploaderWith(answer, ...given) {
  const calls = /** @type {string[]} */ ([]);
  const call = (/** @type {string} */ name) => (/** @type {string} */ source) => {
    calls.push(`${name} ${source}`);
    return Promise.resolve(answer);
  };
  const api = /** @type {any} */ ({ retry: call('retry'), createFromUrl: call('createFromUrl'), deleteUpload: call('deleteUpload') });
  const tracker = /** @type {any} */ ({ accept: (/** @type {string} */ id) => calls.push(`accepted ${id}`), cancel: (/** @type {string} */ id) => calls.push(`cancel ${id}`) });
  const items = new Items();
  for (const each of given) items.add(item(each));
  const uploader = new Uploader({ api, tracker, items, findOrigin: () => Promise.resolve(null), can_resume: true });
  return { uploader, calls, items, state: (/** @type {string} */ id) => items.get(id)?.state };
}

test('an address is handed to the gateway, and its job to the tracker', async () => {
  const { uploader, calls } = uploaderWith(ACCEPTED, { url: 'https://example.org/a.png' });
  uploader.startNext();
  await afterAnswers();
  assert.deepEqual(calls, ['createFromUrl https://example.org/a.png', 'accepted a']);
});

test('a stored source that the gateway no longer has makes the file wait for its upload', async () => {
  const { uploader, calls, items } = uploaderWith(refusal(404, 'not_found'), { origin: 'j' });
  uploader.startNext();
  await afterAnswers();
  assert.deepEqual(calls, ['retry j']);
  assert.deepEqual([items.get('a')?.state, items.get('a')?.origin], ['waiting', null]);
});

test('a refusal that will not pass by itself ends the upload; a busy gateway is tried again', async () => {
  for (const [status, code, state] of /** @type {const} */ ([[422, 'invalid_option', 'failed'], [503, 'queue_full', 'retrying']])) {
    const page = uploaderWith(refusal(status, code), { url: 'https://example.org/a.png' });
    page.uploader.startNext();
    await afterAnswers();
    assert.equal(page.state('a'), state, code);
    page.uploader.forget('a');
  }
});

test('when a job leaves the queue, the first image that found it full is tried at once', () => {
  const full = { state: /** @type {const} */ ('retrying'), problem: { code: 'queue_full' } };
  const { uploader, state } = uploaderWith(ACCEPTED, { id: 'a', state: 'retrying', problem: { code: 'network_lost' } }, { id: 'b', ...full }, { id: 'c', ...full });
  uploader.resumeAfterFullQueue();
  assert.deepEqual(['a', 'b', 'c'].map(state), ['retrying', 'waiting', 'retrying']);
});

test('an answer that comes after a pause or a cancel is dropped', async () => {
  const { uploader, calls } = uploaderWith(ACCEPTED, { id: 'a', upload: '/api/uploads/u' });
  uploader.addFile('a', new Blob(['x']));
  uploader.startNext();
  uploader.cancel('a');
  await afterAnswers();
  assert.deepEqual(calls, ['deleteUpload /api/uploads/u']);
});

test('what the gateway already has is cancelled by the gateway', () => {
  const { uploader, calls, state } = uploaderWith(ACCEPTED, { state: 'encoding', job: 'j' });
  uploader.cancel('a');
  assert.equal(state('a'), 'cancelling');
  assert.deepEqual(calls, ['cancel a']);
});
