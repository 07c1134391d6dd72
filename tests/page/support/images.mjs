// @ts-check
/** Images for the page's tests, generated here so that no files are needed. */
import { crc32, deflateSync } from 'node:zlib';

/** @param {string} name @param {Buffer} body */
function chunk(name, body) {
  const content = Buffer.concat([Buffer.from(name, 'latin1'), body]);
  const ends = Buffer.alloc(8);
  ends.writeUInt32BE(body.length, 0);
  ends.writeUInt32BE(crc32(content), 4);
  return Buffer.concat([ends.subarray(0, 4), content, ends.subarray(4)]);
}

/**
 * A PNG with a soft gradient and grain, so that an encoder has work with it.
 * @param {number} width
 * @param {number} height
 * @param {number} [seed]
 * @returns {Buffer}
 */
export function png(width, height, seed = 1) {
  let grain = seed;
  return pngOf(width, height, (x, y) => {
    grain = (grain * 1_103_515_245 + 12_345) & 0x7fff_ffff;
    const noise = (grain >> 16) & 3;
    return [Math.floor(230 * x / width) + noise, Math.floor(230 * y / height) + noise, (seed * 47) % 230 + noise];
  });
}

/** @param {number} width @param {number} height @param {(x: number, y: number) => [number, number, number]} colourAt @returns {Buffer} */
function pngOf(width, height, colourAt) {
  const line = width * 3 + 1;
  const pixels = Buffer.alloc(line * height);
  for (let y = 0; y < height; y += 1) {
    for (let x = 0; x < width; x += 1) pixels.set(colourAt(x, y), y * line + 1 + x * 3);
  }
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([8, 2, 0, 0, 0], 8);
  const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
  return Buffer.concat([signature, chunk('IHDR', header), chunk('IDAT', deflateSync(pixels, { level: 1 })), chunk('IEND', Buffer.alloc(0))]);
}

/** @param {string} name @param {Buffer} buffer @param {string} [mimeType] */
export const file = (name, buffer, mimeType = 'image/png') => ({ name, mimeType, buffer });

/**
 * A BMP, three bytes a pixel: large files without much work.
 * @param {number} width divisible by four, so that no line needs filling
 * @param {number} height
 * @returns {Buffer}
 */
export function bmp(width, height) {
  const head = Buffer.alloc(54);
  head.write('BM', 0, 'latin1');
  head.writeUInt32LE(54 + width * height * 3, 2);
  head.writeUInt32LE(54, 10);
  head.writeUInt32LE(40, 14);
  head.writeInt32LE(width, 18);
  head.writeInt32LE(height, 22);
  head.writeUInt16LE(1, 26);
  head.writeUInt16LE(24, 28);
  const line = Buffer.alloc(width * 3);
  for (let x = 0; x < line.length; x += 1) line[x] = (x * 7) & 0xff;
  return Buffer.concat([head, ...Array.from({ length: height }, () => line)]);
}

/**
 * One grey plane with a square of hard noise in it: what is lost of it is lost there.
 * @param {number} width
 * @param {number} height
 * @param {{x: number, y: number, side: number}} patch
 * @returns {Buffer}
 */
export function patchwork(width, height, patch) {
  let grain = 7;
  return pngOf(width, height, (x, y) => {
    if (x < patch.x || y < patch.y || x >= patch.x + patch.side || y >= patch.y + patch.side) return [128, 128, 128];
    grain = (grain * 1_103_515_245 + 12_345) & 0x7fff_ffff;
    return [(grain >> 16) & 255, (grain >> 8) & 255, (grain >> 12) & 255];
  });
}

/**
 * A TIFF in grey, uncompressed in one strip (TIFF 6.0 §4), which no browser but Safari shows.
 * @param {number} width
 * @param {number} height
 * @returns {Buffer}
 */
export function tiff(width, height) {
  const [short, long] = [3, 4];
  const fields = [[256, short, width], [257, short, height], [258, short, 8], [259, short, 1], [262, short, 1], [273, long, 0], [277, short, 1], [278, short, height], [279, long, width * height]];
  const head = Buffer.alloc(8 + 2 + fields.length * 12 + 4);
  head.write('II*\0', 0, 'latin1');
  head.writeUInt32LE(8, 4);
  head.writeUInt16LE(fields.length, 8);
  fields.forEach(([tag, type, value], index) => {
    const at = 10 + index * 12;
    head.writeUInt16LE(tag, at);
    head.writeUInt16LE(type, at + 2);
    head.writeUInt32LE(1, at + 4);
    head.writeUInt32LE(tag === 273 ? head.length : value, at + 8);
  });
  return Buffer.concat([head, Buffer.from(Array.from({ length: width * height }, (_, at) => (at % width + Math.floor(at / width)) & 255))]);
}

/**
 * A GIF of several frames with a bar that moves. Its pixels are not packed: each code stands alone, with a clear code before the table would grow.
 * @param {number} width
 * @param {number} height
 * @param {number} frames
 * @returns {Buffer}
 */
export function gif(width, height, frames) {
  const word = (/** @type {number} */ value) => Buffer.from([value & 255, value >> 8]);
  const palette = Buffer.from(Array.from({ length: 128 * 3 }, (_, at) => (at * 2) & 255));
  const parts = [Buffer.from('GIF89a', 'latin1'), word(width), word(height), Buffer.from([0xf6, 0, 0]), palette, Buffer.from('21ff0b4e45545343415045322e300301000000', 'hex')];
  for (let frame = 0; frame < frames; frame += 1) {
    const codes = /** @type {number[]} */ ([]);
    for (let at = 0; at < width * height; at += 1) {
      if (at % 120 === 0) codes.push(128);
      codes.push((at % width) >> 3 === frame ? 120 : (at + frame * 9) % 50);
    }
    codes.push(129);
    parts.push(Buffer.from([0x21, 0xf9, 4, 0, 10, 0, 0, 0, 0x2c, 0, 0, 0, 0]), word(width), word(height), Buffer.from([0, 7]));
    for (let at = 0; at < codes.length; at += 255) parts.push(Buffer.from([Math.min(255, codes.length - at), ...codes.slice(at, at + 255)]));
    parts.push(Buffer.from([0]));
  }
  return Buffer.concat([...parts, Buffer.from([0x3b])]);
}
