// @ts-check
/**
 * What the page says of a large image, beside the gateway's own log of it: the same, within half a second, on a good line and on a bad one.
 * The first change is the latest: what is accepted has to be heard of, asked for and answered, three ways over the line.
 * `PHOTO=path` takes that image instead of a painted one of 24 megapixels.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { launch, visit } from './support/browser.mjs';
import { startGateway } from './support/gateway.mjs';
import { file, png } from './support/images.mjs';
import { startSlowProxy } from './support/slow-proxy.mjs';
import { followChanges } from './support/change-log.mjs';

/** @typedef {{at_ms: number, percent: number, state: string, progress: number, text: string}} Shown one picture of a row */
/** @typedef {import('./support/change-log.mjs').Change} Change */

const PATIENCE_MS = 240_000;
const AGREEMENT_MS = 500;
const STAGES = /** @type {Record<string, string>} */ ({ decode: 'decoding', transform: 'transforming', encode: 'encoding', store: 'saving' });
const ORDER = ['waiting', 'uploading', 'verifying', 'queued', 'decoding', 'transforming', 'encoding', 'saving', 'confirming', 'done'];
const photo = process.env.PHOTO ? file('photo.jpg', readFileSync(process.env.PHOTO), 'image/jpeg') : file('photo.png', png(6000, 4000, 24));

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

for (const [name, line] of /** @type {const} */ ([
  ['on a good line', null],
  ['on a slow line: 2 MB a second, 100 ms late each way', { bytes_a_second: 2_000_000, delay_ms: 100 }],
])) {
  test(`what the page shows of a large image agrees with the gateway's log: ${name}`, { timeout: PATIENCE_MS }, async (context) => {
    const log = await followChanges(gateway);
    const between = line ? await startSlowProxy(gateway.port, line) : null;
    context.after(async () => {
      log.close();
      await between?.stop();
    });
    const { context: visitor, page, violations } = await visit(browser, { gateway: between?.url ?? gateway.url });
    page.setDefaultTimeout(PATIENCE_MS);
    await page.evaluate((quality) => localStorage.setItem('webp-gateway.settings', JSON.stringify({ preset: 'photo', quality, method: 6 })), line ? 79 : 81);
    await page.reload();
    await page.waitForSelector('html[data-ready]');
    await page.waitForSelector('#connection[data-mode="live"]');
    await page.evaluate(watch);
    await page.setInputFiles('#file-input', [photo]);
    await page.waitForSelector('.row[data-state="done"]');
    await page.waitForFunction(() => Reflect.get(globalThis, 'answer') !== undefined);
    const { shown, answer } = /** @type {{shown: Shown[], answer: {status: number, type: string}}} */ (
      await page.evaluate(() => ({ shown: Reflect.get(globalThis, 'shown'), answer: Reflect.get(globalThis, 'answer') })));
    const id = String(await page.getAttribute('[data-control="download"]', 'href')).split('/')[3];
    const changes = log.changes.filter((each) => each.id === id);
    await visitor.close();

    assert.deepEqual(answer, { status: 200, type: 'image/webp' }, 'with 100 % the result is there');
    shown.forEach(({ percent }, index) => assert.ok(index === 0 || percent >= shown[index - 1].percent, `percent fell: ${shown.map((each) => each.percent)}`));
    shown.forEach((each, index) => assert.ok(index === 0 || ORDER.indexOf(each.state) >= ORDER.indexOf(shown[index - 1].state), `went back to ${each.state}`));
    assert.ok(shown.every(({ percent, state }) => percent < 100 || state === 'done'));
    assert.ok(changes.length > 10, `the log has ${changes.length} changes`);
    const lags = lagsOf(changes, shown);
    console.log(`${name}: ${changes.length} changes in the log, ${shown.length} pictures of the row; shown ${Math.round(lags.reduce((sum, each) => sum + each, 0) / lags.length)} ms after the log on average, ${Math.max(...lags)} ms at most`);
    assert.ok(Math.max(...lags) <= AGREEMENT_MS, lags.join());
    assert.deepEqual(shown.filter((each) => isAhead(each, changes)), [], 'nothing is shown before it is so');
    assert.deepEqual(violations, []);
  });
}

/** Runs in the page: everything the row shows, with the time, and whether the result answers at the moment that 100 % is shown. */
function watch() {
  const shown = /** @type {Shown[]} */ ([]);
  Object.assign(globalThis, { shown });
  const look = () => {
    const row = /** @type {HTMLElement | null} */ (document.querySelector('.row'));
    if (!row?.dataset.state) return;
    const share = Number(/** @type {HTMLElement} */ (row.querySelector('.bar')).style.getPropertyValue('--convert-share') || 0);
    const text = row.querySelector('.row-stage-text')?.textContent ?? '';
    shown.push({ at_ms: Date.now(), percent: Number(row.dataset.percent), state: row.dataset.state, progress: Math.round(100 * share), text });
    if (row.dataset.percent !== '100' || 'asked' in globalThis) return;
    Object.assign(globalThis, { asked: true });
    fetch(/** @type {HTMLAnchorElement} */ (row.querySelector('[data-control="download"]')).href)
      .then((answer) => Object.assign(globalThis, { answer: { status: answer.status, type: answer.headers.get('Content-Type') } }));
  };
  new MutationObserver(look).observe(document.body, { subtree: true, childList: true, characterData: true, attributes: true });
}

/** How long after each change of a running job the row said at least as much. @param {Change[]} changes @param {Shown[]} shown */
function lagsOf(changes, shown) {
  return changes.filter((each) => each.state === 'running').map((change) => {
    const rank = ORDER.indexOf(STAGES[change.stage ?? ''] ?? 'decoding');
    const seen = shown.find((each) => {
      const at = ORDER.indexOf(each.state);
      return at > rank && at > ORDER.indexOf('saving') || at >= rank && each.progress >= Math.min(change.progress, 99);
    });
    return seen ? Math.max(0, seen.at_ms - change.at_ms) : Infinity;
  });
}

/** @param {Shown} shown @param {Change[]} changes */
function isAhead({ at_ms, progress, state, text }, changes) {
  const known = changes.filter((each) => each.at_ms <= at_ms + 1);
  const said = Number(/^Encoding (\d+)%/.exec(text)?.[1] ?? 0);
  if (state === 'done') return !known.some((each) => each.state === 'succeeded');
  return Math.max(progress, said) > Math.max(0, ...known.map((each) => each.progress));
}
