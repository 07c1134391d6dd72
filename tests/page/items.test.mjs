// @ts-check
/** The images on the page: facts change them, listeners hear of it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Items } from '../../frontend/js/items.js';
import { accepted, confirmed, item } from './support/fixtures.mjs';

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
  items.dispatch('a', confirmed());
  items.dispatch('b', { type: 'upload_started' });
  assert.deepEqual(heard, ['added a']);
});

test('an image is found by its job until it is removed, and again when it comes back', () => {
  const { items } = watchedItems();
  items.add(item({ state: 'verifying' }));
  items.dispatch('a', accepted());
  const queued = /** @type {import('../../frontend/js/core/types.js').Item} */ (items.ofJob('j'));
  assert.equal(queued.id, 'a');
  items.remove(queued);
  assert.equal(items.ofJob('j'), undefined);
  items.add(queued);
  assert.equal(items.ofJob('j'), queued);
});

test('an image that is converted again is found by its new job alone', () => {
  const { items } = watchedItems();
  items.add(item({ state: 'done', job: 'j' }));
  items.dispatch('a', { type: 'restarted', key: 'two', options: {}, origin: 'j' });
  assert.equal(items.ofJob('j'), undefined);
  for (const fact of /** @type {const} */ ([{ type: 'upload_started' }, { type: 'body_sent' }, accepted('k')])) items.dispatch('a', fact);
  assert.deepEqual([items.ofJob('j'), items.ofJob('k')?.id], [undefined, 'a']);
});

test('an image that comes back has the place it had, and a new one comes last', () => {
  const { items } = watchedItems();
  const [first] = [items.add(item({ id: 'a' })), items.add(item({ id: 'b' }))];
  items.remove(first);
  assert.equal(items.add(first).place, first.place);
  assert.ok(items.add(item({ id: 'c' })).place > Number(items.get('b')?.place));
  const later = Date.now() + 1_000_000;
  items.add(item({ id: 'd', place: later }));
  assert.ok(items.add(item({ id: 'e' })).place > later, 'a stored place may come from a clock that was ahead');
});
