// @ts-check
/**
 * Uppy, FilePond and Dropzone with their default settings, in Chromium, on a page of another origin that the operator named. The pages are those of the
 * guide `docs/guides/upload-widgets.md`; only the addresses of the gateway and of Uppy's files are put in. `GATEWAY_URL` is a gateway that names no site.
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { after, before, test } from 'node:test';
import { GATEWAY_URL, launch } from './support/browser.mjs';
import { startGateway } from './support/gateway.mjs';
import { bmp, file, png } from './support/images.mjs';

/** @typedef {import('playwright-core').Page} Page */

const GUIDE = readFileSync(new URL('../../docs/guides/upload-widgets.md', import.meta.url), 'utf8');
const EMBED_GUIDE = readFileSync(new URL('../../docs/guides/embed.md', import.meta.url), 'utf8');
const SNIPPETS = [GUIDE, EMBED_GUIDE].flatMap((guide) => [...guide.matchAll(/<!-- page -->\n```html\n(.*?)```/gs)].map(([, html]) => html));
const TYPES = { js: 'text/javascript', mjs: 'text/javascript', css: 'text/css' };
const PATIENCE_MS = 60_000;
const [XHR, TUS, CONVERSION, FILEPOND, DROPZONE, EMBED] = [0, 1, 2, 3, 4, 5];

/** A package as npm installed it. @param {string} name */
function packageOf(name) {
  const folder = dirname(createRequire(import.meta.url).resolve(`${name}/package.json`));
  return { dist: join(folder, 'dist'), version: JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')).version };
}

/** @type {import('playwright-core').Browser} */
let browser;
/** @type {import('./support/gateway.mjs').Gateway} */
let gateway;
/** @type {string} */
let site;
const server = createServer((request, response) => {
  const path = String(request.url).slice(1);
  const [, name, file, extension] = /^(uppy|filepond|dropzone)\/([\w.-]+\.(mjs|js|css))$/.exec(path) ?? [];
  const type = extension ? TYPES[/** @type {'js' | 'mjs' | 'css'} */ (extension)] : 'text/html';
  response.setHeader('Content-Type', `${type}; charset=utf-8`);
  response.end(name && file ? readFileSync(join(packageOf(name).dist, file)) : pageOf(Number(path)));
});

/** The page of a snippet. The test reaches its widget from outside. @param {number} number */
function pageOf(number) {
  const html = (SNIPPETS[number] ?? '').replaceAll(/https:\/\/releases\.transloadit\.com\/uppy\/v[\d.]+/g, '/uppy').replaceAll('https://images.example.com', gateway.url);
  const [, widget] = /const (uppy|pond|drop) =/.exec(html) ?? [];
  return widget ? html.replace('</script>', `globalThis.${widget} = ${widget};\n</script>`) : html;
}

before(async () => {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  site = `http://127.0.0.1:${/** @type {import('node:net').AddressInfo} */ (server.address()).port}`;
  [browser, gateway] = await Promise.all([launch(), startGateway({ GATEWAY_ALLOWED_ORIGINS: site })]);
});
after(async () => {
  server.close();
  await browser?.close();
  await gateway?.end();
});

/** Open the page of a snippet, choose the files on the Dashboard, and press its button. @param {number} snippet @param {ReturnType<typeof file>[]} files */
async function upload(snippet, ...files) {
  const page = await browser.newPage();
  page.setDefaultTimeout(PATIENCE_MS);
  await page.goto(`${site}/${snippet}`);
  await page.waitForFunction(() => 'uppy' in globalThis);
  await page.evaluate(() => {
    const uppy = Reflect.get(globalThis, 'uppy');
    const seen = { progress: /** @type {any[]} */ ([]), converting: /** @type {number[]} */ ([]), results: /** @type {any[]} */ ([]) };
    Object.assign(globalThis, { seen });
    uppy.on('upload-progress', (/** @type {any} */ _, /** @type {any} */ now) => seen.progress.push([now.bytesUploaded, now.bytesTotal]));
    uppy.on('postprocess-progress', (/** @type {any} */ _, /** @type {any} */ now) => seen.converting.push(now.value));
    uppy.on('complete', (/** @type {any} */ result) => seen.results.push({ successful: result.successful.length, failed: result.failed.length }));
  });
  await page.setInputFiles('.uppy-Dashboard-input >> nth=0', files);
  await page.click('.uppy-StatusBar-actionBtn--upload');
  return page;
}

/** Each `<img>` with its address and its size, once all are loaded. @param {Page} page @param {number} count */
async function shown(page, count) {
  await page.waitForFunction((many) => {
    const images = [...document.querySelectorAll('#results img')].map((each) => /** @type {HTMLImageElement} */ (each));
    return images.length === many && images.every((each) => each.complete);
  }, count);
  return page.evaluate(() => [...document.querySelectorAll('#results img')].map((each) => {
    const { src, naturalWidth, naturalHeight } = /** @type {HTMLImageElement} */ (each);
    return { src, width: naturalWidth, height: naturalHeight };
  }));
}

/** @param {Page} page @returns {Promise<{progress: number[][], converting: number[], results: {successful: number, failed: number}[]}>} */
const seenOn = async (page) => {
  await page.waitForFunction(() => Reflect.get(globalThis, 'seen').results.length > 0);
  return page.evaluate(() => Reflect.get(globalThis, 'seen'));
};

test('the guide names the releases that are tried here', () => {
  assert.deepEqual([...new Set([...GUIDE.matchAll(/uppy\/v([\d.]+)\//g)].map(([, named]) => named))], [packageOf('uppy').version]);
  for (const [title, name] of [['FilePond', 'filepond'], ['Dropzone', 'dropzone']]) {
    assert.match(GUIDE, new RegExp(`^${title} ${packageOf(String(name)).version.replaceAll('.', '\\.')} `, 'm'));
  }
  assert.equal(SNIPPETS.length, 6);
});

/** Open the page of a snippet, and choose files where the widget takes them. @param {number} snippet @param {string} widget @param {string} input */
async function choose(snippet, widget, input, /** @type {ReturnType<typeof file>[]} */ ...files) {
  const page = await browser.newPage();
  page.setDefaultTimeout(PATIENCE_MS);
  await page.goto(`${site}/${snippet}`);
  await page.waitForFunction((name) => name in globalThis, widget);
  await page.setInputFiles(input, files);
  return page;
}

for (const [name, snippet, widget, input] of /** @type {[string, number, string, string][]} */ ([
  ['FilePond', FILEPOND, 'pond', '.filepond--browser'], ['Dropzone', DROPZONE, 'drop', '.dz-hidden-input'],
])) {
  test(`${name} uploads by itself and the page shows the results`, { timeout: 2 * PATIENCE_MS }, async () => {
    const page = await choose(snippet, widget, input, file('photograph.bmp', bmp(1600, 1200), 'image/bmp'), file('cat.png', png(320, 240)));
    const images = await shown(page, 2);
    assert.deepEqual(images.map(({ width, height }) => `${width}×${height}`).sort(), ['1600×1200', '320×240']);
    for (const { src } of images) assert.equal((await fetch(src)).headers.get('Content-Type'), 'image/webp');
    await page.close();
  });

  test(`${name} says in the gateway's words why a file was refused`, { timeout: PATIENCE_MS }, async () => {
    const page = await choose(snippet, widget, input, file('notes.png', Buffer.from('not an image at all')));
    const refused = await fetch(`${gateway.url}/api/jobs`, { method: 'POST', body: 'not an image at all', headers: { 'Accept-Language': 'en-US' } });
    const { detail } = /** @type {{detail: string}} */ (await refused.json());
    await page.waitForFunction((words) => document.body.textContent?.includes(words), detail);
    await page.close();
  });
}

test('what is taken away in FilePond is deleted at the gateway', { timeout: PATIENCE_MS }, async () => {
  const page = await choose(FILEPOND, 'pond', '.filepond--browser', file('cat.png', png(320, 240)));
  const [image] = await shown(page, 1);
  await page.click('.filepond--action-revert-item-processing');
  await page.waitForFunction(async (src) => [404, 410].includes((await fetch(src)).status), String(image?.src));
  await page.close();
});

for (const [name, snippet] of /** @type {[string, number][]} */ ([['one request', XHR], ['tus', TUS]])) {
  test(`by ${name}: upload, progress, and the result in an image element of the other site`, { timeout: 2 * PATIENCE_MS }, async () => {
    const photograph = bmp(1600, 1200);
    const page = await upload(snippet, file('photograph.bmp', photograph, 'image/bmp'), file('cat.png', png(320, 240)));
    const images = await shown(page, 2);
    assert.deepEqual(images.map(({ width, height }) => `${width}×${height}`).sort(), ['1600×1200', '320×240']);
    for (const { src } of images) {
      assert.ok(src.startsWith(`${gateway.url}/api/jobs/`), src);
      assert.equal((await fetch(src)).headers.get('Content-Type'), 'image/webp');
    }
    const { progress, results } = await seenOn(page);
    assert.ok(progress.some(([sent, total]) => total === photograph.length && sent === total), JSON.stringify(progress));
    assert.deepEqual(results, [{ successful: 2, failed: 0 }]);
    await page.waitForSelector('.uppy-StatusBar.is-complete');
    await page.close();
  });
}

test("the Dashboard shows the conversion's percent, and its end is the end", { timeout: 2 * PATIENCE_MS }, async () => {
  const page = await upload(CONVERSION, file('large.png', png(2000, 1500)));
  const { converting, results } = await seenOn(page);
  assert.deepEqual([results, converting.at(-1)], [[{ successful: 1, failed: 0 }], 1]);
  assert.deepEqual(converting, [...converting].sort((one, other) => one - other));
  assert.deepEqual((await shown(page, 1)).map(({ width, height }) => [width, height]), [[2000, 1500]]);
  await page.close();
});

test('a page without a library uploads from another site, shows the percent and then the result', { timeout: 2 * PATIENCE_MS }, async () => {
  const page = await browser.newPage();
  page.setDefaultTimeout(PATIENCE_MS);
  await page.goto(`${site}/${EMBED}`);
  await page.setInputFiles('input', [file('cat.png', png(320, 240))]);
  assert.deepEqual((await shown(page, 1)).map(({ width, height }) => [width, height]), [[320, 240]]);
  assert.equal(await page.$eval('progress', (bar) => /** @type {HTMLProgressElement} */ (bar).value), 1);
  await page.setInputFiles('input', [file('notes.png', Buffer.from('not an image at all'))]);
  await page.waitForFunction(() => document.querySelector('p')?.textContent !== '');
  await page.close();
});

test('what is no image fails on the Dashboard', { timeout: PATIENCE_MS }, async () => {
  const page = await upload(XHR, file('notes.png', Buffer.from('not an image at all')));
  assert.deepEqual((await seenOn(page)).results, [{ successful: 0, failed: 1 }]);
  await page.close();
});

test('options go along as metadata, and a misspelt one is refused', { timeout: PATIENCE_MS }, async () => {
  const page = await browser.newPage();
  await page.goto(`${site}/${XHR}`);
  await page.waitForFunction(() => 'uppy' in globalThis);
  const answers = await page.evaluate(async ([bytes, quality, qualty]) => {
    const uppy = Reflect.get(globalThis, 'uppy');
    const sent = [];
    for (const meta of [quality, qualty]) {
      uppy.addFile({ name: 'cat.png', type: 'image/png', data: new Blob([new Uint8Array(/** @type {number[]} */ (bytes))]), meta });
      const { successful, failed } = await uppy.upload();
      sent.push([successful[0]?.response.body.options, failed.length]);
      uppy.cancelAll();
    }
    return sent;
  }, [[...png(64, 48)], { quality: 33, width: 32 }, { qualty: 33 }]);
  assert.deepEqual(answers, [[{ quality: 33, method: 4, width: 32 }, 0], [undefined, 1]]);
  await page.close();
});

test('a page of a site that was not named can show nothing', { timeout: PATIENCE_MS }, async () => {
  const accepted = await fetch(`${GATEWAY_URL}/api/jobs`, { method: 'POST', body: new Uint8Array(png(64, 48)), headers: { Prefer: 'wait=30' } });
  const { url } = /** @type {{url: string}} */ (await accepted.json());
  const page = await browser.newPage();
  await page.goto(`${site}/${XHR}`);
  const is_shown = await page.evaluate((src) => new Promise((resolve) => {
    const image = Object.assign(new Image(), { src });
    image.onload = () => resolve(true);
    image.onerror = () => resolve(false);
  }), GATEWAY_URL + url);
  assert.equal(is_shown, false);
  await page.close();
});
