/** Run inside Chromium by chromium_pictures.py: fetches batches of files, decodes them, and sends back their pixels. */

const SRGB = { primaries: 'bt709', transfer: 'iec61966-2-1', matrix: 'rgb' };

/** Straight alpha is in the frame's own bytes only; every conversion that Chromium offers goes through premultiplied ones. */
const isPlain = ({ format, colorSpace }) => /^(RGB|BGR)[AX]$/.test(format) && Object.entries(SRGB).every(([key, value]) => colorSpace[key] === value);

function toRgba(bytes, format) {
  if (format.startsWith('BGR')) for (let at = 0; at < bytes.length; at += 4) [bytes[at], bytes[at + 2]] = [bytes[at + 2], bytes[at]];
  if (format.endsWith('X')) for (let at = 3; at < bytes.length; at += 4) bytes[at] = 255;
  return bytes;
}

async function pixelsOf(frame) {
  const exact = isPlain(frame);
  const wanted = exact ? {} : { format: 'RGBA', colorSpace: 'srgb' };
  const bytes = new Uint8Array(frame.allocationSize(wanted));
  await frame.copyTo(bytes, wanted);
  return { width: frame.codedWidth, height: frame.codedHeight, exact, bytes: exact ? toRgba(bytes, frame.format) : bytes };
}

function drawn(source, width, height) {
  const context = new OffscreenCanvas(width, height).getContext('2d', { colorSpace: 'srgb', willReadFrequently: true });
  context.drawImage(source, 0, 0, width, height);
  const { data } = context.getImageData(0, 0, width, height, { colorSpace: 'srgb' });
  return new Uint8Array(data.buffer);
}

function hasPartialAlpha(bytes) {
  for (let at = 3; at < bytes.length; at += 4) if (bytes[at] !== 0 && bytes[at] !== 255) return true;
  return false;
}

/** Whether both are one picture, but for rounding: Chromium's bitmaps are not turned in every format. */
function isSame(one, other) {
  for (let at = 0; at < one.length; at += 1) {
    const alpha = one[at | 3];
    if (Math.abs(one[at] - other[at]) * (at % 4 === 3 ? 255 : alpha) > 3 * 255) return false;
  }
  return one.length === other.length;
}

/** The bitmap's own bytes, where they are sRGB; undefined where Chromium makes no bitmap of the file. */
async function straight(blob) {
  let frame;
  try {
    const bitmap = await createImageBitmap(blob, { premultiplyAlpha: 'none' });
    frame = new VideoFrame(bitmap, { timestamp: 0 });
    const pixels = await pixelsOf(frame);
    return pixels.exact ? pixels : undefined;
  } catch {
    return undefined;
  } finally {
    frame?.close();
  }
}

/** What <img> shows, its first frame; undefined where it shows nothing. */
async function shown({ bytes, type }) {
  const blob = new Blob([bytes], { type });
  const image = new Image();
  image.src = URL.createObjectURL(blob);
  try {
    await image.decode();
  } catch {
    return undefined;
  } finally {
    URL.revokeObjectURL(image.src);
  }
  const { naturalWidth: width, naturalHeight: height } = image;
  const onCanvas = drawn(image, width, height);
  const exact = !hasPartialAlpha(onCanvas);
  const better = exact ? undefined : await straight(blob);
  if (better?.width === width && better.height === height && isSame(onCanvas, better.bytes)) return { frames: [better], width, height };
  return { frames: [{ width, height, exact, bytes: onCanvas }], width, height };
}

async function decoded(decoder, frameIndex) {
  try {
    return (await decoder.decode({ frameIndex })).image;
  } catch {
    return undefined;
  }
}

/** Every frame that the decoder of <img> makes, by WebCodecs. A still picture is taken as <img> shows it: turned, and converted by its own code. */
async function frames(file) {
  const decoder = new ImageDecoder({ data: file.bytes, type: file.type, premultiplyAlpha: 'none', colorSpaceConversion: 'default' });
  try {
    await decoder.tracks.ready;
    await decoder.completed;
    const track = decoder.tracks.selectedTrack;
    if (!track.animated && track.frameCount === 1) return { repetitions: 0, ...(await shown(file)) };
    const found = { frames: [], repetitions: track.repetitionCount, whole: true };
    for (let frameIndex = 0; frameIndex < track.frameCount; frameIndex += 1) {
      const image = await decoded(decoder, frameIndex);
      found.whole = image !== undefined;
      if (!image) break;
      found.frames.push({ ...(await pixelsOf(image)), duration_us: image.duration });
      [found.width, found.height] = [image.displayWidth, image.displayHeight];
      image.close();
    }
    return found;
  } finally {
    decoder.close();
  }
}

async function answer(way, file) {
  try {
    return (await { frames, shown }[way](file)) ?? { error: 'not shown' };
  } catch (error) {
    return { error: String(error) };
  }
}

/** A batch and its answer have one form: the length of a JSON head as four bytes, the head, then the bytes that the head counts. */
function unpacked(buffer) {
  const length = new DataView(buffer).getUint32(0);
  const head = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 4, length)));
  let at = 4 + length;
  for (const file of head.files) {
    file.bytes = new Uint8Array(buffer.slice(at, at + file.size));
    at += file.size;
  }
  return head;
}

function packed(answers) {
  const parts = answers.flatMap((each) => (each.frames ?? []).map((frame) => frame.bytes));
  const head = new TextEncoder().encode(JSON.stringify(answers, (key, value) => (key === 'bytes' ? undefined : value === Infinity ? -1 : value)));
  const length = new DataView(new ArrayBuffer(4));
  length.setUint32(0, head.length);
  return new Blob([length, head, ...parts]);
}

async function work() {
  for (;;) {
    const { way, files } = unpacked(await (await fetch('/batch')).arrayBuffer());
    const answers = [];
    for (const file of files) answers.push(await answer(way, file));
    await fetch('/answers', { method: 'POST', body: packed(answers) });
  }
}

work();
