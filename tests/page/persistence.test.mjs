// @ts-check
/** What survives a reload, with the browser's storage replaced: `localStorage` in memory, and no IndexedDB. */
import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';
import { Items } from '../../frontend/js/items.js';
import { Persistence } from '../../frontend/js/persistence.js';
import { accepted, item } from './support/fixtures.mjs';

/** @type {Map<string, string>} */
const stored = new Map();
Object.assign(globalThis, { localStorage: {
  getItem: (/** @type {string} */ name) => stored.get(name) ?? null,
  setItem: (/** @type {string} */ name, /** @type {string} */ value) => stored.set(name, value),
} });

beforeEach(() => stored.clear());

/** A page with one image. @param {Partial<import('../../frontend/js/core/types.js').Item>} [more] */
function pageWith(more) {
  const items = new Items();
  const persistence = new Persistence(items, () => 'data:picture');
  items.add(item(more));
  return { items, persistence };
}

test('a job is taken up again with its name, size, options and picture', () => {
  const { items, persistence } = pageWith({ state: 'verifying', options: { quality: '70' } });
  items.dispatch('a', accepted());
  persistence.saveNow();
  const [{ item: restored, picture }] = new Persistence(new Items(), () => undefined).restoreJobs();
  assert.deepEqual([restored.job, restored.name, restored.bytes, restored.options, restored.has_file, restored.state], ['j', 'cat.png', 1000, { quality: '70' }, false, 'verifying']);
  assert.equal(picture, 'data:picture');
});

test('an image that is being converted again is taken up with its former job while the new one is not known', () => {
  pageWith({ state: 'waiting', origin: 'j' }).persistence.saveNow();
  assert.equal(JSON.parse(stored.get('webp-gateway.jobs') ?? '')[0].job, 'j');
});

test('what was cancelled or has expired is not taken up again', () => {
  for (const state of /** @type {const} */ (['cancelled', 'expired'])) {
    pageWith({ state, job: 'j' }).persistence.saveNow();
    assert.equal(stored.get('webp-gateway.jobs'), '[]', state);
  }
});

test('an upload is stored when it is begun or paused, and no more once there is a job', () => {
  const { items } = pageWith({ state: 'uploading' });
  const uploads = () => JSON.parse(stored.get('webp-gateway.uploads') ?? '{}');
  items.dispatch('a', { type: 'upload_opened', upload: '/api/uploads/u' });
  assert.deepEqual(uploads(), { a: { upload: '/api/uploads/u', is_paused: false } });
  items.dispatch('a', { type: 'paused' });
  assert.deepEqual(uploads(), { a: { upload: '/api/uploads/u', is_paused: true } });
});

test('a reload would lose bytes only while neither gateway nor browser has them', () => {
  const { items, persistence } = pageWith({ state: 'uploading' });
  assert.ok(persistence.wouldLoseBytes());
  persistence.stored.add('a');
  assert.ok(!persistence.wouldLoseBytes());
  persistence.stored.delete('a');
  items.dispatch('a', { type: 'body_sent' });
  assert.ok(persistence.wouldLoseBytes());
  items.dispatch('a', accepted());
  assert.ok(!persistence.wouldLoseBytes());
});

test('a browser that stores nothing costs the memory and nothing else', async () => {
  const { persistence } = pageWith();
  await persistence.storeFile(item(), new File(['x'], 'cat.png'));
  assert.deepEqual(await persistence.restoreFiles(), []);
});
