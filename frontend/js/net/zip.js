// @ts-check
/**
 * Several results as one ZIP (APPNOTE 6.3: stored, UTF-8 names). Nothing is compressed, because images do not compress further. The parts
 * stay Blobs, which a browser may hold on disk.
 */

/** @typedef {{name: string, path: string, modified_ms: number}} ZipFile `name` may begin with folders; `path` is where the gateway has it */
/** @typedef {{name: Uint8Array<ArrayBuffer>, blob: Blob, modified_ms: number, crc: number, offset: number}} Entry */

/** Without ZIP64, sizes and offsets have 32 bits. */
const LARGEST_ZIP_BYTES = 0xffff_ffff;
const LARGEST_FILE_COUNT = 0xffff;
const UTF8_NAME = 0x0800;
const VERSION = 20;
/** The years that the format knows. */
const [FIRST_YEAR, LAST_YEAR] = [1980, 2107];

const CRC_TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte;
  for (let bit = 0; bit < 8; bit += 1) crc = crc & 1 ? 0xedb8_8320 ^ (crc >>> 1) : crc >>> 1;
  return crc >>> 0;
});

/**
 * @param {ZipFile[]} files
 * @param {import('./api.js').Api} api
 * @param {(share: number) => void} onShare the part that is packed, 0–1
 * @returns {Promise<Blob | null>} null when a part is missing or the whole is too large
 */
export async function packZip(files, api, onShare) {
  if (files.length > LARGEST_FILE_COUNT) return null;
  /** @type {Entry[]} */
  const entries = [];
  const names = uniqueNames(files.map((file) => file.name));
  let offset = 0;
  for (const [index, file] of files.entries()) {
    onShare(index / files.length);
    const blob = await api.fetchBlob(file.path);
    if (!blob) return null;
    const entry = { name: new TextEncoder().encode(names[index]), blob, modified_ms: file.modified_ms, crc: await crcOf(blob), offset };
    entries.push(entry);
    offset += 30 + entry.name.length + blob.size;
    if (offset > LARGEST_ZIP_BYTES) return null;
  }
  return assembleZip(entries, offset);
}

/** `a.webp`, `a (2).webp`. @param {string[]} names @returns {string[]} */
export function uniqueNames(names) {
  const taken = new Set();
  return names.map((name) => {
    let unique = name;
    for (let n = 2; taken.has(unique.toLowerCase()); n += 1) unique = name.replace(/(\.[^.]*)?$/, ` (${n})$1`);
    taken.add(unique.toLowerCase());
    return unique;
  });
}

/** @param {Blob} blob */
async function crcOf(blob) {
  let crc = 0xffff_ffff;
  for (const byte of new Uint8Array(await blob.arrayBuffer())) crc = CRC_TABLE[(crc ^ byte) & 0xff] ^ (crc >>> 8);
  return (crc ^ 0xffff_ffff) >>> 0;
}

/** @param {Entry[]} entries @param {number} directory_offset */
function assembleZip(entries, directory_offset) {
  const files = entries.flatMap((entry) => [fields(0x0403_4b50, [[VERSION, 2], ...sharedFields(entry)]), entry.name, entry.blob]);
  const directory = entries.flatMap((entry) => [
    fields(0x0201_4b50, [[VERSION, 2], [VERSION, 2], ...sharedFields(entry), [0, 2], [0, 2], [0, 2], [0, 4], [entry.offset, 4]]), entry.name,
  ]);
  const size = directory.reduce((sum, part) => sum + part.length, 0);
  const end = fields(0x0605_4b50, [[0, 2], [0, 2], [entries.length, 2], [entries.length, 2], [size, 4], [directory_offset, 4], [0, 2]]);
  return new Blob([...files, ...directory, end], { type: 'application/zip' });
}

/** Date and time as MS-DOS wrote them: local time, in steps of two seconds. @param {Date} time @returns {[number, number]} */
export function dosTime(time) {
  const year = Math.min(Math.max(time.getFullYear(), FIRST_YEAR), LAST_YEAR);
  return [(year - FIRST_YEAR) << 9 | (time.getMonth() + 1) << 5 | time.getDate(), time.getHours() << 11 | time.getMinutes() << 5 | time.getSeconds() >> 1];
}

/** The fields that both headers of an entry share. @param {Entry} entry @returns {[number, number][]} */
function sharedFields({ name, blob, modified_ms, crc }) {
  const [date, time] = dosTime(new Date(modified_ms));
  return [[UTF8_NAME, 2], [0, 2], [time, 2], [date, 2], [crc, 4], [blob.size, 4], [blob.size, 4], [name.length, 2], [0, 2]];
}

/** A signature and little-endian numbers as [value, bytes]. @param {number} signature @param {[number, number][]} values */
function fields(signature, values) {
  const all = /** @type {[number, number][]} */ ([[signature, 4], ...values]);
  const bytes = new Uint8Array(all.reduce((sum, [, width]) => sum + width, 0));
  const view = new DataView(bytes.buffer);
  let at = 0;
  for (const [value, width] of all) {
    if (width === 2) view.setUint16(at, value, true);
    else view.setUint32(at, value, true);
    at += width;
  }
  return bytes;
}
