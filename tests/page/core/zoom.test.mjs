// @ts-check
/** The view of the comparison. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { canPan, fitScale, fitView, panBy, zoomTo } from '../../../frontend/js/core/zoom.js';

test('zoom keeps the point under the pointer and the picture in sight', () => {
  const image = { width: 4000, height: 2000 };
  const stage = { width: 1000, height: 800 };
  assert.equal(fitScale(image, stage), 0.25);
  assert.equal(fitScale({ width: 10, height: 10 }, stage), 1, 'a small picture is not blown up');
  const point = { x: 100, y: 50 };
  const view = zoomTo(fitView(image, stage), 1, point, image, stage);
  assert.deepEqual([(point.x - view.x) / view.scale, (point.y - view.y) / view.scale], [point.x / 0.25, point.y / 0.25]);
  assert.equal(panBy(view, 1e6, 0, image, stage).x, 1500);
  assert.ok(canPan(view, image, stage) && !canPan(fitView(image, stage), image, stage));
});
