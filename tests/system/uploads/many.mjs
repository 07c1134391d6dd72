// Many uploads by the official tus-js-client with its own retries: node many.mjs URL AT_ONCE CHUNK_BYTES FILE… (CHUNK_BYTES 0: all in one).
// Prints one JSON line for each that has ended: its file, the Link that came with it or the error, and how often it had to try again.
import { createReadStream } from 'node:fs';
import { createRequire } from 'node:module';

const tus = createRequire(new URL('../../page/package.json', import.meta.url))('tus-js-client');
const [url, at_once, chunk, ...files] = process.argv.slice(2);
const RETRY_DELAYS_MS = [0, 1000, 3000, 5000, 10000, 10000];

function send(file) {
  let link = null;
  let retries = 0;
  return new Promise((resolve) => {
    const end = (error) => {
      console.log(JSON.stringify({ file, link, retries, error }));
      resolve();
    };
    new tus.Upload(createReadStream(file), {
      endpoint: `${url}/api/uploads`,
      chunkSize: Number(chunk) || Number.POSITIVE_INFINITY,
      retryDelays: RETRY_DELAYS_MS,
      metadata: { filename: file },
      onAfterResponse: (_, response) => {
        link = response.getHeader('Link') ?? link;
        if (response.getStatus() >= 400) retries += 1;
      },
      onError: (error) => end(String(error)),
      onSuccess: () => end(null),
    }).start();
  });
}

async function work() {
  while (files.length) await send(files.shift());
}

await Promise.all(Array.from({ length: Number(at_once) }, work));
