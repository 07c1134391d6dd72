// @ts-check
/**
 * From the last movement of the quality in the comparison to the frame that shows the new picture, in real Chromium against a running gateway:
 * `GATEWAY_URL=http://127.0.0.1:5000 node bench/comparison.mjs [PICTURE] [ROUNDS]`. Without a picture one of two megapixels is painted.
 * Each round moves the slider eight times like a hand, one frame apart, to a quality that was not encoded before. The machine should be idle.
 */
import { readFileSync } from 'node:fs';
import { launch, visit } from '../tests/page/support/browser.mjs';
import { paintScenes } from '../tests/page/support/scenes.mjs';

const MOVES = 8;
const PAINTED = '远山.jpg';

const [picture, rounds = '20'] = process.argv.slice(2);
const browser = await launch();
const file = picture ? { name: 'picture', mimeType: '', buffer: readFileSync(picture) } : (await paintScenes(browser)).find(({ name }) => name === PAINTED);
if (!file) throw new Error(`${PAINTED} is not painted`);
const { page } = await visit(browser, { viewport: { width: 1280, height: 860 } });
await page.setInputFiles('#file-input', [file]);
await page.locator('[data-control="compare"]').click();
await page.waitForSelector('.compare-stage.is-shown');

/** @type {number[][]} */
const seen = [];
for (let round = 0; round < Number(rounds); round += 1) {
  const quality = 40 + (round * 7) % 51;
  seen.push(await page.evaluate(moveAndWait, { quality, moves: MOVES }));
  // The movement back to rest: the next round begins when nothing is under way.
  await page.waitForSelector('.compare-panel:not(.is-encoding)');
}
await browser.close();

for (const [name, column] of /** @type {[string, number][]} */ ([['shown', 0], ['request for the job', 1], ['encode and result', 2]])) {
  const sorted = seen.map((each) => each[column]).sort((one, other) => one - other);
  const at = (/** @type {number} */ share) => Math.round(sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))]);
  console.log(`${name}: median ${at(0.5)} ms, 95 % ${at(0.95)} ms, longest ${at(1)} ms (${sorted.length} rounds)`);
}

/** Runs in the page. @param {{quality: number, moves: number}} given @returns {Promise<number[]>} milliseconds: whole, job, result */
async function moveAndWait({ quality, moves }) {
  const frame = () => new Promise((resolve) => requestAnimationFrame(resolve));
  const slider = /** @type {HTMLInputElement} */ (document.getElementById('compare-quality'));
  performance.clearResourceTimings();
  for (let move = moves - 1; move >= 0; move -= 1) {
    slider.value = String(quality - move);
    slider.dispatchEvent(new Event('input', { bubbles: true }));
    if (move > 0) await frame();
  }
  const moved_ms = performance.now();
  const layer = /** @type {HTMLElement} */ (document.querySelector('.compare-after'));
  await new Promise((resolve) => new MutationObserver(resolve).observe(layer, { childList: true }));
  await frame();
  await frame();
  const shown_ms = performance.now();
  const durationOf = (/** @type {RegExp} */ path) => /** @type {PerformanceResourceTiming[]} */ (performance.getEntriesByType('resource')).findLast(({ name }) => path.test(name))?.duration ?? 0;
  return [shown_ms - moved_ms, durationOf(/\/retry\?/), durationOf(/\/result$/)];
}
