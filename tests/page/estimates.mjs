// @ts-check
/**
 * How far the page's estimates are from the sizes that come out: `GATEWAY_URL=… node estimates.mjs [folder of pictures]`. Without a folder it makes
 * pictures of each kind; with one it adds them, and with `GIVEN_ONLY=1` takes those alone. Prints a table for the documentation: the error in percent
 * by picture and settings, and what is within 15 %.
 */
import { readFileSync, readdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { GATEWAY_URL, launch } from './support/browser.mjs';
import { makePictures } from './support/pictures.mjs';

/** Errors up to this, in percent, are what the page promises with its “≈”. */
const NEAR_PERCENT = 15;
/** Name → the API's options, as the page sends them. */
const SETTINGS = /** @type {Record<string, Record<string, string>>} */ ({
  automatic: { method: '4', quality: 'auto', lossless: 'auto' },
  'photo 80': { method: '4', quality: '80' },
  'photo 60, 1280 px': { method: '4', quality: '60', width: '1280' },
  'graphic 90': { method: '4', quality: '90', lossless: 'auto', sharp_yuv: 'true' },
  lossless: { method: '4', lossless: 'true' },
});

const folders = process.argv.slice(2);
const given = folders.flatMap((folder) => readdirSync(folder).map((name) => ({ name: `${basename(folder)}/${name}`, mimeType: '', buffer: readFileSync(join(folder, name)) })));
const browser = await launch();
const page = await browser.newPage();
const pictures = [...given, ...process.env.GIVEN_ONLY ? [] : await makePictures(browser, GATEWAY_URL)];
await page.route('**/picture/*', (route) => route.fulfill({ body: pictures[Number(route.request().url().split('/').at(-1))].buffer }));
await page.goto(GATEWAY_URL);
const { options } = await (await fetch(`${GATEWAY_URL}/api/capabilities`)).json();
const can_decide = JSON.stringify(options.lossless).includes('auto');
const errors = /** @type {number[][]} */ ([]);
const times_ms = /** @type {number[]} */ ([]);
console.log(`| picture | ${Object.keys(SETTINGS).join(' | ')} |\n|---|${'--:|'.repeat(Object.keys(SETTINGS).length)}`);
for (const [index, { name }] of pictures.entries()) {
  const line = [];
  for (const query of Object.values(SETTINGS)) {
    const { lossless, ...others } = query;
    const sent = lossless === 'auto' && !can_decide ? others : query;
    line.push(await errorOf(index, sent));
  }
  errors.push(line);
  console.log(`| ${name} | ${line.map((error) => `${error > 0 ? '+' : error < 0 ? '−' : ''}${Math.abs(error)}`).join(' | ')} |`);
}
const counts = Object.keys(SETTINGS).map((_, column) => errors.filter((line) => Math.abs(line[column]) <= NEAR_PERCENT).length);
console.log(`| within ${NEAR_PERCENT} % | ${counts.map((count) => `${count} of ${pictures.length}`).join(' | ')} |`);
const near = errors.flat().filter((error) => Math.abs(error) <= NEAR_PERCENT).length;
const sorted = times_ms.toSorted((one, other) => one - other);
console.log(`${near} of ${errors.flat().length} within ${NEAR_PERCENT} % (${Math.round(100 * near / errors.flat().length)} %); an answer took ${sorted[Math.floor(sorted.length / 2)]} ms in the median`);
await browser.close();

/** In percent of the real size. @param {number} index @param {Record<string, string>} query */
async function errorOf(index, query) {
  const answer = await fetch(`${GATEWAY_URL}/api/convert?${new URLSearchParams(query)}`, { method: 'POST', body: new Uint8Array(pictures[index].buffer) });
  if (!answer.ok) throw new Error(`${pictures[index].name}: ${await answer.text()}`);
  const real = (await answer.arrayBuffer()).byteLength;
  const { bytes, ms } = await page.evaluate(estimate, { path: `/picture/${index}`, query });
  times_ms.push(ms);
  return Math.round(100 * (bytes / real - 1));
}

/** As the page does it. @param {{path: string, query: Record<string, string>}} given */
async function estimate({ path, query }) {
  const load = (/** @type {string} */ name) => import(`/static/js/${name}.js`);
  const [{ Samples }, { EstimateRequests }, { estimatePicture }] = await Promise.all(['ui/samples', 'net/estimate-requests', 'estimate-picture'].map(load));
  const file = await (await fetch(path)).blob();
  const requests = new EstimateRequests({ headers: () => ({}) });
  const started_ms = performance.now();
  const bytes = await estimatePicture({ id: path, file, query, samples: new Samples(), requests, signal: new AbortController().signal });
  return { bytes, ms: Math.round(performance.now() - started_ms) };
}
