// @ts-check
/** The page while its gateway is gone, frozen or back again, and an image that is converted a second time: in real Chromium, with a gateway of its own. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { launch, visit } from './support/browser.mjs';
import { startGateway } from './support/gateway.mjs';
import { file, png } from './support/images.mjs';

/** @typedef {import('playwright-core').Page} Page */

const PATIENCE_MS = 120_000;
/** In so long a reader is told that the gateway does not answer. */
const TOLD_MS = 10_000;
/** A job that is followed and silent is asked about this often; and some more. */
const SILENCE_MS = 7000;
const SLOW = { preset: 'photo', quality: 80, method: 6 };

/** @type {import('./support/gateway.mjs').Gateway} */
let gateway;
/** @type {import('playwright-core').Browser} */
let browser;
before(async () => {
  [gateway, browser] = await Promise.all([startGateway(), launch()]);
});
after(async () => {
  await browser?.close();
  await gateway?.end();
});

/** @param {object} settings @param {(page: Page) => Promise<void>} act @param {import('playwright-core').BrowserContextOptions} [options] */
async function visitWith(settings, act, options = {}) {
  const { context, page, violations } = await visit(browser, { gateway: gateway.url, ...options });
  page.setDefaultTimeout(PATIENCE_MS);
  await page.evaluate((given) => localStorage.setItem('webp-gateway.settings', JSON.stringify(given)), settings);
  await page.reload();
  await page.waitForSelector('#connection[data-mode="live"]');
  try {
    await act(page);
    assert.deepEqual(violations.filter((each) => !/ERR_(CONNECTION|SOCKET|EMPTY)/.test(each)), []);
  } finally {
    await context.close();
  }
}

/** @param {Page} page @param {string} name @param {RegExp} pattern @param {number} [timeout] */
const says = (page, name, pattern, timeout = TOLD_MS) => page.locator(`.row[data-name="${name}"]`).filter({ hasText: pattern }).waitFor({ timeout });
/** @param {Page} page @param {string} name @param {string} state */
const reaches = (page, name, state) => page.waitForSelector(`.row[data-name="${name}"][data-state="${state}"]`);

/** Every process of the gateway, the first one included. @param {number} pid @returns {number[]} */
function family(pid) {
  const children = execFileSync('ps', ['-A', '-o', 'pid=,ppid='], { encoding: 'utf8' }).trim().split('\n').map((line) => line.trim().split(/\s+/).map(Number));
  return [pid, ...children.filter(([, parent]) => parent === pid).flatMap(([child]) => family(child))];
}

/** @param {NodeJS.Signals} signal */
function signalAll(signal) {
  for (const pid of family(gateway.process?.pid ?? 0)) {
    try {
      process.kill(pid, signal);
    } catch {
      // It has ended meanwhile.
    }
  }
}

for (const [locale, gone, waiting] of /** @type {const} */ ([
  ['en-GB', 'The gateway does not answer', /Encoding \d+%.* · waiting for the gateway/], ['zh-CN', '网关无响应', /编码.*\d+%.* · 等待网关响应/],
])) {
  test(`a gateway that froze is named within ten seconds, and the estimate is gone; then all goes on by itself: ${locale}`, { timeout: 3 * PATIENCE_MS }, async () => {
    await visitWith(SLOW, async (page) => {
      await page.setInputFiles('#file-input', [file('long.png', png(6000, 4000, locale.charCodeAt(0)))]);
      await reaches(page, 'long.png', 'encoding');
      signalAll('SIGSTOP');
      try {
        await page.waitForSelector('#connection[data-mode="unreachable"]', { timeout: TOLD_MS });
        assert.match(await page.innerText('#connection'), new RegExp(gone));
        assert.ok(await page.isVisible('#unreachable'));
        await says(page, 'long.png', waiting, 1000);
        assert.doesNotMatch(await page.innerText('.row[data-name="long.png"]'), /left|剩余/);
        assert.doesNotMatch(await page.innerText('#summary'), /left|剩余/);
      } finally {
        signalAll('SIGCONT');
      }
      await page.waitForSelector('#connection[data-mode="live"]');
      assert.ok(await page.isHidden('#unreachable'));
      await reaches(page, 'long.png', 'done');
    }, { locale });
  });
}

test('a gateway that is gone is named within ten seconds, also to a reader who waits for nothing, and its return is noticed', { timeout: 3 * PATIENCE_MS }, async () => {
  await visitWith(SLOW, async (page) => {
    await page.setInputFiles('#file-input', [file('cut.png', png(6000, 4000, 7))]);
    await reaches(page, 'cut.png', 'encoding');
    const idle = await visit(browser, { gateway: gateway.url });
    await idle.page.waitForSelector('#connection[data-mode="live"]');
    await gateway.stop();
    for (const each of [page, idle.page]) await each.waitForSelector('#connection[data-mode="unreachable"]', { timeout: TOLD_MS });
    await gateway.start();
    for (const each of [page, idle.page]) {
      await each.waitForSelector('#connection[data-mode="live"]');
      assert.ok(await each.isHidden('#unreachable'));
    }
    await idle.context.close();
    await reaches(page, 'cut.png', 'done');
  });
});

test('converting again shows and downloads the new file, though the first result was shared with another image', { timeout: 3 * PATIENCE_MS }, async () => {
  await visitWith({ preset: 'photo', quality: 80, method: 4 }, async (page) => {
    const same = png(4000, 3000, 9);
    await page.setInputFiles('#file-input', [file('first.png', same)]);
    await reaches(page, 'first.png', 'done');
    await page.setInputFiles('#file-input', [file('shared.png', same)]);
    await reaches(page, 'shared.png', 'done');
    const jobs = await page.locator('.row [data-control="download"]').evaluateAll((links) => links.map((each) => each.getAttribute('href')?.split('/')[3] ?? ''));
    const asked = /** @type {string[]} */ ([]);
    page.on('request', (request) => jobs.some((job) => request.url().endsWith(`/api/jobs/${job}`)) && asked.push(request.url()));
    await page.waitForTimeout(SILENCE_MS);
    assert.deepEqual(asked, [], 'a job that has ended is not asked about');

    const before = await bytesOf(page, 'shared.png');
    await page.evaluate((given) => localStorage.setItem('webp-gateway.settings', JSON.stringify(given)), { preset: 'photo', quality: 55, method: 6 });
    await page.reload();
    await reaches(page, 'shared.png', 'done');
    await page.click('.settings-summary');
    await page.click('#apply');
    await reaches(page, 'shared.png', 'encoding');
    await reaches(page, 'shared.png', 'done');
    const now = await bytesOf(page, 'shared.png');
    assert.ok(now.length < before.length, `${before.length} → ${now.length} bytes`);
    const made = await page.evaluate(async ([url, body]) => {
      const bytes = Uint8Array.from(atob(body), (each) => each.charCodeAt(0));
      return (await (await fetch(`${url}/api/convert?quality=55&method=6`, { method: 'POST', body: bytes, headers: { 'Content-Type': 'image/png' } })).arrayBuffer()).byteLength;
    }, [gateway.url, same.toString('base64')]);
    assert.equal(now.length, made, 'what a fresh conversion of the same settings gives');
    await page.reload();
    await reaches(page, 'shared.png', 'done');
    assert.deepEqual(await bytesOf(page, 'shared.png'), now);
  });
});

/** @param {Page} page @param {string} name */
async function bytesOf(page, name) {
  const [download] = await Promise.all([page.waitForEvent('download'), page.click(`.row[data-name="${name}"] [data-control="download"]`)]);
  return readFileSync(await download.path());
}
