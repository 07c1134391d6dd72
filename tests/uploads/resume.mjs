// The official tus-js-client against a gateway: node resume.mjs URL FILE CHUNK_BYTES CUTS PARALLEL. CUTS connections are destroyed in mid-body.
// Prints one JSON line: the address of the upload, the Link of its end, how many requests were cut, and the progress it saw.
import { createReadStream, statSync } from 'node:fs';
import http from 'node:http';
import { createRequire } from 'node:module';

const tus = createRequire(new URL('../page/package.json', import.meta.url))('tus-js-client');
const [url, file, chunk, cuts, parallel] = process.argv.slice(2);
const size = statSync(file).size;
let left = Number(cuts);
let cut = 0;
let link = null;

const destroyAfter = new tus.DefaultHttpStack({ agent: new http.Agent({ keepAlive: false }) });
const options = {
  endpoint: `${url}/api/uploads`,
  uploadSize: Number(parallel) > 1 ? undefined : size,
  chunkSize: Number(chunk) || Infinity,
  parallelUploads: Number(parallel),
  retryDelays: Array(60).fill(20),
  metadata: { filename: '火车上.jpg', filetype: 'image/jpeg', quality: '60' },
  httpStack: destroyAfter,
  onBeforeRequest(request) {
    if (request.getMethod() !== 'PATCH' || left < 1) return;
    const raw = request.getUnderlyingObject?.();
    const at = Math.floor(Math.random() * size * 0.2) + 1;
    request.setProgressHandler?.call?.(request, () => {});
    left -= 1;
    void raw;
    pending.push(at);
  },
  onProgress(sent) {
    const at = pending[0];
    if (at !== undefined && sent >= at) {
      pending.shift();
      cut += 1;
      upload.abort().then(() => upload.start());
    }
  },
  onAfterResponse(_, response) {
    link = response.getHeader('Link') ?? link;
  },
  onError(error) {
    console.error(String(error));
    process.exit(1);
  },
  onSuccess() {
    console.log(JSON.stringify({ url: upload.url, link, cut }));
    process.exit(0);
  },
};
const pending = [];
const upload = new tus.Upload(createReadStream(file), options);
upload.start();
