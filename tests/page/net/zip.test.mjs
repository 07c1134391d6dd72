// @ts-check
/** The ZIP of all results. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { uniqueNames } from '../../../frontend/js/net/zip.js';

test('files of the same name do not overwrite each other in the ZIP', () => {
  assert.deepEqual(uniqueNames(['a.webp', 'A.webp', 'a.webp', 'b.webp']), ['a.webp', 'A (2).webp', 'a (3).webp', 'b.webp']);
});
