// @ts-check
/** The settings in real Chromium against a running gateway (`GATEWAY_URL`): the form, the address, names, and the estimate. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { GATEWAY_URL, launch, visit } from './support/browser.mjs';
import { file, png } from './support/images.mjs';
import { paint } from './support/pictures.mjs';

/** @typedef {import('playwright-core').Page} Page */

const PATIENCE_MS = 60_000;
/** The estimate's promise, in percent. */
const NEAR_PERCENT = 15;

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

/** @param {Page} page @param {...ReturnType<typeof file>} files */
async function convert(page, ...files) {
  const count = await page.locator('.row[data-state="done"]').count();
  await page.setInputFiles('#file-input', files);
  await page.waitForFunction((n) => document.querySelectorAll('.row[data-state="done"]').length === n, count + files.length);
}

/** @param {Page} page */
const hash = (page) => new URL(page.url()).hash;
/** @param {Page} page @param {string} wanted */
const untilHash = (page, wanted) => page.waitForFunction((each) => location.hash === each, wanted);
/** @param {Page} page */
const depth = (page) => page.evaluate(() => history.length);

testPage('settings live in the address: a change replaces it without a step back, the defaults leave nothing', {}, async (page) => {
  const steps = await depth(page);
  assert.equal(hash(page), '');
  await open(page);
  await page.click('.chip[data-sets="width"][value="1920"]');
  await untilHash(page, '#quality=auto&width=1920');
  await page.check('[name="preset"][value="photo"]');
  await page.click('.chip[data-sets="quality"][value="60"]');
  await untilHash(page, '#quality=60&width=1920');
  await page.reload();
  await page.waitForSelector('html[data-ready]');
  assert.match(await page.innerText('#settings-now'), /Photo, quality 60, at most 1920 px wide/);
  await open(page);
  await page.click('.settings-foot [type="reset"]');
  await page.waitForFunction(() => location.hash === '');
  assert.equal(await depth(page), steps);
});

testPage('who opens a link gets those settings, whatever their own were, and hears of what the page does not know', { path: '/#quality=71&width=640&colour=blue&height=99999' }, async (page) => {
  assert.match(await page.innerText('#settings-now'), /Photo, quality 71, at most 640 px wide/);
  await page.locator('.toast').filter({ hasText: 'This page has no such setting, so the link’s one is not used: colour.' }).waitFor();
  await page.locator('.toast').filter({ hasText: 'height=99999 (accepted: 1–16383)' }).waitFor();
  const [request] = await Promise.all([page.waitForRequest(/\/api\/jobs\?/), page.setInputFiles('#file-input', [file('a.png', png(900, 600, 3))])]);
  const query = new URL(request.url()).searchParams;
  assert.deepEqual([query.get('quality'), query.get('width'), query.get('height'), query.get('lossless')], ['71', '640', null, null]);
  assert.equal(hash(page), '#quality=71&width=640');
  await page.evaluate(() => { location.hash = '#lossless=true'; });
  await page.waitForFunction(() => document.querySelector('#settings-now')?.textContent === 'Lossless');
});

testPage('a place on the page is no setting: the link to the list says nothing and breaks nothing', { path: '/#list' }, async (page) => {
  assert.equal(await page.innerText('#settings-now'), 'Automatic');
  assert.equal(hash(page), '#list');
  assert.equal(await page.locator('.toast').count(), 0);
});

testPage('a link that was copied gives another person the same, the defaults too', { permissions: ['clipboard-read', 'clipboard-write'] }, async (page) => {
  await open(page);
  await page.click('#copy-settings');
  await page.locator('.toast').filter({ hasText: 'Link to these settings copied' }).waitFor();
  assert.equal(await page.evaluate(() => navigator.clipboard.readText()), `${new URL(page.url()).origin}/#quality=auto`);
});

testPage('settings get a name, come back by it, and are deleted with Undo', {}, async (page) => {
  await open(page);
  await page.click('.chip[data-sets="width"][value="800"]');
  await page.click('#save-settings');
  await page.fill('#settings-name', 'Shop <b>');
  await page.keyboard.press('Enter');
  const named = page.locator('.named .chip').filter({ hasText: 'Shop <b>' });
  await named.waitFor();
  assert.equal(await named.getAttribute('aria-pressed'), 'true');
  assert.equal(await page.evaluate(() => document.activeElement?.id), 'save-settings', 'the focus is where it was');
  await page.click('.settings-foot [type="reset"]');
  await page.waitForSelector('.named .chip[aria-pressed="false"]');
  await page.reload();
  await page.waitForSelector('html[data-ready]');
  await open(page);
  await named.click();
  await untilHash(page, '#quality=auto&width=800');
  await page.click('.chip[data-sets="width"][value="1280"]');
  await page.click('#save-settings');
  await page.fill('#settings-name', 'Shop <b>');
  await page.keyboard.press('Enter');
  await page.locator('.toast').filter({ hasText: '“Shop <b>” replaced' }).getByText('Undo').click();
  await page.waitForSelector('.named .chip[aria-pressed="false"]');
  await named.click();
  await untilHash(page, '#quality=auto&width=800');
  await page.click('.named .chip-remove');
  await named.waitFor({ state: 'detached' });
  await page.click('.toast button:not([aria-label])');
  await named.waitFor();
});

testPage('a number out of range is said in its field, and nothing is changed without a word', {}, async (page) => {
  await open(page);
  await page.fill('#width', '640');
  for (const [wrong, typed] of [['99999', '99999'], ['0', '0'], ['-5', '-5'], ['12.5', '12.5']]) {
    await page.fill('#width', wrong);
    await page.locator('#width-problem').filter({ hasText: 'Not used: enter a whole number from 1 to 16383.' }).waitFor();
    assert.deepEqual([await page.getAttribute('#width', 'aria-invalid'), await page.inputValue('#width')], ['true', typed]);
    await page.click('h1');
    assert.equal(await page.inputValue('#width'), typed, 'what was entered stays to be mended');
    assert.equal(hash(page), '#quality=auto&width=640', 'and what was set holds');
  }
  await page.fill('#width', '16383');
  await untilHash(page, '#quality=auto&width=16383');
  assert.deepEqual([await page.getAttribute('#width', 'aria-invalid'), await page.innerText('#width-problem')], [null, '']);
  await page.check('[name="preset"][value="photo"]');
  await page.fill('#quality-number', '101');
  await page.locator('#quality-problem').filter({ hasText: 'from 0 to 100' }).waitFor();
  await page.click('.chip[data-sets="quality"][value="90"]');
  assert.deepEqual([await page.getAttribute('#quality-number', 'aria-invalid'), await page.inputValue('#quality-number')], [null, '90']);
  await page.click('.settings-more > summary');
  await page.fill('#target', '9999999999');
  await page.locator('#target-problem').filter({ hasText: 'from 1 to' }).waitFor();
  await page.click('.settings-foot [type="reset"]');
  assert.deepEqual([await page.locator('#settings-form [aria-invalid]').count(), await page.inputValue('#target')], [0, '']);
});

testPage('the settings of one image take no wrong number either, and can be applied to all', {}, async (page) => {
  await convert(page, file('a.png', png(320, 240, 31)), file('b.png', png(320, 240, 32)));
  const dialog = page.locator('dialog');
  await page.locator('.row[data-name="a.png"] [data-control="menu"]').click();
  await page.click('[role="menu"] [data-action="again"]');
  await dialog.locator('[name="width"]').fill('99999');
  await dialog.locator('[type="submit"]').click();
  assert.equal(await page.evaluate(() => document.activeElement?.getAttribute('name')), 'width', 'it stays open, at the field');
  await dialog.locator('.field-problem').filter({ hasText: 'from 1 to 16383' }).waitFor();
  await dialog.locator('[name="width"]').fill('64');
  await dialog.locator('button[value="all"]').click();
  await page.waitForFunction(() => [...document.querySelectorAll('.row[data-state="done"]')].filter((each) => /64 × 48/.test(each.textContent ?? '')).length === 2);
  assert.equal(hash(page), '', 'the page keeps its own');
});

testPage('the estimate names the picture that was added last, and comes near to what comes out, kind by kind', {}, async (page) => {
  const second = await paint(browser, 'cut-out.png');
  const picture = second.buffer;
  await convert(page, file('first.png', png(64, 48, 42)), second);
  await open(page);
  for (const [preset, query] of [['photo', 'method=4&quality=80'], ['lossless', 'method=4&lossless=true']]) {
    await page.check(`[name="preset"][value="${preset}"]`);
    await page.waitForSelector('.estimate[data-state="working"]');
    await page.waitForSelector('.estimate[data-state="known"]');
    assert.equal(await page.innerText('.estimate-name'), 'cut-out.png');
    const [, kilobytes, sign, percent] = (await page.innerText('.estimate-figure')).match(/^≈ ([\d.,]+) KB \((.)(\d+)%\)$/) ?? [];
    const real = (await (await page.request.post(`${GATEWAY_URL}/api/convert?${query}`, { data: picture })).body()).length;
    const said = 1000 * Number(kilobytes.replace(',', ''));
    assert.ok(Math.abs(said / real - 1) <= NEAR_PERCENT / 100, `${preset}: ${said} of ${real}`);
    const saved = (sign === '−' ? 1 : -1) * Number(percent);
    assert.ok(Math.abs(saved - 100 * (1 - said / picture.length)) <= 1, `${sign}${percent}%`);
  }
});

testPage('a movement of the slider aborts the estimate before, and a still slider asks once', {}, async (page) => {
  await convert(page, file('a.png', png(1200, 900, 51)));
  await open(page);
  await page.check('[name="preset"][value="photo"]');
  await page.waitForSelector('.estimate[data-state="known"]');
  const asked = /** @type {string[]} */ ([]);
  const aborted = /** @type {string[]} */ ([]);
  page.on('request', (request) => request.url().includes('/api/convert') && asked.push(new URL(request.url()).searchParams.get('quality') ?? ''));
  page.on('requestfailed', (request) => request.url().includes('/api/convert') && aborted.push(new URL(request.url()).searchParams.get('quality') ?? ''));
  await page.route('**/api/convert?*', async (route) => {
    if (route.request().url().includes('quality=40')) return;
    await route.continue();
  });
  await Promise.all([page.waitForRequest(/quality=40/), page.fill('#quality-number', '40')]);
  for (const quality of ['41', '42', '43', '44', '45']) await page.fill('#quality-number', quality);
  await page.waitForSelector('.estimate[data-state="known"]');
  await page.waitForTimeout(1000);
  assert.deepEqual([asked[0], asked.at(-1)], ['40', '45'], asked.join());
  assert.deepEqual(aborted, asked.slice(0, -1), 'each but the last was aborted');
});

testPage('a busy gateway is left alone, and nobody is told but the place of the figure', {}, async (page) => {
  await convert(page, file('a.png', png(300, 200, 61)));
  let asked = 0;
  await page.route('**/api/convert?*', (route) => {
    asked += 1;
    return route.fulfill({ status: 429, headers: { 'Retry-After': '60' }, contentType: 'application/problem+json', body: '{"code":"rate_limited"}' });
  });
  await open(page);
  await page.click('.chip[data-sets="width"][value="1280"]');
  await page.waitForSelector('.estimate[data-state="unknown"]');
  await page.click('.chip[data-sets="width"][value="800"]');
  await untilHash(page, '#quality=auto&width=800');
  await page.waitForSelector('.estimate[data-state="unknown"]');
  assert.equal(asked, 1);
  assert.equal(await page.locator('.toast').count(), 0);
});

testPage('no estimate is invented: not for an animation, not for what the browser cannot read, not without a picture', {}, async (page) => {
  await open(page);
  await page.waitForSelector('.estimate[data-state="none"]');
  const frame = '2c0000000001000100000202440100';
  const gif = Buffer.from(`47494638396101000100800000000000ffffff${`21f9040000000000${frame}`.repeat(2)}3b`, 'hex');
  await convert(page, file('moving.gif', gif, 'image/gif'));
  await page.waitForSelector('.estimate[data-state="exact"]');
  assert.equal(await page.innerText('.estimate-hint'), 'Converted with these settings');
  await page.click('.chip[data-sets="width"][value="800"]');
  await page.waitForSelector('.estimate[data-state="animated"]');
  await page.setInputFiles('#file-input', [file('strange.png', Buffer.from('no picture at all'))]);
  await page.waitForSelector('.estimate[data-state="undecodable"]');
});
