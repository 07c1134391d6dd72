// The official client with its default settings: upload GATEWAY_URL an IMAGE, follow it, print what was heard.
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';

const { io } = createRequire(`${process.cwd()}/package.json`)('socket.io-client');
const url = process.env.GATEWAY_URL;
const socket = io(url);
const transports = [];
socket.io.on('open', () => {
  transports.push(socket.io.engine.transport.name);
  socket.io.engine.on('upgrade', (transport) => transports.push(transport.name));
});
await new Promise((resolve, reject) => {
  socket.on('connect', resolve);
  socket.on('connect_error', reject);
});
await new Promise((resolve) => {
  if (socket.io.engine.transport.name === 'websocket') resolve();
  else socket.io.engine.once('upgrade', resolve);
});
const response = await fetch(`${url}/api/jobs`, { method: 'POST', body: await readFile(process.env.IMAGE) });
const { id } = await response.json();
const job = await new Promise((resolve, reject) => {
  const look = (job) => { if (['succeeded', 'failed', 'cancelled'].includes(job.state)) resolve(job); };
  socket.on('job', look);
  socket.emit('subscribe', { job: id }, (answer) => (answer.ok ? look(answer.job) : reject(new Error(JSON.stringify(answer)))));
});
console.log(JSON.stringify({ transports, job }));
socket.disconnect();
