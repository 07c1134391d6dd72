// @ts-check
/**
 * Makes the README's pictures from a running gateway: `GATEWAY_URL=… node screenshots.mjs [folder with photos]`. Names say what they show:
 * `page-<state>-<language>-<theme>.png`.
 */
import { mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { launch, visit } from './support/browser.mjs';
import { file, png } from './support/images.mjs';

/** @typedef {import('playwright-core').Page} Page */

const TARGET = fileURLToPath(new URL('../../docs/images/', import.meta.url));
const WIDE = { viewport: { width: 1180, height: 820 } };
const PHONE = { viewport: { width: 390, height: 844 }, deviceScaleFactor: 2, isMobile: true, hasTouch: true };
const PATIENCE_MS = 120_000;
const SETTLING_MS = 600;
const photos = photosOf(process.argv[2]);

/** @param {string | undefined} folder */
function photosOf(folder) {
  if (!folder) return [file('meadow.png', png(1800, 1200, 2)), file('shore.png', png(2400, 1600, 3)), file('dusk.png', png(3000, 2000, 4)), file('hills.png', png(4000, 3000, 5))];
  return readdirSync(folder).filter((name) => /\.(jpe?g|png|webp)$/i.test(name)).sort().map((name) => join(folder, name));
}

/** @param {Page} page */
async function convert(page) {
  await page.setInputFiles('#file-input', /** @type {string[]} */ (photos));
  await page.waitForFunction((n) => document.querySelectorAll('.row[data-state="done"]').length === n, photos.length, { timeout: PATIENCE_MS });
}

/** @type {Record<string, (page: Page) => Promise<unknown>>} */
const STATES = {
  start: async () => {},
  settings: (page) => page.click('.settings-summary'),
  running: async (page) => {
    await page.setInputFiles('#file-input', /** @type {string[]} */ (photos));
    await page.waitForSelector('.row[data-state="done"]', { timeout: PATIENCE_MS });
    await page.waitForSelector('.row[data-state="encoding"]', { timeout: PATIENCE_MS });
  },
  done: convert,
  compare: async (page) => {
    await convert(page);
    await page.locator('[data-control="compare"]').nth(1).click();
    await page.waitForFunction(() => [...document.querySelectorAll('.compare-image')].every((image) => image instanceof HTMLImageElement && image.complete && image.naturalWidth > 0));
    await page.waitForTimeout(SETTLING_MS);
  },
};

mkdirSync(TARGET, { recursive: true });
const browser = await launch();
for (const [state, reach] of Object.entries(STATES)) {
  for (const [locale, language] of [['en-GB', 'en'], ['zh-CN', 'zh-CN']]) {
    for (const colorScheme of /** @type {const} */ (['light', 'dark'])) {
      await shoot(`page-${state}-${language}-${colorScheme}`, reach, { locale, colorScheme, ...WIDE });
    }
  }
}
for (const state of ['start', 'done', 'compare']) {
  await shoot(`phone-${state}-en-light`, STATES[state], { locale: 'en-GB', ...PHONE });
  await shoot(`phone-${state}-zh-CN-dark`, STATES[state], { locale: 'zh-CN', colorScheme: 'dark', ...PHONE });
}
await browser.close();

/**
 * @param {string} name
 * @param {(page: Page) => Promise<unknown>} reach
 * @param {import('playwright-core').BrowserContextOptions} options
 */
async function shoot(name, reach, options) {
  const { context, page } = await visit(browser, options);
  await reach(page);
  await page.waitForTimeout(settlingOf(name));
  await page.screenshot({ path: join(TARGET, `${name}.png`) });
  await context.close();
}

/** A running batch is shown as it is; what stands still may finish its transitions. @param {string} name */
function settlingOf(name) {
  return name.includes('running') ? 0 : SETTLING_MS;
}
