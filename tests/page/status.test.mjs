// @ts-check
/** The operator's page over restarts and hangs of a real gateway: what it shows, says and asks for. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { after, before, test } from 'node:test';
import { launch, visit } from './support/browser.mjs';
import { startGateway } from './support/gateway.mjs';
import { png } from './support/images.mjs';

const SOON_MS = 10_000;
const PATIENCE_MS = 60_000;
/** @type {import('playwright-core').Browser} */
let browser;
/** @type {import('./support/gateway.mjs').Gateway} */
let gateway;

before(async () => {
  [browser, gateway] = await Promise.all([launch(), startGateway({ GATEWAY_SHARE_RESULTS: 'off' })]);
});
after(async () => {
  await browser.close();
  await gateway.end();
});

/** @param {import('playwright-core').Page} page @param {string} state */
const count = async (page, state) => Number((await page.innerText(`[data-job="${state}"] td`)).replace(/\D/g, '') || NaN);

/** @param {number} n */
async function convert(n) {
  for (let index = 0; index < n; index += 1) {
    const sent = await fetch(`${gateway.url}/api/convert`, { method: 'POST', body: new Uint8Array(png(40 + index, 30)) });
    assert.equal(sent.status, 200, await sent.clone().text());
  }
}

/** Stop or continue the gateway's workers, as a machine that is out of memory would. @param {'STOP' | 'CONT'} signal */
function signalWorkers(signal) {
  const children = (/** @type {number} */ pid) => execFileSync('ps', ['-o', 'pid=', '--ppid', String(pid)], { encoding: 'utf8' }).split(/\s+/).filter(Boolean).map(Number);
  const masters = children(Number(gateway.process?.pid)).filter((pid) => execFileSync('ps', ['-o', 'args=', '-p', String(pid)], { encoding: 'utf8' }).includes('gunicorn'));
  for (const pid of masters.flatMap(children)) process.kill(pid, `SIG${signal}`);
}

test('counters and charts of the status page survive a restart under the open page, which asks for no key', { timeout: 4 * PATIENCE_MS }, async () => {
  await convert(3);
  await fetch(`${gateway.url}/api/jobs/nowhere`);
  const { page, context, violations } = await visit(browser, { gateway: gateway.url, path: '/status' });
  await page.waitForFunction(() => document.querySelector('[data-job="succeeded"] td')?.textContent === '3');
  await page.waitForSelector('#errors a[href$="/problems/not_found"]', { timeout: PATIENCE_MS });
  await gateway.stop();
  await page.waitForSelector('#silent:not([hidden])', { timeout: SOON_MS });
  assert.equal(await page.isHidden('#key'), true);
  await gateway.start();
  await page.waitForSelector('#silent', { state: 'hidden', timeout: PATIENCE_MS });
  assert.equal(await page.isHidden('#key'), true);
  await page.waitForFunction(() => document.querySelector('[data-job="succeeded"] td')?.textContent === '3', undefined, { timeout: PATIENCE_MS });
  await convert(1);
  await page.waitForFunction(() => document.querySelector('[data-job="succeeded"] td')?.textContent === '4', undefined, { timeout: PATIENCE_MS });
  assert.deepEqual(violations.filter((each) => !/ERR_CONNECTION|ERR_EMPTY|ERR_SOCKET/.test(each)), []);

  const second = await visit(browser, { gateway: gateway.url, path: '/status', locale: 'zh-CN' });
  await second.page.waitForSelector('html[data-figures]');
  assert.equal(await count(second.page, 'succeeded'), 4, 'a second operator sees the same');
  assert.match(await second.page.getAttribute('#throughput .chart-line', 'd') ?? '', /L/, 'and the past from the first moment on');
  assert.ok(await second.page.isVisible('#errors a[href$="/problems/not_found"]'), 'errors from before the restart too');
  await second.context.close();
  await context.close();
});

test('the status page says within ten seconds that the gateway hangs, asks for no key, and comes back by itself', { timeout: 4 * PATIENCE_MS }, async () => {
  const { page, context } = await visit(browser, { gateway: gateway.url, path: '/status' });
  await page.waitForSelector('html[data-figures]');
  signalWorkers('STOP');
  try {
    await page.waitForSelector('#silent:not([hidden])', { timeout: SOON_MS });
    await page.waitForTimeout(25_000); // beyond the client's own patience, so that it connects anew, in vain
    assert.equal(await page.isHidden('#key'), true);
  } finally {
    signalWorkers('CONT');
  }
  await page.waitForSelector('#silent', { state: 'hidden', timeout: PATIENCE_MS });
  assert.equal(await page.isHidden('#key'), true);
  await context.close();
});

test('a paused status page stands still until it goes on', { timeout: PATIENCE_MS }, async () => {
  const { page, context } = await visit(browser, { gateway: gateway.url, path: '/status' });
  await page.waitForSelector('html[data-figures]');
  await page.click('#pause');
  const shown = await page.innerText('#when');
  await page.waitForTimeout(2500);
  assert.equal(await page.innerText('#when'), shown);
  assert.equal(await page.isHidden('#silent'), true);
  await page.click('#pause');
  await page.waitForFunction((before) => document.getElementById('when')?.textContent !== before, shown);
  await context.close();
});
