// @ts-check
/** Errors of the contract, provoked for real, each shown in words that say what happened and what to do: in both languages. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { statfsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { launch, visit } from './support/browser.mjs';
import { startGateway } from './support/gateway.mjs';
import { file, png } from './support/images.mjs';

/** @typedef {import('playwright-core').Page} Page */
/** @typedef {{name: string, mimeType: string, buffer: Buffer}} Chosen */
/** @typedef {{code: string, chosen: Chosen, english: RegExp, chinese: RegExp, twist?: (url: string) => string, header?: Record<string, string>}} Case */

const PATIENCE_MS = 60_000;
const LANGUAGES = /** @type {const} */ (['en-GB', 'zh-CN']);
const small = png(320, 240);
/** Four frames of one pixel. */
const frames = Array.from({ length: 4 }, () => Buffer.from('21f904040a0000002c0000000001000100000202440100', 'hex'));
const moving = Buffer.concat([Buffer.from('47494638396101000100800000000000ffffff', 'hex'), ...frames, Buffer.from([0x3b])]);
const heavy = png(6000, 4000, 5);

/** @type {import('playwright-core').Browser} */
let browser;
before(async () => {
  browser = await launch();
});
after(() => browser.close());

/** @type {Case[]} */
const REFUSED = [
  { code: 'empty_file', chosen: file('empty.png', Buffer.alloc(0)), english: /empty \(0 bytes\)\. Was it still being copied/, chinese: /文件为空（0 字节），可能尚未复制完成/ },
  { code: 'too_large', chosen: file('large.png', Buffer.alloc(1_100_000, 1)), english: /is 1\.1 MB; the limit is 1 MB\. Shrink it/, chinese: /1\.1 MB，上限为 1 MB。请先缩小/ },
  { code: 'unsupported_format', chosen: file('fake.png', Buffer.from('%PDF-1.7 and so on')), english: /PDF.*Accepted|Accepted.*PDF|PDF/, chinese: /PDF/ },
  { code: 'damaged_image', chosen: file('cut.png', small.subarray(0, small.length / 2)), english: /damaged|stops|incomplete|[Ee]xport it again/, chinese: /损坏|中断|不完整|重新导出/ },
  { code: 'too_many_pixels', chosen: file('wide.png', png(400, 400)), english: /pixels/, chinese: /像素/ },
  { code: 'too_many_frames', chosen: file('moving.gif', moving, 'image/gif'), english: /frames/, chinese: /帧/ },
  { code: 'invalid_option', chosen: file('option.png', png(64, 48)), english: /widht.*width/s, chinese: /widht.*width/s, twist: (url) => `${url}&widht=3` },
];

/** @param {string} url @param {string} locale @param {(page: Page) => Promise<void>} act */
async function inPage(url, locale, act) {
  const { context, page, sins } = await visit(browser, { gateway: url, locale });
  page.setDefaultTimeout(PATIENCE_MS);
  try {
    await act(page);
    assert.deepEqual(sins, []);
  } finally {
    await context.close();
  }
}

/** @param {Record<string, string>} settings @param {(url: string, gateway: import('./support/gateway.mjs').Gateway) => Promise<void>} act */
async function withGateway(settings, act) {
  const gateway = await startGateway(settings);
  try {
    await act(gateway.url, gateway);
  } finally {
    await gateway.end();
  }
}

/** @param {Page} page @param {Case} given @param {string} locale */
async function isTold(page, { chosen, english, chinese, twist }, locale) {
  if (twist) {
    await page.route('**/api/jobs?*', (route) => route.request().method() === 'POST' && route.request().url().includes('option.png')
      ? route.continue({ url: twist(route.request().url()) }) : route.continue());
  }
  await page.setInputFiles('#file-input', [chosen]);
  const row = page.locator(`.row[data-name="${chosen.name}"]:is([data-state="failed"], [data-state="invalid"])`);
  const words = locale === 'zh-CN' ? chinese : english;
  try {
    await row.filter({ hasText: words }).waitFor();
  } catch {
    assert.match(await page.locator(`.row[data-name="${chosen.name}"]`).innerText(), words);
  }
  if (locale === 'zh-CN') assert.match(await row.innerText(), /\p{Script=Han}/u);
}

test('what is wrong with a file or its settings', { timeout: 4 * PATIENCE_MS }, () => withGateway(
  { GATEWAY_MAX_UPLOAD_BYTES: '1000000', GATEWAY_MAX_PIXELS: '100000', GATEWAY_MAX_FRAMES: '3' },
  async (url) => {
    for (const locale of LANGUAGES) await inPage(url, locale, async (page) => { for (const each of REFUSED) await isTold(page, each, locale); });
  },
));

test('an encode that takes too long', { timeout: 4 * PATIENCE_MS }, () => withGateway({ GATEWAY_ENCODE_TIMEOUT_S: '1' }, async (url) => {
  for (const locale of LANGUAGES) {
    await inPage(url, locale, async (page) => {
      await page.evaluate(() => localStorage.setItem('webp-gateway.settings', JSON.stringify({ preset: 'lossless', method: 6 })));
      await page.reload();
      await page.waitForSelector('html[data-ready]');
      await isTold(page, { code: 'encode_timeout', chosen: file('slow.png', heavy), english: /took too long.*less effort/, chinese: /编码用时过长。请降低编码强度/ }, locale);
    });
  }
}));

test('too many at once: said, and tried again by itself', { timeout: 4 * PATIENCE_MS }, () => withGateway({ GATEWAY_RATE_LIMIT: '1/minute' }, async (url) => {
  for (const [locale, words] of /** @type {const} */ ([['en-GB', /Too many images in a short time\. Trying again in \d+ s/], ['zh-CN', /短时间内提交的图片过多。\d+ 秒后自动重试/]])) {
    await inPage(url, locale, async (page) => {
      await page.setInputFiles('#file-input', [file('one.png', png(200, 150, 3)), file('two.png', png(200, 150, 4))]);
      await page.locator('.row[data-state="retrying"]').filter({ hasText: words }).first().waitFor();
    });
  }
}));

test('a full queue: said, and tried again by itself until all are done', { timeout: 4 * PATIENCE_MS }, () => withGateway(
  { GATEWAY_MAX_QUEUED_JOBS: '1', GATEWAY_ENCODERS: '1' },
  async (url) => {
    for (const [locale, words] of /** @type {const} */ ([['en-GB', /The queue is full\. Trying again in \d+ s/], ['zh-CN', /队列已满。\d+ 秒后自动重试/]])) {
      await inPage(url, locale, async (page) => {
        await page.setInputFiles('#file-input', Array.from({ length: 6 }, (_, index) => file(`${index}.png`, png(1500, 1000, index + locale.charCodeAt(0)))));
        await page.locator('.row[data-state="retrying"]').filter({ hasText: words }).first().waitFor();
        await page.waitForFunction(() => document.querySelectorAll('.row[data-state="done"]').length === 6);
      });
    }
  },
));

test('a disk without room', { timeout: 4 * PATIENCE_MS, skip: process.platform !== 'linux' && 'fallocate is Linux’s' }, () => {
  const { bavail, bsize } = statfsSync(tmpdir());
  return withGateway({ GATEWAY_MIN_FREE_BYTES: String(bavail * bsize - 500_000_000) }, async (url, gateway) => {
    execFileSync('fallocate', ['-l', '1000000000', join(gateway.folder, 'filling')]);
    for (const locale of LANGUAGES) {
      await inPage(url, locale, (page) => isTold(page, { code: 'storage_full', chosen: file('a.png', small), english: /no disk space left\. Your file is fine/, chinese: /磁盘空间不足。您的文件没有问题/ }, locale));
    }
  });
});

test('a key is asked for, a wrong one refused in words, the right one works; figures need it too', { timeout: 4 * PATIENCE_MS }, () => withGateway(
  { GATEWAY_API_KEYS: 'the-right-key-of-this-test' },
  async (url) => {
    await inPage(url, 'en-GB', async (page) => {
      await page.fill('#key input', 'a-wrong-key-of-this-test');
      await Promise.all([page.waitForURL(url), page.click('#key button')]);
      await page.waitForSelector('html[data-ready]');
      await page.setInputFiles('#file-input', [file('a.png', small)]);
      await page.locator('.row[data-state="failed"]').filter({ hasText: /key is missing or wrong\. Enter it above/ }).waitFor();
      await page.waitForSelector('#key:not([hidden])');
      await page.fill('#key input', 'the-right-key-of-this-test');
      await Promise.all([page.waitForEvent('load'), page.click('#key button')]);
      await page.waitForSelector('html[data-ready]');
      await page.waitForSelector('#connection[data-mode="live"]');
      await page.setInputFiles('#file-input', [file('b.png', small)]);
      await page.waitForSelector('.row[data-name="b.png"][data-state="done"]');
      await page.goto(`${url}/status`);
      await page.waitForSelector('html[data-seen]');
    });
    const { context, page } = await visit(browser, { gateway: url, path: '/status', locale: 'zh-CN' });
    await page.locator('#key').filter({ hasText: '此网关需要密钥' }).waitFor();
    assert.equal(await page.innerText('#queue .tile-now'), '');
    await context.close();
  },
));

test('a result that is gone from the gateway', { timeout: 4 * PATIENCE_MS }, () => withGateway({}, async (url) => {
  for (const [locale, words] of /** @type {const} */ ([['en-GB', /No longer on the server.*Add the image again/], ['zh-CN', /服务器上已不存在.*请重新添加图片/]])) {
    await inPage(url, locale, async (page) => {
      await page.setInputFiles('#file-input', [file('slow.png', png(4000, 3000, locale.charCodeAt(0)))]);
      await page.waitForSelector('.row:is([data-state="decoding"], [data-state="encoding"], [data-state="queued"])');
      const id = await page.evaluate(() => JSON.parse(localStorage.getItem('webp-gateway.jobs') ?? '[]')[0]?.job) ?? '';
      const { jobs } = id ? { jobs: [{ id }] } : await (await page.request.get(`${url}/api/jobs`)).json();
      assert.equal((await page.request.delete(`${url}/api/jobs/${jobs[0].id}`)).status(), 204);
      await page.locator(':is([data-state="expired"], [data-state="cancelled"])').waitFor();
      if (await page.locator('[data-state="expired"]').count()) await page.locator('[data-state="expired"]').filter({ hasText: words }).waitFor();
    });
  }
}));
