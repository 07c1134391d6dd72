// @ts-check
/** The API's documentation in a real browser: search, deep links, the form made from schemas, and code that runs as it stands. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { GATEWAY_URL, launch, visit } from './support/browser.mjs';
import { png } from './support/images.mjs';

const AXE = createRequire(import.meta.url).resolve('axe-core/axe.min.js');
const PYTHON = process.env.PYTHON ?? fileURLToPath(new URL('../.venv/bin/python', import.meta.url));
const PATIENCE_MS = 120_000;
const run = promisify(execFile);
const picture = png(64, 48);
/** @type {import('playwright-core').Browser} */
let browser;
/** @type {string} */
let folder;

before(async () => {
  browser = await launch();
  folder = mkdtempSync(join(tmpdir(), 'docs-'));
});
after(async () => {
  await browser.close();
  rmSync(folder, { recursive: true, force: true });
});

/** @param {string} name @param {import('playwright-core').BrowserContextOptions & {path?: string}} options @param {(page: import('playwright-core').Page) => Promise<void>} body */
function docsTest(name, options, body) {
  test(name, { timeout: PATIENCE_MS }, async () => {
    const { context, page, violations } = await visit(browser, { path: '/api/docs', ...options });
    try {
      await body(page);
      assert.deepEqual(violations, []);
    } finally {
      await context.close();
    }
  });
}

/** Open the form of an operation. @param {import('playwright-core').Page} page @param {string} id */
async function openForm(page, id) {
  await page.locator(`#${id} .docs-try > summary`).click();
  return page.locator(`#${id}`);
}

/** Run a snippet as a reader would, in a folder with photo.jpg. @param {string} language @param {string} code */
async function execute(language, code) {
  if (language === 'js') {
    writeFileSync(join(folder, 'snippet.mjs'), code);
    return (await run(process.execPath, ['snippet.mjs'], { cwd: folder })).stdout;
  }
  const [program, ...words] = language === 'python' ? [PYTHON, '-c'] : ['bash', '-euo', 'pipefail', '-c'];
  return (await run(program, [...words, code], { cwd: folder })).stdout;
}

docsTest('a search finds operations by path, words and options, and says how many', {}, async (page) => {
  const all = await page.locator('.docs-index li:visible').count();
  assert.ok(all > 20);
  await page.fill('#search', 'archive');
  assert.match(await page.innerText('#found'), /^2 operations found/);
  assert.equal(await page.locator('.docs-operation:visible').count(), 2);
  await page.fill('#search', '/api/batches/{batch_id}/archive');
  assert.match(await page.innerText('#found'), /^1 operation found/);
  assert.equal(await page.locator('.docs-operation:visible').count(), 1);
  await page.press('#search', 'Enter');
  assert.equal(new URL(page.url()).hash, '#getArchive');
  await page.fill('#search', 'near_lossless');
  assert.ok(await page.locator('#convert').isVisible() && !await page.locator('#health').isVisible());
  await page.fill('#search', 'no such thing');
  assert.match(await page.innerText('#found'), /^0 operations/);
  await page.fill('#search', '');
  assert.equal(await page.locator('.docs-index li:visible').count(), all);
});

docsTest('a deep link leads to its operation, and is marked in the index', { path: '/api/docs#getResult' }, async (page) => {
  assert.ok(await page.locator('#getResult').isVisible());
  assert.ok(await page.evaluate(() => Math.abs(document.getElementById('getResult')?.getBoundingClientRect().top ?? 999) < 200));
  assert.equal(await page.getAttribute('[data-operation="getResult"]', 'aria-current'), 'true');
});

docsTest('groups have names and stand in the order in which one needs them', { locale: 'zh-CN' }, async (page) => {
  assert.deepEqual(await page.locator('.docs-index h2').allInnerTexts(), ['即时转换', '任务', '实时进度', '批次', '断点续传', 'Webhook', '网关信息']);
});

docsTest('the form sends a picture with options and shows status, headers and the picture', {}, async (page) => {
  const operation = await openForm(page, 'convert');
  await operation.locator('input[type="file"]').setInputFiles({ name: 'cat.png', mimeType: 'image/png', buffer: picture });
  await operation.locator('.docs-options > summary').click();
  await operation.locator('[name="query:width"]').fill('32');
  await operation.locator('[name="query:fit"]').selectOption('inside');
  assert.match(await operation.locator('.docs-code code').innerText(), /width=32&fit=inside[\s\S]*image\/png[\s\S]*@cat\.png/);
  await operation.locator('.docs-actions button').click();
  await operation.locator('.docs-output img').waitFor();
  assert.match(await operation.locator('.docs-status').innerText(), /^200/);
  assert.equal(await operation.locator('.docs-output img').evaluate(async (image) => {
    if (!(image instanceof HTMLImageElement)) return 0;
    await image.decode();
    return image.naturalWidth;
  }), 32);
  assert.match(await operation.locator('.docs-output pre').textContent() ?? '', /content-type: image\/webp/);
});

docsTest('a number out of its range is not sent, and a refusal is shown with its problem', {}, async (page) => {
  const job = await openForm(page, 'showJob');
  await job.locator('.docs-actions button').click();
  assert.equal(await job.locator('.docs-output').innerText(), '', 'a required field is asked for first');
  await job.locator('[name="path:job_id"]').fill('nowhere');
  await job.locator('.docs-actions button').click();
  await job.locator('.docs-status[data-ok="false"]').waitFor();
  assert.match(await job.locator('.docs-output').innerText(), /404[\s\S]*"code": "not_found"/);
  const list = await openForm(page, 'listJobs');
  await list.locator('[name="query:limit"]').fill('999');
  await list.locator('.docs-actions button').click();
  assert.equal(await list.locator('.docs-output').innerText(), '');
});

docsTest('an API key is sent and never shown in the code', {}, async (page) => {
  const description = await (await page.request.get(`${GATEWAY_URL}/api/openapi.json`)).json();
  description.paths['/api/jobs'].get.security = [{ key: [] }];
  await page.route('**/api/openapi.json', (route) => route.fulfill({ json: description }));
  await page.reload();
  await page.waitForSelector('html[data-ready]');
  const operation = await openForm(page, 'listJobs');
  await operation.locator('[name="key"]').fill('my-secret');
  assert.match(await operation.locator('.docs-code code').innerText(), /Authorization: Bearer YOUR_KEY/);
  const [request] = await Promise.all([page.waitForRequest(/\/api\/jobs$/), operation.locator('.docs-actions button').click()]);
  assert.equal(request.headers().authorization, 'Bearer my-secret');
  assert.doesNotMatch(await page.innerText('body'), /my-secret/);
});

docsTest('the code of curl, Python and JavaScript runs as it stands', {}, async (page) => {
  writeFileSync(join(folder, 'photo.jpg'), picture);
  const sent = await fetch(`${GATEWAY_URL}/api/jobs`, { method: 'POST', body: new Uint8Array(picture), headers: { Prefer: 'wait=20' } });
  const job = await sent.json();
  const cases = /** @type {[string, string, RegExp | null][]} */ ([
    ['convert', 'photo.webp', null], ['convertFile', 'photo.webp', null], ['createJob', '', /"?'?state"?'?/], ['showJob', '', new RegExp(job.id)],
    ['getResult', 'photo.webp', null], ['headResult', '', /image\/webp/i], ['listJobs', '', /jobs/], ['followJob', '', /event: |data: /], ['retryJob', '', /state/],
    ['capabilities', '', /retention_s/], ['health', '', /parts/], ['describeApi', '', /openapi/], ['getSource', 'source.jpg', null],
  ]);
  for (const language of ['curl', 'python', 'js']) {
    await page.locator(`#convert .docs-languages input[value="${language}"]`).check();
    for (const [id, saved, said] of cases) {
      const operation = page.locator(`#${id}`);
      if (language === 'curl') {
        await openForm(page, id);
        const job_id = operation.locator('[name="path:job_id"]');
        if (await job_id.count()) await job_id.fill(job.id);
      }
      const code = await operation.locator('.docs-code code').innerText();
      const output = await execute(language, code).catch((error) => assert.fail(`${language} ${id}:\n${code}\n${error.stderr || error}`));
      if (said) assert.match(output, said, `${language} ${id}`);
      if (saved.endsWith('.webp')) assert.equal(readFileSync(join(folder, saved)).subarray(8, 12).toString(), 'WEBP', `${language} ${id}`);
      if (saved === 'source.jpg') assert.deepEqual(readFileSync(join(folder, saved)), picture);
      if (saved) rmSync(join(folder, saved));
    }
  }
});

for (const [locale, colorScheme] of /** @type {const} */ ([['en', 'light'], ['zh-CN', 'dark']])) {
  for (const path of ['/api/docs', '/problems', '/problems/gone', '/nowhere']) {
    test(`axe finds nothing, and nothing is wider than 320 pixels: ${path}, ${locale}`, { timeout: PATIENCE_MS }, async () => {
      const { page, context, violations } = await visit(browser, { path, locale, colorScheme, viewport: { width: 320, height: 700 }, reducedMotion: 'reduce' });
      await page.evaluate(readFileSync(AXE, 'utf8'));
      // @ts-expect-error axe is what the script above has made
      const found = await page.evaluate(async () => (await globalThis.axe.run()).violations.map(({ id, nodes }) => `${id}: ${nodes.slice(0, 3).map(({ html }) => html.slice(0, 120)).join(' ')}`));
      assert.deepEqual(found, []);
      assert.equal(await page.evaluate(() => document.documentElement.scrollWidth), 320);
      assert.deepEqual(violations, []);
      await context.close();
    });
  }
}
