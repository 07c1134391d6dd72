// @ts-check
/** Files that are refused before they are sent. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isSystemFile, problemOfFile } from '../../../frontend/js/core/file-checks.js';
import { capabilities } from '../support/fixtures.mjs';

test('empty, too large and hopeless files are refused before a byte is sent', () => {
  const refused = (/** @type {Partial<File>} */ file) => problemOfFile({ name: 'a.jpg', size: 5, type: 'image/jpeg', ...file }, capabilities)?.code;
  assert.equal(refused({}), undefined);
  assert.equal(refused({ size: 0 }), 'empty_file');
  assert.equal(refused({ size: 67_108_864 }), undefined);
  assert.equal(refused({ size: 67_108_865 }), 'too_large');
  assert.equal(refused({ name: 'a.pdf', type: 'application/pdf' }), 'unsupported_format');
  assert.equal(refused({ name: 'a', type: '' }), undefined, 'an unknown type is the server’s to judge');
  assert.ok(isSystemFile('.DS_Store') && isSystemFile('Thumbs.db') && !isSystemFile('cat.png'));
});
