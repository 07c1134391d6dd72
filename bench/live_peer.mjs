// A Node socket.io server that does the same fan-out: JOBS rooms, two events a second in each. Writes when each was emitted to OUT.
import { writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { createServer } from 'node:http';

const { Server } = createRequire(`${process.env.NODE_HOME}/package.json`)('socket.io');
const { PORT, JOBS, OUT, EVENT } = process.env;
const jobs = JOBS.split(',');
const event = JSON.parse(EVENT);
const server = createServer();
const io = new Server(server, { perMessageDeflate: false });
const told = [];
const seqs = jobs.map(() => 1);
io.on('connection', (socket) => socket.on('subscribe', ({ job }, answer) => { socket.join(job); answer({ ok: true }); }));
jobs.forEach((id, index) => setTimeout(() => setInterval(() => {
  seqs[index] += 1;
  told.push(index, seqs[index], Date.now());
  io.to(id).emit('job', { ...event, id, seq: seqs[index] });
}, 500), 10 * index));
process.on('SIGTERM', () => { writeFileSync(OUT, Buffer.from(new Float64Array(told).buffer)); process.exit(0); });
server.listen(Number(PORT), '127.0.0.1', () => console.log('listening'));
