// @ts-check
/**
 * The rows, their menu, the list and the summary, in real Chromium against a running gateway (`GATEWAY_URL`). Each test is named after what a
 * reader saw.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { launch, visit } from './support/browser.mjs';
import { file, png, tiff } from './support/images.mjs';

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
  const name = 'صورة 12 (نسخة 2).png';
  await add(page, file(name, small));
  await allDone(page, 1);
  const link = row(page, name).locator('[data-control="download"]');
  assert.equal(await link.getAttribute('download'), 'صورة 12 (نسخة 2).webp');
  assert.equal(await link.getAttribute('aria-label'), 'Download صورة 12 (نسخة 2).webp');
  const [download] = await Promise.all([page.waitForEvent('download'), link.click()]);
  assert.equal(download.suggestedFilename(), 'صورة 12 (نسخة 2).webp');
  await link.press('Delete');
  const toast = page.locator('.toast-text');
  await toast.waitFor();
  const [seen, expected] = await toast.evaluate((element, whole) => {
    const order = (/** @type {Node | null} */ text, start = 0, end = text?.textContent?.length ?? 0) => [...(text?.textContent ?? '')].slice(start, end).map((character, index) => {
      const range = document.createRange();
      range.setStart(/** @type {Node} */ (text), start + index);
      range.setEnd(/** @type {Node} */ (text), start + index + 1);
      return { character, left: range.getBoundingClientRect().left };
    }).filter(({ character }) => !/[\u2068\u2069]/.test(character)).sort((one, other) => one.left - other.left).map(({ character }) => character).join('');
    const reference = Object.assign(document.createElement('bdi'), { textContent: whole });
    document.body.append(reference);
    return [order(element.firstChild), `“${order(reference.firstChild)}” removed.`];
  }, name);
  assert.equal(seen, expected);
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

// ── what a row offers ───────────────────────────────────────────────────────────────────────────────────────────────────────────────

/** An entry of the row's menu. @param {Page} page @param {string} name @param {string} action */
async function choose(page, name, action) {
  await row(page, name).locator('[data-control="menu"]').click();
  await page.click(`[role="menu"] [data-action="${action}"]`);
}

/** @param {Page} page @param {Record<string, unknown>} settings */
async function withSettings(page, settings) {
  await page.evaluate((given) => localStorage.setItem('webp-gateway.settings', JSON.stringify(given)), settings);
  await page.reload();
  await page.waitForSelector('html[data-ready]');
}

/** Black and white dots, which lossy coding makes larger. @param {Page} page @param {number} [seed] */
async function dots(page, seed = 1) {
  const base64 = await page.evaluate(async (start) => {
    const canvas = new OffscreenCanvas(200, 160);
    const context = /** @type {OffscreenCanvasRenderingContext2D} */ (canvas.getContext('2d'));
    let grain = start;
    for (let at = 0; at < 200 * 160; at += 1) {
      grain = (Math.imul(grain, 1_103_515_245) + 12_345) & 0x7fff_ffff;
      context.fillStyle = grain & 0x10000 ? '#fff' : '#000';
      context.fillRect(at % 200, Math.floor(at / 200), 1, 1);
    }
    const bytes = new Uint8Array(await (await canvas.convertToBlob({ type: 'image/png' })).arrayBuffer());
    return btoa(String.fromCharCode(...bytes));
  }, seed);
  return Buffer.from(base64, 'base64');
}

testPage('a result that is larger than its source is not handed out silently: alone, anyway, in the ZIP, and after a reload', {}, async (page) => {
  await withSettings(page, { preset: 'photo', quality: 95 });
  const drawn = await dots(page);
  await add(page, file('dots.png', drawn), file('photo.png', small));
  await allDone(page, 2);
  for (const is_reloaded of [false, true]) {
    if (is_reloaded) {
      await page.reload();
      await allDone(page, 2);
    }
    await row(page, 'dots.png').filter({ hasText: /The WebP is larger, so you get the original/ }).waitFor();
    const link = row(page, 'dots.png').getByRole('link', { name: 'Download original: dots.png' });
    const [download] = await Promise.all([page.waitForEvent('download'), link.click()]);
    assert.equal(download.suggestedFilename(), 'dots.png');
    assert.deepEqual(readFileSync(await download.path()), drawn);
  }
  await page.waitForSelector('#filter-larger >> text=1 original kept');
  const [zip] = await Promise.all([page.waitForEvent('download'), page.click('#save-all')]);
  const packed = readFileSync(await zip.path());
  assert.ok(packed.includes('dots.png') && packed.includes(drawn) && packed.includes('photo.webp'));
  await page.locator('.toast').filter({ hasText: 'One original is in the ZIP' }).waitFor();
  await row(page, 'dots.png').locator('[data-control="menu"]').click();
  assert.equal(await page.locator('[role="menu"] [role="menuitem"]').first().getAttribute('data-action'), 'lossless');
  const [anyway] = await Promise.all([page.waitForEvent('download'), page.getByRole('menuitem', { name: /^Download the WebP anyway/ }).click()]);
  assert.equal(anyway.suggestedFilename(), 'dots.webp');
  await choose(page, 'dots.png', 'lossless');
  await row(page, 'dots.png').getByRole('link', { name: 'Download dots.webp' }).waitFor();
  await page.waitForSelector('#filter-larger', { state: 'hidden' });
});

testPage('an image that is small already is kept, said to be, and saved under its own name', {}, async (page) => {
  await withSettings(page, { preset: 'photo', quality: 95 });
  await page.route('**/api/jobs?*', (route) => route.continue({ url: `${route.request().url()}&never_larger=true` }));
  const drawn = await dots(page, 3);
  await add(page, file('kept.png', drawn));
  await allDone(page, 1);
  await row(page, 'kept.png').filter({ hasText: /already small: the original is kept/ }).waitFor();
  const link = row(page, 'kept.png').getByRole('link', { name: 'Download kept.png' });
  const [download] = await Promise.all([page.waitForEvent('download'), link.click()]);
  assert.equal(download.suggestedFilename(), 'kept.png');
  assert.deepEqual(readFileSync(await download.path()), drawn);
  assert.equal(await page.locator('#filter-larger:visible, .row-saving:visible').count(), 0);
});

testPage('the menu of a row works by keys alone, as menus do', {}, async (page) => {
  await add(page, file('a.png', small), file('b.png', small));
  await allDone(page, 2);
  const button = row(page, 'a.png').locator('[data-control="menu"]');
  const focused = () => page.evaluate(() => document.activeElement?.getAttribute('data-action') ?? document.activeElement?.getAttribute('data-control'));
  assert.deepEqual([await button.getAttribute('aria-haspopup'), await button.getAttribute('aria-expanded')], ['menu', 'false']);
  await button.focus();
  await page.keyboard.press('Enter');
  assert.equal(await focused(), 'rename');
  assert.equal(await button.getAttribute('aria-expanded'), 'true');
  assert.equal(await page.locator(`#${await button.getAttribute('aria-controls')}`).getAttribute('role'), 'menu');
  for (const [key, expected] of [['ArrowDown', 'again'], ['ArrowUp', 'rename'], ['ArrowUp', 'remove'], ['ArrowDown', 'rename'], ['End', 'remove'], ['Home', 'rename'], ['c', 'copy-image'], ['c', 'copy'], ['r', 'remove'], ['r', 'rename']]) {
    await page.keyboard.press(key);
    assert.equal(await focused(), expected, key);
  }
  await page.keyboard.press('Escape');
  assert.equal(await focused(), 'menu');
  assert.equal(await page.locator('[role="menu"]').count(), 0);
  await page.keyboard.press('ArrowUp');
  assert.equal(await focused(), 'remove', 'the last entry first');
  await page.keyboard.press('Tab');
  assert.equal(await page.locator('[role="menu"]').count(), 0);
  assert.equal(await page.evaluate(() => document.activeElement?.closest('.row')?.getAttribute('data-name')), 'b.png', 'Tab goes on from the button');
  await button.click();
  await page.mouse.click(5, 5);
  assert.equal(await page.locator('[role="menu"]').count(), 0, 'a press elsewhere closes it');
  await button.click();
  await button.click();
  assert.equal(await page.locator('[role="menu"]').count(), 0, 'and a second press on its button');
  await button.click();
  await page.keyboard.press('End');
  await page.keyboard.press('Enter');
  await page.waitForSelector('.row[data-name="a.png"]', { state: 'detached' });
});

for (const width of [320, 390, 780, 1280]) {
  const touch = width < 500 ? { isMobile: true, hasTouch: true } : {};
  testPage(`a menu is never cut off, nor covered by the summary, at ${width} pixels`, { viewport: { width, height: 560 }, ...touch }, async (page) => {
    await withSettings(page, { preset: 'photo', quality: 95 });
    await add(page, file('dots-that-are-larger-when-converted.png', await dots(page, 9)), ...Array.from({ length: 3 }, (_, index) => file(`picture-${index}-with-a-name-that-is-rather-long.png`, png(300 + index, 200))));
    await allDone(page, 4);
    const buttons = await page.locator('[data-control="menu"]').all();
    assert.equal(buttons.length, 4);
    for (const button of buttons) {
      await button.scrollIntoViewIfNeeded();
      const place = await button.evaluate((element) => {
        const list = /** @type {Element} */ (element.closest('.list')).getBoundingClientRect();
        return { free: list.right - element.getBoundingClientRect().right, ...element.getBoundingClientRect().toJSON() };
      });
      assert.ok(place.free >= 8 && place.width >= 36, `the button of the menu: ${JSON.stringify(place)}`);
      if (touch.hasTouch) await button.tap();
      else await button.click();
      const box = await page.locator('[role="menu"]').boundingBox();
      assert.ok(box && box.x >= 0 && box.y >= 0 && box.x + box.width <= width && box.y + box.height <= 560, JSON.stringify(box));
      for (const entry of await page.locator('[role="menuitem"]').all()) {
        await entry.scrollIntoViewIfNeeded();
        assert.ok(await entry.evaluate((element) => {
          const { left, top, width: wide, height } = element.getBoundingClientRect();
          return element.contains(document.elementFromPoint(left + wide / 2, top + height / 2));
        }), 'it can be hit');
      }
      await page.keyboard.press('Escape');
    }
    assert.equal(await page.evaluate(() => document.documentElement.scrollWidth), width);
  });
}

testPage('a renamed image is saved under its new name: by its link, in the ZIP, after a reload', {}, async (page) => {
  await add(page, file('IMG_0001.png', small), file('b.png', png(200, 100)));
  await allDone(page, 2);
  await choose(page, 'IMG_0001.png', 'rename');
  const input = page.getByRole('textbox', { name: 'File name' });
  assert.equal(await input.inputValue(), 'IMG_0001');
  await input.fill('../v1.2 海 شاطئ.webp');
  await page.keyboard.press('Enter');
  const name = 'v1.2 海 شاطئ.png';
  await row(page, name).waitFor();
  assert.equal(await page.evaluate(() => document.activeElement?.getAttribute('data-control')), 'menu', 'the focus is back where it was');
  await page.reload();
  await allDone(page, 2);
  const link = row(page, name).locator('[data-control="download"]');
  const [download] = await Promise.all([page.waitForEvent('download'), link.click()]);
  assert.deepEqual([download.suggestedFilename(), await link.getAttribute('download')], ['v1.2 海 شاطئ.webp', 'v1.2 海 شاطئ.webp']);
  const [zip] = await Promise.all([page.waitForEvent('download'), page.click('#save-all')]);
  assert.ok(readFileSync(await zip.path()).includes('v1.2 海 شاطئ.webp'));
  await choose(page, name, 'rename');
  await page.keyboard.press('Escape');
  assert.equal(await row(page, name).count(), 1);
});

testPage('image, link and HTML go to the clipboard as others can use them', { permissions: ['clipboard-read', 'clipboard-write'] }, async (page) => {
  await add(page, file('red & "blue"_sky.png', small));
  await allDone(page, 1);
  const name = await page.locator('.row').getAttribute('data-name') ?? '';
  const act = async (/** @type {string} */ action, /** @type {RegExp} */ said) => {
    await page.locator('[data-control="menu"]').click();
    await page.click(`[data-action="${action}"]`);
    await page.locator('.toast').filter({ hasText: said }).waitFor();
  };
  await act('copy-image', /Image copied/);
  const image = await page.evaluate(async () => {
    const [item] = await navigator.clipboard.read();
    const bitmap = await createImageBitmap(await item.getType('image/png'));
    return [bitmap.width, bitmap.height];
  });
  assert.deepEqual(image, [320, 240]);
  await act('copy', /Link copied/);
  const link = await page.evaluate(() => navigator.clipboard.readText());
  assert.equal((await page.request.get(link)).headers()['content-type'], 'image/webp');
  await act('copy-picture', /HTML copied/);
  const snippet = await page.evaluate(() => navigator.clipboard.readText());
  const parsed = await page.evaluate((html) => {
    const picture = new DOMParser().parseFromString(html, 'text/html').body.firstElementChild;
    const [source, img] = [picture?.querySelector('source'), picture?.querySelector('img')];
    return [picture?.localName, source?.type, decodeURIComponent(source?.getAttribute('srcset') ?? ''), decodeURIComponent(img?.getAttribute('src') ?? ''), img?.width, img?.height, img?.alt];
  }, snippet);
  assert.deepEqual(parsed, ['picture', 'image/webp', name.replace('.png', '.webp'), name, 320, 240, 'red & "blue" sky']);
});

testPage('where the page may not use the clipboard, a text is copied all the same', { permissions: ['clipboard-read'] }, async (page) => {
  await page.evaluate(() => Object.defineProperty(navigator.clipboard, 'writeText', { value: () => Promise.reject(new DOMException('', 'NotAllowedError')) }));
  await add(page, file('a.png', small));
  await allDone(page, 1);
  await choose(page, 'a.png', 'copy');
  await page.locator('.toast').filter({ hasText: 'Link copied' }).waitFor();
  assert.match(await page.evaluate(() => navigator.clipboard.readText()), /^http.*\/result$/);
});

testPage('a result is dragged out of the page, and the page does not take it for an image that is dropped on it', {}, async (page) => {
  await add(page, file('a.png', small));
  await allDone(page, 1);
  const dragged = await page.locator('.row-picture').evaluate((element) => {
    const data = new DataTransfer();
    element.dispatchEvent(new DragEvent('dragstart', { dataTransfer: data, bubbles: true, cancelable: true }));
    element.dispatchEvent(new DragEvent('dragenter', { dataTransfer: data, bubbles: true, cancelable: true }));
    return { is_draggable: /** @type {HTMLElement} */ (element).draggable, file: data.getData('DownloadURL'), address: data.getData('text/uri-list'), html: data.getData('text/html') };
  });
  assert.ok(dragged.is_draggable);
  const [type, name, ...address] = dragged.file.split(':');
  assert.deepEqual([type, name], ['image/webp', 'a.webp']);
  assert.match((await page.request.get(address.join(':'))).headers()['content-disposition'], /^attachment; filename="a\.webp"/);
  assert.equal((await page.request.get(dragged.address)).headers()['content-type'], 'image/webp');
  assert.match(dragged.html, /^<img src="http/);
  assert.ok(await page.isHidden('#overlay'));
});

testPage('a row that waits in the queue is still', {}, async (page) => {
  await page.route('**/api/jobs?*', () => {});
  await add(page, ...Array.from({ length: 6 }, (_, index) => file(`${index}.png`, small)));
  await page.waitForFunction(() => document.querySelectorAll('.row').length === 6);
  await page.evaluate(() => document.querySelectorAll('.row').forEach((each, index) => each.setAttribute('data-state', ['queued', 'verifying', 'cancelling', 'paused', 'waiting', 'offline'][index])));
  await page.waitForTimeout(600);
  assert.equal(await page.evaluate(() => document.querySelector('#rows')?.getAnimations({ subtree: true }).length), 0);
});

// ── the list and its summary ────────────────────────────────────────────────────────────────────────────────────────────────────────

/** @param {Page} page */
const shownNames = (page) => page.$$eval('.row:not([hidden])', (rows) => rows.map((each) => each.getAttribute('data-name')));
/** @param {Page} page @param {string[]} names */
const showsInOrder = (page, ...names) => page.waitForFunction((expected) => [...document.querySelectorAll('.row:not([hidden])')].map((each) => each.getAttribute('data-name')).join() === expected, names.join());

testPage('the summary counts refused files, says what was saved, and shows what failed alone', {}, async (page) => {
  await add(page, file('a.png', small), file('empty.png', Buffer.alloc(0)), file('b.png', png(200, 100)), file('notes.pdf', Buffer.from('%PDF-1.7'), 'application/pdf'));
  await allDone(page, 2);
  await page.waitForSelector('.summary-count >> text=2 of 4 converted');
  const [before, after] = await page.evaluate(async () => {
    const links = [...document.querySelectorAll('.row[data-state="done"] [data-control="download"]')].map((each) => String(each.getAttribute('href')).replace(/\/result.*/, ''));
    const jobs = await Promise.all(links.map(async (path) => (await fetch(path)).json()));
    return [jobs.reduce((sum, { source }) => sum + source.bytes, 0), jobs.reduce((sum, { result }) => sum + result.bytes, 0)];
  });
  assert.equal(await page.innerText('.summary-saved'), `You saved ${Math.round((before - after) / 1000)} KB`);
  const filter = page.getByRole('button', { name: '2 failed' });
  assert.equal(await filter.getAttribute('aria-pressed'), 'false');
  await filter.click();
  await showsInOrder(page, 'empty.png', 'notes.pdf');
  assert.equal(await filter.getAttribute('aria-pressed'), 'true');
  await page.getByText('2 of 4 shown: what failed').waitFor();
  await page.getByRole('button', { name: 'Show all' }).click();
  await showsInOrder(page, 'a.png', 'empty.png', 'b.png', 'notes.pdf');
  await filter.click();
  await row(page, 'empty.png').locator('[data-control="remove"]').click();
  await row(page, 'notes.pdf').locator('[data-control="remove"]').click();
  await showsInOrder(page, 'a.png', 'b.png');
  await page.waitForSelector('#show-all', { state: 'hidden' });
});

testPage('the list is sorted by name, size and saving, and remembers it', {}, async (page) => {
  await withSettings(page, { preset: 'photo', quality: 90 });
  await add(page, file('image 10.png', png(300, 200)), file('image 9.png', await dots(page, 5)), file('Image 2.png', png(900, 700)));
  await allDone(page, 3);
  await page.selectOption('#sort', 'name');
  await showsInOrder(page, 'Image 2.png', 'image 9.png', 'image 10.png');
  await page.selectOption('#sort', 'size');
  await showsInOrder(page, 'Image 2.png', 'image 10.png', 'image 9.png');
  await page.selectOption('#sort', 'saving');
  await page.waitForFunction(() => document.querySelector('.row:last-child')?.getAttribute('data-name') === 'image 9.png');
  await page.selectOption('#sort', 'name');
  await page.reload();
  await allDone(page, 3);
  await showsInOrder(page, 'Image 2.png', 'image 9.png', 'image 10.png');
  assert.equal(await page.inputValue('#sort'), 'name');
  await add(page, file('Image 5.png', png(300, 201)));
  await showsInOrder(page, 'Image 2.png', 'Image 5.png', 'image 9.png', 'image 10.png');
  await page.selectOption('#sort', 'added');
  await showsInOrder(page, 'image 10.png', 'image 9.png', 'Image 2.png', 'Image 5.png');
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

testPage('neither a reload nor an Undo changes the order of the list', {}, async (page) => {
  await page.route(/\/api\/jobs\?.*held/, () => {});
  await add(page, file('held.png', small), file('b.png', png(200, 100)), file('c.png', png(200, 101)));
  await allDone(page, 2);
  while (!await isFileStored(page)) await page.waitForTimeout(50);
  page.on('dialog', (dialog) => dialog.accept());
  await page.reload();
  await allDone(page, 2);
  await showsInOrder(page, 'held.png', 'b.png', 'c.png');
  await choose(page, 'b.png', 'remove');
  await page.locator('.toast').getByText('Undo').click();
  await showsInOrder(page, 'held.png', 'b.png', 'c.png');
  await add(page, file('d.png', png(200, 102)));
  await allDone(page, 3);
  assert.deepEqual(await shownNames(page), ['held.png', 'b.png', 'c.png', 'd.png']);
});

testPage('no time left is told while all is paused', {}, async (page) => {
  const network = await page.context().newCDPSession(page);
  await network.send('Network.emulateNetworkConditions', { offline: false, latency: 0, downloadThroughput: -1, uploadThroughput: 60_000 });
  await add(page, ...Array.from({ length: 4 }, (_, index) => file(`${index}.png`, png(900, 700, index + 1))));
  await page.waitForFunction(() => /left/.test(document.querySelector('.summary-left')?.textContent ?? ''));
  await page.click('#pause-all');
  await page.waitForTimeout(1000);
  assert.equal(await page.textContent('.summary-left'), '');
  await page.waitForSelector('.summary-count >> text=/^Paused/');
  assert.equal(await page.locator('.row', { hasText: / left/ }).count(), 0);
  await page.waitForTimeout(2500);
  assert.equal(await page.textContent('.summary-left'), '');
});

for (const [locale, widths, more] of /** @type {const} */ ([['en-GB', [1180, 780, 600], {}], ['zh-CN', [600, 390, 320], { isMobile: true, hasTouch: true }]])) {
  testPage(`rows do not jump: a long list is as high unseen as seen, and a row as high waiting as done (${locale}, ${widths})`, { locale, viewport: { width: 780, height: 700 }, ...more }, async (page) => {
    await page.route(/\/api\/jobs\?.*held/, () => {});
    await add(page, ...Array.from({ length: 24 }, (_, index) => file(`${index}.png`, png(40 + index, 30))), file('held.png', small));
    await allDone(page, 24);
    page.on('dialog', (dialog) => dialog.accept());
    for (const width of widths) {
      await page.setViewportSize({ width, height: 700 });
      await page.reload();
      await allDone(page, 24);
      // The summary settles, and the page leaves room for it.
      await page.waitForTimeout(600);
      const seen = await page.evaluate(async () => {
        const all = new Set();
        const list = /** @type {HTMLElement} */ (document.querySelector('#rows'));
        for (let top = 0; top < document.documentElement.scrollHeight; top += 300) {
          scrollTo(0, top);
          await new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)));
          all.add(list.offsetHeight);
        }
        return [...all];
      });
      assert.equal(seen.length, 1, `${width}: ${seen}`);
      const heights = await page.$$eval('.row', (rows) => rows.map((each) => each.getBoundingClientRect().height));
      assert.equal(new Set(heights).size, 1, `${width}: ${heights}`);
    }
  });
}

testPage('while a small picture is on its way, its place has the colour of the result', {}, async (page) => {
  const waiting = /** @type {import('playwright-core').Route[]} */ ([]);
  await page.route(/\/api\/jobs\/[^/]+\/result/, async (route) => route.request().resourceType() === 'image' ? void waiting.push(route) : route.continue());
  await add(page, file('scan.tif', tiff(400, 300), 'image/tiff'));
  await allDone(page, 1);
  const place = row(page, 'scan.tif').locator('.row-picture');
  await page.waitForFunction(() => document.querySelector('.row-picture img'));
  const { result } = await (await fetch(new URL(`/api/jobs/${new URL(waiting[0].request().url()).pathname.split('/')[3]}`, page.url()), { headers: { cookie: await cookiesOf(page) } })).json();
  const [red, green, blue] = result.color.match(/[0-9a-f]{2}/g).map((/** @type {string} */ each) => parseInt(each, 16));
  assert.equal(await place.evaluate((element) => getComputedStyle(element).backgroundColor), `rgb(${red}, ${green}, ${blue})`);
  for (const route of waiting) await route.continue();
  await page.waitForFunction(() => /** @type {HTMLElement} */ (document.querySelector('.row-picture')).style.backgroundColor === '');
});

/** @param {Page} page */
const cookiesOf = async (page) => (await page.context().cookies()).map(({ name, value }) => `${name}=${value}`).join('; ');
