// @ts-check
/** Counters that begin anew now and then, such as after a restart, and what they grew by meanwhile. */

/** @typedef {Record<string, number>} Counts */

/**
 * By how much each name grew over all of these, the oldest first. A count that fell began anew from zero.
 * @param {Counts[]} steps
 * @returns {Counts} without names that did not grow
 */
export function growthOf(steps) {
  /** @type {Counts} */
  const grown = {};
  for (let index = 1; index < steps.length; index += 1) {
    for (const [name, count] of Object.entries(steps[index])) {
      const before = steps[index - 1][name] ?? 0;
      const more = count >= before ? count - before : count;
      if (more > 0) grown[name] = (grown[name] ?? 0) + more;
    }
  }
  return grown;
}
