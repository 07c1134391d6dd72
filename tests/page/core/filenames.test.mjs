// @ts-check
/** Names of files. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { displayName, mismatchedFormat, resultName, shortenedName, sourceName, splitName } from '../../../frontend/js/core/filenames.js';

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

test('a character of several code points is never cut', () => {
  const family = '👨‍👩‍👧‍👦';
  assert.deepEqual(splitName(`${family.repeat(3)}e\u0301e\u0301.png`), [`${family.repeat(3)}e\u0301e\u0301`, '.png']);
  assert.equal(shortenedName(`${family.repeat(30)}.png`, (text) => text.length < 120), `${family.repeat(4)}…${family.repeat(6)}.png`);
  assert.equal(shortenedName('short.png', () => true), 'short.png');
  assert.equal(shortenedName('no room at all.png', () => false), 'n…t all.png');
});

test('names are called as the gateway calls them', () => {
  assert.deepEqual(['v1.2 final', 'sky.图片', 'cat.jpeg'].map((name) => resultName(name)), ['v1.2 final.webp', 'sky.图片.webp', 'cat.webp']);
  assert.deepEqual([resultName('cat.png', 'jpeg'), resultName('cat.png', 'avif')], ['cat.jpg', 'cat.avif']);
  assert.deepEqual([sourceName('cat.JPEG', ['jpg', 'jpeg']), sourceName('evil.html', ['png']), sourceName('jpg', ['jpg']), sourceName('x.y', [])], ['cat.JPEG', 'evil.png', 'jpg.jpg', 'x.y']);
  assert.deepEqual(['a\\b/c.png', 'photo\u202egnp.exe', 'می\u200cخواهم.png', ' . ', 'x\u3000y\n.png'].map(displayName), ['a\\b/c.png', 'photognp.exe', 'می\u200cخواهم.png', 'image', 'x y.png']);
});

test('what is saved has no folders, whatever a name shows', () => {
  assert.deepEqual([resultName('../a\\b.png'), resultName('x/'), sourceName('a/b.png', ['png'])], ['b.webp', 'x.webp', 'b.png']);
});
