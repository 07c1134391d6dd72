// @ts-check
/** Uploads survive a broken connection, a reload and a pause: in real Chromium against a gateway of their own. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { launch, visit } from './support/browser.mjs';
import { startFlakyProxy } from './support/flaky-proxy.mjs';
import { startGateway } from './support/gateway.mjs';
import { bmp, file, png } from './support/images.mjs';

/** @typedef {import('playwright-core').Page} Page */

const PATIENCE_MS = 120_000;
const QUICK = JSON.stringify({ preset: 'photo', quality: 60, method: 0, width: '200' });
/** 60 MB: more than Playwright passes as a buffer, so it goes through a file. */
const folder = mkdtempSync(join(tmpdir(), 'page-files-'));
const large_path = join(folder, 'large.bmp');
const large = bmp(4480, 4464);
writeFileSync(large_path, large);

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
  rmSync(folder, { recursive: true });
});

/** @param {string} url @param {(page: Page, violations: string[]) => Promise<void>} act */
async function inPage(url, act) {
  const { context, page } = await visit(browser, { gateway: url });
  page.setDefaultTimeout(PATIENCE_MS);
  await page.evaluate((settings) => localStorage.setItem('webp-gateway.settings', settings), QUICK);
  await page.reload();
  await page.waitForSelector('html[data-ready]');
  try {
    await act(page, []);
  } finally {
    await context.close();
  }
}

/** @param {Page} page @param {string} name @param {string} state */
const reaches = (page, name, state) => page.waitForSelector(`.row[data-name="${name}"][data-state="${state}"]`);

/** The page's own network. Its speed and its being there are set by one session: two would undo each other. @param {Page} page */
async function networkOf(page) {
  const session = await page.context().newCDPSession(page);
  await session.send('Network.enable');
  const set = (/** @type {boolean} */ offline, /** @type {number} */ uploadThroughput) =>
    session.send('Network.emulateNetworkConditions', { offline, latency: 0, downloadThroughput: -1, uploadThroughput });
  return { slow: (/** @type {number} */ bytes_a_second) => set(false, bytes_a_second), fast: () => set(false, -1), cut: () => set(true, -1) };
}

/** Every request that carries bytes of an image, with the offset it begins at. @param {Page} page */
function watchPieces(page) {
  const offsets = /** @type {number[]} */ ([]);
  page.on('request', (request) => request.method() === 'PATCH' && offsets.push(Number(request.headers()['upload-offset'])));
  return offsets;
}

/** The source as the gateway has it. @param {Page} page */
async function sourceOf(page) {
  const href = await page.getAttribute('.row [data-control="download"]', 'href');
  const answer = await page.request.get(new URL(String(href).replace(/\/result.*/, '/source'), page.url()).href);
  return answer.body();
}

test('a 60 MB file whose connection is cut three times arrives whole, and what had arrived is not sent again', { timeout: 2 * PATIENCE_MS }, async () => {
  const proxy = await startFlakyProxy(gateway.port, [3_000_000, 5_000_000, 1_000_000]);
  try {
    await inPage(proxy.url, async (page) => {
      const offsets = watchPieces(page);
      await page.evaluate(() => {
        const seen = /** @type {number[]} */ ([]);
        Object.assign(globalThis, { seen });
        new MutationObserver((records) => records.forEach(({ target }) => target instanceof HTMLElement && target.matches('.row') && seen.push(Number(target.dataset.percent))))
          .observe(document.body, { subtree: true, attributes: true, attributeFilter: ['data-percent'] });
      });
      await page.setInputFiles('#file-input', large_path);
      await reaches(page, 'large.bmp', 'done');
      assert.equal(proxy.made(), 3);
      const seen = /** @type {number[]} */ (await page.evaluate(() => Reflect.get(globalThis, 'seen')));
      seen.forEach((percent, index) => assert.ok(index === 0 || percent >= seen[index - 1], seen.join()));
      offsets.forEach((offset, index) => assert.ok(index === 0 || offset >= offsets[index - 1], offsets.join()));
      assert.ok(offsets.some((offset) => offset > 0 && offset % (1 << 23) !== 0), `part of a broken piece was kept: ${offsets}`);
      assert.ok((await sourceOf(page)).equals(large));
    });
  } finally {
    await proxy.stop();
  }
});

test('what another host answers to a piece ends no upload: the page asks how far it is and goes on', { timeout: 2 * PATIENCE_MS }, async () => {
  await inPage(gateway.url, async (page) => {
    const answers = [503, 409, 423, 404];
    const asked = /** @type {string[]} */ ([]);
    page.on('request', (request) => request.method() === 'HEAD' && /api\/uploads/.test(request.url()) && asked.push(request.url()));
    await page.route('**/api/uploads/*', async (route) => {
      const status = route.request().method() === 'PATCH' ? answers.shift() : undefined;
      if (status) await route.fulfill({ status, headers: { 'Content-Type': 'application/problem+json' }, body: '{}' });
      else await route.fallback();
    });
    const picture = bmp(1500, 1200);
    await page.setInputFiles('#file-input', file('elsewhere.bmp', picture));
    await reaches(page, 'elsewhere.bmp', 'done');
    assert.deepEqual([answers, asked.length], [[], 4]);
    assert.ok((await sourceOf(page)).equals(picture));
  });
});

test('a reload in the middle of a large upload goes on where it was', { timeout: 2 * PATIENCE_MS }, async () => {
  await inPage(gateway.url, async (page) => {
    const offsets = watchPieces(page);
    const network = await networkOf(page);
    await network.slow(8_000_000);
    await page.setInputFiles('#file-input', large_path);
    await page.waitForFunction(async () => (await indexedDB.databases()).length > 0);
    await page.waitForFunction(() => Number(document.querySelector('.row')?.getAttribute('data-percent')) >= 10);
    page.on('dialog', (dialog) => dialog.accept());
    await page.reload();
    await network.fast();
    const before_reload = offsets.length;
    await reaches(page, 'large.bmp', 'done');
    assert.ok(offsets[before_reload] > 0, offsets.join());
    assert.ok((await sourceOf(page)).equals(large));
  });
});

test('pause stops the bytes and keeps them, over a reload too; resume goes on', { timeout: 2 * PATIENCE_MS }, async () => {
  await inPage(gateway.url, async (page) => {
    const offsets = watchPieces(page);
    const network = await networkOf(page);
    await network.slow(8_000_000);
    await page.setInputFiles('#file-input', large_path);
    await page.waitForFunction(() => Number(document.querySelector('.row')?.getAttribute('data-percent')) >= 8);
    await page.click('[data-control="pause"]');
    await reaches(page, 'large.bmp', 'paused');
    await page.locator('.row').filter({ hasText: /Paused, [\d.]+ of 60\.0 MB are kept/ }).waitFor();
    const sent = offsets.length;
    await page.reload();
    await page.waitForSelector('html[data-ready]');
    await reaches(page, 'large.bmp', 'paused');
    assert.equal(offsets.length, sent, 'nothing is sent while it is paused');
    await network.fast();
    await page.click('[data-control="resume"]');
    await reaches(page, 'large.bmp', 'done');
    assert.ok(offsets[sent] > 0, offsets.join());
  });
});

test('a gateway that is restarted in the midst of a batch costs its visitors nothing but time', { timeout: 3 * PATIENCE_MS }, async () => {
  await inPage(gateway.url, async (page) => {
    await page.evaluate(() => localStorage.setItem('webp-gateway.settings', JSON.stringify({ preset: 'photo', quality: 79, method: 4 })));
    await page.reload();
    await page.waitForSelector('html[data-ready]');
    const files = Array.from({ length: 12 }, (_, index) => file(`${index}.png`, png(1500 + index, 1100, index + 1)));
    await page.setInputFiles('#file-input', files);
    await page.waitForSelector('.row[data-state="done"]');
    await gateway.stop();
    await gateway.start();
    await page.waitForFunction(() => document.querySelectorAll('.row[data-state="done"]').length === 12);
  });
});

test('cancel in the midst of a large upload erases what had arrived', { timeout: PATIENCE_MS }, async () => {
  await inPage(gateway.url, async (page) => {
    const network = await networkOf(page);
    await network.slow(8_000_000);
    const opened = page.waitForResponse((answer) => answer.request().method() === 'POST' && answer.url().includes('/api/uploads'));
    await page.setInputFiles('#file-input', large_path);
    const upload = await (await opened).headerValue('location');
    await page.waitForFunction(() => Number(document.querySelector('.row')?.getAttribute('data-percent')) >= 3);
    const erased = page.waitForResponse((answer) => answer.request().method() === 'DELETE');
    await page.click('[data-control="cancel"]');
    await reaches(page, 'large.bmp', 'cancelled');
    assert.equal((await erased).status(), 204);
    const answer = await fetch(new URL(String(upload), gateway.url), { method: 'HEAD', headers: { 'Tus-Resumable': '1.0.0' } });
    assert.equal(answer.status, 404);
  });
});

test('the very same picture is not sent twice', { timeout: PATIENCE_MS }, async () => {
  await inPage(gateway.url, async (page) => {
    const picture = png(640, 480, 7);
    await page.setInputFiles('#file-input', [file('one.png', picture)]);
    await reaches(page, 'one.png', 'done');
    const posts = /** @type {string[]} */ ([]);
    page.on('request', (request) => request.method() === 'POST' && posts.push(new URL(request.url()).pathname));
    await page.setInputFiles('#file-input', [file('two.png', picture)]);
    await reaches(page, 'two.png', 'done');
    assert.ok(posts.every((path) => path.endsWith('/retry')), posts.join());
  });
});

/** One image that is being encoded, slowly, and one that is being sent, slowly. @param {Page} page */
async function beginTwo(page) {
  const encoding = '.row[data-name="encoded.png"]:is([data-state="decoding"], [data-state="encoding"])';
  await page.evaluate(() => localStorage.setItem('webp-gateway.settings', JSON.stringify({ preset: 'lossless', method: 4 })));
  await page.reload();
  await page.waitForSelector('html[data-ready]');
  const accepted = page.waitForResponse((answer) => /\/api\/jobs\//.test(answer.url()) && answer.request().method() === 'GET' && answer.ok());
  await page.setInputFiles('#file-input', [file('encoded.png', png(5000, 4000, Date.now() % 1000))]);
  const { id } = await (await accepted).json();
  await page.waitForSelector(encoding);
  const network = await networkOf(page);
  await network.slow(4_000_000);
  await page.setInputFiles('#file-input', large_path);
  await page.waitForFunction(() => Number(document.querySelector('.row[data-name="large.bmp"]')?.getAttribute('data-percent')) >= 8);
  assert.equal(await page.locator(encoding).count(), 1, 'it is still being encoded');
  return { network, encoded: String(id) };
}

/** Asked of the gateway itself. @param {string} id */
async function untilSucceeded(id) {
  for (let seq = 0; ;) {
    const answer = await fetch(`${gateway.url}/api/jobs/${id}`, { headers: { Prefer: 'wait=20', 'If-None-Match': `W/"${seq}"` } });
    if (answer.status === 304) continue;
    const job = await answer.json();
    if (job.state === 'succeeded') return;
    assert.ok(job.state === 'queued' || job.state === 'running', job.state);
    seq = job.seq;
  }
}

test('a laptop that sleeps in the midst of an upload and an encode, and wakes elsewhere, goes on', { timeout: 3 * PATIENCE_MS }, async () => {
  const line = await startFlakyProxy(gateway.port, []);
  let again = null;
  try {
    const { context, page } = await visit(browser, { gateway: line.url });
    page.setDefaultTimeout(PATIENCE_MS);
    const offsets = watchPieces(page);
    const { network, encoded } = await beginTwo(page);
    const lid = await context.newCDPSession(page);
    await lid.send('Page.setWebLifecycleState', { state: 'frozen' });
    await line.stop();
    await untilSucceeded(encoded);
    again = await startFlakyProxy(gateway.port, [], /^PATCH /, Number(new URL(line.url).port));
    const sent = offsets.length;
    await lid.send('Page.setWebLifecycleState', { state: 'active' });
    await network.fast();
    await page.waitForFunction(() => document.querySelectorAll('.row[data-state="done"]').length === 2);
    assert.ok(offsets[sent] > 0, `what had arrived is not sent again: ${offsets}`);
    await context.close();
  } finally {
    await again?.stop();
  }
});

test('without a network nothing is lost: the upload waits and says so, the encode is found finished', { timeout: 3 * PATIENCE_MS }, async () => {
  await inPage(gateway.url, async (page) => {
    const offsets = watchPieces(page);
    const { network, encoded } = await beginTwo(page);
    await network.cut();
    await page.locator('.row[data-name="large.bmp"][data-state="offline"]').filter({ hasText: /Waiting for the network/ }).waitFor();
    await page.waitForSelector('#connection[data-mode="offline"]');
    await untilSucceeded(encoded);
    const sent = offsets.length;
    await network.fast();
    await page.waitForFunction(() => document.querySelectorAll('.row[data-state="done"]').length === 2);
    assert.ok(offsets[sent] > 0, `what had arrived is not sent again: ${offsets}`);
  });
});

test('a reload in the midst of an upload and of an encode goes on with both', { timeout: 3 * PATIENCE_MS }, async () => {
  await inPage(gateway.url, async (page) => {
    const offsets = watchPieces(page);
    const { network } = await beginTwo(page);
    page.on('dialog', (dialog) => dialog.accept());
    const sent = offsets.length;
    await page.reload();
    await page.waitForSelector('html[data-ready]');
    await network.fast();
    await page.waitForFunction(() => document.querySelectorAll('.row[data-state="done"]').length === 2);
    assert.ok(sent < offsets.length && offsets.slice(sent).every((offset) => offset > 0), `neither begins anew: ${offsets}`);
  });
});
