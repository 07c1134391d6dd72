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
  const line = width * 3 + 1;
  const pixels = Buffer.alloc(line * height);
  let grain = seed;
  for (let y = 0; y < height; y += 1) {
    for (let x = 0; x < width; x += 1) {
      grain = (grain * 1_103_515_245 + 12_345) & 0x7fff_ffff;
      const at = y * line + 1 + x * 3;
      const noise = (grain >> 16) & 3;
      pixels[at] = Math.floor(230 * x / width) + noise;
      pixels[at + 1] = Math.floor(230 * y / height) + noise;
      pixels[at + 2] = (seed * 47) % 230 + noise;
    }
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
