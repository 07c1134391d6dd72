// @ts-check
/** Where a chart's values stand: the top of its axis, and its line in segments. */

/** @typedef {{at: number, value: number | null}} Point `at` in seconds */

/** Points that lie further apart are not joined: nothing is known of the time between. */
const LONGEST_GAP_S = 35;
const STEPS = [1, 2, 5, 10];

/** The top of an axis from zero: 1, 2 or 5 times a power of ten. @param {number} highest */
export function topOf(highest) {
  if (!(highest > 0)) return 1;
  const unit = 10 ** Math.floor(Math.log10(highest));
  return unit * (STEPS.find((step) => step * unit >= highest * 0.9999) ?? 10);
}

/** Runs of points that are known and near each other. @param {Point[]} points @returns {{at: number, value: number}[][]} */
export function segmentsOf(points) {
  /** @type {{at: number, value: number}[][]} */
  const segments = [];
  let last_s = -Infinity;
  for (const { at, value } of points) {
    if (value !== null) {
      if (at - last_s > LONGEST_GAP_S) segments.push([]);
      segments[segments.length - 1].push({ at, value });
      last_s = at;
    }
  }
  return segments;
}
