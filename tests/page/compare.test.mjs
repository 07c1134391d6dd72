// @ts-check
/** The comparison in real Chromium against a running gateway (`GATEWAY_URL`): what it shows, what it has encoded again, and what it leaves. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { after, before, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { GATEWAY_URL, launch, visit } from './support/browser.mjs';
import { file, gif, patchwork, png, tiff } from './support/images.mjs';

/** @typedef {import('playwright-core').Page} Page */

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const PATIENCE_MS = 60_000;
const photo = png(1600, 1200, 3);

/** @type {import('playwright-core').Browser} */
let browser;
before(async () => {
  browser = await launch();
});
after(() => browser.close());

/** @typedef {{page: Page, made: string[]}} Visit `made`: the jobs that the page had made from stored sources */

/**
 * @param {string} name
 * @param {import('playwright-core').BrowserContextOptions} options
 * @param {(visit: Visit) => Promise<void>} act
 */
function testPage(name, options, act) {
  test(name, { timeout: 2 * PATIENCE_MS }, async () => {
    const { context, page, violations } = await visit(browser, options);
    page.setDefaultTimeout(PATIENCE_MS);
    const made = /** @type {string[]} */ ([]);
    page.on('response', async (response) => {
      if (response.request().method() === 'POST' && /\/retry\?/.test(response.url()) && response.status() === 202) made.push((await response.json()).id);
    });
    try {
      await act({ page, made });
      assert.deepEqual(violations, []);
    } finally {
      await context.close();
    }
  });
}

/** @param {Page} page @param {...ReturnType<typeof file>} files */
async function convert(page, ...files) {
  await page.setInputFiles('#file-input', files);
  await page.waitForFunction((n) => document.querySelectorAll('.row[data-state="done"]').length === n, files.length);
}

/** @param {Page} page @param {number} [index] of the row */
async function compare(page, index = 0) {
  await page.locator('[data-control="compare"]').nth(index).click();
  await page.waitForSelector('.compare-stage.is-shown');
}

/** As a hand does. @param {Page} page @param {number} quality */
const moveTo = (page, quality) => page.locator('#compare-quality').evaluate((slider, value) => {
  if (slider instanceof HTMLInputElement) slider.value = String(value);
  slider.dispatchEvent(new Event('input', { bubbles: true }));
}, quality);

/** @param {Page} page */
const isShown = (page) => page.waitForSelector('.compare-panel:not(.is-encoding)');
/** @param {Page} page */
const bytesShown = async (page) => Number(await page.getAttribute('.compare-bytes', 'data-bytes'));

/** @param {string} id @returns {Promise<any>} */
const jobOf = async (id) => (await fetch(`${GATEWAY_URL}/api/jobs/${id}`)).json();
/** @param {string} id */
const isGone = async (id) => (await fetch(`${GATEWAY_URL}/api/jobs/${id}`)).status === 404;

/** @param {() => Promise<boolean> | boolean} test @param {string} what */
async function until(test, what) {
  const end_ms = Date.now() + PATIENCE_MS / 2;
  while (!await test()) {
    if (Date.now() > end_ms) assert.fail(`never: ${what}`);
    await pause(20);
  }
}

/** The gateway's own figure. @param {RegExp} row of `/metrics` */
async function figure(row) {
  const figures = await (await fetch(`${GATEWAY_URL}/metrics`)).text();
  return figures.split('\n').filter((line) => row.test(line)).reduce((sum, line) => sum + Number(line.split(' ').pop()), 0);
}
const ERASED_UNDER_WAY = /^gateway_jobs_ended_total\{.*state="erased"/;
const SHARED = /^gateway_jobs_shared_total/;
const RUNNING = /^gateway_jobs\{state="running"\}/;

testPage('a slider that moves again cancels the encode under way: the gateway counts it, and its job is gone', {}, async ({ page, made }) => {
  await convert(page, file('large.png', png(3000, 2000, 8)));
  await compare(page);
  const erased = await figure(ERASED_UNDER_WAY);
  await moveTo(page, 61);
  await until(async () => made.length === 1 && (await jobOf(made[0])).state === 'running', 'the first encode runs');
  await moveTo(page, 35);
  await until(() => isGone(made[0]), 'the first is gone');
  await isShown(page);
  assert.equal(made.length, 2);
  await until(async () => await figure(ERASED_UNDER_WAY) === erased + 1, 'the cancelled encode is counted');
  const { state, options, result } = await jobOf(made[1]);
  assert.equal(`${state} ${options.quality}`, 'succeeded 35');
  assert.equal(await bytesShown(page), result.bytes);
});

testPage('ten movements in a row make one encode, of the last', {}, async ({ page, made }) => {
  await convert(page, file('photo.png', photo));
  await compare(page);
  // By one call: between ten of them a loaded machine rests for longer than a hand that moves.
  await page.locator('#compare-quality').evaluate((slider) => {
    for (let quality = 70; quality >= 61; quality -= 1) {
      if (slider instanceof HTMLInputElement) slider.value = String(quality);
      slider.dispatchEvent(new Event('input', { bubbles: true }));
    }
  });
  await isShown(page);
  assert.equal(made.length, 1);
  assert.equal((await jobOf(made[0])).options.quality, 61);
});

testPage('Use this makes what is shown the result: the row, the download and a reload have those very bytes, and nothing was encoded twice', {}, async ({ page, made }) => {
  await convert(page, file('photo.png', photo));
  await compare(page);
  const first = await bytesShown(page);
  await moveTo(page, 23);
  await isShown(page);
  const shown = await bytesShown(page);
  assert.ok(shown < first, `${first} → ${shown}`);
  const trial = Buffer.from(await (await fetch(`${GATEWAY_URL}/api/jobs/${made[0]}/result`)).arrayBuffer());
  assert.equal(trial.length, shown);
  const shared = await figure(SHARED);
  await page.getByRole('button', { name: 'Use this' }).click();
  await page.getByRole('button', { name: 'In use' }).waitFor();
  await until(() => isGone(made[0]), 'the trial is deleted once the image has its own');
  await page.keyboard.press('Escape');
  await page.waitForSelector('.row[data-state="done"]');
  const [download] = await Promise.all([page.waitForEvent('download'), page.click('[data-control="download"]')]);
  assert.deepEqual(readFileSync(await download.path()), trial);
  assert.equal(await figure(SHARED), shared + 1, 'the bytes are shared');
  await page.reload();
  await page.waitForSelector('.row[data-state="done"]');
  await compare(page);
  assert.equal(await bytesShown(page), shown);
  assert.equal(await page.inputValue('#compare-quality'), '23');
});

testPage('closing leaves no job of what was tried: not the last one shown, and not the one under way', {}, async ({ page, made }) => {
  await convert(page, file('large.png', png(3000, 2000, 9)));
  await compare(page);
  await moveTo(page, 50);
  await isShown(page);
  await moveTo(page, 30);
  await until(() => made.length === 2, 'the second is made');
  await page.keyboard.press('Escape');
  await page.waitForSelector('dialog', { state: 'detached' });
  for (const id of made) await until(() => isGone(id), `${id} is gone`);
  await until(async () => await figure(RUNNING) === 0, 'no encode runs on');
});

testPage('a page that is left in the middle leaves no job of what was tried', {}, async ({ page, made }) => {
  await convert(page, file('photo.png', photo));
  await compare(page);
  await moveTo(page, 44);
  await isShown(page);
  await page.goto('about:blank');
  await until(() => isGone(made[0]), 'the trial is gone');
});

testPage('the download of a trial has the bytes that are shown', {}, async ({ page }) => {
  await convert(page, file('photo.png', photo));
  await compare(page);
  await moveTo(page, 12);
  await isShown(page);
  const [download] = await Promise.all([page.waitForEvent('download'), page.locator('.compare-panel').getByRole('button', { name: 'Download' }).click()]);
  assert.equal(readFileSync(await download.path()).length, await bytesShown(page));
  assert.equal(download.suggestedFilename(), 'photo.webp');
});

testPage('kind and size are encoded again too; a quality that is moved in Automatic makes it a photo', {}, async ({ page, made }) => {
  await convert(page, file('photo.png', photo));
  await compare(page);
  await moveTo(page, 55);
  await isShown(page);
  assert.ok(await page.isChecked('input[name="compare-kind"][value="photo"]'));
  await page.selectOption('#compare-size', { label: 'Longer side 640 px' });
  await isShown(page);
  const { result, options } = await jobOf(made[1]);
  assert.deepEqual([result.width, result.height, options.quality], [640, 480, 55]);
  assert.match(await page.innerText('.compare-facts'), /640 × 480/);
  await page.check('input[name="compare-kind"][value="lossless"]', { force: true });
  await isShown(page);
  assert.equal((await jobOf(made[2])).options.lossless, true);
  assert.equal(await page.getAttribute('#compare-quality', 'aria-valuetext'), 'without loss');
});

testPage('it opens at 100 % where the pictures differ most, with the focus on the slider; the difference says how much it is amplified', {}, async ({ page }) => {
  await convert(page, file('patchwork.png', patchwork(2400, 1800, { x: 1700, y: 1300, side: 500 })));
  await compare(page);
  assert.equal(await page.evaluate(() => document.activeElement?.className), 'compare-range');
  assert.equal(await page.innerText('.compare-percent'), '100%');
  const middle = await page.evaluate(() => {
    const stage = /** @type {HTMLElement} */ (document.querySelector('.compare-stage'));
    const box = /** @type {HTMLElement} */ (document.querySelector('.compare-after .compare-image')).getBoundingClientRect();
    const room = stage.getBoundingClientRect();
    return { x: room.x + room.width / 2 - box.x, y: room.y + room.height / 2 - box.y };
  });
  assert.ok(Math.abs(middle.x - 1950) < 260 && Math.abs(middle.y - 1550) < 310, `the patch is in sight: ${JSON.stringify(middle)}`);
  await page.check('input[name="compare-mode"][value="difference"]', { force: true });
  await page.waitForFunction(() => /shown ×(1|2|4|8|16|32)\./.test(document.querySelector('.compare-note')?.textContent ?? ''));
  const said = Number((await page.innerText('.compare-note')).match(/×(\d+)/)?.[1]);
  assert.equal(await page.locator('.compare-stage').evaluate((stage) => getComputedStyle(stage).filter), `brightness(${said})`);
  await page.check('input[name="compare-kind"][value="lossless"]', { force: true });
  await isShown(page);
  await page.locator('.compare-note', { hasText: 'every pixel is the same' }).waitFor();
});

testPage('previous and next by button and by Shift and an arrow; each image has its own settings, and what was tried of the one before is gone', {}, async ({ page, made }) => {
  await convert(page, file('one.png', png(500, 400, 1)), file('two.png', png(600, 300, 2)), file('three.png', png(300, 600, 4)));
  await compare(page, 1);
  const shows = (/** @type {string} */ name, /** @type {string} */ size) => page.waitForFunction(([file, pixels]) =>
    document.querySelector('.compare-name')?.textContent === file && document.querySelector('.compare-facts')?.textContent?.includes(pixels), [name, size]);
  await shows('two.png', '600 × 300');
  assert.equal(await page.innerText('.compare-place'), '2 of 3');
  await moveTo(page, 15);
  await isShown(page);
  await page.keyboard.press('Shift+ArrowRight');
  await shows('three.png', '300 × 600');
  assert.ok(await page.isDisabled('.compare-step.is-next'));
  await until(() => isGone(made[0]), 'the trial of two.png is gone');
  await page.click('.compare-step.is-previous');
  await shows('two.png', '600 × 300');
  assert.notEqual(await page.inputValue('#compare-quality'), '15');
  await page.keyboard.press('Shift+ArrowLeft');
  await shows('one.png', '500 × 400');
  await page.waitForFunction(() => [...document.querySelectorAll('.compare-image')].every((image) => image instanceof HTMLImageElement && image.naturalWidth === 500));
  await page.keyboard.press('Escape');
  await page.selectOption('#sort', 'name');
  await page.locator('.row[data-name="one.png"] [data-control="compare"]').click();
  await shows('one.png', '500 × 400');
  await page.keyboard.press('Shift+ArrowRight');
  await shows('three.png', '300 × 600');
});

testPage('a TIFF, which the browser cannot show, is compared by a lossless preview of the gateway, which it says and does not leave behind', {}, async ({ page, made }) => {
  await convert(page, file('scan.tif', tiff(400, 300), 'image/tiff'));
  /** @type {() => void} */
  let goOn = () => {};
  await page.route(/\/retry\?/, (route) => { goOn = () => route.continue(); });
  await compare(page);
  await page.locator('.compare-stage.has-no-original').waitFor();
  assert.equal(await page.locator('.compare-after .compare-image').evaluate((image) => image instanceof HTMLImageElement && image.naturalWidth), 400, 'the result does not wait');
  goOn();
  await page.unroute(/\/retry\?/);
  await page.locator('.compare-note', { hasText: 'lossless preview' }).waitFor();
  await page.locator('.compare-stage:not(.has-no-original)').waitFor();
  assert.equal(await page.evaluate(() => document.activeElement?.className), 'compare-range');
  assert.equal(await page.innerText('.compare-before .compare-tag'), 'Original (preview)');
  assert.ok(await page.evaluate(() => [...document.querySelectorAll('.compare-image')].every((image) => image instanceof HTMLImageElement && image.naturalWidth === 400)));
  assert.equal(made.length, 1);
  await until(() => isGone(made[0]), 'the preview is deleted');
  await page.keyboard.press('Escape');
  await compare(page);
  await page.locator('.compare-note', { hasText: 'lossless preview' }).waitFor();
  assert.equal(made.length, 1, 'it is made once a visit');
});

testPage('a busy gateway is tried again by itself, and the page says so', {}, async ({ page }) => {
  await convert(page, file('photo.png', photo));
  await compare(page);
  let refusals = 0;
  await page.route(/\/retry\?/, (route) => refusals++ > 0 ? route.continue() : route.fulfill({
    status: 503, headers: { 'Retry-After': '1', 'Content-Type': 'application/problem+json' }, body: JSON.stringify({ code: 'queue_full', status: 503, title: 'x', detail: 'x' }),
  }));
  await moveTo(page, 33);
  await page.locator('.compare-status', { hasText: /Trying again in \d s/ }).waitFor();
  await isShown(page);
  assert.match(await page.innerText('.compare-facts'), /quality 33/);
  assert.equal(refusals, 2);
});

testPage('an encode that fails says why, and the slider goes on', {}, async ({ page }) => {
  await convert(page, file('photo.png', photo));
  await compare(page);
  await page.route(/\/retry\?.*quality=34/, (route) => route.fulfill({
    status: 410, headers: { 'Content-Type': 'application/problem+json' }, body: JSON.stringify({ code: 'gone', status: 410, title: 'x', detail: 'x' }),
  }));
  const first = await bytesShown(page);
  await moveTo(page, 34);
  await page.waitForFunction(() => (document.querySelector('.compare-status')?.textContent ?? '').length > 10 && !document.querySelector('.compare-panel.is-encoding'));
  assert.equal(await bytesShown(page), first);
  await moveTo(page, 36);
  await isShown(page);
  assert.match(await page.innerText('.compare-facts'), /quality 36/);
});

testPage('an animation moves on both sides, is encoded again, and the page says that it takes longer', {}, async ({ page, made }) => {
  await convert(page, file('moving.gif', gif(160, 120, 6), 'image/gif'));
  await compare(page);
  await page.locator('.compare-status', { hasText: 'animation' }).waitFor();
  await moveTo(page, 20);
  await isShown(page);
  assert.equal((await jobOf(made[0])).result.frames, 6);
});

for (const locale of ['en-GB', 'zh-CN']) {
  for (const colorScheme of /** @type {const} */ (['light', 'dark'])) {
    testPage(`at 320 pixels nothing is cut off, the picture stays in sight of the slider, and axe finds nothing: ${locale}, ${colorScheme}`, {
      viewport: { width: 320, height: 640 }, locale, colorScheme, isMobile: true, hasTouch: true, reducedMotion: 'reduce',
    }, async ({ page }) => {
      await convert(page, file('photo.png', photo), file('other.png', png(200, 100)));
      await compare(page);
      await moveTo(page, 40);
      await isShown(page);
      const overflow = await page.evaluate(() => [...document.querySelectorAll('dialog button, dialog label, dialog select, dialog p, dialog input:not(.compare-range)')]
        .filter((each) => each instanceof HTMLElement && each.checkVisibility() && each.getBoundingClientRect().right > innerWidth + 0.5).map((each) => each.className || each.textContent));
      assert.deepEqual(overflow, []);
      await page.locator('#compare-quality').scrollIntoViewIfNeeded();
      const seen = await page.evaluate(() => {
        const stage = /** @type {HTMLElement} */ (document.querySelector('.compare-stage')).getBoundingClientRect();
        const slider = /** @type {HTMLElement} */ (document.getElementById('compare-quality')).getBoundingClientRect();
        return Math.min(stage.bottom, slider.top, innerHeight) - Math.max(stage.top, 0);
      });
      assert.ok(seen > 200, `${seen} pixels of the picture are in sight`);
      await page.evaluate(AXE);
      const { violations } = await page.evaluate(() => Reflect.get(globalThis, 'axe').run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21aa', 'wcag22aa', 'best-practice'] }));
      assert.deepEqual(violations.map((/** @type {any} */ each) => `${each.id}: ${each.nodes.map((/** @type {any} */ node) => node.target).join(' ')}`), []);
    });
  }
}
