// @ts-check
/**
 * Several sizes and formats for a web page, in real Chromium against a running gateway (`GATEWAY_URL`): asked for, seen as they come, saved, and
 * judged by a page that is made of them.
 */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { GATEWAY_URL, launch, visit } from './support/browser.mjs';
import { file, gif, png } from './support/images.mjs';
import { paintScenes } from './support/scenes.mjs';

/** @typedef {import('playwright-core').Page} Page */

const PATIENCE_MS = 60_000;
const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const SITE = 'http://site.example/';
const MEDIA_TYPES = /** @type {Record<string, string>} */ ({ avif: 'image/avif', webp: 'image/webp', jpg: 'image/jpeg', png: 'image/png' });

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
    const { context, page, violations } = await visit(browser, { permissions: ['clipboard-read', 'clipboard-write'], ...options });
    page.setDefaultTimeout(PATIENCE_MS);
    try {
      await act(page);
      assert.deepEqual(violations, []);
    } finally {
      await context.close();
    }
  });
}

/** @param {Page} page */
async function open(page) {
  await page.click('.settings-summary');
  await page.waitForSelector('#settings-form');
}

/** @param {Page} page @param {string} name */
const row = (page, name) => page.locator(`.row[data-name="${name}"]`);

/** @param {Page} page @param {...ReturnType<typeof file>} files */
async function convert(page, ...files) {
  const [request] = await Promise.all([page.waitForRequest(/\/api\/jobs\?/), page.setInputFiles('#file-input', files)]);
  for (const { name } of files) await row(page, name).and(page.locator('[data-state="done"]')).waitFor();
  await page.waitForSelector('.row-variants');
  return new URL(request.url()).searchParams;
}

/** @param {Page} page @param {import('playwright-core').Locator} link @returns {Promise<{name: string, path: string}>} */
async function save(page, link) {
  const [download] = await Promise.all([page.waitForEvent('download'), link.click()]);
  return { name: download.suggestedFilename(), path: await download.path() };
}

/** What stands in a ZIP, by name; Python reads it. @param {string} path @returns {Map<string, Buffer>} */
function unpacked(path) {
  const folder = mkdtempSync(join(tmpdir(), 'page-zip-'));
  execFileSync('python3', ['-m', 'zipfile', '-e', path, folder]);
  const files = new Map(readdirSync(folder).map((name) => [name, readFileSync(join(folder, name))]));
  rmSync(folder, { recursive: true });
  return files;
}

/** Names of the files that the row offers. @param {Page} page @param {string} name */
const offered = (page, name) => row(page, name).locator('a.variant').evaluateAll((all) => all.map((each) => each.getAttribute('download')));

/**
 * What a browser loads of a page that has the HTML and the files beside it, and how large it stands there.
 * @param {string} html
 * @param {Map<string, Buffer>} files
 * @param {{width: number, density?: number, without?: string[]}} reader `without`: media types that it cannot show
 */
async function loaded(html, files, { width, density = 1, without = [] }) {
  const context = await browser.newContext({ viewport: { width, height: 700 }, deviceScaleFactor: density });
  const page = await context.newPage();
  await page.route(`${SITE}**`, (route) => {
    const name = decodeURIComponent(new URL(route.request().url()).pathname.slice(1));
    const body = files.get(name);
    if (name === '') return route.fulfill({ contentType: 'text/html', body: `<!doctype html><meta charset="utf-8"><style>body { margin: 0 } img { max-width: 100%; height: auto }</style>${shown}` });
    return body ? route.fulfill({ contentType: MEDIA_TYPES[name.split('.').pop() ?? ''], body }) : route.fulfill({ status: 404 });
  });
  const shown = without.reduce((text, type) => text.replaceAll(`type="${type}"`, 'type="image/unknown"'), html);
  await page.goto(SITE);
  const image = page.locator('img');
  await image.scrollIntoViewIfNeeded();
  await page.waitForFunction(() => { const one = document.querySelector('img'); return one?.complete && one.naturalWidth > 0; }, null, { timeout: PATIENCE_MS });
  const told = await image.evaluate((each) => each instanceof HTMLImageElement ? { file: decodeURIComponent(new URL(each.currentSrc).pathname.slice(1)), width: each.getBoundingClientRect().width, alt: each.alt } : null);
  await context.close();
  return told;
}

testPage('the whole way: chosen, made, seen one by one, saved as one ZIP, and a page of them loads what suits its reader', {}, async (page) => {
  await open(page);
  assert.equal(await page.isVisible('#widths'), false);
  await page.check('[name="format"][value="web"]');
  assert.deepEqual([await page.inputValue('#widths'), await page.isVisible('#width')], ['640, 1280, 1920', false]);
  await page.locator('.format-note').filter({ hasText: 'Each image becomes 9 files.' }).waitFor();
  for (const width of ['320', '1280', '1920']) await page.click(`.chip[data-toggles="widths"][value="${width}"]`);
  assert.equal(await page.inputValue('#widths'), '320, 640');
  await page.fill('#widths', '200，320、640 99999');
  await page.locator('#widths-problem').filter({ hasText: 'at most 12 whole numbers from 1 to 16383' }).waitFor();
  await page.fill('#widths', '640，200、320');
  await page.waitForFunction(() => location.hash === '#formats=avif,webp,jpeg&widths=200,320,640&quality=auto');
  assert.equal(await page.innerText('#settings-now'), 'For a web page: AVIF, WebP, JPEG, Automatic');
  const query = await convert(page, file('my cat, 1.png', png(900, 600, 3)));
  assert.deepEqual([query.get('widths'), query.get('formats'), query.get('width'), query.get('format')], ['200,320,640', 'avif,webp,jpeg', null, null]);

  const names = ['avif', 'webp', 'jpg'].flatMap((extension) => [200, 320, 640].map((width) => `my cat, 1-${width}w.${extension}`));
  assert.deepEqual(await offered(page, 'my cat, 1.png'), names);
  const one = await save(page, row(page, 'my cat, 1.png').locator(`a.variant[download="${names[4]}"]`));
  const zip = await save(page, row(page, 'my cat, 1.png').locator('[data-control="download"]'));
  const files = unpacked(zip.path);
  assert.deepEqual([one.name, zip.name, [...files.keys()].sort()], [names[4], 'my cat, 1.zip', [...names].sort()]);
  assert.deepEqual(readFileSync(one.path), files.get(names[4]));

  await page.getByRole('button', { name: 'Copy HTML (<picture>)' }).click();
  await page.locator('.toast').filter({ hasText: 'HTML copied. Put the files that it names beside your page.' }).waitFor();
  const html = await page.evaluate(() => navigator.clipboard.readText());
  await page.click('.variants-html > summary');
  assert.equal(await page.innerText('.variants-html code'), html);
  const seen = (/** @type {{width: number, density?: number, without?: string[]}} */ reader) => loaded(html, files, reader);
  assert.deepEqual(await seen({ width: 1000 }), { file: 'my cat, 1-640w.avif', width: 640, alt: 'my cat, 1' });
  assert.deepEqual(await seen({ width: 190 }), { file: 'my cat, 1-200w.avif', width: 190, alt: 'my cat, 1' });
  assert.equal((await seen({ width: 150, density: 2 }))?.file, 'my cat, 1-320w.avif');
  assert.equal((await seen({ width: 300, without: ['image/avif'] }))?.file, 'my cat, 1-320w.webp');
  assert.equal((await seen({ width: 300, without: ['image/avif', 'image/webp'] }))?.file, 'my cat, 1-320w.jpg');
});

testPage('each file can be saved as soon as it is ready, and what was ready stays after a cancel', { path: '/#formats=avif,webp,jpeg&widths=160,320,1280,2560&quality=auto' }, async (page) => {
  const [photo] = await paintScenes(browser);
  await page.setInputFiles('#file-input', [{ ...photo, name: 'slow.jpg' }]);
  const slow = row(page, 'slow.jpg');
  await slow.locator('.variant').nth(11).waitFor();
  const height = await slow.evaluate((element) => element.getBoundingClientRect().height);
  await slow.locator('a.variant').first().waitFor();
  assert.match(await slow.getAttribute('data-state') ?? '', /encoding|transforming/);
  assert.match(await slow.locator('[role="progressbar"]').getAttribute('aria-valuetext') ?? '', /of 12 files ready/);
  const first = await save(page, slow.locator('a.variant').first());
  assert.match(first.name, /^slow-\d+w\.(avif|webp|jpg)$/);
  assert.ok(readFileSync(first.path).length > 100);
  assert.equal(await slow.evaluate((element) => element.getBoundingClientRect().height), height, 'nothing moves when one is ready');
  await slow.locator('[data-control="cancel"]').click();
  await slow.and(page.locator('[data-state="cancelled"]')).waitFor();
  const left = await offered(page, 'slow.jpg');
  assert.ok(left.length > 0 && left.length < 12, left.join());
  assert.equal(await slow.locator('.variant.is-pending').count(), 0);
  assert.equal(await slow.getByRole('button', { name: 'Copy HTML (<picture>)' }).isVisible(), false, 'a page of half of them would be none');
  const zip = await save(page, slow.locator('[data-control="download"]'));
  assert.deepEqual([...unpacked(zip.path).keys()].sort(), [...left].sort());
});

testPage('widths beyond the image stand once; a reload brings all back; a new name is that of the files too', { path: '/#formats=webp,png&widths=100,400,800&quality=80' }, async (page) => {
  await convert(page, file('small.png', png(300, 200, 4)));
  const names = ['small-100w.webp', 'small-300w.webp', 'small-100w.png', 'small-300w.png'];
  assert.deepEqual(await offered(page, 'small.png'), names);
  assert.match(await row(page, 'small.png').innerText(), /→ 4 files,/);
  await page.reload();
  await row(page, 'small.png').locator('a.variant').nth(3).waitFor();
  assert.deepEqual(await offered(page, 'small.png'), names);
  await row(page, 'small.png').locator('[data-control="menu"]').click();
  await page.click('[role="menu"] [data-action="rename"]');
  await page.locator('dialog input').fill('big cat');
  await page.getByRole('button', { name: 'Rename', exact: true }).click();
  const renamed = names.map((name) => name.replace('small', 'big cat'));
  await row(page, 'big cat.png').waitFor();
  await page.waitForFunction(() => document.querySelector('a.variant')?.getAttribute('download')?.startsWith('big cat'));
  assert.deepEqual(await offered(page, 'big cat.png'), renamed);
  const zip = await save(page, row(page, 'big cat.png').locator('[data-control="download"]'));
  assert.deepEqual([zip.name, [...unpacked(zip.path).keys()].sort()], ['big cat.zip', [...renamed].sort()]);
  assert.match(await row(page, 'big cat.png').locator('code').textContent() ?? '', /src="big%20cat-300w\.png"/);
  assert.equal((await save(page, row(page, 'big cat.png').locator('a.variant').first())).name, renamed[0]);
});

testPage('an image of several files becomes one of one file, and back, from the stored source; all together are one ZIP', { path: '/#formats=avif,jpeg&widths=64&quality=80' }, async (page) => {
  await convert(page, file('a.png', png(320, 240, 6)), file('b.png', png(320, 240, 7)));
  const again = async (/** @type {string} */ format) => {
    await row(page, 'a.png').locator('[data-control="menu"]').click();
    await page.click('[role="menu"] [data-action="again"]');
    await page.locator(`dialog [name="format"][value="${format}"]`).check();
    const [request] = await Promise.all([page.waitForRequest(/\/retry\?/), page.locator('dialog [type="submit"]').click()]);
    await row(page, 'a.png').and(page.locator('[data-state="done"]')).waitFor();
    return new URL(request.url()).searchParams;
  };
  const single = await again('webp');
  assert.deepEqual([single.get('widths'), single.get('formats')], ['', '']);
  await row(page, 'a.png').locator('.row-variants').waitFor({ state: 'hidden' });
  assert.equal((await save(page, row(page, 'a.png').locator('[data-control="download"]'))).name, 'a.webp');
  const all = await save(page, page.locator('#save-all'));
  assert.deepEqual([...unpacked(all.path).keys()].sort(), ['a.webp', 'b-64w.avif', 'b-64w.jpg']);
  assert.equal((await again('web')).get('formats'), 'avif,webp,jpeg');
  assert.equal((await offered(page, 'a.png')).length, 3, '640 and more are beyond its width');
});

testPage('a long list of images with several files is as high unseen as seen', { path: '/#formats=webp,jpeg&widths=20,40&quality=50' }, async (page) => {
  const files = Array.from({ length: 14 }, (_, index) => file(`${index}.png`, png(64, 48, 30 + index)));
  await convert(page, ...files);
  await page.locator('.row-variants').nth(13).waitFor({ state: 'attached' });
  const height = () => page.evaluate(() => document.documentElement.scrollHeight);
  const unseen = await height();
  for (let at = 0; at < unseen; at += 400) await page.mouse.wheel(0, 400);
  await page.waitForFunction(() => scrollY > 0 && scrollY + innerHeight >= document.documentElement.scrollHeight - 2);
  assert.equal(await height(), unseen);
});

for (const [locale, width] of /** @type {const} */ ([['en-GB', 1180], ['zh-CN', 600], ['en-GB', 390], ['zh-CN', 320]])) {
  testPage(`a row of several files is as high in each state (${locale}, ${width})`, { locale, viewport: { width, height: 860 }, path: '/#formats=webp,jpeg&widths=320,640,1280&quality=auto' }, async (page) => {
    await page.evaluate(() => {
      const heights = Object.assign(globalThis, { heights: new Map() }).heights;
      const look = () => {
        const seen = document.querySelector('.row:has(.variant)');
        if (seen instanceof HTMLElement) heights.set(seen.getBoundingClientRect().height, seen.dataset.state);
        requestAnimationFrame(look);
      };
      look();
    });
    await convert(page, file('a.png', png(840, 560, width)));
    assert.deepEqual(await page.evaluate(() => [...Reflect.get(globalThis, 'heights').values()].length), 1);
  });
}

testPage('each file is compared with its original, and is saved under its own name', { path: '/#formats=webp,jpeg&widths=160,320&quality=60' }, async (page) => {
  await convert(page, file('a.png', png(640, 480, 8)));
  await page.locator('[data-control="compare"]').click();
  await page.waitForSelector('.compare-stage.is-shown');
  assert.deepEqual(await page.locator('#compare-file option').allInnerTexts(), ['a-160w.webp', 'a-320w.webp', 'a-160w.jpg', 'a-320w.jpg']);
  assert.deepEqual([await page.inputValue('#compare-file'), await page.isVisible('#compare-quality'), await page.getByRole('button', { name: 'In use' }).isVisible()], ['a-320w.webp', false, false]);
  await page.selectOption('#compare-file', 'a-160w.jpg');
  await page.locator('.compare-facts').filter({ hasText: 'JPEG, 160 × 120' }).waitFor();
  await page.waitForSelector('.compare-stage.is-shown');
  assert.equal((await save(page, page.locator('.compare-actions').getByRole('button', { name: 'Download' }))).name, 'a-160w.jpg');
});

testPage('an animation moves in the formats that can, at every width', { path: '/#formats=avif,webp,png&widths=40,80&quality=70' }, async (page) => {
  await convert(page, file('moving.gif', gif(120, 90, 4), 'image/gif'));
  const files = unpacked((await save(page, row(page, 'moving.gif').locator('[data-control="download"]'))).path);
  assert.equal(files.size, 6);
  const frames = await page.evaluate(async (all) => Promise.all(all.map(async ([type, base64]) => {
    const decoder = new (Reflect.get(globalThis, 'ImageDecoder'))({ type, data: Uint8Array.from(atob(base64), (character) => character.charCodeAt(0)) });
    await decoder.tracks.ready;
    await decoder.completed;
    return `${type} ${decoder.tracks.selectedTrack?.frameCount}`;
  })), [...files].sort().map(([name, bytes]) => [MEDIA_TYPES[name.split('.').pop() ?? ''], bytes.toString('base64')]));
  assert.deepEqual(frames, ['image/avif 4', 'image/png 1', 'image/webp 4', 'image/avif 4', 'image/png 1', 'image/webp 4']);
});

test('without formats of its own a gateway is not asked for several results', { timeout: 2 * PATIENCE_MS }, async () => {
  const context = await browser.newContext({ locale: 'en-GB' });
  const page = await context.newPage();
  await page.route('**/api/capabilities', async (route) => {
    const { options, ...others } = await (await route.fetch()).json();
    const { widths: _, formats: __, ...known } = options;
    await route.fulfill({ json: { ...others, options: known } });
  });
  await page.goto(`${GATEWAY_URL}/#widths=320,640&formats=avif,webp`);
  await page.locator('.toast').filter({ hasText: 'widths, formats' }).or(page.locator('.toast').filter({ hasText: 'formats, widths' })).waitFor({ timeout: PATIENCE_MS });
  await open(page);
  assert.deepEqual([await page.locator('[name="format"][value="web"]').count(), await page.locator('#widths').count()], [0, 0]);
  await context.close();
});

test('by the keyboard alone: the card, the widths, the formats, a file and the HTML', { timeout: 3 * PATIENCE_MS }, async () => {
  const { context, page } = await visit(browser, { permissions: ['clipboard-read', 'clipboard-write'] });
  page.setDefaultTimeout(PATIENCE_MS);
  await page.focus('.settings-summary');
  await page.keyboard.press('Enter');
  await page.waitForSelector('#settings-form');
  await page.focus('[name="format"]:checked');
  await page.keyboard.press('ArrowUp');
  assert.equal(await page.isChecked('[name="format"][value="web"]'), true, 'the last of the formats');
  const untilFocus = async (/** @type {string} */ selector) => {
    for (let presses = 0; presses < 60 && !await page.evaluate((wanted) => document.activeElement?.matches(wanted), selector); presses += 1) await page.keyboard.press('Tab');
    assert.ok(await page.evaluate((wanted) => document.activeElement?.matches(wanted), selector), `Tab leads to ${selector}`);
  };
  await untilFocus('.chip[value="320"]');
  await page.keyboard.press('Space');
  await untilFocus('#widths');
  assert.equal(await page.inputValue('#widths'), '320, 640, 1280, 1920');
  await page.keyboard.press('Control+A');
  await page.keyboard.type('50,100');
  await untilFocus('[name="formats"][value="avif"]');
  await page.keyboard.press('Space');
  await untilFocus('[name="formats"][value="jpeg"]');
  await page.keyboard.press('Space');
  await untilFocus('[name="formats"][value="webp"]').catch(() => page.focus('[name="formats"][value="webp"]'));
  await page.keyboard.press('Space');
  assert.equal(await page.isChecked('[name="formats"][value="webp"]'), true, 'the last that is ticked stays');
  await convert(page, file('a.png', png(200, 100, 9)));
  await page.locator('.row [data-control="menu"]').focus();
  await page.keyboard.press('Tab');
  assert.match(await page.evaluate(() => document.activeElement?.textContent) ?? '', /^50 px \d+ B Download a-50w\.webp$/);
  await untilFocus('[data-control="copy-picture"]');
  await page.keyboard.press('Enter');
  await page.locator('.toast').filter({ hasText: 'HTML copied.' }).waitFor();
  assert.match(await page.evaluate(() => navigator.clipboard.readText()), /^<picture>\n {2}<img src="a-100w\.webp" srcset="a-50w\.webp 50w, a-100w\.webp 100w"/);
  await context.close();
});

for (const locale of ['en-GB', 'zh-CN']) {
  for (const colorScheme of /** @type {const} */ (['light', 'dark'])) {
    testPage(`at 320 pixels nothing is cut off, and axe finds nothing: ${locale}, ${colorScheme}`, {
      viewport: { width: 320, height: 640 }, locale, colorScheme, isMobile: true, hasTouch: true, reducedMotion: 'reduce', path: '/#formats=avif,webp,jpeg,png&widths=50,100,150,200,250&quality=80',
    }, async (page) => {
      await convert(page, file('a photo with a rather long name.png', png(300, 200, 5)));
      await open(page);
      await page.click('.settings-more > summary');
      await page.click('.variants-html > summary');
      assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), 'the page does not scroll sideways');
      const cut = await page.evaluate(() => [...document.querySelectorAll('.row-variants :is(a, button, small, summary), .settings-form :is(label, input, select, small, button, legend)')]
        .filter((each) => each.checkVisibility() && (each.getBoundingClientRect().right > innerWidth + 0.5 || each.getBoundingClientRect().left < -0.5)).map((each) => each.outerHTML.slice(0, 90)));
      assert.deepEqual(cut, []);
      await page.evaluate(AXE);
      const { violations } = await page.evaluate(() => Reflect.get(globalThis, 'axe').run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'] }));
      assert.deepEqual(violations.map((/** @type {any} */ each) => `${each.id}: ${each.nodes.map((/** @type {any} */ node) => node.target).join(' ')}`), []);
    });
  }
}

test('without scripts too: a second form asks for widths and formats', { timeout: 2 * PATIENCE_MS }, async () => {
  const { context, page, violations } = await visit(browser, { javaScriptEnabled: false });
  const form = page.locator('form.plain').filter({ hasText: 'Several sizes and formats for a web page' });
  await form.locator('[type="file"]').setInputFiles([file('plain.png', png(200, 100, 10))]);
  await form.locator('[name="widths"]').fill('40,80');
  await form.locator('[name="formats"]').fill('webp,jpeg');
  await form.locator('[type="submit"]').click();
  for (const name of ['plain-40w.webp', 'plain-80w.webp', 'plain-40w.jpg', 'plain-80w.jpg']) {
    const link = page.getByRole('link', { name: `Download ${name}` });
    await link.waitFor({ timeout: PATIENCE_MS });
    assert.equal((await save(page, link)).name, name);
  }
  assert.deepEqual(violations, []);
  await context.close();
});
