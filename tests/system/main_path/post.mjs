// What a page's own script sees of a refusal: node post.mjs GATEWAY_URL BYTES. Prints one JSON line: status, code and Retry-After, or the error.
import { launch } from '../../page/support/browser.mjs';

const [url, bytes] = process.argv.slice(2);
const browser = await launch();
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
