// @ts-check
/** Whether a file holds a moving picture, of which a sample of the first one says nothing. */

/** So much of a file is read: what tells it apart stands before the first picture, or (GIF) after it. */
export const HEAD_BYTES = 1_000_000;

/** @param {Uint8Array} head of the file */
export function isAnimated(head) {
  const text = (/** @type {number} */ from, /** @type {number} */ to) => String.fromCharCode(...head.subarray(from, to));
  if (text(0, 3) === 'GIF') return hasTwoFrames(head);
  if (text(1, 4) === 'PNG') return hasChunk(head, 'acTL');
  if (text(0, 4) === 'RIFF' && text(12, 16) === 'VP8X') return (head[20] & 2) !== 0;
  return text(4, 8) === 'ftyp' && /avis|msf1/.test(text(8, 64));
}

/** A PNG's chunks before its data. @param {Uint8Array} head @param {string} wanted */
function hasChunk(head, wanted) {
  const view = new DataView(head.buffer, head.byteOffset, head.byteLength);
  for (let at = 8; at + 8 <= head.length; at += 12 + view.getUint32(at)) {
    const name = String.fromCharCode(...head.subarray(at + 4, at + 8));
    if (name === wanted) return true;
    if (name === 'IDAT') return false;
  }
  return false;
}

/** GIF89a, §18 to §26. A second frame beyond the head counts too, where the first fills it. @param {Uint8Array} head */
function hasTwoFrames(head) {
  const tableBytes = (/** @type {number} */ flags) => flags & 0x80 ? 3 * 2 ** ((flags & 7) + 1) : 0;
  let at = 13 + tableBytes(head[10]);
  for (let frames = 0; at < head.length;) {
    if (head[at] === 0x2c) {
      frames += 1;
      if (frames === 2) return true;
      at += 11 + tableBytes(head[at + 9]);
    } else if (head[at] === 0x21) at += 2;
    else return false;
    while (at < head.length && head[at] > 0) at += head[at] + 1;
    at += 1;
  }
  return false;
}
