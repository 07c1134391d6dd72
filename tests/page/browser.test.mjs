// @ts-check
/**
 * The page in real Chromium against a running gateway (`GATEWAY_URL`). Every visit ends with the question whether anything was blocked,
 * foreign or thrown.
 */
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { GATEWAY_URL, launch, visit } from './support/browser.mjs';
import { file, png } from './support/images.mjs';

/** @typedef {import('playwright-core').Page} Page */

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const PATIENCE_MS = 90_000;
const GAP_MS = 3000;
const ENDED = '.row:is([data-state="done"], [data-state="failed"], [data-state="invalid"], [data-state="cancelled"], [data-state="expired"])';
const PHONE = { viewport: { width: 390, height: 844 }, deviceScaleFactor: 2, isMobile: true, hasTouch: true };
const small = png(320, 240);
const large = png(6000, 4000);

/** @type {import('playwright-core').Browser} */
let browser;
before(async () => {
  browser = await launch();
});
after(() => browser.close());

/**
 * @param {string} name
 * @param {import('playwright-core').BrowserContextOptions & {path?: string}} options
 * @param {(page: Page) => Promise<void>} act
 */
function testPage(name, options, act) {
  test(name, { timeout: 3 * PATIENCE_MS }, async () => {
    const { context, page, violations } = await visit(browser, options);
    page.setDefaultTimeout(PATIENCE_MS);
    try {
      await act(page);
      assert.deepEqual(violations, []);
    } finally {
      await context.close();
    }
  });
}

/** @param {Page} page @param {...ReturnType<typeof file>} files */
const add = (page, ...files) => page.setInputFiles('#file-input', files);
/** @param {Page} page @param {string} name */
const row = (page, name) => page.locator(`.row[data-name="${name}"]`);
/** @param {Page} page @param {string} name @param {string} state */
const reaches = (page, name, state) => page.waitForSelector(`.row[data-name="${name}"][data-state="${state}"]`);
/** @param {Page} page @param {number} count */
const allEnd = (page, count) => page.waitForFunction(([selector, n]) => document.querySelectorAll(String(selector)).length === n, [ENDED, count]);

/** An entry of the row's menu. @param {Page} page @param {string} name @param {string} action */
async function choose(page, name, action) {
  await row(page, name).locator('[data-control="menu"]').click();
  await page.click(`[role="menu"] [data-action="${action}"]`);
}

/** Record every percent that a row shows, with the time. @param {Page} page */
const watchPercents = (page) => page.evaluate(() => {
  const seen = /** @type {Record<string, [number, number, string][]>} */ ({});
  Object.assign(globalThis, { seen });
  new MutationObserver((records) => {
    for (const { target } of records) {
      if (!(target instanceof HTMLElement) || !target.matches('.row')) continue;
      (seen[target.dataset.name ?? ''] ??= []).push([Date.now(), Number(target.dataset.percent), target.dataset.state ?? '']);
    }
  }).observe(document.body, { subtree: true, attributes: true, attributeFilter: ['data-percent', 'data-state'] });
});

/** @param {Page} page @returns {Promise<Record<string, [number, number, string][]>>} */
const percents = (page) => page.evaluate(() => Reflect.get(globalThis, 'seen'));

/** @param {[number, number, string][]} series @param {string} name */
function assertNeverFalls(series, name) {
  series.forEach(([, percent], index) => assert.ok(index === 0 || percent >= series[index - 1][1], `${name}: ${series.map(([, each]) => each)}`));
}

/** @param {Page} page @param {{name: string, mimeType: string, buffer: Buffer}[]} files */
async function drop(page, files) {
  const transfer = await page.evaluateHandle((given) => {
    const data = new DataTransfer();
    for (const { name, type, base64 } of given) data.items.add(new File([Uint8Array.from(atob(base64), (each) => each.charCodeAt(0))], name, { type }));
    return data;
  }, files.map(({ name, mimeType, buffer }) => ({ name, type: mimeType, base64: buffer.toString('base64') })));
  await page.dispatchEvent('body', 'dragenter', { dataTransfer: transfer });
  assert.ok(await page.isVisible('#overlay'));
  await page.dispatchEvent('body', 'drop', { dataTransfer: transfer });
  assert.ok(await page.isHidden('#overlay'));
}

/** Until the row says it: a text that is about to be drawn is not yet there. @param {Page} page @param {string} name @param {RegExp} pattern */
const says = (page, name, pattern) => row(page, name).filter({ hasText: pattern }).waitFor({ timeout: 10_000 });

testPage('the whole flow by pointer: choose, watch, compare, download, remove, undo', {}, async (page) => {
  const answered = /** @type {number[]} */ ([]);
  page.on('response', (response) => response.request().method() === 'HEAD' && response.ok() && answered.push(Date.now()));
  await watchPercents(page);
  const [chooser] = await Promise.all([page.waitForEvent('filechooser'), page.click('#choose')]);
  await chooser.setFiles([file('我的图片.png', png(1600, 1200))]);
  await reaches(page, '我的图片.png', 'done');

  const series = (await percents(page))['我的图片.png'];
  assertNeverFalls(series, '我的图片.png');
  const hundred = series.find(([, percent]) => percent === 100);
  assert.ok(hundred && answered[0] <= hundred[0] + 50, '100 % came after the result answered');
  await says(page, '我的图片.png', /1600 × 1200/);
  assert.match(await row(page, '我的图片.png').locator('.row-sizes').innerText(), /MB → .*KB/);

  const [download] = await Promise.all([page.waitForEvent('download'), row(page, '我的图片.png').locator('[data-control=download]').click()]);
  assert.match(download.suggestedFilename(), /\.webp$/);
  assert.equal(readFileSync(await download.path()).subarray(8, 12).toString(), 'WEBP');

  await row(page, '我的图片.png').locator('[data-control=compare]').click();
  await bothAreShown(page);
  for (const mode of ['flicker', 'side', 'difference', 'slider']) {
    await page.check(`input[name="compare-mode"][value="${mode}"]`);
    assert.equal(await page.getAttribute('.compare-stage', 'data-mode'), mode);
  }
  await page.keyboard.press('Escape');
  await page.waitForSelector('dialog', { state: 'detached' });

  await choose(page, '我的图片.png', 'remove');
  assert.equal(await page.locator('.row').count(), 0);
  await page.click('.toast button:not([aria-label])');
  assert.equal(await page.locator('.row').count(), 1);
});

testPage('the whole flow by keyboard alone', {}, async (page) => {
  // Chromium reports file choosers from the first listener on, and a key press would come before it.
  page.on('filechooser', () => {});
  await page.keyboard.press('Tab');
  assert.equal(await page.evaluate(() => document.activeElement?.className), 'skip-link');
  const pressTabUntil = async (/** @type {string} */ selector) => {
    for (let presses = 0; presses < 60; presses += 1) {
      if (await page.evaluate((each) => document.activeElement?.matches(each) ?? false, selector)) return;
      await page.keyboard.press('Tab');
    }
    assert.fail(`${selector} is not reached with Tab`);
  };
  await pressTabUntil('#choose');
  const [chooser] = await Promise.all([page.waitForEvent('filechooser'), page.keyboard.press('Enter')]);
  await chooser.setFiles([file('one.png', small), file('two.png', small)]);
  await allEnd(page, 2);

  await pressTabUntil('.row[data-name="one.png"] [data-control="download"]');
  const [download] = await Promise.all([page.waitForEvent('download'), page.keyboard.press('Enter')]);
  assert.match(download.suggestedFilename(), /\.webp$/);
  await pressTabUntil('.row[data-name="one.png"] [data-control="compare"]');
  await page.keyboard.press('Enter');
  await page.waitForSelector('dialog[open]');
  await pressTabUntil('.compare-range');
  await page.keyboard.press('Home');
  await page.keyboard.press('PageUp');
  assert.equal(await page.inputValue('.compare-range'), '10');
  assert.equal(await page.getAttribute('.compare-range', 'aria-valuetext'), '10% original, 90% result');
  await page.keyboard.press('Escape');
  await page.waitForSelector('dialog', { state: 'detached' });
  assert.equal(await page.evaluate(() => document.activeElement?.getAttribute('data-control')), 'compare', 'the focus is back where it was');

  await page.keyboard.press('Delete');
  await page.waitForSelector('.row[data-name="one.png"]', { state: 'detached' });
  assert.equal(await page.evaluate(() => document.activeElement?.closest('li')?.getAttribute('data-name')), 'two.png', 'the focus went to the next row');
});

/** @param {Page} page */
const bothAreShown = (page) => page.waitForFunction(() => [...document.querySelectorAll('.compare-image')]
  .every((image) => image instanceof HTMLImageElement && image.naturalWidth > 0));

/** It opens at 100 %, where one finger moves the picture. @param {Page} page */
async function fitIn(page) {
  await page.waitForSelector('.compare-stage.is-shown');
  await page.locator('.compare-zoom').getByText('Fit', { exact: true }).tap();
  await page.waitForFunction(() => document.querySelector('.compare-percent')?.textContent !== '100%');
}

/** Fingers on the glass, as Chromium gets them from a touch screen. @param {Page} page */
async function fingers(page) {
  const glass = await page.context().newCDPSession(page);
  /** @typedef {{x: number, y: number}} Point @typedef {'touchStart' | 'touchMove' | 'touchEnd'} Kind */
  const send = (/** @type {Kind} */ type, /** @type {Point[]} */ points, age_s = 0) => {
    const touchPoints = points.map((point, id) => ({ ...point, id }));
    return glass.send('Input.dispatchTouchEvent', { type, touchPoints, timestamp: Date.now() / 1000 - age_s });
  };
  return {
    /**
     * Each finger goes its way in ten steps, and rests before it leaves: after a swipe Chromium takes no tap for a tenth of a second.
     * @param {...[Point, Point]} ways
     */
    async move(...ways) {
      await send('touchStart', ways.map(([from]) => from), 1);
      for (let step = 1; step <= 10; step += 1) {
        const onWay = ways.map(([from, to]) => ({ x: from.x + (to.x - from.x) * step / 10, y: from.y + (to.y - from.y) * step / 10 }));
        await send('touchMove', onWay, 1 - step / 20);
      }
      await send('touchEnd', []);
    },
    press: (/** @type {Point} */ point) => send('touchStart', [point]),
    lift: () => send('touchEnd', []),
  };
}

testPage('the whole flow by touch on a phone: add, settings, compare by slider and pinch, download, remove, undo', PHONE, async (page) => {
  assert.ok(await page.isHidden('#choose-folder'));
  assert.ok(await page.isVisible('#take-photo'));
  const touch = await fingers(page);
  await page.tap('.settings-summary');
  await page.tap('.preset:has([value="graphic"])');
  assert.ok(await page.isChecked('[value="graphic"]'));
  const dial = /** @type {{x: number, y: number, width: number, height: number}} */ (await page.locator('#quality').boundingBox());
  const across = dial.y + dial.height / 2;
  const value = Number(await page.inputValue('#quality'));
  await touch.move([{ x: dial.x + dial.width * value / 100, y: across }, { x: dial.x + dial.width * 0.3, y: across }]);
  const quality = Number(await page.inputValue('#quality'));
  assert.ok(quality > 20 && quality < 40, String(quality));
  await page.tap('.settings-summary');

  const [chooser] = await Promise.all([page.waitForEvent('filechooser'), page.tap('#choose')]);
  const [request] = await Promise.all([page.waitForRequest(/\/api\/jobs\?/), chooser.setFiles([file('touched.png', png(1200, 900, 5))])]);
  assert.equal(new URL(request.url()).searchParams.get('quality'), String(quality));
  await reaches(page, 'touched.png', 'done');
  for (const control of await page.locator('.row-actions > :visible').all()) {
    const box = await control.boundingBox();
    assert.ok(box && box.width >= 40 && box.height >= 40, `a finger meets ${await control.getAttribute('data-control')}: ${JSON.stringify(box)}`);
  }

  await row(page, 'touched.png').locator('[data-control="compare"]').tap();
  await bothAreShown(page);
  const stage = /** @type {{x: number, y: number, width: number, height: number}} */ (await page.locator('.compare-stage').boundingBox());
  const middle = { x: stage.x + stage.width / 2, y: stage.y + stage.height / 2 };
  await fitIn(page);
  await touch.move([middle, { x: stage.x + stage.width / 4, y: middle.y }]);
  const reveal = Number(await page.inputValue('.compare-range'));
  assert.ok(reveal > 18 && reveal < 32, `the handle followed the finger: ${reveal}`);
  await touch.move([{ x: middle.x, y: middle.y + 120 }, { x: stage.x + stage.width * 0.75, y: middle.y + 120 }]);
  const beside = Number(await page.inputValue('.compare-range'));
  assert.ok(beside > 68 && beside < 82, `so it does from anywhere on the picture: ${beside}`);
  await page.locator('.segments label').filter({ hasText: 'Hold' }).tap();
  const hold = /** @type {{x: number, y: number, width: number, height: number}} */ (await page.locator('.compare-hold').boundingBox());
  await touch.press({ x: hold.x + hold.width / 2, y: hold.y + hold.height / 2 });
  await page.waitForSelector('.compare-stage.is-held');
  await touch.lift();
  await page.waitForSelector('.compare-stage:not(.is-held)');
  await page.locator('dialog [aria-label="Close"]').tap();
  await page.waitForSelector('dialog', { state: 'detached' });

  const [download] = await Promise.all([page.waitForEvent('download'), row(page, 'touched.png').locator('[data-control="download"]').tap()]);
  assert.equal(readFileSync(await download.path()).subarray(8, 12).toString(), 'WEBP');
  await row(page, 'touched.png').locator('[data-control="menu"]').tap();
  await page.locator('[role="menu"] [data-action="remove"]').tap();
  await page.waitForSelector('.row', { state: 'detached' });
  await page.locator('.toast').getByText('Undo').tap();
  await reaches(page, 'touched.png', 'done');
  assert.equal(await page.evaluate(() => document.documentElement.scrollWidth), PHONE.viewport.width);

  await row(page, 'touched.png').locator('[data-control="compare"]').tap();
  await page.locator('.compare-range').waitFor();
  await bothAreShown(page);
  await fitIn(page);
  const percent = async () => Number.parseInt(await page.innerText('.compare-percent'), 10);
  const fitted = await percent();
  const below = middle.y + 100;
  await touch.move([{ x: middle.x - 30, y: below }, { x: middle.x - 120, y: below }], [{ x: middle.x + 30, y: below }, { x: middle.x + 120, y: below }]);
  assert.ok(await percent() > 2 * fitted, `two fingers zoom: ${fitted} → ${await percent()}`);
  assert.equal(await page.inputValue('.compare-range'), '50', 'and leave the slider where it was');
  const place = () => page.evaluate(() => document.querySelector('.compare-stage')?.getAttribute('style'));
  const before = await place();
  await touch.move([{ x: middle.x + 60, y: below }, { x: middle.x + 10, y: below - 40 }]);
  assert.notEqual(await place(), before, 'one finger moves what was zoomed');
  await page.locator('.compare-zoom').getByText('Fit', { exact: true }).tap();
  await page.waitForFunction((text) => document.querySelector('.compare-percent')?.textContent === text, `${fitted}%`, { timeout: 30_000 });
});

test('a newcomer has the first image within ten seconds of opening the page, from a browser that has never been here', { timeout: PATIENCE_MS }, async () => {
  const newcomer = await launch();
  try {
    const photo = png(2000, 1500, 8);
    const opened_ms = performance.now();
    const { page, violations } = await visit(newcomer, PHONE);
    const [chooser] = await Promise.all([page.waitForEvent('filechooser'), page.getByRole('button', { name: 'Choose images' }).click()]);
    await chooser.setFiles([file('first.png', photo)]);
    const [download] = await Promise.all([page.waitForEvent('download'), page.getByRole('link', { name: 'Download first.webp' }).click({ timeout: PATIENCE_MS })]);
    assert.equal(readFileSync(await download.path()).subarray(8, 12).toString(), 'WEBP');
    console.log(`from opening the page to the saved WebP: ${Math.round(performance.now() - opened_ms)} ms`);
    assert.deepEqual(violations, []);
  } finally {
    await newcomer.close();
  }
});

testPage('thirty files dropped at once all end, each with its own bar that never falls', {}, async (page) => {
  await watchPercents(page);
  await drop(page, Array.from({ length: 30 }, (_, index) => file(`${index}.png`, png(400 + index, 300, index + 1))));
  await page.waitForFunction(() => document.querySelectorAll('.row').length === 30);
  assert.ok(await page.locator('.row [role="progressbar"]:visible').count() > 10);
  await allEnd(page, 30);
  assert.equal(await page.locator('.row[data-state="done"]').count(), 30);
  for (const [name, series] of Object.entries(await percents(page))) assertNeverFalls(series, name);
  await page.waitForSelector('.summary-count >> text=30 images converted');

  const [zip] = await Promise.all([page.waitForEvent('download'), page.click('#save-all')]);
  const bytes = readFileSync(await zip.path());
  assert.equal(bytes.subarray(0, 4).toString('latin1'), 'PK\x03\x04');
  assert.equal(bytes.readUInt16LE(bytes.length - 12), 30);
  await page.click('#clear-finished');
  assert.equal(await page.locator('.row').count(), 0);
});

testPage('cancel stops a running job and says so', {}, async (page) => {
  await page.evaluate(() => localStorage.setItem('webp-gateway.settings', JSON.stringify({ preset: 'photo', quality: 80, method: 6 })));
  await page.reload();
  await page.waitForSelector('html[data-ready]');
  await add(page, file('large.png', large));
  await page.waitForSelector('.row:is([data-state="encoding"], [data-state="decoding"])');
  await page.click('[data-control="cancel"]');
  await reaches(page, 'large.png', 'cancelled');
  assert.ok(await row(page, 'large.png').locator('[data-control="retry"]').isVisible());
});

testPage('finished images are converted again with other settings, without a second upload where the gateway keeps the source', {}, async (page) => {
  await add(page, file('a.png', small), file('b.png', small));
  await allEnd(page, 2);
  const before = await row(page, 'a.png').locator('.row-sizes').innerText();
  const { features } = await (await page.request.get(`${GATEWAY_URL}/api/capabilities`)).json();
  const sent = /** @type {string[]} */ ([]);
  page.on('request', (request) => request.method() === 'POST' && sent.push(new URL(request.url()).pathname));
  await page.click('.settings-summary');
  await page.fill('#width', '100');
  await page.click('#apply');
  await page.waitForFunction(() => [...document.querySelectorAll('.row')].filter((each) => /100 × 75/.test(each.textContent ?? '')).length === 2);
  assert.notEqual(await row(page, 'a.png').locator('.row-sizes').innerText(), before);
  const jobs = sent.filter((path) => path !== '/api/convert');
  if (features.includes('retry')) assert.ok(jobs.length === 2 && jobs.every((path) => path.endsWith('/retry')), sent.join());
});

testPage('one image gets settings of its own, without a second upload; the others and the page keep theirs', {}, async (page) => {
  await add(page, file('a.png', small), file('b.png', small));
  await allEnd(page, 2);
  await choose(page, 'a.png', 'again');
  await page.fill('dialog [name="width"]', '64');
  await page.click('dialog [type="submit"]');
  await says(page, 'a.png', /64 × 48/);
  await says(page, 'b.png', /320 × 240/);
  assert.equal(await page.inputValue('#width'), '');
  await choose(page, 'a.png', 'again');
  assert.equal(await page.inputValue('dialog [name="width"]'), '64', 'it opens with what the image has');
  await page.fill('dialog [name="width"]', '');
  await page.click('dialog [type="submit"]');
  await says(page, 'a.png', /320 × 240/);
});

testPage('a reader who looks elsewhere sees a ring in the tab and gets a note, if asked for', { permissions: ['notifications'] }, async (page) => {
  await page.evaluate(() => {
    const notes = /** @type {string[]} */ ([]);
    Object.assign(globalThis, { notes, Notification: class extends EventTarget {
      static permission = 'granted';
      static requestPermission() {
        return Promise.resolve('granted');
      }
      /** @param {string} title @param {{body: string}} options */
      constructor(title, { body }) {
        super();
        notes.push(`${title}: ${body}`);
      }
    } });
    Object.defineProperty(document, 'hidden', { get: () => true });
  });
  await add(page, file('large.png', large));
  await page.click('#notify-when-done');
  await page.waitForFunction(() => document.querySelector('link[rel="icon"]')?.getAttribute('href')?.startsWith('data:image/svg'));
  await page.waitForFunction(() => /^\(\d+%\)/.test(document.title));
  await reaches(page, 'large.png', 'done');
  await page.waitForFunction(() => Reflect.get(globalThis, 'notes').length === 1);
  assert.match((await page.evaluate(() => Reflect.get(globalThis, 'notes')))[0], /1 image converted/);
  await page.waitForFunction(() => document.querySelector('link[rel="icon"]')?.getAttribute('href')?.endsWith('favicon.svg'));
});

testPage('a reload takes up running and finished jobs where they are', {}, async (page) => {
  await add(page, file('small.png', small), file('large.png', large));
  await reaches(page, 'small.png', 'done');
  await page.waitForFunction(() => !['waiting', 'uploading', 'verifying'].includes(document.querySelector('.row[data-name="large.png"]')?.getAttribute('data-state') ?? ''));
  await page.reload();
  await page.waitForSelector('html[data-ready]');
  await allEnd(page, 2);
  assert.equal(await page.locator('.row[data-state="done"]').count(), 2);
});

/** Whether the browser has stored the bytes of a file. @param {Page} page @returns {Promise<boolean>} */
const isFileStored = (page) => page.evaluate(() => new Promise((resolve) => {
  const opening = indexedDB.open('webp-gateway');
  opening.onsuccess = () => {
    const count = opening.result.transaction('files').objectStore('files').count();
    count.onsuccess = () => {
      opening.result.close();
      resolve(count.result > 0);
    };
  };
}));

testPage('a reload in the middle of an upload sends the file again by itself', {}, async (page) => {
  let is_held = true;
  await page.route('**/api/jobs?*', (route) => is_held && route.request().method() === 'POST' ? undefined : route.continue());
  await add(page, file('held.png', small));
  while (!await isFileStored(page)) await page.waitForTimeout(50);
  is_held = false;
  page.on('dialog', (dialog) => dialog.accept());
  await page.reload();
  await page.waitForSelector('html[data-ready]');
  await reaches(page, 'held.png', 'done');
});

testPage('a busy gateway is tried again by itself after the time it asked for, with the same key', {}, async (page) => {
  const keys = /** @type {(string | undefined)[]} */ ([]);
  await page.route('**/api/jobs?*', async (route) => {
    if (route.request().method() !== 'POST') return route.continue();
    keys.push(route.request().headers()['idempotency-key']);
    if (keys.length > 2) return route.continue();
    return route.fulfill({ status: 503, headers: { 'Retry-After': '1' }, contentType: 'application/problem+json', body: JSON.stringify({ code: 'queue_full', status: 503 }) });
  });
  await add(page, file('patient.png', small));
  await reaches(page, 'patient.png', 'retrying');
  await says(page, 'patient.png', /The queue is full\. Trying again in \d+ s/);
  await reaches(page, 'patient.png', 'done');
  assert.equal(new Set(keys).size, 1);
});

testPage('without Socket.IO the page hears of its jobs as an event stream; without streams too it asks, and all still ends', {}, async (page) => {
  await page.route('**/socket.io/**', (route) => route.abort());
  await page.addInitScript(() => Object.assign(globalThis, { WebSocket: class {
    constructor() {
      throw new Error('This network has no WebSockets.');
    }
  } }));
  await page.reload();
  await page.waitForSelector('#connection[data-mode="streaming"]');
  const [stream] = await Promise.all([page.waitForResponse(/\/events$/), add(page, file('streamed.png', png(3000, 2000, 6)))]);
  assert.equal(stream.status(), 200);
  await reaches(page, 'streamed.png', 'done');

  await page.route('**/events', (route) => route.abort());
  await add(page, ...Array.from({ length: 4 }, (_, index) => file(`${index}.png`, png(400, 300, index + 1))));
  await allEnd(page, 5);
  await page.waitForSelector('#connection[data-mode="polling"]');
  await add(page, file('polled.png', small));
  await reaches(page, 'polled.png', 'done');
});

testPage('what is no image is refused in words', {}, async (page) => {
  await add(page, file('empty.png', Buffer.alloc(0)), file('notes.pdf', Buffer.from('%PDF-1.7'), 'application/pdf'), file('fake.png', Buffer.from('%PDF-1.7 and so on')));
  await allEnd(page, 3);
  await says(page, 'empty.png', /empty \(0 bytes\)/);
  await says(page, 'notes.pdf', /Accepted: /);
  await says(page, 'fake.png', /PDF|not an image/);
  assert.equal(await page.locator('.row [role="progressbar"]:visible').count(), 0);
});

testPage('an address that the gateway may not fetch is refused in words, and one that is none before it is sent', {}, async (page) => {
  await page.click('#open-url');
  await page.fill('#url-form input', 'ftp://example.org/a.png');
  await page.click('#url-form button');
  await page.locator('.toast').filter({ hasText: /starts with http/ }).waitFor();
  await page.fill('#url-form input', 'http://[/cat.png');
  await page.click('#url-form button');
  await page.waitForFunction(() => document.querySelectorAll('.toast').length === 2);
  await page.fill('#url-form input', 'http://127.0.0.1:9/100%25%.png');
  await page.click('#url-form button');
  await reaches(page, '100%25%.png', 'failed');
  await page.fill('#url-form input', 'http://127.0.0.1:9/cat.png');
  await page.click('#url-form button');
  await reaches(page, 'cat.png', 'failed');
  await says(page, 'cat.png', /public/);
});

testPage('settings are remembered, sent, and can be reset', {}, async (page) => {
  await page.click('.settings-summary');
  await page.check('input[value="lossless"]');
  assert.ok(await page.isHidden('#quality'));
  await page.fill('#width', '160');
  await page.waitForFunction(() => location.hash === '#lossless=true&width=160');
  await page.reload();
  await page.waitForSelector('html[data-ready]');
  const [request] = await Promise.all([page.waitForRequest(/\/api\/jobs\?/), add(page, file('a.png', small))]);
  const query = new URL(request.url()).searchParams;
  assert.deepEqual([query.get('lossless'), query.get('width'), query.get('quality'), query.get('filename')], ['true', '160', null, 'a.png']);
  await reaches(page, 'a.png', 'done');
  await says(page, 'a.png', /160 × 120/);
  await page.click('.settings-summary');
  await page.click('.settings-foot [type="reset"]');
  assert.ok(await page.isChecked('input[value="auto"]'));
});

testPage('settings claim nothing until the gateway has told its defaults and ranges, then show those', {}, async (page) => {
  const capabilities = await (await page.request.get(`${GATEWAY_URL}/api/capabilities`)).json();
  const { quality, method } = capabilities.options;
  Object.assign(quality, { default: 71 });
  Object.assign(method, { default: 2, anyOf: [{ ...method.anyOf[0], maximum: 3 }] });
  let answer = () => {};
  const is_asked = new Promise((resolve) => page.route('**/api/capabilities', (route) => {
    answer = () => route.fulfill({ json: capabilities });
    resolve(null);
  }));
  await page.reload();
  await is_asked;
  await page.click('.settings-summary');
  assert.equal(await page.locator('#settings-form').count(), 0);
  assert.equal(await page.innerText('#settings-now'), '');
  answer();
  await page.waitForSelector('html[data-ready]');
  await page.check('input[value="photo"]');
  assert.deepEqual([await page.inputValue('#quality'), await page.inputValue('#method'), await page.getAttribute('#method', 'max')], ['71', '2', '3']);
  assert.match(await page.innerText('#settings-now'), /71/);
  const [request] = await Promise.all([page.waitForRequest(/\/api\/jobs\?/), add(page, file('a.png', small))]);
  const query = new URL(request.url()).searchParams;
  assert.deepEqual([query.get('quality'), query.get('method')], ['71', '2']);
  await reaches(page, 'a.png', 'done');
});

testPage('the language is the browser’s, can be switched, and reaches every word', { locale: 'zh-CN' }, async (page) => {
  assert.equal(await page.getAttribute('html', 'lang'), 'zh-CN');
  await add(page, file('a.png', small), file('empty.png', Buffer.alloc(0)));
  await allEnd(page, 2);
  await page.click('.settings-summary');
  const latin = (await page.innerText('body')).match(/[A-Za-z]{3,}/g) ?? [];
  const expected = /^(WebP|API|HTML|English|JPEG|PNG|GIF|TIFF|BMP|AVIF|HEIC|ICO|JXL|SVG|Ctrl|empty|png)$/;
  assert.deepEqual(latin.filter((word) => !expected.test(word)), []);
  await page.check('input[name="language"][value="en"]');
  await page.waitForSelector('html[lang="en"]');
  await says(page, 'empty.png', /The file is empty/);
  await page.waitForFunction(() => !/\p{Script=Han}/u.test(document.body.innerText.replace('简体中文', '')));
});

testPage('a language that the gateway has besides is offered, and loaded when it is chosen', { viewport: { width: 320, height: 640 } }, async (page) => {
  const [catalog, html] = await Promise.all(['/static/texts/en/page.json', '/'].map(async (path) => (await page.request.get(GATEWAY_URL + path)).text()));
  await page.route('**/static/texts/de/page.json', (route) => route.fulfill({ contentType: 'application/json', body: catalog.replace('Choose images', 'Bilder wählen') }));
  await page.route(`${GATEWAY_URL}/`, (route) => route.fulfill({ contentType: 'text/html', body: html.replace('data-languages="en', 'data-languages="de en') }));
  await page.reload();
  await page.waitForSelector('html[data-ready]');
  assert.deepEqual(await page.locator('#language option').allInnerTexts(), ['Deutsch', 'English', '简体中文']);
  await page.selectOption('#language select', 'de');
  await page.waitForSelector('html[lang="de"]');
  assert.ok(await page.isVisible('text=Bilder wählen'));
  assert.equal(await page.evaluate(() => document.documentElement.scrollWidth), 320);
  await findNothingWithAxe(page);
});

testPage('news and alerts together are spoken at most every three seconds, and no failure is lost', {}, async (page) => {
  await page.evaluate(() => {
    const spoken = /** @type {[number, string][]} */ ([]);
    Object.assign(globalThis, { spoken });
    for (const id of ['announcements', 'alerts']) {
      const region = /** @type {Node} */ (document.getElementById(id));
      new MutationObserver(() => region.textContent && spoken.push([performance.now(), region.textContent])).observe(region, { childList: true });
    }
  });
  await add(page, ...Array.from({ length: 6 }, (_, index) => file(`${index}.png`, png(1200, 900, index + 1))));
  await add(page, file('first.png', Buffer.alloc(0)));
  await says(page, 'first.png', /empty/);
  await add(page, file('second.png', Buffer.alloc(0)));
  const heard = (/** @type {RegExp} */ pattern) => page.waitForFunction((each) => Reflect.get(globalThis, 'spoken').some((/** @type {[number, string]} */ [, text]) => each.test(text)), pattern);
  await heard(/6 images converted/);
  await heard(/first\.png: The file is empty/);
  await heard(/second\.png: The file is empty/);
  const spoken = /** @type {[number, string][]} */ (await page.evaluate(() => Reflect.get(globalThis, 'spoken')));
  spoken.forEach(([at], index) => assert.ok(index === 0 || at - spoken[index - 1][0] > GAP_MS - 100, JSON.stringify(spoken)));
});

testPage('at 320 pixels nothing is cut off or scrolls sideways', { viewport: { width: 320, height: 640 } }, async (page) => {
  const width = () => page.evaluate(() => document.documentElement.scrollWidth);
  assert.equal(await width(), 320);
  await add(page, file('a-very-long-name-of-a-picture-that-goes-on-and-on-and-on.png', small), file('empty.png', Buffer.alloc(0)));
  await allEnd(page, 2);
  await page.click('.settings-summary');
  assert.equal(await width(), 320);
});

for (const [locale, convert, download] of [['en-GB', 'Convert', /^Download plain\.webp$/], ['zh-CN', '转换', /^下载 plain\.webp$/]]) {
  test(`without scripts: upload, watch, download (${locale})`, { timeout: PATIENCE_MS }, async () => {
    const { context, page, violations } = await visit(browser, { javaScriptEnabled: false, locale: String(locale) });
    assert.equal(await page.locator('.needs-js:visible').count(), 0);
    await page.setInputFiles('form.plain input[type="file"]', [file('plain.png', png(5200, 3900, String(locale).charCodeAt(0))), file('plain2.png', small)]);
    await page.getByRole('button', { name: String(convert), exact: true }).click();
    await page.waitForURL(/\/plain\/batches\//);
    await page.locator('progress').first().waitFor();
    const link = page.getByRole('link', { name: /** @type {RegExp} */ (download) });
    await link.waitFor({ timeout: PATIENCE_MS });
    const [saved] = await Promise.all([page.waitForEvent('download'), link.click()]);
    assert.equal(readFileSync(await saved.path()).subarray(8, 12).toString(), 'WEBP');
    await page.goto(GATEWAY_URL);
    await page.setInputFiles('form.plain input[type="file"]', [file('fake.png', Buffer.from('%PDF-1.7 and so on'))]);
    await page.getByRole('button', { name: String(convert), exact: true }).click();
    await page.locator('[role="alert"]').filter({ hasText: 'PDF' }).waitFor();
    assert.deepEqual(violations, []);
    await context.close();
  });
}

/** @param {Page} page */
async function findNothingWithAxe(page) {
  await page.evaluate(AXE);
  const { violations } = await page.evaluate(() => Reflect.get(globalThis, 'axe').run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'] }));
  const told = violations.map((/** @type {any} */ each) => `${each.id}: ${each.nodes.map((/** @type {any} */ node) => `${node.target} ${node.failureSummary}`).join('; ')}`);
  assert.deepEqual(told, []);
}

testPage('the operator’s page shows the gateway at work, live', { path: '/status' }, async (page) => {
  await page.waitForSelector('html[data-figures]');
  await page.waitForSelector('#connection[data-mode="live"]');
  await page.waitForFunction(() => /^[1-9]/.test(document.querySelector('#clients .tile-now')?.textContent ?? ''));
  assert.match(await page.innerText('#encoders .tile-note'), /of \d+ encoders?/);
  const before = Number((await page.innerText('[data-job="succeeded"] td')).replaceAll(',', ''));
  const sent = await page.request.post(`${GATEWAY_URL}/api/jobs?quality=31`, { data: png(300, 200, 77) });
  assert.equal(sent.status(), 202);
  await page.waitForFunction((count) => Number((document.querySelector('[data-job="succeeded"] td')?.textContent ?? '').replaceAll(',', '')) > count, before);
  await page.locator('#queue svg[role="img"][aria-label*="last 30 minutes"]').waitFor();
});

for (const colorScheme of /** @type {const} */ (['light', 'dark'])) {
  for (const locale of ['en-GB', 'zh-CN']) {
    testPage(`axe finds nothing: status, ${colorScheme}, ${locale}`, { path: '/status', colorScheme, locale, reducedMotion: 'reduce' }, async (page) => {
      await page.waitForSelector('html[data-figures]');
      assert.equal(await page.getAttribute('html', 'lang'), locale.slice(0, 2) === 'zh' ? 'zh-CN' : 'en');
      await findNothingWithAxe(page);
    });
  }
}

const STATES = /** @type {[string, (page: Page) => Promise<unknown>][]} */ ([
  ['empty', async () => {}],
  ['settings open', (page) => page.click('.settings-summary')],
  ['running', async (page) => {
    await add(page, file('large.png', large));
    await page.waitForSelector('.row:is([data-state="uploading"], [data-state="queued"], [data-state="decoding"], [data-state="encoding"])');
  }],
  ['done', async (page) => {
    await add(page, file('a.png', small), file('b.png', small));
    await allEnd(page, 2);
  }],
  ['failed', async (page) => {
    await add(page, file('empty.png', Buffer.alloc(0)), file('fake.png', Buffer.from('%PDF-1.7 and so on')));
    await allEnd(page, 2);
  }],
  ['cancelled', async (page) => {
    await add(page, file('large.png', large));
    await page.click('[data-control="cancel"]');
    await reaches(page, 'large.png', 'cancelled');
  }],
  ['removed, with Undo', async (page) => {
    await add(page, file('a.png', small));
    await allEnd(page, 1);
    await choose(page, 'a.png', 'remove');
    await page.waitForTimeout(300);
  }],
  ['compare', async (page) => {
    await add(page, file('a.png', small));
    await allEnd(page, 1);
    await page.click('[data-control="compare"]');
    await page.waitForSelector('dialog[open]');
  }],
  ['paused', async (page) => {
    await page.route('**/api/jobs?*', () => {});
    await add(page, file('a.png', small));
    await page.click('[data-control="pause"]');
    await reaches(page, 'a.png', 'paused');
  }],
  ['settings of one', async (page) => {
    await add(page, file('a.png', small));
    await allEnd(page, 1);
    await choose(page, 'a.png', 'again');
    await page.waitForSelector('dialog[open]');
  }],
  ['menu', async (page) => {
    await add(page, file('a.png', small));
    await allEnd(page, 1);
    await page.click('[data-control="menu"]');
    await page.waitForSelector('[role="menu"]');
  }],
  ['another name', async (page) => {
    await add(page, file('a.png', small));
    await allEnd(page, 1);
    await choose(page, 'a.png', 'rename');
    await page.waitForSelector('dialog[open]');
  }],
  ['what failed', async (page) => {
    await add(page, file('a.png', small), file('empty.png', Buffer.alloc(0)));
    await allEnd(page, 2);
    await page.click('#filter-failed');
    await page.waitForSelector('#show-all');
  }],
  ['confirmation', async (page) => {
    await page.route('**/api/jobs?*', () => {});
    await add(page, ...Array.from({ length: 5 }, (_, index) => file(`${index}.png`, small)));
    await page.click('#cancel-all');
    await page.waitForSelector('dialog[open]');
  }],
]);

for (const [state, reach] of STATES) {
  for (const colorScheme of /** @type {const} */ (['light', 'dark'])) {
    for (const locale of ['en-GB', 'zh-CN']) {
      testPage(`axe finds nothing: ${state}, ${colorScheme}, ${locale}`, { colorScheme, locale, reducedMotion: 'reduce' }, async (page) => {
        await reach(page);
        await findNothingWithAxe(page);
      });
    }
  }
}

testPage('the page is the gateway’s own', {}, async (page) => {
  assert.equal(new URL(page.url()).origin, new URL(GATEWAY_URL).origin);
  assert.match(await page.innerText('#version'), /\d/);
});

const HOSTILE = ['<img src=x onerror="window.hacked=1">', '"><svg onload="window.hacked=1">', "' autofocus onfocus='window.hacked=1", '</li></ul><script>window.hacked=1<&script>'];

testPage('names made to hurt are shown as they are, and add no element to the page', {}, async (page) => {
  await add(page, file('a.png', small));
  await allEnd(page, 1);
  const outline = () => page.evaluate(() => [...document.querySelectorAll('.row')].map((row) => [...row.querySelectorAll('*')].map((each) => each.localName).join()));
  const [harmless] = await outline();
  await add(page, ...HOSTILE.map((name) => file(`${name}.png`, small)), file(`${HOSTILE[0]}.svg`, Buffer.from('<svg xmlns="http://www.w3.org/2000/svg"/>'), 'image/svg+xml'));
  await allEnd(page, 2 + HOSTILE.length);
  for (const name of HOSTILE) assert.ok((await page.locator('.row').allTextContents()).some((text) => text.includes(name)), name);
  for (const row of (await outline()).slice(0, -1)) assert.equal(row, harmless);
  assert.equal(await page.evaluate(() => Reflect.get(globalThis, 'hacked')), undefined);
  assert.equal(await page.locator('[onerror], [onload], [onfocus], .row script').count(), 0);
});
