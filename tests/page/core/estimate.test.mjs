// @ts-check
/** A sample of a picture, and what is said of the whole. How near that comes is measured by `estimates.mjs`. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isAnimated } from '../../../frontend/js/core/animation.js';
import { canEstimate, estimatedBytes, kindOfFile, kindOfQuery, queryOfSample, restOfEstimates } from '../../../frontend/js/core/estimate.js';
import { REACH, resample } from '../../../frontend/js/core/lanczos.js';
import { BUDGET_PIXELS, sizeWithin, tilingOf } from '../../../frontend/js/core/sampling.js';

test('a sample is no larger than its budget, and every tile lies within the picture', () => {
  for (const [width, height] of [[1, 1], [700, 700], [708, 708], [6000, 4000], [4000, 6000], [16383, 20], [20, 16383], [16383, 1], [1, 16383], [129, 16383], [3000, 170]]) {
    const { tile, columns, rows, places } = tilingOf({ width, height });
    const pixels = columns * rows * tile.width * tile.height;
    assert.ok(pixels > 0 && pixels <= BUDGET_PIXELS, `${width} × ${height}: ${pixels}`);
    assert.equal(places.length, columns * rows);
    for (const { x, y } of places) assert.ok(x >= 0 && y >= 0 && x + tile.width <= width && y + tile.height <= height, `${width} × ${height}: ${x}, ${y}`);
    assert.equal(new Set(places.map(({ x, y }) => `${x},${y}`)).size, places.length, `no tile twice: ${width} × ${height}`);
    if (width * height <= BUDGET_PIXELS) assert.equal(pixels, width * height, 'a small picture stands for itself');
  }
});

test('the tiles of a large picture come from all over it', () => {
  const { tile, places } = tilingOf({ width: 6000, height: 4000 });
  for (const [axis, length] of /** @type {const} */ ([['x', 6000], ['y', 4000]])) {
    const starts = places.map((place) => place[axis]);
    assert.ok(Math.min(...starts) < length / 6 && Math.max(...starts) + tile.width > length * 5 / 6, axis);
  }
});

test('a size is the gateway’s: inside the limits, never enlarged, at least a pixel', () => {
  assert.deepEqual(sizeWithin({ width: 4000, height: 3000 }, { width: 1920 }), { width: 1920, height: 1440 });
  assert.deepEqual(sizeWithin({ width: 4000, height: 3000 }, { width: 1920, height: 100 }), { width: 133, height: 100 });
  assert.deepEqual(sizeWithin({ width: 400, height: 300 }, { width: 1920 }), { width: 400, height: 300 });
  assert.deepEqual(sizeWithin({ width: 10000, height: 3 }, { width: 100 }), { width: 100, height: 1 });
  assert.deepEqual(sizeWithin({ width: 40, height: 30 }, {}), { width: 40, height: 30 });
});

test('the filter keeps what is plain, in each part of a picture, and gives what is transparent no colour', () => {
  const plain = { width: 40, height: 40, data: Uint8ClampedArray.from({ length: 6400 }, (_, at) => [200, 90, 7, 255][at % 4]) };
  for (const [x, y] of [[0, 0], [5, 9]]) {
    const axis = { scale: 2.5, offset: 0, length: 4 };
    assert.deepEqual([...resample(plain, x, y, axis, axis)], Array.from({ length: 64 }, (_, at) => [200, 90, 7, 255][at % 4]));
  }
  const half = { width: 8, height: 1, data: new Uint8ClampedArray([...Array(4).fill([255, 0, 0, 255]), ...Array(4).fill([0, 255, 0, 0])].flat()) };
  const [red, green] = resample(half, 0, 0, { scale: 2, offset: 0, length: 4 }, { scale: 1, offset: 0, length: 1 }).slice(4, 8);
  assert.deepEqual([red, green], [255, 0], 'the green that nobody sees does not shine through');
  assert.ok(REACH >= 1);
});

test('a part of a picture is filtered as the whole is', () => {
  const data = Uint8ClampedArray.from({ length: 60 * 60 * 4 }, (_, at) => at % 4 === 3 ? 255 : (at * at * 7 + at) % 256);
  const axis = { scale: 3, offset: 0, length: 20 };
  const whole = resample({ width: 60, height: 60, data }, 0, 0, axis, axis);
  const rows = { scale: 3, offset: 12, length: 4 };
  const lines = { width: 60, height: 42, data: data.subarray(12 * 60 * 4, 54 * 60 * 4) };
  assert.deepEqual([...resample(lines, 0, 8, axis, rows)], [...whole.subarray(8 * 20 * 4, 12 * 20 * 4)]);
});

test('what is asked of a sample says nothing of sizes', () => {
  assert.deepEqual(queryOfSample({ quality: '80', width: '1920', height: '9', target_bytes: '100', lossless: 'auto' }), { quality: '80', lossless: 'auto' });
  const queries = /** @type {Record<string, string>[]} */ ([{ lossless: 'true' }, { near_lossless: '60' }, { lossless: 'auto', quality: 'auto' }, { quality: '80' }]);
  assert.deepEqual(queries.map(kindOfQuery), ['lossless', 'lossless', 'lossy', 'lossy']);
});

test('what was measured with WebP is said of WebP alone', () => {
  assert.deepEqual(/** @type {Record<string, string>[]} */ ([{ quality: '80' }, { format: 'webp' }, { format: 'avif' }, { format: 'jpeg' }, { format: 'png' }]).map(canEstimate), [true, true, false, false, false]);
});

test('an answer is scaled to the whole, and never above a size that was set', () => {
  const given = { bytes: 1000, kind: /** @type {const} */ ('lossless'), weight: 10, query: {} };
  assert.equal(estimatedBytes(given), 10_000);
  assert.ok(estimatedBytes({ ...given, kind: 'lossy' }) < 10_000, 'tiles cost more than what continues');
  assert.equal(estimatedBytes({ ...given, kind: 'lossy', weight: 1 }), 1000, 'a whole picture is not a sample');
  assert.equal(estimatedBytes({ ...given, query: { target_bytes: '4000' } }), 4000);
  assert.equal(estimatedBytes({ ...given, query: { target_bytes: '40000' } }), 10_000);
});

test('estimates leave half of the operator’s rate to images', () => {
  assert.equal(restOfEstimates(null, null), 0, 'no rate');
  assert.equal(restOfEstimates('"default";q=60;w=60', '"default";r=30;t=12'), 0);
  assert.equal(restOfEstimates('"default";q=60;w=60', '"default";r=29;t=12'), 12);
  assert.equal(restOfEstimates('"jobs";q=60;w=60', '"jobs";r=0;t=9'), 0, 'quotas have answers of their own');
});

test('the gateway’s file says whether it is lossless, with and without a header', () => {
  const file = (/** @type {[string, number][]} */ ...chunks) => new Uint8Array(Buffer.concat([Buffer.from('RIFF\0\0\0\0WEBP'), ...chunks.map(([name, length]) => {
    const size = Buffer.alloc(4);
    size.writeUInt32LE(length);
    return Buffer.concat([Buffer.from(name), size, Buffer.alloc(length + length % 2)]);
  })]));
  assert.equal(kindOfFile(file(['VP8L', 30])), 'lossless');
  assert.equal(kindOfFile(file(['VP8 ', 30])), 'lossy');
  assert.equal(kindOfFile(file(['VP8X', 10], ['ICCP', 7], ['VP8L', 30])), 'lossless');
  assert.equal(kindOfFile(file(['VP8X', 10], ['ALPH', 9], ['VP8 ', 30])), 'lossy');
  assert.equal(kindOfFile(new Uint8Array(5)), 'lossy');
});

test('moving pictures are told from still ones, for which alone an estimate is honest', () => {
  const bytes = (/** @type {(string | number | number[])[]} */ ...parts) => new Uint8Array(Buffer.concat(parts.map((part) => typeof part === 'string' ? Buffer.from(part, 'latin1') : Buffer.from([part].flat()))));
  const frame = [0x2c, 0, 0, 0, 0, 1, 0, 1, 0, 0, 2, 2, 0x4c, 1, 0];
  const control = [0x21, 0xf9, 4, 0, 0, 0, 0, 0];
  const screen = [1, 0, 1, 0, 0x80, 0, 0, 0, 0, 0, 255, 255, 255];
  assert.ok(!isAnimated(bytes('GIF89a', screen, control, frame, 0x3b)));
  assert.ok(isAnimated(bytes('GIF89a', screen, control, frame, control, frame, 0x3b)));
  const chunk = (/** @type {string} */ name, /** @type {number} */ length) => bytes([0, 0, 0, length], name, Array(length + 4).fill(0));
  const png = (/** @type {Uint8Array[]} */ ...chunks) => new Uint8Array(Buffer.concat([bytes(0x89, 'PNG\r\n', 0x1a, '\n'), ...chunks]));
  assert.ok(isAnimated(png(chunk('IHDR', 13), chunk('acTL', 8), chunk('IDAT', 5))));
  assert.ok(!isAnimated(png(chunk('IHDR', 13), chunk('IDAT', 5), chunk('acTL', 8))));
  const webp = (/** @type {number} */ flags) => bytes('RIFF', [0, 0, 0, 0], 'WEBPVP8X', [10, 0, 0, 0, flags], Array(9).fill(0));
  assert.ok(isAnimated(webp(0x12)) && !isAnimated(webp(0x10)));
  assert.ok(isAnimated(bytes([0, 0, 0, 24], 'ftypavis')) && !isAnimated(bytes([0, 0, 0, 24], 'ftypavif')));
  for (const rest of [new Uint8Array(), bytes('GIF'), bytes('GIF89a'), bytes(0xff, 0xd8), bytes('RIFF'), bytes(0x89, 'PNG')]) assert.ok(!isAnimated(rest));
});
