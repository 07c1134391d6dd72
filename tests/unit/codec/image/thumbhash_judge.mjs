// The reference implementation: a line of JSON for each question on standard input, a line for each answer. `modules` is where npm put it.
import { createInterface } from 'node:readline';
import { pathToFileURL } from 'node:url';

const [modules] = process.argv.slice(2);
const { rgbaToThumbHash, thumbHashToRGBA } = await import(pathToFileURL(`${modules}/thumbhash/thumbhash.js`).href);

const bytes = (text) => new Uint8Array(Buffer.from(text, 'base64'));
const text = (data) => Buffer.from(data).toString('base64');

for await (const line of createInterface({ input: process.stdin })) {
  const { hash, w, h, rgba } = JSON.parse(line);
  if (hash === undefined) {
    console.log(JSON.stringify({ hash: text(rgbaToThumbHash(w, h, bytes(rgba))) }));
  } else {
    const shown = thumbHashToRGBA(bytes(hash));
    console.log(JSON.stringify({ w: shown.w, h: shown.h, rgba: text(shown.rgba) }));
  }
}
