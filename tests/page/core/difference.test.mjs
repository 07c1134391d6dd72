// @ts-check
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BLOCK, DifferenceMeter, amplificationOf } from '../../../frontend/js/core/difference.js';

/** Two grey pictures; `differs` adds to a pixel of the second. @param {number} width @param {number} height @param {(x: number, y: number) => number} differs */
function measure(width, height, differs) {
  const meter = new DifferenceMeter(width, height);
  for (let row = 0; row < meter.rows; row += 1) {
    const high = Math.min(BLOCK, height - row * BLOCK);
    const before = new Uint8ClampedArray(width * high * 4).fill(100);
    const after = before.map((value, at) => value + differs((at >> 2) % width, row * BLOCK + Math.floor((at >> 2) / width)));
    meter.add(before, after, row);
  }
  return meter.measure();
}

test('the place of largest difference is where one patch differs, not where noise is spread', () => {
  const { place } = measure(1000, 700, (x, y) => x >= 800 && x < 840 && y >= 500 && y < 540 ? 60 : (x + y) % 7 === 0 ? 1 : 0);
  assert.ok(Math.abs(place.x * 1000 - 820) < 160 && Math.abs(place.y * 700 - 520) < 160, JSON.stringify(place));
});

test('many weak differences beside each other outweigh one strong pixel', () => {
  const { place } = measure(1200, 900, (x, y) => x === 20 && y === 20 ? 100 : x > 700 && y > 500 ? 6 : 0);
  assert.ok(place.x > 0.55 && place.y > 0.5, JSON.stringify(place));
});

test('pictures without a difference say so, and are shown from their middle', () => {
  assert.deepEqual(measure(640, 480, () => 0), { place: { x: 0.5, y: 0.5 }, amplification: 32, is_same: true });
});

test('a picture smaller than a block is measured too', () => {
  assert.equal(measure(3, 2, () => 20).is_same, false);
});

for (const [level, expected] of [[1, 32], [5, 32], [6, 16], [10, 16], [20, 8], [40, 4], [80, 2], [200, 1]]) {
  test(`a difference of ${level} of 255 is amplified ×${expected}`, () => assert.equal(measure(64, 64, () => level * (level > 155 ? 0.775 : 1)).amplification, expected));
}

test('one stray pixel does not keep all others from being seen', () => {
  const levels = new Uint32Array(256);
  levels[3] = 10_000;
  levels[255] = 5;
  assert.equal(amplificationOf(levels), 32);
});
