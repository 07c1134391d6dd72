// @ts-check
/** The output formats in real Chromium against a running gateway (`GATEWAY_URL`): chosen, sent, shown, named, compared and saved. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { GATEWAY_URL, launch, visit } from './support/browser.mjs';
import { file, png } from './support/images.mjs';
import { paint } from './support/pictures.mjs';

/** @typedef {import('playwright-core').Page} Page */

const PATIENCE_MS = 60_000;

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
  test(name, { timeout: 2 * PATIENCE_MS }, async () => {
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

/** @param {Page} page */
async function open(page) {
  await page.click('.settings-summary');
  await page.waitForSelector('#settings-form');
}

/** @param {Page} page @param {...ReturnType<typeof file>} files @returns {Promise<URLSearchParams>} what the last was sent with */
async function convert(page, ...files) {
  const count = await page.locator('.row[data-state="done"]').count();
  const [request] = await Promise.all([page.waitForRequest(/\/api\/jobs\?/), page.setInputFiles('#file-input', files)]);
  await page.waitForFunction((n) => document.querySelectorAll('.row[data-state="done"]').length === n, count + files.length);
  return new URL(request.url()).searchParams;
}

/** @param {Page} page @param {import('playwright-core').Locator} button @returns {Promise<{name: string, bytes: Buffer}>} */
async function save(page, button) {
  const [download] = await Promise.all([page.waitForEvent('download'), button.click()]);
  return { name: download.suggestedFilename(), bytes: readFileSync(await download.path()) };
}

/** @param {Page} page @param {string} name of the image */
const row = (page, name) => page.locator(`.row[data-name="${name}"]`);
/** @param {Page} page @param {string} name of the image */
const saveRow = (page, name) => save(page, row(page, name).locator('[data-control="download"]'));
/** Labels of the choices that are seen. @param {Page} page @param {string} selector */
const shown = (page, selector) => page.locator(selector).filter({ visible: true }).allInnerTexts();

/** By the first bytes, as its specification has them. @param {Buffer} bytes */
function formatOf(bytes) {
  const text = bytes.subarray(0, 12).toString('latin1');
  if (text.startsWith('\xff\xd8\xff')) return 'jpeg';
  if (text.startsWith('\x89PNG')) return 'png';
  return text.slice(4) === 'ftypavif' ? 'avif' : text.slice(8) === 'WEBP' ? 'webp' : text;
}

/** Runs in the page: width and height of a picture, as its decoder has it. @param {string} base64 */
async function sizeOf(base64) {
  const { width, height } = await createImageBitmap(new Blob([Uint8Array.from(atob(base64), (character) => character.charCodeAt(0))]));
  return [width, height];
}

/** Runs in the page: the colour of a corner, as its decoder has it. @param {string} base64 */
async function cornerOf(base64) {
  const bitmap = await createImageBitmap(new Blob([Uint8Array.from(atob(base64), (character) => character.charCodeAt(0))]));
  const context = /** @type {OffscreenCanvasRenderingContext2D} */ (new OffscreenCanvas(1, 1).getContext('2d'));
  context.drawImage(bitmap, 0, 0);
  return [...context.getImageData(0, 0, 1, 1).data];
}

testPage('AVIF is chosen first of all: the form, the address, the query, the row and the file are of that format', {}, async (page) => {
  await open(page);
  assert.deepEqual(await shown(page, '[name="format"] + .preset-name'), ['WebP', 'AVIF', 'JPEG', 'PNG', 'For a web page']);
  assert.deepEqual(await shown(page, '[name="preset"] + .preset-name'), ['Automatic', 'Photo', 'Graphic', 'Lossless']);
  await page.check('[name="format"][value="avif"]');
  await page.waitForFunction(() => location.hash === '#format=avif&quality=auto');
  assert.deepEqual(await shown(page, '[name="preset"] + .preset-name'), ['Automatic', 'Photo', 'Graphic']);
  assert.equal(await page.innerText('#settings-now'), 'AVIF, Automatic');
  await page.click('.settings-more > summary');
  assert.deepEqual([await page.isVisible('#speed'), await page.isVisible('#method'), await page.isVisible('#near_lossless')], [true, false, false]);
  await page.locator('#speed').fill('9');
  const query = await convert(page, file('a b.png', png(320, 240, 5)));
  assert.deepEqual([query.get('format'), query.get('quality'), query.get('speed'), query.get('method'), query.get('lossless')], ['avif', 'auto', '9', null, null]);
  const { name, bytes } = await saveRow(page, 'a b.png');
  assert.deepEqual([name, formatOf(bytes)], ['a b.avif', 'avif']);
  await page.waitForSelector('.estimate[data-state="exact"]');
  await page.check('[name="preset"][value="photo"]');
  await page.locator('.estimate[data-state="other_format"]').filter({ hasText: 'No estimate for AVIF.' }).waitFor();
  await page.reload();
  await page.waitForSelector('html[data-ready]');
  assert.equal(await page.innerText('#settings-now'), 'AVIF, Photo, quality 80');
});

testPage('a transparent picture becomes a JPEG on white, which the form says before', { path: '/#format=jpeg&quality=90' }, async (page) => {
  await open(page);
  await page.locator('.format-note').filter({ hasText: 'Transparent parts become white. Of an animation the first picture is kept. To keep every pixel, choose PNG or WebP.' }).waitFor();
  await page.fill('#width', '65501');
  await page.locator('#width-problem').filter({ hasText: 'from 1 to 65500' }).waitFor();
  await page.fill('#width', '');
  const query = await convert(page, await paint(browser, 'cut-out.png'));
  assert.deepEqual([query.get('format'), query.get('quality'), query.get('method'), query.get('speed')], ['jpeg', '90', null, null]);
  const { name, bytes } = await saveRow(page, 'cut-out.png');
  assert.deepEqual([name, formatOf(bytes)], ['cut-out.jpg', 'jpeg']);
  const corner = await page.evaluate(cornerOf, bytes.toString('base64'));
  assert.ok(corner.every((value) => value >= 253), `the corner was transparent, and is white: ${corner}`);
});

testPage('a result is made again in another format from the stored source, and what is packed has each its own name', {}, async (page) => {
  await convert(page, file('a.png', png(320, 240, 6)), file('b.png', png(320, 240, 7)));
  const dialog = page.locator('dialog');
  for (const [format, fields, name, wanted] of /** @type {const} */ ([['png', ['width'], 'a.png', 'png'], ['avif', ['quality', 'width'], 'a.avif', 'avif'], ['webp', ['quality', 'width'], 'a.webp', 'webp'], ['png', ['width'], 'a.png', 'png']])) {
    await row(page, 'a.png').locator('[data-control="menu"]').click();
    await page.click('[role="menu"] [data-action="again"]');
    await dialog.locator(`[name="format"][value="${format}"]`).check();
    if (format !== 'png') await dialog.locator('[name="preset"][value="photo"]').check();
    const visible = await dialog.locator('.settings-main .field').filter({ visible: true }).evaluateAll((all) => all.map((each) => each.getAttribute('data-field')));
    assert.deepEqual(visible, fields);
    const [request] = await Promise.all([page.waitForRequest(/\/retry\?/), dialog.locator('[type="submit"]').click()]);
    assert.ok(!request.postData(), 'nothing is uploaded again');
    await page.waitForFunction(() => document.querySelectorAll('.row[data-state="done"]').length === 2);
    const saved = await saveRow(page, 'a.png');
    assert.deepEqual([saved.name, formatOf(saved.bytes)], [name, wanted]);
  }
  const zip = await save(page, page.locator('#save-all'));
  assert.equal(zip.name, 'images.zip');
  assert.ok(zip.bytes.includes('a.png') && zip.bytes.includes('b.webp'));
});

testPage('a larger PNG of a JPEG is what was asked for: it is handed out, and said to be larger', { path: '/#format=png' }, async (page) => {
  const painted = await page.evaluate(async () => {
    const canvas = new OffscreenCanvas(300, 200);
    const context = /** @type {OffscreenCanvasRenderingContext2D} */ (canvas.getContext('2d'));
    for (let at = 0; at < 300; at += 1) for (let y = 0; y < 200; y += 4) (context.fillStyle = `hsl(${at * 7 + y * y} 60% 50%)`, context.fillRect(at, y, 1, 4));
    const blob = await canvas.convertToBlob({ type: 'image/jpeg', quality: 0.3 });
    return [...new Uint8Array(await blob.arrayBuffer())];
  });
  await convert(page, file('photo.jpg', Buffer.from(painted), 'image/jpeg'));
  await row(page, 'photo.jpg').filter({ hasText: 'larger than the original' }).waitFor();
  assert.equal(await page.locator('#filter-larger').isVisible(), false);
  const { name, bytes } = await saveRow(page, 'photo.jpg');
  assert.deepEqual([name, formatOf(bytes)], ['photo.png', 'png']);
});

testPage('the comparison shows a result that the browser cannot, tries other formats, and saves the file and not its preview', { path: '/#format=avif&quality=70' }, async (page) => {
  await page.evaluate(() => {
    const types = new Map();
    const { createObjectURL } = URL;
    URL.createObjectURL = (blob) => {
      const url = createObjectURL(blob);
      types.set(url, /** @type {Blob} */ (blob).type);
      return url;
    };
    const { decode } = HTMLImageElement.prototype;
    HTMLImageElement.prototype.decode = function decodeButAvif() { return types.get(this.src) === 'image/avif' ? Promise.reject(new Error('unknown')) : decode.call(this); };
  });
  await convert(page, file('a.png', png(640, 480, 8)));
  await page.locator('[data-control="compare"]').click();
  await page.locator('.compare-note').filter({ hasText: 'The result is shown as a lossless preview, made by the server.' }).waitFor();
  await page.waitForSelector('.compare-stage.is-shown');
  assert.equal(await page.inputValue('#compare-format'), 'avif');
  await page.locator('.compare-facts').filter({ hasText: 'AVIF, 640 × 480' }).waitFor();
  const download = page.locator('.compare-actions').getByRole('button', { name: 'Download' });
  const saved = await save(page, download);
  assert.deepEqual([saved.name, formatOf(saved.bytes)], ['a.avif', 'avif']);
  await page.selectOption('#compare-format', 'png');
  await page.locator('.compare-facts').filter({ hasText: 'PNG, 640 × 480' }).waitFor();
  assert.equal(await page.isVisible('#compare-quality'), false);
  await page.waitForFunction(() => document.querySelector('.compare-note')?.textContent === '');
  assert.deepEqual(await save(page, download).then(({ name, bytes }) => [name, formatOf(bytes)]), ['a.png', 'png']);
  await page.selectOption('#compare-format', 'jpeg');
  await page.locator('.compare-facts').filter({ hasText: 'JPEG, 640 × 480' }).waitFor();
  await page.getByRole('button', { name: 'Use this' }).click();
  await page.locator('.compare-status').filter({ hasText: 'This is the result now.' }).waitFor();
  await page.keyboard.press('Escape');
  assert.equal((await saveRow(page, 'a.png')).name, 'a.jpg');
});

testPage('a shape cuts the picture, follows the width, and keeps what draws the eye unless the middle is chosen', {}, async (page) => {
  await open(page);
  await page.click('.settings-more > summary');
  assert.equal(await page.isVisible('#gravity'), false, 'nothing is cut, so nothing is chosen');
  await page.selectOption('#shape', '16:9');
  assert.deepEqual([await page.inputValue('#width'), await page.inputValue('#height'), await page.inputValue('#gravity')], ['1280', '720', 'attention']);
  await page.fill('#width', '160');
  assert.deepEqual([await page.inputValue('#height'), await page.inputValue('#shape')], ['90', '16:9']);
  await page.waitForFunction(() => location.hash.endsWith('width=160&height=90&fit=cover&gravity=attention'));
  const query = await convert(page, file('a.png', png(320, 320, 21)));
  assert.deepEqual([query.get('fit'), query.get('gravity')], ['cover', 'attention']);
  await page.locator('.estimate[data-state="exact"]').waitFor();
  assert.deepEqual(await page.evaluate(sizeOf, (await saveRow(page, 'a.png')).bytes.toString('base64')), [160, 90]);
  await page.selectOption('#gravity', 'centre');
  await page.locator('.estimate').filter({ hasText: 'No estimate for these settings.' }).waitFor();
  await page.reload();
  await page.waitForSelector('html[data-ready]');
  await open(page);
  assert.deepEqual([await page.inputValue('#shape'), await page.inputValue('#gravity')], ['16:9', 'centre']);
  await page.fill('#width', '');
  assert.deepEqual([await page.inputValue('#shape'), await page.inputValue('#height')], ['', ''], 'without a width there is no shape');
});

testPage('a palette, a JPEG that is not progressive, even borders, sharpness and blur are asked for where they mean something', { path: '/#format=png' }, async (page) => {
  await open(page);
  await page.click('.settings-more > summary');
  assert.deepEqual([await page.isVisible('#colors'), await page.isVisible('#progressive')], [true, false]);
  await page.fill('#colors', '1');
  await page.locator('#colors-problem').filter({ hasText: 'from 2 to 256' }).waitFor();
  await page.fill('#colors', '8');
  const bordered = await page.evaluate(async () => {
    const context = /** @type {OffscreenCanvasRenderingContext2D} */ (new OffscreenCanvas(200, 120).getContext('2d'));
    context.fillStyle = 'white';
    context.fillRect(0, 0, 200, 120);
    for (let at = 0; at < 60; at += 1) (context.fillStyle = `hsl(${at * 6} 70% 45%)`, context.fillRect(40 + at * 2, 30, 2, 50));
    return [...new Uint8Array(await (await context.canvas.convertToBlob({ type: 'image/png' })).arrayBuffer())];
  });
  await page.check('#trim');
  const query = await convert(page, file('b.png', Buffer.from(bordered)));
  assert.deepEqual([query.get('colors'), query.get('trim')], ['8', '10']);
  const { bytes } = await saveRow(page, 'b.png');
  assert.equal(bytes[25], 3, 'IHDR says: with a palette (PNG, 11.2.1)');
  assert.deepEqual(await page.evaluate(sizeOf, bytes.toString('base64')), [120, 50]);
  await page.check('[name="format"][value="jpeg"]');
  await page.uncheck('#progressive');
  await page.fill('#sharpen', '0.25');
  await page.locator('#sharpen-problem').filter({ hasText: 'from 0 to 10, with one decimal at most' }).waitFor();
  await page.fill('#sharpen', '0.7');
  await page.fill('#blur', '1.5');
  const jpeg = await convert(page, file('c.png', png(64, 48, 22)));
  assert.deepEqual([jpeg.get('progressive'), jpeg.get('sharpen'), jpeg.get('blur'), jpeg.get('colors')], ['false', '0.7', '1.5', null]);
  const saved = (await saveRow(page, 'c.png')).bytes;
  assert.ok(saved.includes(Buffer.from([0xff, 0xc0])) && !saved.includes(Buffer.from([0xff, 0xc2])), 'SOF0 and no SOF2 (T.81, table B.1)');
  await page.click('#reset-settings');
  await page.check('[name="format"][value="jpeg"]');
  assert.deepEqual([await page.isChecked('#progressive'), await page.isChecked('#trim'), await page.inputValue('#blur')], [true, false, '']);
});

test('the marks that the operator gave can be chosen, and where there are none nothing is said of them', { timeout: 2 * PATIENCE_MS }, async () => {
  for (const watermarks of [[], ['logo', 'draft']]) {
    const context = await browser.newContext({ locale: 'en-GB' });
    const page = await context.newPage();
    await page.route('**/api/capabilities', async (route) => route.fulfill({ json: { ...await (await route.fetch()).json(), watermarks } }));
    await page.goto(`${GATEWAY_URL}/#watermark=draft`);
    await page.waitForSelector('html[data-ready]');
    await open(page);
    await page.click('.settings-more > summary');
    assert.equal(await page.locator('#watermark').count(), watermarks.length > 0 ? 1 : 0);
    if (watermarks.length > 0) {
      assert.equal(await page.inputValue('#watermark'), 'draft');
      await page.selectOption('#watermark', 'logo');
    }
    const [request] = await Promise.all([page.waitForRequest(/\/api\/jobs\?/), page.setInputFiles('#file-input', [file('a.png', png(64, 48, 23))])]);
    assert.equal(new URL(request.url()).searchParams.get('watermark'), watermarks.length > 0 ? 'logo' : null);
    await context.close();
  }
});

test('a gateway that writes WebP alone is offered no choice, and is sent none', { timeout: 2 * PATIENCE_MS }, async () => {
  const context = await browser.newContext({ locale: 'en-GB' });
  const page = await context.newPage();
  await page.route('**/api/capabilities', async (route) => {
    const { output_formats: _, options, ...others } = await (await route.fetch()).json();
    const { format: __, formats: ___, widths: ____, ...known } = options;
    for (const name of ['speed', 'subsampling', 'quality_scale', 'progressive', 'colors']) delete known[name];
    await route.fulfill({ json: { ...others, options: known } });
  });
  await page.goto(`${GATEWAY_URL}/#format=avif&quality=70`);
  await page.waitForSelector('html[data-ready]');
  await page.locator('.toast').filter({ hasText: 'format' }).waitFor();
  assert.equal(await page.innerText('#settings-now'), 'Photo, quality 70');
  await open(page);
  assert.equal(await page.locator('[name="format"]').count(), 0);
  const query = await convert(page, file('a.png', png(64, 48, 9)));
  assert.deepEqual([...query.keys()].sort(), ['filename', 'method', 'quality']);
  await context.close();
});

test('without scripts too, and a quality that the format has none of does no harm', { timeout: 2 * PATIENCE_MS }, async () => {
  const { context, page, violations } = await visit(browser, { javaScriptEnabled: false });
  await page.setInputFiles('form.plain input[type="file"]', [file('plain.png', png(64, 48, 10))]);
  await page.selectOption('form.plain select', 'png');
  await page.getByRole('button', { name: 'Convert', exact: true }).click();
  const link = page.getByRole('link', { name: 'Download plain.png' });
  await link.waitFor({ timeout: PATIENCE_MS });
  assert.equal(formatOf((await save(page, link)).bytes), 'png');
  assert.deepEqual(violations, []);
  await context.close();
});
