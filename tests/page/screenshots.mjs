// @ts-check
/**
 * Makes the README's pictures from a running gateway: `GATEWAY_URL=… node screenshots.mjs`. Names say what they show:
 * `page-<state>-<language>-<theme>.webp`, made small by the gateway itself.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { GATEWAY_URL, launch, visit } from './support/browser.mjs';
import { paintScenes } from './support/scenes.mjs';

/** @typedef {import('playwright-core').Page} Page */

const TARGET = fileURLToPath(new URL('../../docs/images/', import.meta.url));
const WIDE = { viewport: { width: 1180, height: 820 } };
const PHONE = { viewport: { width: 390, height: 844 }, deviceScaleFactor: 2, isMobile: true, hasTouch: true };
const LOOKS = /** @type {const} */ ([['en', 'light'], ['en', 'dark'], ['zh-CN', 'light'], ['zh-CN', 'dark']]);
const PATIENCE_MS = 120_000;
const SETTLING_MS = 600;
/** Rounds of five pictures each, for the operator's page. */
const ROUNDS = 10;
mkdirSync(TARGET, { recursive: true });
const browser = await launch();
const scenes = await paintScenes(browser);

/** @param {Page} page */
async function convert(page) {
  await page.setInputFiles('#file-input', fresh());
  await page.waitForFunction((n) => document.querySelectorAll('.row[data-state="done"]').length === n, scenes.length, { timeout: PATIENCE_MS });
}

let copies = 0;
/** The same pictures in other bytes (a comment after the JPEG's first marker): the gateway would have the result at once. */
function fresh() {
  copies += 1;
  const comment = Buffer.from([0xff, 0xfe, 0, 6, 0, 0, copies >> 8, copies & 0xff]);
  return scenes.map((scene) => ({ ...scene, buffer: Buffer.concat([scene.buffer.subarray(0, 2), comment, scene.buffer.subarray(2)]) }));
}

/** @type {Record<string, (page: Page) => Promise<unknown>>} */
const STATES = {
  start: async () => {},
  settings: async (page) => {
    await page.setInputFiles('#file-input', fresh().slice(0, 1));
    await page.waitForSelector('.row[data-state="done"]', { timeout: PATIENCE_MS });
    await page.click('.settings-summary');
    await page.check('[name="preset"][value="photo"]');
    await page.waitForSelector('.estimate[data-state="known"]', { timeout: PATIENCE_MS });
  },
  web: async (page) => {
    await page.goto(`${GATEWAY_URL}/#formats=avif,webp,jpeg&widths=320,640,1280,1920&quality=auto`);
    await page.reload();
    await page.waitForSelector('html[data-ready]');
    await page.setInputFiles('#file-input', fresh().slice(0, 1));
    await page.waitForSelector('.row[data-state="done"] a.variant', { timeout: PATIENCE_MS });
    await page.click('.variants-html > summary');
  },
  running: async (page) => {
    await page.setInputFiles('#file-input', fresh());
    await page.waitForSelector('.row[data-state="done"]', { timeout: PATIENCE_MS });
    await page.waitForSelector('.row[data-state="encoding"]', { timeout: PATIENCE_MS });
  },
  done: convert,
  compare: async (page) => {
    await convert(page);
    await page.locator('[data-control="compare"]').first().click();
    await page.waitForSelector('.compare-stage.is-shown');
    await page.waitForTimeout(SETTLING_MS);
  },
};

/** Only what is named on the command line, if anything is. */
const wanted = process.argv.slice(2);

for (const [state, reach] of Object.entries(STATES)) {
  for (const [language, colorScheme] of LOOKS) await shoot(`page-${state}-${language}-${colorScheme}`, reach, { locale: language, colorScheme, ...WIDE });
}
for (const state of ['start', 'done', 'web', 'compare']) {
  await shoot(`phone-${state}-en-light`, STATES[state], { locale: 'en', colorScheme: 'light', ...PHONE });
  await shoot(`phone-${state}-zh-CN-dark`, STATES[state], { locale: 'zh-CN', colorScheme: 'dark', ...PHONE });
}
await shootStatus();
await browser.close();

/** All looks at once, while the gateway works long enough to draw its charts. */
async function shootStatus() {
  const looks = LOOKS.filter(([language, colorScheme]) => isWanted(`page-status-${language}-${colorScheme}`));
  if (looks.length === 0) return;
  const visits = await Promise.all(looks.map(async ([language, colorScheme]) => ({
    name: `page-status-${language}-${colorScheme}`, ...await visit(browser, { locale: language, colorScheme, path: '/status', ...WIDE, viewport: { width: 1180, height: 860 } }),
  })));
  await Promise.all(visits.map(({ page }) => page.waitForSelector('html[data-figures]')));
  const sender = await visit(browser, WIDE);
  for (let round = 0; round < ROUNDS; round += 1) {
    await sender.page.setInputFiles('#file-input', fresh());
    // A new round comes before the last one is through, so that the queue has a curve too.
    await sender.page.waitForTimeout(2500 + 700 * (round % 4));
  }
  for (const { name, page, context } of visits) {
    await keep(name, await page.screenshot());
    await context.close();
  }
  await sender.context.close();
}

/**
 * @param {string} name
 * @param {(page: Page) => Promise<unknown>} reach
 * @param {import('playwright-core').BrowserContextOptions & {path?: string}} options
 */
async function shoot(name, reach, options) {
  if (!isWanted(name)) return;
  const { context, page } = await visit(browser, options);
  await reach(page);
  await page.waitForTimeout(settlingOf(name));
  const picture = await page.screenshot();
  await context.close();
  await keep(name, picture);
}

/** @param {string} name */
function isWanted(name) {
  return wanted.length === 0 || wanted.some((each) => name.includes(each));
}

/** @param {string} name @param {Buffer} picture */
async function keep(name, picture) {
  const answer = await fetch(`${GATEWAY_URL}/api/convert?quality=90`, { method: 'POST', body: new Uint8Array(picture) });
  if (!answer.ok) throw new Error(`${name}: ${await answer.text()}`);
  writeFileSync(join(TARGET, `${name}.webp`), Buffer.from(await answer.arrayBuffer()));
}

/** A running batch is shown as it is; what stands still may finish its transitions. @param {string} name */
function settlingOf(name) {
  return name.includes('running') ? 0 : SETTLING_MS;
}
