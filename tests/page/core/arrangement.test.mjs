// @ts-check
/** The order of the list, and what it shows. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SORTS, arrangedIds, readSort } from '../../../frontend/js/core/arrangement.js';
import { item } from '../support/fixtures.mjs';

/** @typedef {import('../../../frontend/js/core/arrangement.js').Sort} Sort */

const result = (/** @type {number} */ bytes) => ({ url: '', bytes, width: 1, height: 1 });
const items = [
  item({ id: 'c', place: 3, name: '图 10.png', bytes: 500, state: 'done', result: result(100) }),
  item({ id: 'a', place: 1, name: '图 9.png', bytes: 900, state: 'done', result: result(1000) }),
  item({ id: 'd', place: 4, name: '图 9.png', bytes: 900, state: 'failed' }),
  item({ id: 'b', place: 2, name: 'A.png', bytes: 700, state: 'encoding' }),
];
const order = (/** @type {Sort} */ sort) => arrangedIds(items, { sort, filter: null }, 'zh-CN').join('');

test('every order is total: equals stay as they were added, what has no result goes last', () => {
  assert.deepEqual(SORTS.map(order), ['abcd', 'adcb', 'adbc', 'cabd']);
});

test('a filter shows what failed, or what is kept as the original', () => {
  assert.deepEqual(arrangedIds(items, { sort: 'added', filter: 'failed' }, 'en'), ['d']);
  assert.deepEqual(arrangedIds(items, { sort: 'added', filter: 'larger' }, 'en'), ['a']);
});

test('an order that this page does not know is the order added', () => {
  assert.deepEqual([readSort('size'), readSort('colour'), readSort(null), readSort('toString')], ['size', 'added', 'added', 'added']);
});
