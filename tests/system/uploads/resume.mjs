// The official tus-js-client with its own retries: node resume.mjs URL FILE CHUNK_BYTES PARALLEL. CHUNK_BYTES 0: all in one.
// Prints one JSON line at its end: the address of the upload, the Link that came with it, and how often it had to try again.
import { createReadStream } from 'node:fs';
import { createRequire } from 'node:module';

const tus = createRequire(new URL('../../page/package.json', import.meta.url))('tus-js-client');
const [url, file, chunk, parallel] = process.argv.slice(2);
let link = null;
let retries = 0;

const upload = new tus.Upload(createReadStream(file), {
  endpoint: `${url}/api/uploads`,
  chunkSize: Number(chunk) || Number.POSITIVE_INFINITY,
  parallelUploads: Number(parallel),
  retryDelays: Array(30).fill(50),
  metadata: { filename: '火车上.jpg', filetype: 'image/jpeg', quality: '60' },
  onAfterResponse: (_, response) => {
    link = response.getHeader('Link') ?? link;
  },
  onShouldRetry: () => {
    retries += 1;
    return true;
  },
  onError: (error) => {
    console.error(String(error));
    process.exit(1);
  },
  onSuccess: () => {
    console.log(JSON.stringify({ url: upload.url, link, retries }));
    process.exit(0);
  },
});
upload.start();
