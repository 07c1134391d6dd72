// @ts-check
/** Which files may be uploaded now. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isSending } from '../../../frontend/js/core/states.js';
import { nextUploads } from '../../../frontend/js/core/upload-slots.js';
import { item } from '../support/fixtures.mjs';

test('three uploads at once, in the order of the list', () => {
  const waiting = ['1', '2', '3', '4', '5'].map((id) => item({ id }));
  assert.deepEqual(nextUploads(waiting).map(({ id }) => id), ['1', '2', '3']);
  const busy = [item({ id: '0', state: 'verifying' }), item({ id: '9', state: 'uploading' }), ...waiting];
  assert.deepEqual(nextUploads(busy).map(({ id }) => id), ['1']);
  assert.ok(busy.slice(0, 2).every(({ state }) => isSending(state)));
});
