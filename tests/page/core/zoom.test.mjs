// @ts-check
/** The view of the comparison. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { canPan, fitScale, fitView, panBy, viewAfterResize, viewOf, zoomTo } from '../../../frontend/js/core/zoom.js';

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

test('a place is shown in the middle, as far as the edges of the picture allow', () => {
  const [image, stage] = [{ width: 4000, height: 2000 }, { width: 1000, height: 800 }];
  assert.deepEqual(viewOf({ x: 0.75, y: 0.25 }, 1, image, stage), { scale: 1, x: -1000, y: 500 });
  assert.deepEqual(viewOf({ x: 1, y: 0 }, 1, image, stage), { scale: 1, x: -1500, y: 600 });
});

test('a picture that is encoded at half its size shows the same part', () => {
  const [image, half, stage] = [{ width: 4000, height: 2000 }, { width: 2000, height: 1000 }, { width: 1000, height: 800 }];
  const view = viewOf({ x: 0.75, y: 0.25 }, 1, image, stage);
  assert.deepEqual(viewAfterResize(view, image, half, stage), { scale: 2, x: -1000, y: 500 });
});
