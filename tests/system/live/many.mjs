// COUNT official clients with their default settings, each following one of JOBS (ids, by comma) to its end. Prints what became of them.
import { createRequire } from 'node:module';

const { io } = createRequire(`${process.cwd()}/package.json`)('socket.io-client');
const { GATEWAY_URL, JOBS, COUNT } = process.env;
const jobs = JOBS.split(',');
const ended = new Set(['succeeded', 'failed', 'cancelled']);
const told = { connected: 0, upgraded: 0, ended: 0, errors: [] };

/** @param {number} number */
function follow(number) {
  return new Promise((resolve) => {
    const socket = io(GATEWAY_URL, { forceNew: true });
    const seen = { connected: false, upgraded: false, ended: false };
    const done = () => {
      if (!(seen.connected && seen.upgraded && seen.ended)) return;
      socket.disconnect();
      resolve(null);
    };
    const upgraded = () => { if (!seen.upgraded) { seen.upgraded = true; told.upgraded += 1; } done(); };
    const look = (job) => { if (ended.has(job.state) && !seen.ended) { seen.ended = true; told.ended += 1; } done(); };
    socket.on('connect', () => {
      if (!seen.connected) { seen.connected = true; told.connected += 1; }
      if (socket.io.engine.transport.name === 'websocket') upgraded();
      else socket.io.engine.once('upgrade', upgraded);
      socket.emit('subscribe', { job: jobs[number % jobs.length] }, (answer) => { if (answer.ok) look(answer.job); });
    });
    socket.on('job', look);
    socket.on('connect_error', (error) => told.errors.push(String(error.message)));
  });
}

const all = Promise.all(Array.from({ length: Number(COUNT) }, (_, number) => follow(number)));
await Promise.race([all, new Promise((resolve) => setTimeout(resolve, 60_000).unref())]);
console.log(JSON.stringify(told));
process.exit(0);
