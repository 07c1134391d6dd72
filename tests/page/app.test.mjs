// @ts-check
/** The empty page's samples and promise, and the page as an installed app that takes what is shared with it: in real Chromium, `GATEWAY_URL`. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync, readFileSync } from 'node:fs';
import { execFileSync } from 'node:child_process';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { GATEWAY_URL, launch, visit } from './support/browser.mjs';
import { png } from './support/images.mjs';

const PATIENCE_MS = 60_000;

/** @type {import('playwright-core').Browser} */
let browser;
before(async () => {
  browser = await launch();
});
after(() => browser.close());

/**
 * @param {string} name
 * @param {import('playwright-core').BrowserContextOptions} options
 * @param {(page: import('playwright-core').Page) => Promise<void>} act
 */
const testPage = (name, options, act) => test(name, { timeout: 2 * PATIENCE_MS }, async () => {
  const { context, page, violations } = await visit(browser, options);
  page.setDefaultTimeout(PATIENCE_MS);
  try {
    await act(page);
    assert.deepEqual(violations, []);
  } finally {
    await context.close();
  }
});

for (const [locale, promise, sample] of /** @type {const} */ ([
  ['en-GB', /They stay on this server and are deleted after 24 hours/, 'Screenshot'], ['zh-CN', /图片只保存在此服务器上，.*后删除/, '截图'],
])) {
  testPage(`a newcomer without a picture tries a sample, and reads before that where pictures go: ${locale}`, { locale }, async (page) => {
    assert.match(await page.innerText('#picker'), promise);
    await page.getByRole('button', { name: sample }).click();
    await page.waitForSelector('.row[data-name="screenshot.png"][data-state="done"]');
    assert.ok(await page.isHidden('#samples'));
  });
}

testPage('each sample becomes smaller', {}, async (page) => {
  for (const name of ['mountains.jpg', 'screenshot.png', 'balloon.png']) {
    await page.evaluate((sample) => /** @type {HTMLElement} */ (document.querySelector(`[data-sample="${sample}"]`)).click(), name);
    await page.waitForSelector(`.row[data-name="${name}"][data-state="done"]`);
    assert.match(await page.locator(`.row[data-name="${name}"]`).innerText(), /−\d+%/, name);
  }
});

testPage('Chromium finds nothing that keeps the page from being installed', {}, async (page) => {
  const session = await page.context().newCDPSession(page);
  const { errors } = await session.send('Page.getAppManifest');
  assert.deepEqual(errors, []);
  const { installabilityErrors } = await session.send('Page.getInstallabilityErrors');
  // The tests' windows are private, in which nothing can be installed.
  assert.deepEqual(installabilityErrors.filter(({ errorId }) => errorId !== 'in-incognito'), []);
});

testPage('pictures that a phone shares with the installed page appear in its list', {}, async (page) => {
  await page.waitForFunction(async () => (await navigator.serviceWorker.getRegistration('/share'))?.active?.state === 'activated');
  assert.equal(await page.evaluate(() => navigator.serviceWorker.controller), null, 'no request of the page itself passes the worker');
  await page.evaluate((base64) => {
    const form = document.createElement('form');
    Object.assign(form, { method: 'post', action: '/share', enctype: 'multipart/form-data' });
    const input = document.createElement('input');
    Object.assign(input, { type: 'file', name: 'file', multiple: true });
    const files = new DataTransfer();
    for (const name of ['海边.png', 'forest.png']) files.items.add(new File([Uint8Array.from(atob(base64), (each) => each.charCodeAt(0))], name, { type: 'image/png' }));
    input.files = files.files;
    form.append(input);
    document.body.append(form);
    form.submit();
  }, png(300, 200, 21).toString('base64'));
  for (const name of ['海边.png', 'forest.png']) await page.waitForSelector(`.row[data-name="${name}"][data-state="done"]`);
  assert.equal(new URL(page.url()).search, '');
  await page.reload();
  await page.waitForSelector('.row[data-name="forest.png"][data-state="done"]');
  assert.equal(await page.locator('.row').count(), 2, 'what was shared is taken once');
});

testPage('a chosen folder comes back as a ZIP with its folders and dates', {}, async (page) => {
  const folder = mkdtempSync(join(tmpdir(), 'page-folder-'));
  const modified = new Date(2025, 6, 1, 12, 30, 20);
  try {
    for (const [index, path] of ['holiday/a.png', 'holiday/beach/a.png'].entries()) {
      mkdirSync(join(folder, path, '..'), { recursive: true });
      writeFileSync(join(folder, path), png(200, 150, 30 + index));
      utimesSync(join(folder, path), modified, modified);
    }
    await page.setInputFiles('#folder-input', join(folder, 'holiday'));
    await page.waitForFunction(() => document.querySelectorAll('.row[data-state="done"]').length === 2);
    const [download] = await Promise.all([page.waitForEvent('download'), page.click('#save-all')]);
    const code = 'import json, sys, zipfile; print(json.dumps(sorted([i.filename, i.date_time] for i in zipfile.ZipFile(sys.argv[1]).infolist())))';
    const said = JSON.parse(execFileSync('python3', ['-c', code, await download.path()], { encoding: 'utf8' }));
    assert.deepEqual(said, [['holiday/a.webp', [2025, 7, 1, 12, 30, 20]], ['holiday/beach/a.webp', [2025, 7, 1, 12, 30, 20]]]);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('below a path prefix the manifest and the service worker lead to addresses of that prefix', async () => {
  const known = JSON.parse(await (await fetch(`${GATEWAY_URL}/manifest.webmanifest`)).text());
  const resolved = [known.start_url, known.share_target.action, ...known.icons.map((/** @type {{src: string}} */ each) => each.src)].map((each) => new URL(each, 'https://a.example/images/manifest.webmanifest').href);
  assert.ok(resolved.every((each) => each.startsWith('https://a.example/images/')), resolved.join());
  assert.match(readFileSync(new URL('../../frontend/js/service-worker.js', import.meta.url), 'utf8'), /registration\.scope/);
});
