// @ts-check
/** The gateway below a path of another site (`GATEWAY_URL`, such as `http://127.0.0.1:8080/images`): the page in Chromium, and others' clients. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { after, before, test } from 'node:test';
import { io } from 'socket.io-client';
import * as tus from 'tus-js-client';
import { GATEWAY_URL, launch, visit } from './support/browser.mjs';
import { file, png } from './support/images.mjs';

const PATIENCE_MS = 60_000;
const { origin, pathname: prefix } = new URL(GATEWAY_URL);
const image = png(640, 480);

/** @type {import('playwright-core').Browser} */
let browser;
before(async () => {
  browser = await launch();
});
after(() => browser.close());

/** Whatever leads out of the prefix. @param {import('playwright-core').Page} page */
function watchRequests(page) {
  /** @type {string[]} */
  const outside = [];
  page.on('request', (request) => {
    const { protocol, pathname } = new URL(request.url());
    if (/^(http|ws)/.test(protocol) && !pathname.startsWith(`${prefix}/`)) outside.push(request.url());
  });
  page.on('websocket', (socket) => {
    if (!new URL(socket.url()).pathname.startsWith(`${prefix}/socket.io/`)) outside.push(socket.url());
  });
  return outside;
}

test('the page takes an image to its result, live', { timeout: 2 * PATIENCE_MS }, async () => {
  const { context, page, violations } = await visit(browser, { path: '/' });
  page.setDefaultTimeout(PATIENCE_MS);
  const outside = watchRequests(page);
  const live = page.waitForEvent('websocket');
  await page.reload();
  await page.waitForSelector('html[data-ready]');
  await page.setInputFiles('#file-input', [file('cat.png', image), file('large.png', png(3000, 2000))]);
  await live;
  await page.waitForFunction(() => document.querySelectorAll('.row[data-state="done"]').length === 2);
  const address = await page.locator('.row[data-name="cat.png"] a[href*="/result"]').first().getAttribute('href');
  assert.ok(address?.startsWith(`${prefix}/api/jobs/`), String(address));
  assert.deepEqual([outside, violations], [[], []]);
  await context.close();
});

for (const path of ['/status', '/api/docs', '/problems', '/problems/not_found']) {
  test(`the page ${path} finds its files and links`, { timeout: PATIENCE_MS }, async () => {
    const context = await browser.newContext();
    const page = await context.newPage();
    const outside = watchRequests(page);
    /** @type {string[]} */
    const failed = [];
    page.on('response', (response) => response.status() >= 400 && failed.push(response.url()));
    await page.goto(GATEWAY_URL + path);
    if (!path.startsWith('/problems')) await page.waitForSelector('html[data-ready]');
    const links = await page.evaluate(() => [...document.querySelectorAll('a[href]')].map((each) => /** @type {HTMLAnchorElement} */ (each).href));
    assert.deepEqual(links.filter((each) => !new URL(each).pathname.startsWith(`${prefix}/`)), []);
    assert.deepEqual([outside, failed], [[], []]);
    await context.close();
  });
}

test('the form without JavaScript leads to its result', { timeout: PATIENCE_MS }, async () => {
  const { context, page } = await visit(browser, { path: '/', javaScriptEnabled: false });
  await page.setInputFiles('form.plain input[type=file]', [file('cat.png', image)]);
  await page.click('form.plain button');
  const shown = page.locator('img[src*="/result"]');
  await shown.waitFor({ timeout: PATIENCE_MS });
  assert.ok((await shown.getAttribute('src'))?.startsWith(`${prefix}/api/jobs/`));
  assert.equal((await page.request.get(new URL(String(await shown.getAttribute('src')), origin).href)).status(), 200);
  await context.close();
});

test('tus-js-client uploads by its default settings, and Socket.IO by its own tells the end', { timeout: PATIENCE_MS }, async () => {
  const link = await new Promise((resolve, reject) => {
    let found = '';
    const upload = new tus.Upload(Buffer.from(image), {
      endpoint: `${GATEWAY_URL}/api/uploads`,
      metadata: { filename: 'cat.png', filetype: 'image/png' },
      onAfterResponse: (_, response) => {
        found = response.getHeader('Link') ?? found;
      },
      onError: reject,
      onSuccess: () => resolve(found),
    });
    upload.start();
  });
  const [, job] = /^<(.*)>; rel="job"$/.exec(link) ?? [];
  assert.ok(job.startsWith(`${prefix}/api/jobs/`), link);
  const id = job.split('/').at(-1);

  const socket = io(origin, { path: `${prefix}/socket.io` });
  const ended = new Promise((resolve) => socket.on('job', (each) => each.finished_at && resolve(each)));
  await once(/** @type {any} */ (socket), 'connect');
  const answer = await socket.emitWithAck('subscribe', { job: id });
  const last = /** @type {any} */ (answer.job.finished_at ? answer.job : await ended);
  assert.deepEqual([last.state, last.result.url, last.links.self], ['succeeded', `${job}/result`, job]);
  socket.close();
});

test('event streams and plain WebSockets tell addresses below the prefix', { timeout: PATIENCE_MS }, async () => {
  const accepted = await fetch(`${GATEWAY_URL}/api/jobs`, { method: 'POST', body: new Uint8Array(image) });
  const location = accepted.headers.get('Location') ?? '';
  assert.ok(location.startsWith(`${prefix}/api/jobs/`), location);
  const events = await (await fetch(`${origin}${location}/events`)).text();
  const page = await browser.newPage();
  await page.goto(`${GATEWAY_URL}/status`);
  const heard = await page.evaluate(async (address) => {
    const socket = new WebSocket(address);
    const messages = /** @type {any[]} */ ([]);
    socket.onmessage = (message) => messages.push(JSON.parse(message.data));
    await new Promise((resolve) => socket.addEventListener('close', resolve));
    return messages;
  }, `${origin.replace('http', 'ws')}${location}/ws`);
  await page.close();
  const last = JSON.parse(events.trim().split('\ndata: ').at(-1)?.split('\n')[0] ?? '');
  for (const each of [last, heard.at(-1)]) assert.equal(each.result.url, `${location}/result`);
});
