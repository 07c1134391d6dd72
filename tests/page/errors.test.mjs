// @ts-check
/** Errors of the contract, provoked for real, each shown in words that say what happened and what to do: in both languages. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync, readdirSync, renameSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { launch, visit } from './support/browser.mjs';
import { startGateway } from './support/gateway.mjs';
import { bmp, file, png } from './support/images.mjs';
import { startSlowProxy } from './support/slow-proxy.mjs';

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
  { code: 'damaged_image', chosen: file('cut.png', small.subarray(0, small.length / 2)), english: /damaged|stops|incomplete|[Ee]xport (or copy )?it again/, chinese: /损坏|中断|不完整|重新导出/ },
  { code: 'too_many_pixels', chosen: file('wide.png', png(400, 400)), english: /pixels/, chinese: /像素/ },
  { code: 'too_many_frames', chosen: file('moving.gif', moving, 'image/gif'), english: /frames/, chinese: /帧/ },
  { code: 'invalid_option', chosen: file('option.png', png(64, 48)), english: /widht.*width/s, chinese: /widht.*width/s, twist: (url) => `${url}&widht=3` },
  { code: 'bad_request', chosen: file('digest.png', png(65, 48)), english: /damaged on its way; send it again/, chinese: /数据在传输中受损。请重新发送/, header: { 'Content-Digest': `sha-256=:${Buffer.alloc(32).toString('base64')}:` } },
];

/** @param {string} url @param {string} locale @param {(page: Page) => Promise<void>} act */
async function inPage(url, locale, act) {
  const { context, page, violations } = await visit(browser, { gateway: url, locale });
  page.setDefaultTimeout(PATIENCE_MS);
  try {
    await act(page);
    assert.deepEqual(violations, []);
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
async function isTold(page, { chosen, english, chinese, twist, header }, locale) {
  // As a proxy between page and gateway could change it.
  if (twist || header) {
    await page.route(`**/api/jobs?*filename=${chosen.name}*`, (route) => {
      const request = route.request();
      return route.continue({ url: twist?.(request.url()) ?? request.url(), headers: { ...request.headers(), ...header } });
    });
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

/** A link sends no key: the page fetches each file, and packs all of them. @param {import('playwright-core').Page} page @param {string} url */
async function savesSeveralFiles(page, url) {
  await page.goto(`${url}/#formats=webp,jpeg&widths=20,40`);
  await page.reload();
  await page.waitForSelector('html[data-ready]');
  await page.setInputFiles('#file-input', [file('c.png', small)]);
  const row = page.locator('.row[data-name="c.png"][data-state="done"]');
  for (const [link, name] of /** @type {const} */ ([['a.variant[download="c-40w.jpg"]', 'c-40w.jpg'], ['[data-control="download"]', 'c.zip']])) {
    const [download] = await Promise.all([page.waitForEvent('download'), row.locator(link).click()]);
    assert.equal(download.suggestedFilename(), name);
    assert.ok(readFileSync(await download.path()).length > 200);
  }
}

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
      await savesSeveralFiles(page, url);
      await page.goto(`${url}/status`);
      await page.waitForSelector('html[data-figures]');
    });
    const { context, page } = await visit(browser, { gateway: url, path: '/status', locale: 'zh-CN' });
    await page.locator('#key').filter({ hasText: '此网关需要密钥' }).waitFor();
    assert.equal(await page.innerText('#queue .tile-now'), '');
    await context.close();
  },
));

test('the operator’s page tells a client’s key why it shows nothing, and takes an operator’s', { timeout: 4 * PATIENCE_MS }, async () => {
  const path = join(tmpdir(), `keys-${process.pid}.toml`);
  const table = (/** @type {string} */ name, /** @type {string} */ role) => `[keys.${name}]\nsha256 = "${createHash('sha256').update(`key-of-${name}`).digest('hex')}"\nrole = "${role}"\n`;
  writeFileSync(path, table('alice', 'client') + table('olga', 'operator'));
  await withGateway({ GATEWAY_API_KEYS_FILE: path }, async (url) => {
    for (const [locale, words] of /** @type {const} */ ([['en-GB', /only an operator’s key reads these figures/], ['zh-CN', /只有管理员密钥才能查看这些数据/]])) {
      const { context, page } = await visit(browser, { gateway: url, path: '/status', locale });
      for (const name of ['alice', 'olga']) {
        await page.fill('#key input', `key-of-${name}`);
        await Promise.all([page.waitForEvent('load'), page.click('#key button')]);
        if (name === 'alice') {
          await page.locator('#not-operator').filter({ hasText: words }).waitFor();
          assert.equal(await page.innerText('#queue .tile-now'), '');
        }
      }
      await page.waitForSelector('html[data-figures]');
      assert.equal(await page.isVisible('#key'), false);
      await context.close();
    }
  });
  rmSync(path);
});

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

/** @typedef {readonly (readonly [string, RegExp])[]} Words the pattern in each language */

/** @param {Page} page @param {Record<string, unknown>} settings */
async function withSettings(page, settings) {
  await page.evaluate((given) => localStorage.setItem('webp-gateway.settings', given), JSON.stringify(settings));
  await page.reload();
  await page.waitForSelector('html[data-ready]');
}

test('a store that cannot be written: said, and tried again by itself until it can', { timeout: 4 * PATIENCE_MS }, () => withGateway({}, async (url, gateway) => {
  const incoming = join(gateway.folder, 'data', 'store', 'incoming');
  for (const [locale, words] of /** @type {Words} */ ([['en-GB', /The server is busy or restarting\. Trying again in \d+ s/], ['zh-CN', /服务器繁忙或正在重启。\d+ 秒后自动重试/]])) {
    await inPage(url, locale, async (page) => {
      renameSync(incoming, `${incoming}-away`);
      writeFileSync(incoming, '');
      await page.setInputFiles('#file-input', [file('kept.png', png(300, 200, locale.charCodeAt(0)))]);
      await page.locator('.row[data-state="retrying"]').filter({ hasText: words }).waitFor();
      rmSync(incoming);
      renameSync(`${incoming}-away`, incoming);
      await page.locator('[data-control="now"]').click();
      await page.waitForSelector('.row[data-state="done"]');
    });
  }
}));

/** Every process under this one, with its parent and its command. @param {number} root */
function descendants(root) {
  const all = readdirSync('/proc').filter((name) => /^\d+$/.test(name)).flatMap((name) => {
    try {
      const stat = readFileSync(`/proc/${name}/stat`, 'latin1');
      return [{ pid: Number(name), parent: Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]), command: readFileSync(`/proc/${name}/cmdline`, 'latin1') }];
    } catch {
      return [];
    }
  });
  const under = new Set([root]);
  for (let size = 0; size !== under.size;) {
    size = under.size;
    for (const { pid, parent } of all) if (under.has(parent)) under.add(pid);
  }
  return all.filter(({ pid }) => under.has(pid));
}

test('a Redis that is gone for a while: nobody sees a failure, and all ends well', { timeout: 4 * PATIENCE_MS, skip: process.platform !== 'linux' && '/proc is Linux’s' }, () => withGateway({}, (url, gateway) => inPage(url, 'en-GB', async (page) => {
  await withSettings(page, { preset: 'photo', quality: 80, method: 6 });
  await page.setInputFiles('#file-input', Array.from({ length: 3 }, (_, index) => file(`${index}.png`, png(3000, 2000, index + 1))));
  await page.waitForSelector('.row[data-state="encoding"]');
  const redis = descendants(gateway.process?.pid ?? 0).filter(({ command }) => command.includes('redis-server'));
  assert.equal(redis.length, 1, redis.map(({ command }) => command).join());
  process.kill(redis[0].pid, 'SIGKILL');
  await page.setInputFiles('#file-input', [file('late.png', png(640, 480, 99))]);
  await page.waitForFunction(() => document.querySelectorAll('.row[data-state="done"]').length === 4);
})));

test('an encoder that dies again and again over an image', { timeout: 4 * PATIENCE_MS, skip: process.platform !== 'linux' && '/proc is Linux’s' }, () => withGateway({ GATEWAY_ENCODERS: '1' }, async (url, gateway) => {
  for (const [locale, words] of /** @type {Words} */ ([['en-GB', /encoder stopped 2 times.*Try again, or give the operator|encoder stopped \d+ times/], ['zh-CN', /编码/]])) {
    await inPage(url, locale, async (page) => {
      await withSettings(page, { preset: 'lossless', method: 6 });
      await page.setInputFiles('#file-input', [file('heavy.png', heavy)]);
      await page.waitForSelector('.row[data-state="encoding"]');
      const failed = page.locator('.row[data-state="failed"]').filter({ hasText: words });
      for (let deaths = 0; deaths < 50 && !await failed.count(); deaths += 1) {
        const family = descendants(gateway.process?.pid ?? 0);
        const zygotes = new Set(family.filter(({ command }) => command.includes('zygote')).map(({ pid }) => pid));
        const children = family.filter(({ pid, parent }) => zygotes.has(parent) && zygotes.has(pid));
        for (const { pid } of children) execFileSync('sh', ['-c', `kill -9 ${pid} 2>/dev/null || true`]);
        await Promise.race([failed.waitFor({ timeout: 500 }).catch(() => {}), page.waitForFunction(() => document.querySelector('.row[data-state="failed"]'), null, { timeout: 500 }).catch(() => {})]);
      }
      await failed.waitFor();
      if (locale === 'zh-CN') assert.match(await failed.innerText(), /\p{Script=Han}/u);
      assert.ok(await page.locator('[data-control="retry"]').isVisible());
    });
  }
}));

/** @type {Words} */
const TOO_SLOW = [
  ['en-GB', /slower than 2000000 bytes a second.*Trying again in \d+ s/],
  ['zh-CN', /低于每秒 2000000 字节.*\d+ 秒后自动重试/],
];

test('a line that is too slow: said, and a large file goes on after what had arrived', { timeout: 4 * PATIENCE_MS }, () => withGateway(
  { GATEWAY_BODY_MIN_BYTES_PER_S: '2000000' },
  async (_, gateway) => {
    const line = await startSlowProxy(gateway.port, { bytes_a_second: 250_000, delay_ms: 10 });
    try {
      for (const [locale, words] of TOO_SLOW) {
        await inPage(line.url, locale, async (page) => {
          const offsets = /** @type {number[]} */ ([]);
          page.on('request', (request) => request.method() === 'PATCH' && offsets.push(Number(request.headers()['upload-offset'])));
          await page.setInputFiles('#file-input', [file('large.bmp', bmp(1000, 900 + locale.charCodeAt(0)))]);
          await page.locator('.row[data-state="retrying"]').filter({ hasText: words }).waitFor();
          await page.waitForSelector('.row[data-state="done"]');
          assert.ok(offsets.length > 1 && offsets.every((offset, index) => index === 0 || offset > offsets[index - 1]), offsets.join());
        });
      }
    } finally {
      await line.stop();
    }
  },
));

test('a second writer at the same upload: said, and gone on with where it stands', { timeout: 4 * PATIENCE_MS }, () => withGateway({}, async (url) => {
  for (const [locale, words] of /** @type {Words} */ ([['en-GB', /out of step with the server\. Trying again in \d+ s/], ['zh-CN', /上传进度与服务器不一致。\d+ 秒后自动重试/]])) {
    await inPage(url, locale, async (page) => {
      const picture = bmp(1200, 1000 + locale.charCodeAt(0));
      let is_first = true;
      await page.route('**/api/uploads/*', async (route) => {
        if (route.request().method() !== 'PATCH' || !is_first) return route.continue();
        is_first = false;
        const headers = { 'Tus-Resumable': '1.0.0', 'Upload-Offset': '0', 'Content-Type': 'application/offset+octet-stream' };
        const other = await fetch(route.request().url(), { method: 'PATCH', headers, body: new Uint8Array(picture.subarray(0, 100_000)) });
        assert.equal(other.status, 204);
        return route.continue();
      });
      await page.setInputFiles('#file-input', [file('shared.bmp', picture)]);
      await page.locator('.row[data-state="retrying"]').filter({ hasText: words }).waitFor();
      await page.waitForSelector('.row[data-state="done"]');
      const href = String(await page.getAttribute('[data-control="download"]', 'href')).replace(/\/result.*/, '/source');
      assert.ok((await (await page.request.get(url + href)).body()).equals(picture));
    });
  }
}));

test('cancel comes after the end: said, and the result is there', { timeout: 4 * PATIENCE_MS }, () => withGateway({}, async (url) => {
  for (const [locale, words] of /** @type {Words} */ ([['en-GB', /late\.png: It had already ended/], ['zh-CN', /late\.png.*任务此前已结束/]])) {
    const { context, page } = await visit(browser, { gateway: url, locale });
    page.setDefaultTimeout(PATIENCE_MS);
    let is_deaf = true;
    await page.routeWebSocket(/socket\.io/, (socket) => socket.close());
    await page.route('**/socket.io/**', (route) => route.abort());
    await page.route(/\/api\/jobs\/[\w-]+(\/events)?$/, (route) => is_deaf ? route.abort() : route.continue());
    await page.reload();
    await page.waitForSelector('html[data-ready]');
    const accepted = page.waitForResponse((answer) => answer.status() === 202);
    await page.setInputFiles('#file-input', [file('late.png', png(300, 200, locale.charCodeAt(0)))]);
    const { id } = await (await accepted).json();
    await page.request.get(`${url}/api/jobs/${id}`, { headers: { Prefer: 'wait=20', 'If-None-Match': 'W/"0"' } });
    await page.waitForSelector('.row[data-state="queued"]');
    for (let state = ''; state !== 'succeeded';) ({ state } = await (await page.request.get(`${url}/api/jobs/${id}`)).json());
    is_deaf = false;
    await page.click('[data-control="cancel"]');
    await page.locator('.toast').filter({ hasText: words }).waitFor();
    await page.waitForSelector('.row[data-state="done"]');
    await context.close();
  }
}));

/** @param {string} folder @param {string} id */
const jobFolder = (folder, id) => {
  const jobs = join(folder, 'data', 'store', 'jobs');
  const shard = readdirSync(jobs).find((each) => readdirSync(join(jobs, each)).includes(id));
  return join(jobs, shard ?? '', id);
};

test('a store that was put back to an earlier day: the result that is fetched is not ready; later it is, or is gone', { timeout: 6 * PATIENCE_MS }, () => withGateway({ GATEWAY_ENCODERS: '1' }, async (url, gateway) => {
  for (const [locale, words] of /** @type {Words} */ ([['en-GB', /back\.png: The result is not ready yet\. Wait a moment and try again/], ['zh-CN', /back\.png.*结果尚未就绪，请稍候再试/]])) {
    const { context, page } = await visit(browser, { gateway: url, locale });
    page.setDefaultTimeout(PATIENCE_MS);
    await withSettings(page, { preset: 'photo', quality: locale.charCodeAt(0) - 40, method: 6 });
    await page.setInputFiles('#file-input', [file('back.png', heavy)]);
    await page.waitForSelector('.row[data-state="done"]');
    const id = String(await page.getAttribute('[data-control="download"]', 'href')).split('/')[3];
    await gateway.stop();
    const folder = jobFolder(gateway.folder, id);
    for (const name of readdirSync(folder)) if (/^(outcome|result)/.test(name)) rmSync(join(folder, name));
    await gateway.start();
    for (let state = ''; state !== 'queued' && state !== 'running';) ({ state } = await (await page.request.get(`${url}/api/jobs/${id}`)).json());
    await page.click('[data-control="download"]');
    await page.locator('.toast').filter({ hasText: words }).waitFor();
    if (locale === 'zh-CN') {
      assert.equal((await page.request.post(`${url}/api/jobs/${id}/cancel`)).status(), 200);
      await page.click('[data-control="download"]');
      await page.locator('.row[data-state="expired"]').filter({ hasText: /服务器上已不存在.*请重新添加图片/ }).waitFor();
      await context.close();
      continue;
    }
    for (let state = ''; state !== 'succeeded';) ({ state } = await (await page.request.get(`${url}/api/jobs/${id}`)).json());
    const [download] = await Promise.all([page.waitForEvent('download'), page.click('[data-control="download"]')]);
    assert.equal(await download.failure(), null);
    await context.close();
  }
}));

test('an image that was erased elsewhere: its download and another conversion say so', { timeout: 4 * PATIENCE_MS }, () => withGateway({}, async (url) => {
  for (const [locale, gone, lost] of /** @type {const} */ ([
    ['en-GB', /No longer on the server.*Add the image again/, /no longer has this image\. Add it again/], ['zh-CN', /服务器上已不存在.*请重新添加图片/, /服务器上已没有这张图片，请重新添加/],
  ])) {
    const { context, page } = await visit(browser, { gateway: url, locale });
    page.setDefaultTimeout(PATIENCE_MS);
    await page.setInputFiles('#file-input', [file('one.png', png(300, 200, locale.charCodeAt(0))), file('two.png', png(301, 200, locale.charCodeAt(0)))]);
    await page.waitForFunction(() => document.querySelectorAll('.row[data-state="done"]').length === 2);
    // After a reload the page has the jobs, and no longer the files.
    await page.reload();
    await page.waitForFunction(() => document.querySelectorAll('.row[data-state="done"]').length === 2);
    for (const href of await page.$$eval('[data-control="download"]', (all) => all.map((each) => each.getAttribute('href')))) {
      assert.equal((await page.request.delete(url + String(href).replace(/\/result.*/, ''))).status(), 204);
    }
    await page.locator('.row[data-name="one.png"] [data-control="download"]').click();
    await page.locator('.row[data-name="one.png"][data-state="expired"]').filter({ hasText: gone }).waitFor();
    await page.locator('.row[data-name="two.png"] [data-control="menu"]').click();
    await page.click('[role="menu"] [data-action="again"]');
    await page.locator('dialog [type="submit"]').click();
    await page.locator('.row[data-name="two.png"][data-state="failed"]').filter({ hasText: lost }).waitFor();
    await context.close();
  }
}));

test('every code of the contract has its test here', () => {
  const codes = [...readFileSync(new URL('../../backend/errors.py', import.meta.url), 'utf8').matchAll(/^class \w+\(GatewayError\): code, status = "(\w+)"/gm)].map(([, code]) => code);
  // A new code fails here until a test provokes it.
  const provoked = new Set([
    ...REFUSED.map(({ code }) => code), 'encode_timeout', 'rate_limited', 'queue_full', 'storage_full', 'unauthorized', 'backend_unavailable', 'internal',
    'offset_mismatch', 'already_finished', 'not_ready', 'not_found', 'gone',
  ]);
  assert.deepEqual(codes.filter((code) => !provoked.has(code)), []);
});
