// @ts-check
/** A TCP proxy that breaks a connection after so many bytes of a request that `begins` matches, and can be switched off. */
import { once } from 'node:events';
import { connect, createServer } from 'node:net';

/**
 * @param {number} port of the gateway
 * @param {number[]} cuts bytes after which a connection breaks, each used once, in order
 * @param {RegExp} [begins]
 * @param {number} [at] the port to listen on: that of a proxy which was stopped
 */
export async function startFlakyProxy(port, cuts, begins = /^PATCH /, at = 0) {
  const left = [...cuts];
  let made = 0;
  /** @type {Set<import('node:net').Socket>} */
  const open = new Set();
  const server = createServer((client) => {
    const gateway = connect(port, '127.0.0.1');
    open.add(client);
    let rest = Infinity;
    client.on('data', (data) => {
      if (rest === Infinity && left.length > 0 && begins.test(data.subarray(0, 64).toString('latin1'))) rest = left[0];
      if (data.length > rest && left.length > 0) {
        made += 1;
        left.shift();
        gateway.write(data.subarray(0, rest), () => gateway.resetAndDestroy());
        client.resetAndDestroy();
        return;
      }
      rest -= data.length;
      if (!gateway.write(data)) client.pause();
    });
    gateway.on('drain', () => client.resume());
    gateway.pipe(client);
    for (const [one, other] of [[client, gateway], [gateway, client]]) {
      one.on('error', () => other.destroy());
      one.on('close', () => other.destroy());
    }
    client.on('close', () => open.delete(client));
  }).listen(at, '127.0.0.1');
  await once(server, 'listening');
  const address = /** @type {import('node:net').AddressInfo} */ (server.address());
  return {
    url: `http://127.0.0.1:${address.port}`,
    made: () => made,
    async stop() {
      open.forEach((socket) => socket.destroy());
      server.close();
      await once(server, 'close');
    },
  };
}
