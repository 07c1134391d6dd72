// @ts-check
/** HTML for a result. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { altOf, pictureSnippet } from '../../../frontend/js/core/picture-snippet.js';

const picture = { result: { name: 'a b.webp', format: 'webp' }, source: { name: 'a b.jpg', format: 'jpeg' }, width: 60, height: 40, alt: '"a" <b> & c' };

test('a browser that cannot show the result gets the source, and nothing in a name is markup', () => {
  assert.equal(pictureSnippet(picture), [
    '<picture>', '  <source srcset="a%20b.webp" type="image/webp">',
    '  <img src="a%20b.jpg" width="60" height="40" alt="&quot;a&quot; &lt;b&gt; &amp; c" loading="lazy" decoding="async">', '</picture>',
  ].join('\n'));
});

test('a source that browsers do not show is not offered to them', () => {
  const snippet = pictureSnippet({ ...picture, source: { name: 'a b.heic', format: 'heic' } });
  assert.doesNotMatch(snippet, /heic|<source/);
  assert.match(snippet, /<img src="a%20b\.webp"/);
});

test('a source that is its own result stands once', () => {
  assert.doesNotMatch(pictureSnippet({ ...picture, result: picture.source }), /<source/);
});

test('the more widely shown of the two is what all browsers get; the result stands alone where it is that', () => {
  const snippet = (/** @type {string} */ source, /** @type {string} */ result) =>
    pictureSnippet({ ...picture, result: { name: `a.${result}`, format: result }, source: { name: `b.${source}`, format: source } }).match(/(?:srcset|src|type)="[^"]*"/g);
  assert.deepEqual(snippet('jpeg', 'avif'), ['srcset="a.avif"', 'type="image/avif"', 'src="b.jpeg"']);
  assert.deepEqual(snippet('webp', 'avif'), ['srcset="a.avif"', 'type="image/avif"', 'src="b.webp"']);
  assert.deepEqual(snippet('heic', 'avif'), ['src="a.avif"']);
  assert.deepEqual(snippet('avif', 'webp'), ['src="a.webp"']);
  for (const result of ['jpeg', 'png']) for (const source of ['png', 'jpeg', 'gif', 'webp', 'avif', 'heic']) assert.deepEqual(snippet(source, result), [`src="a.${result}"`], `${source} → ${result}`);
});

test('the words of a name are a first text', () => {
  assert.equal(altOf('holiday_in-the  mountains'), 'holiday in the mountains');
});
