// @ts-check
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { segmentsOf, topOf } from '../../../frontend/js/core/axis.js';
import { growthOf } from '../../../frontend/js/core/growth.js';

test('errors are counted over a restart, at which their counters begin anew', () => {
  const steps = /** @type {Record<string, number>[]} */ ([{ internal: 5 }, { internal: 7, not_found: 1 }, {}, { internal: 2 }, { internal: 2, too_large: 3 }]);
  assert.deepEqual(growthOf(steps), { internal: 4, not_found: 1, too_large: 3 });
  assert.deepEqual(growthOf([{ internal: 9 }]), {});
  assert.deepEqual(growthOf([]), {});
});

test('an axis ends at one, two or five of a power of ten, never below the highest value', () => {
  for (const [highest, top] of [[0, 1], [1, 1], [1.2, 2], [3, 5], [7, 10], [10, 10], [11, 20], [0.003, 0.005], [0.02, 0.02], [480, 500], [999, 1000]]) {
    assert.ok(Math.abs(topOf(highest) - top) < 1e-9, `${highest}: ${topOf(highest)}`);
  }
});

test('a line is interrupted where nothing is known', () => {
  const points = [{ at: 0, value: 1 }, { at: 10, value: 2 }, { at: 20, value: null }, { at: 30, value: 3 }, { at: 120, value: 4 }];
  assert.deepEqual(segmentsOf(points).map((segment) => segment.map(({ value }) => value)), [[1, 2, 3], [4]]);
});
