// @ts-check
/** A gateway for one test, started with `./start.sh` on its own folder and port. It can be stopped, killed and started again. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const PROGRAM = fileURLToPath(new URL('../../../start.sh', import.meta.url));
const READY_MS = 90_000;
const ENOUGH = { GUNICORN_WORKERS: '2', GATEWAY_ENCODERS: '2', GATEWAY_LOG_FORMAT: 'json' };

export async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = /** @type {import('node:net').AddressInfo} */ (server.address());
  server.close();
  await once(server, 'close');
  return port;
}

export class Gateway {
  /** @param {number} port @param {Record<string, string>} settings */
  constructor(port, settings) {
    this.port = port;
    this.url = `http://127.0.0.1:${port}`;
    this.settings = settings;
    this.folder = mkdtempSync(join(tmpdir(), 'page-gateway-'));
    this.log = '';
    /** @type {import('node:child_process').ChildProcess | null} */
    this.process = null;
  }

  async start() {
    const { GATEWAY_URL: _, ...inherited } = process.env; // the tests', and no setting
    const environment = { ...inherited, ...ENOUGH, API_PORT: String(this.port), GATEWAY_DATA_DIR: join(this.folder, 'data'), ...this.settings };
    const child = spawn(PROGRAM, { env: environment, stdio: ['ignore', 'pipe', 'pipe'] });
    this.process = child;
    let said = '';
    await new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`not ready:\n${said.slice(-2000)}`)), READY_MS);
      const hear = (/** @type {Buffer} */ data) => {
        said += data;
        this.log += data;
        if (said.includes('Ready after')) resolve(clearTimeout(timer));
      };
      child.stdout.on('data', hear);
      child.stderr.on('data', hear);
      child.once('exit', (code) => reject(new Error(`ended with ${code}:\n${said.slice(-2000)}`)));
    });
  }

  /** @param {NodeJS.Signals} [signal] */
  async stop(signal = 'SIGTERM') {
    const child = this.process;
    if (!child || child.exitCode !== null) return;
    const ended = once(child, 'exit');
    child.kill(signal);
    await ended;
    this.process = null;
  }

  async end() {
    await this.stop();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** @param {Record<string, string>} [settings] */
export async function startGateway(settings = {}) {
  const gateway = new Gateway(await freePort(), settings);
  await gateway.start();
  return gateway;
}
