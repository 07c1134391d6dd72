// The official tus-js-client with options of a test's choice: node client.mjs URL FILE OPTIONS_AS_JSON.
// Prints one JSON line at its end: the address and the Link, or the status that ended it, and every request's method with its status.
import { createReadStream } from 'node:fs';
import { createRequire } from 'node:module';

const tus = createRequire(new URL('../../page/package.json', import.meta.url))('tus-js-client');
const [url, file, options] = process.argv.slice(2);
let link = null;
const requests = [];

const upload = new tus.Upload(createReadStream(file), {
  endpoint: `${url}/api/uploads/`,
  chunkSize: 60_000,
  retryDelays: null,
  ...JSON.parse(options),
  onAfterResponse: (request, response) => {
    requests.push(`${request.getMethod()} ${response.getStatus()}`);
    link = response.getHeader('Link') ?? link;
  },
  onError: (error) => console.log(JSON.stringify({ status: error.originalResponse?.getStatus() ?? String(error), requests })),
  onSuccess: () => console.log(JSON.stringify({ url: upload.url, link, requests })),
});
upload.start();
