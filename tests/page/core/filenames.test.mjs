// @ts-check
/** Names of files. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { mismatchedFormat, resultName, splitName } from '../../../frontend/js/core/filenames.js';

test('an image that is not what its name says is told', () => {
  assert.deepEqual([mismatchedFormat('a.png', 'jpeg'), mismatchedFormat('a.JPG', 'jpeg'), mismatchedFormat('a.tif', 'tiff'), mismatchedFormat('photo', 'png'), mismatchedFormat('a.png', null)], ['jpeg', null, null, null, null]);
});

test('a long name is shortened in its middle and keeps its end', () => {
  assert.deepEqual(splitName('holiday-in-the-mountains.jpeg'), ['holiday-in-the-moun', 'tains.jpeg']);
  assert.deepEqual(splitName('a.b'), ['a.', 'b']);
  assert.equal(splitName('我的图片😀😀.png').join(''), '我的图片😀😀.png');
  assert.equal(resultName('我的.图片.png'), '我的.图片.webp');
  assert.equal(resultName('.png'), 'image.webp');
});
