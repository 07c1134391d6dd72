// What a page's own script sees of a refusal: node post.mjs GATEWAY_URL BYTES. Prints one JSON line: status, code and Retry-After, or the error.
import { createRequire } from 'node:module';

const { chromium } = createRequire(new URL('../page/package.json', import.meta.url))('playwright-core');
const [url, bytes] = process.argv.slice(2);
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  headless: true,
  args: ['--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'],
});
try {
  const page = await browser.newPage();
  await page.goto(url);
  const said = await page.evaluate(async (size) => {
    try {
      const answer = await fetch('/api/jobs', { method: 'POST', body: new Blob([new Uint8Array(size)]) });
      return { status: answer.status, code: (await answer.json()).code, retry: answer.headers.get('Retry-After') };
    } catch (error) {
      return { error: String(error) };
    }
  }, Number(bytes));
  console.log(JSON.stringify(said));
} finally {
  await browser.close();
}
