// The official tus-js-client in Chromium, on a page of another origin: node browser.mjs PAGE_URL GATEWAY_URL. The page serves tus.min.js and picture.jpg.
// Prints one JSON line as resume.mjs does.
import { launch } from '../../page/support/browser.mjs';

const [page_url, gateway_url] = process.argv.slice(2);
const browser = await launch();
try {
  const page = await browser.newPage();
  await page.goto(page_url);
  const said = await page.evaluate(async (endpoint) => {
    const picture = await (await fetch('picture.jpg')).blob();
    return new Promise((resolve, reject) => {
      let link = null;
      let retries = 0;
      const upload = new window.tus.Upload(picture, {
        endpoint: `${endpoint}/api/uploads`,
        retryDelays: Array(30).fill(50),
        metadata: { filename: '火车上.jpg', filetype: 'image/jpeg', quality: '60' },
        onAfterResponse: (_, response) => {
          link = response.getHeader('Link') ?? link;
        },
        onShouldRetry: () => {
          retries += 1;
          return true;
        },
        onError: (error) => reject(error),
        onSuccess: () => resolve({ url: upload.url, link, retries }),
      });
      upload.start();
    });
  }, gateway_url);
  console.log(JSON.stringify(said));
} finally {
  await browser.close();
}
