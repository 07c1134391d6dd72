// @ts-check
/** A TCP proxy with a limited rate in each direction and a delay. */
import { once } from 'node:events';
import { connect, createServer } from 'node:net';

const TURN_MS = 20;

/**
 * @param {number} port of the gateway
 * @param {{bytes_a_second: number, delay_ms: number}} line
 */
export async function startSlowProxy(port, line) {
  /** @type {Set<import('node:net').Socket>} */
  const open = new Set();
  const server = createServer((client) => {
    const gateway = connect(port, '127.0.0.1');
    open.add(client);
    carry(client, gateway, line);
    carry(gateway, client, line);
    client.on('close', () => open.delete(client));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = /** @type {import('node:net').AddressInfo} */ (server.address());
  return {
    url: `http://127.0.0.1:${address.port}`,
    async stop() {
      open.forEach((socket) => socket.destroy());
      server.close();
      await once(server, 'close');
    },
  };
}

/**
 * @param {import('node:net').Socket} from
 * @param {import('node:net').Socket} to
 * @param {{bytes_a_second: number, delay_ms: number}} line
 */
function carry(from, to, { bytes_a_second, delay_ms }) {
  const room = Math.max(1, Math.floor(bytes_a_second * TURN_MS / 1000));
  /** @type {{data: Buffer, due_ms: number}[]} */
  const waiting = [];
  const turn = setInterval(() => {
    let left = room;
    while (left > 0 && waiting.length > 0 && waiting[0].due_ms <= Date.now()) {
      const { data } = waiting[0];
      to.write(data.subarray(0, left));
      if (data.length > left) waiting[0].data = data.subarray(left);
      else waiting.shift();
      left -= data.length;
    }
    if (waiting.length < 2) from.resume();
  }, TURN_MS);
  from.on('data', (data) => {
    waiting.push({ data, due_ms: Date.now() + delay_ms });
    if (waiting.length > 2) from.pause();
  });
  from.on('error', () => to.destroy());
  from.on('close', () => {
    // Bytes in flight still arrive before the connection closes.
    const ending = setInterval(() => {
      if (waiting.length > 0 && !to.destroyed) return;
      clearInterval(ending);
      clearInterval(turn);
      to.end();
    }, TURN_MS);
  });
}
