// @ts-check
/** A part of a smaller picture, computed with the filter that the gateway uses: a browser's own is softer, and softer pictures make smaller files. */

/** Reach of the filter, in pixels of the smaller picture. */
export const REACH = 3;

/** @typedef {{data: Uint8ClampedArray, width: number, height: number}} Pixels RGBA, row by row */
/** @typedef {{scale: number, offset: number, length: number}} Axis pixels of the source that make one; the first pixel of `Pixels` in the source; how many are wanted */

/**
 * @param {Pixels} source a part of the larger picture, with `REACH` more on each side where it has that
 * @param {number} x first column wanted, in pixels of the smaller picture
 * @param {number} y
 * @param {Axis} across
 * @param {Axis} down
 * @returns {Uint8ClampedArray<ArrayBuffer>} RGBA
 */
export function resample(source, x, y, across, down) {
  const columns = weightsOf(x, across, source.width);
  const rows = weightsOf(y, down, source.height);
  return filterRows(filterColumns(source, columns), rows, across.length);
}

/** @param {number} first @param {Axis} axis @param {number} size of the source along it @returns {{start: number, weights: Float32Array}[]} */
function weightsOf(first, { scale, offset, length }, size) {
  const reach = REACH * Math.max(1, scale);
  return Array.from({ length }, (_, index) => {
    const centre = (first + index + 0.5) * scale - offset;
    const start = Math.max(0, Math.floor(centre - reach));
    const end = Math.min(size, Math.ceil(centre + reach));
    const weights = Float32Array.from({ length: Math.max(1, end - start) }, (_each, at) => lanczos((start + at + 0.5 - centre) / Math.max(1, scale)));
    const sum = weights.reduce((total, each) => total + each, 0) || 1;
    return { start: Math.min(start, size - 1), weights: weights.map((each) => each / sum) };
  });
}

/** @param {number} at */
function lanczos(at) {
  if (at === 0) return 1;
  if (Math.abs(at) >= REACH) return 0;
  const turn = Math.PI * at;
  return REACH * Math.sin(turn) * Math.sin(turn / REACH) / (turn * turn);
}

/** Colours are multiplied with their opacity, so that what is transparent has no colour. @param {Pixels} source @param {{start: number, weights: Float32Array}[]} columns */
function filterColumns({ data, width, height }, columns) {
  const out = new Float32Array(columns.length * height * 4);
  for (let y = 0, to = 0; y < height; y += 1) {
    for (const { start, weights } of columns) {
      for (let at = 0, from = (y * width + start) * 4; at < weights.length; at += 1, from += 4) {
        const alpha = weights[at] * data[from + 3] / 255;
        out[to] += alpha * data[from];
        out[to + 1] += alpha * data[from + 1];
        out[to + 2] += alpha * data[from + 2];
        out[to + 3] += alpha * 255;
      }
      to += 4;
    }
  }
  return out;
}

/** @param {Float32Array} lines @param {{start: number, weights: Float32Array}[]} rows @param {number} width */
function filterRows(lines, rows, width) {
  const out = new Uint8ClampedArray(width * rows.length * 4);
  rows.forEach(({ start, weights }, y) => {
    for (let x = 0; x < width; x += 1) {
      const sum = [0, 0, 0, 0];
      for (let at = 0, from = (start * width + x) * 4; at < weights.length; at += 1, from += width * 4) {
        for (let each = 0; each < 4; each += 1) sum[each] += weights[at] * lines[from + each];
      }
      const to = (y * width + x) * 4;
      const alpha = Math.max(0, Math.min(sum[3], 255));
      for (let each = 0; each < 3; each += 1) out[to + each] = alpha > 0 ? sum[each] * 255 / alpha : 0;
      out[to + 3] = alpha;
    }
  });
  return out;
}
