// @ts-check
/** The images on the page: facts change them, listeners hear of it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Items } from '../../frontend/js/items.js';
import { item, job } from './support/fixtures.mjs';

/** Items that note what their listeners hear. */
function watchedItems() {
  const items = new Items();
  const heard = /** @type {string[]} */ ([]);
  items.listen({
    onAdded: ({ id }) => heard.push(`added ${id}`),
    onChanged: ({ id, state }, before) => heard.push(`${id}: ${before.state} → ${state}`),
    onRemoved: ({ id }) => heard.push(`removed ${id}`),
  });
  return { items, heard };
}

test('listeners hear what is added, changed and removed', () => {
  const { items, heard } = watchedItems();
  items.add(item());
  items.dispatch('a', { type: 'upload_started' });
  items.remove(/** @type {import('../../frontend/js/core/types.js').Item} */ (items.get('a')));
  assert.deepEqual(heard, ['added a', 'a: waiting → uploading', 'removed a']);
  assert.equal(items.size, 0);
});

test('a fact that changes nothing, and one about an image that is gone, reach no listener', () => {
  const { items, heard } = watchedItems();
  items.add(item());
  items.dispatch('a', { type: 'result_confirmed' });
  items.dispatch('b', { type: 'upload_started' });
  assert.deepEqual(heard, ['added a']);
});

test('an image is found by its job until it is removed, and again when it comes back', () => {
  const { items } = watchedItems();
  items.add(item({ state: 'verifying' }));
  items.dispatch('a', { type: 'job_updated', job: job({}) });
  const queued = /** @type {import('../../frontend/js/core/types.js').Item} */ (items.ofJob('j'));
  assert.equal(queued.id, 'a');
  items.remove(queued);
  assert.equal(items.ofJob('j'), undefined);
  items.add(queued);
  assert.equal(items.ofJob('j'), queued);
});

test('an upload is found by its job before the job itself is known', () => {
  const { items } = watchedItems();
  items.add(item({ state: 'verifying' }));
  items.linkJob('a', 'j');
  assert.equal(items.ofJob('j')?.id, 'a');
});
