// @ts-check
/**
 * Whose page asks. A gateway (`GATEWAY_URL`, which listens at every address of this machine) in Chromium that is led by hostile pages: one whose name
 * is rebound to the gateway, and ones of other sites and ports. And everybody who may: the page itself under each name, other clients, admitted sites.
 * `STORE` is the folder where the gateway keeps its jobs: what is in it decides whether something was made or deleted. `SITE_PORT`: where the
 * sites of others listen; where `FRIEND` is set, `http://friend.example` at that port is admitted by `GATEWAY_ALLOWED_ORIGINS`.
 */
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { hostname, networkInterfaces } from 'node:os';
import { after, before, test } from 'node:test';
import { chromium } from 'playwright-core';
import { GATEWAY_URL, visit } from './support/browser.mjs';
import { attackByElements, attackByScript, startRebound, startSite } from './support/foreign.mjs';
import { file, png } from './support/images.mjs';

const PATIENCE_MS = 60_000;
const WAIT_MS = 1500;
/** Chromium says so of each page that is neither over TLS nor of a loopback name. */
const NEEDS_TLS = 'The Cross-Origin-Opener-Policy header has been ignored';
const { port } = new URL(GATEWAY_URL);
const own_address = Object.values(networkInterfaces()).flat().find((each) => each && each.family === 'IPv4' && !each.internal)?.address;
const machine = hostname().toLowerCase();
const mapped = ['evil.example', 'sub.evil.example', 'friend.example', machine, `${machine.split('.')[0]}.local`];
const image = png(64, 48);

/** @type {import('playwright-core').Browser} */
let browser;
/** @type {Awaited<ReturnType<typeof startSite>>} */
let site;
let job = '';

/** @param {string} path @param {RequestInit} [given] */
const ask = (path, given) => fetch(GATEWAY_URL + path, given);
/** As curl makes a job: no cookie, no Origin. It is listed to this machine. @param {RequestInit} given */
const make = async (given) => (await ask('/api/jobs', { method: 'POST', ...given })).json();
/** One that does not begin, since its site never answers. */
const makeWaiting = () => make({ body: JSON.stringify({ url: `http://127.0.0.1:${site.port}/silent` }), headers: { 'Content-Type': 'application/json' } });

before(async () => {
  const args = ['--no-sandbox', '--disable-gpu', '--no-first-run', `--host-resolver-rules=${mapped.map((each) => `MAP ${each} 127.0.0.1`).join(', ')}`];
  browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', headless: true, args });
  site = await startSite(Number(process.env.SITE_PORT));
  job = (await make({ body: new Uint8Array(image), headers: { Prefer: 'wait=20' } })).id;
});
after(async () => {
  await browser?.close();
  site?.stop();
});

/** What the store holds, and how the job that waited for its image is. @param {string} waiting */
async function look(waiting) {
  const stored = readdirSync(String(process.env.STORE), { recursive: true }).map(String).filter((each) => each.includes('manifest')).sort();
  return { stored, state: (await (await ask(`/api/jobs/${waiting}`)).json()).state };
}

/**
 * Everything that pages can try, each at its target and all at once. They change and learn nothing.
 * @param {[import('playwright-core').Page, string][]} pages
 */
async function attack(pages) {
  const waiting = (await makeWaiting()).id;
  const first = await look(waiting);
  assert.ok(first.stored.length >= 2, 'the judge sees the jobs in the store');
  const learnt = /** @type {Record<string, string>} */ ({});
  await Promise.all(pages.map(async ([page, target]) => {
    const aim = { job, waiting, target, png: image.toString('base64'), wait_ms: WAIT_MS };
    const known = { ...(await page.evaluate(attackByScript, aim)), ...(await page.evaluate(attackByElements, aim)) };
    for (const [way, what] of Object.entries(known)) learnt[`${page.url()} → ${target}: ${way}`] = what;
  }));
  const last = await look(waiting);
  const made = last.stored.filter((each) => !first.stored.includes(each));
  const gone = first.stored.filter((each) => !last.stored.includes(each));
  assert.deepEqual({ learnt, made, gone, is_cancelled: last.state === 'cancelled' }, { learnt: {}, made: [], gone: [], is_cancelled: false });
}

test('a page whose name is rebound to the gateway reads, makes and deletes nothing', { timeout: PATIENCE_MS }, async () => {
  const rebound = await startRebound(site.port, Number(port));
  const context = await browser.newContext();
  const page = await context.newPage();
  const target = `http://evil.example:${rebound.port}`;
  await page.goto(target);
  rebound.rebind();
  await attack([[page, target]]);
  await context.close();
  rebound.stop();
});

test('pages of other sites and other ports read, make and delete nothing', { timeout: PATIENCE_MS }, async () => {
  const context = await browser.newContext();
  const targets = [['evil.example', GATEWAY_URL], ['127.0.0.1', GATEWAY_URL]];
  if (own_address) targets.push(['evil.example', `http://${own_address}:${port}`]); // there, browsers tell the Origin alone
  await attack(await Promise.all(targets.map(async ([from, target]) => {
    const page = await context.newPage();
    await page.goto(`http://${from}:${site.port}`);
    return /** @type {[import('playwright-core').Page, string]} */ ([page, target]);
  })));
  await context.close();
});

/** The page takes an image, live, and so does its form without scripts. @param {string} gateway */
async function use(gateway) {
  const { context, page, violations } = await visit(browser, { gateway, path: '/' });
  page.setDefaultTimeout(PATIENCE_MS);
  const live = page.waitForEvent('websocket');
  await page.reload();
  await page.waitForSelector('html[data-ready]');
  await live;
  await page.setInputFiles('#file-input', [file('cat.png', image)]);
  await page.waitForSelector('.row[data-name="cat.png"][data-state="done"]');
  assert.deepEqual(violations.filter((each) => !each.includes(NEEDS_TLS)), []);
  const cancelled = await page.evaluate(async (id) => (await fetch(`/api/jobs/${id}/cancel`, { method: 'POST' })).status, job);
  assert.equal(cancelled, 409, 'it has ended; the page may ask');
  await context.close();

  const plain = await visit(browser, { gateway, path: '/', javaScriptEnabled: false });
  await plain.page.setInputFiles('form.plain input[type=file]', [file('cat.png', image)]);
  await plain.page.click('form.plain button');
  await plain.page.locator('img[src*="/result"]').waitFor({ timeout: PATIENCE_MS });
  await plain.context.close();
}

test('the page works under every name that this machine has', { timeout: PATIENCE_MS }, async () => {
  const names = ['pictures.localhost', machine, ...(own_address ? [own_address] : [])];
  await Promise.all(names.map((name) => use(`http://${name}:${port}`)));
  for (const name of ['127.0.0.1', 'localhost', `${machine.split('.')[0]}.local`]) {
    const { context } = await visit(browser, { gateway: `http://${name}:${port}`, path: '/' });
    await context.close();
  }
});

test('the form that cancels without scripts works where a browser says least', { timeout: PATIENCE_MS, skip: !own_address }, async () => {
  const made = await makeWaiting();
  const { context, page } = await visit(browser, { gateway: `http://${own_address}:${port}`, path: `/plain/jobs/${made.id}`, javaScriptEnabled: false });
  await page.click('form button');
  assert.equal((await (await ask(`/api/jobs/${made.id}`)).json()).state, 'cancelled');
  await context.close();
});

test('a site that the operator admitted makes, follows, reads and deletes', { timeout: PATIENCE_MS, skip: !process.env.FRIEND }, async () => {
  const context = await browser.newContext();
  const page = await context.newPage();
  await page.goto(`http://friend.example:${site.port}`);
  const seen = await page.evaluate(async ([target, data]) => {
    const body = Uint8Array.from(atob(data), (each) => each.charCodeAt(0));
    const made = await (await fetch(`${target}/api/jobs`, { method: 'POST', body })).json();
    const socket = new WebSocket(`${target.replace('http', 'ws')}/api/jobs/${made.id}/ws`);
    const opened = await new Promise((resolve) => {
      socket.onopen = () => resolve(true);
      socket.onerror = () => resolve(false);
    });
    const client = /** @type {any} */ (globalThis).io(target);
    const told = await new Promise((resolve) => client.emit('subscribe', { job: made.id }, resolve));
    client.close();
    let job = made;
    while (!job.finished_at) job = await (await fetch(`${target}/api/jobs/${made.id}`)).json();
    const result = (await (await fetch(`${target}/api/jobs/${made.id}/result`)).blob()).type;
    const deleted = (await fetch(`${target}/api/jobs/${made.id}`, { method: 'DELETE' })).status;
    return { opened, told: told.ok, state: job.state, result, deleted };
  }, [GATEWAY_URL, image.toString('base64')]);
  assert.deepEqual(seen, { opened: true, told: true, state: 'succeeded', result: 'image/webp', deleted: 204 });
  await context.close();
});
