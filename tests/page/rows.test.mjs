// @ts-check
/**
 * The rows, their menu, the list and the summary, in real Chromium against a running gateway (`GATEWAY_URL`). Each test is named after what a
 * reader saw.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { launch, visit } from './support/browser.mjs';
import { file, png } from './support/images.mjs';

/** @typedef {import('playwright-core').Page} Page */

const PATIENCE_MS = 60_000;
const small = png(320, 240);

/** @type {import('playwright-core').Browser} */
let browser;
before(async () => {
  browser = await launch();
});
after(() => browser.close());

/** @param {string} name @param {import('playwright-core').BrowserContextOptions} options @param {(page: Page) => Promise<void>} act */
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
/** @param {Page} page @param {number} count */
const allDone = (page, count) => page.waitForFunction((n) => document.querySelectorAll('.row[data-state="done"]').length === n, count);

const TWO_WAYS = [
  'صورة جميلة من البحر.png', 'תמונה מהחופשה.png', 'photo صورة 12 (نسخة).png', 'صورة abc.png', 'عطلة 2024-07-15 مساء.png', '١٢ ٣٤ ٥٦ ٧٨ ٩٠ ١٢.png',
  'שלום world שלום.png', '👨‍👩‍👧‍👦👨‍👩‍👧‍👦👩🏽‍🚀 e\u0301e\u0301e\u0301 عيد.png',
];

/**
 * The characters of the visible name from left to right, and those of a reference: the same text in one piece, as a browser lays out a name in
 * a direction of its own.
 * @param {Page} page @param {string} name
 */
const orders = (page, name) => row(page, name).evaluate((element, whole) => {
  const leftOf = (/** @type {Text} */ text) => [...text.data].map((character, index, all) => {
    const range = document.createRange();
    const start = all.slice(0, index).join('').length;
    range.setStart(text, start);
    range.setEnd(text, start + character.length);
    return { character, left: range.getBoundingClientRect().left };
  });
  const order = (/** @type {Element[]} */ parts) => {
    const texts = parts.map((part) => part.firstChild).filter((node) => node instanceof Text);
    return texts.flatMap(leftOf).sort((a, b) => a.left - b.left).map(({ character }) => character).join('');
  };
  const shown = [...element.querySelectorAll('.name-head, .name-tail')];
  const reference = document.createElement('bdi');
  const probe = Object.assign(document.createElement('bdi'), { dir: 'auto', textContent: whole });
  document.body.append(probe);
  Object.assign(reference, { dir: getComputedStyle(probe).direction, textContent: shown.map((each) => each.textContent).join('') });
  Object.assign(reference.style, { whiteSpace: 'pre', position: 'absolute', font: getComputedStyle(shown[0]).font });
  document.body.append(reference);
  const result = { text: reference.textContent ?? '', shown: order(shown), expected: order([reference]) };
  probe.remove();
  reference.remove();
  return result;
}, name);

testPage('an Arabic, a Hebrew or a mixed name reads in its row as it reads in a line of text', {}, async (page) => {
  await add(page, ...TWO_WAYS.map((name) => file(name, small)));
  await allDone(page, TWO_WAYS.length);
  for (const name of TWO_WAYS) {
    const { text, shown, expected } = await orders(page, name);
    assert.equal(text, name);
    assert.equal(shown, expected, name);
  }
});

testPage('a long name of two directions loses its middle, keeps its ends, and no letter or emoji is cut', { viewport: { width: 320, height: 640 } }, async (page) => {
  const long = TWO_WAYS.map((name) => name.replace(/\.png$/, ` ${name.slice(0, -4).repeat(3)}.png`));
  const straight = `${'👩🏽‍🚀e\u0301'.repeat(30)}.png`;
  await add(page, ...[...long, straight].map((name) => file(name, small)));
  await allDone(page, long.length + 1);
  const segmenter = new Intl.Segmenter();
  const isWhole = (/** @type {string} */ part, /** @type {string} */ name) => [...segmenter.segment(part)].every(({ segment }) => name.includes(segment)) &&
    [...segmenter.segment(name)].map(({ segment }) => segment).join('\n').includes([...segmenter.segment(part)].map(({ segment }) => segment).join('\n'));
  for (const name of long) {
    const { text, shown, expected } = await orders(page, name);
    const [head, tail] = text.split('…');
    assert.ok(tail?.endsWith('.png') && name.startsWith(head) && name.endsWith(tail) && head.length > 2, `${name}: ${text}`);
    assert.ok(isWhole(head, name) && isWhole(tail, name), text);
    assert.equal(shown, expected, name);
  }
  const parts = await row(page, straight).locator('.name-head, .name-tail').allTextContents();
  assert.equal(parts.join(''), straight);
  assert.ok(parts.every((part) => isWhole(part, straight)), parts.join(' | '));
  assert.equal(await page.evaluate(() => document.documentElement.scrollWidth), 320);
});

testPage('a name from right to left stays between its quotation marks, and is saved as it is', {}, async (page) => {
  const name = 'صورة 12 (نسخة) abc.png';
  await add(page, file(name, small));
  await allDone(page, 1);
  const link = row(page, name).locator('[data-control="download"]');
  assert.equal(await link.getAttribute('download'), 'صورة 12 (نسخة) abc.webp');
  assert.equal(await link.getAttribute('aria-label'), 'Download صورة 12 (نسخة) abc.webp');
  const [download] = await Promise.all([page.waitForEvent('download'), link.click()]);
  assert.equal(download.suggestedFilename(), 'صورة 12 (نسخة) abc.webp');
  await link.press('Delete');
  const toast = page.locator('.toast-text');
  await toast.waitFor();
  const order = await toast.evaluate((element) => {
    const text = /** @type {Text} */ (element.firstChild);
    const at = [...text.data].map((character, index) => {
      const range = document.createRange();
      range.setStart(text, index);
      range.setEnd(text, index + 1);
      return { character, left: range.getBoundingClientRect().left };
    });
    return at.filter(({ character }) => !/[\u2068\u2069]/.test(character)).sort((a, b) => a.left - b.left).map(({ character }) => character).join('');
  });
  assert.match(order, /^“[^“”]+” removed\.$/);
});

testPage('a name cannot turn the direction of the page: what is unseen in it is left out', {}, async (page) => {
  await add(page, file('holiday\u202egnp.exe.png', small));
  await allDone(page, 1);
  assert.equal(await page.locator('.row').getAttribute('data-name'), 'holidaygnp.exe.png');
  const link = page.locator('[data-control="download"]');
  const [download] = await Promise.all([page.waitForEvent('download'), link.click()]);
  assert.equal(download.suggestedFilename(), await link.getAttribute('download'));
});

for (const [name, saved] of [['v1.2 final', 'v1.2 final.webp'], ['sky.图片', 'sky.图片.webp'], ['a\\b.png', 'b.webp']]) {
  testPage(`what is saved is called as the link says: ${name}`, {}, async (page) => {
    await add(page, file(name, small));
    await allDone(page, 1);
    const link = page.locator('[data-control="download"]');
    assert.equal(await link.getAttribute('download'), saved);
    const [download] = await Promise.all([page.waitForEvent('download'), link.click()]);
    assert.equal(download.suggestedFilename(), saved);
  });
}

testPage('a Persian name keeps the joints of its words on the way through the gateway', {}, async (page) => {
  await add(page, file('می\u200cخواهم.png', small));
  await allDone(page, 1);
  const answer = await page.request.head(String(await page.locator('[data-control="download"]').evaluate((link) => link instanceof HTMLAnchorElement ? link.href : '')));
  assert.ok(answer.headers()['content-disposition'].endsWith(encodeURIComponent('می\u200cخواهم.webp')));
});

for (const [locale, is_full] of /** @type {const} */ ([['en-GB', false], ['zh-CN', true]])) {
  testPage(`quotation marks are ${is_full ? 'as wide as a character in Chinese' : 'narrow in English'}`, { locale }, async (page) => {
    const share = await page.evaluate(() => {
      const probe = document.createElement('span');
      Object.assign(probe.style, { fontSize: '100px', position: 'absolute', whiteSpace: 'pre', textSpacingTrim: 'space-all' });
      probe.textContent = '“';
      document.body.append(probe);
      return probe.getBoundingClientRect().width / 100;
    });
    assert.ok(is_full ? share > 0.9 : share < 0.7, String(share));
  });
}
