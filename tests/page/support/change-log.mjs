// @ts-check
/** Changes of jobs as the gateway publishes them in Redis, with the time by Redis' clock (RESP2, `PSUBSCRIBE`). */
import { once } from 'node:events';
import { connect } from 'node:net';
import { join } from 'node:path';

/** @typedef {{at_ms: number, id: string, state: string, stage: string | null, progress: number, seq: number}} Change */

/**
 * @param {import('./gateway.mjs').Gateway} gateway with an embedded Redis
 * @returns {Promise<{changes: Change[], close: () => void}>} `changes` grows as they come
 */
export async function followChanges(gateway) {
  const socket = connect(join(gateway.folder, 'data', 'run', 'redis.sock'));
  await once(socket, 'connect');
  /** @type {Change[]} */
  const changes = [];
  let rest = Buffer.alloc(0);
  socket.on('data', (data) => {
    rest = Buffer.concat([rest, data]);
    for (let message = readMessage(rest); message; message = readMessage(rest)) {
      rest = rest.subarray(message.length);
      const [kind, , channel, text] = message.words;
      if (kind !== 'pmessage' || !text?.includes(' {')) continue;
      const { state, stage, progress, seq } = JSON.parse(text.slice(text.indexOf(' ')));
      changes.push({ at_ms: Number.parseInt(text, 10), id: channel.slice(channel.lastIndexOf(':') + 1), state, stage: stage ?? null, progress, seq });
    }
  });
  socket.write('*2\r\n$10\r\nPSUBSCRIBE\r\n$10\r\n*changed:*\r\n');
  await once(socket, 'data');
  return { changes, close: () => socket.destroy() };
}

/** One whole array of words at the beginning. @param {Buffer} data @returns {{words: string[], length: number} | null} */
function readMessage(data) {
  const lineAt = (/** @type {number} */ from) => data.indexOf('\r\n', from);
  let end = lineAt(0);
  if (end < 0) return null;
  const count = Number(data.toString('latin1', 1, end));
  const words = [];
  let at = end + 2;
  for (let n = 0; n < count; n += 1) {
    end = lineAt(at);
    if (end < 0) return null;
    if (data[at] === 0x3a) {
      words.push(data.toString('latin1', at + 1, end));
      at = end + 2;
      continue;
    }
    const from = end + 2;
    const to = from + Number(data.toString('latin1', at + 1, end));
    if (data.length < to + 2) return null;
    words.push(data.toString('utf8', from, to));
    at = to + 2;
  }
  return { words, length: at };
}
