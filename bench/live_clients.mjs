// COUNT Socket.IO clients (official, WebSocket at once), each following one of JOBS. Writes "job index, seq, ms" of each event to OUT as float64s.
import { writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';

const { io } = createRequire(`${process.env.NODE_HOME}/package.json`)('socket.io-client');
const { SERVER_URL, JOBS, COUNT, OUT, SECONDS } = process.env;
const jobs = JOBS.split(',');
const indexes = new Map(jobs.map((job, index) => [job, index]));
const heard = [];
let subscribed = 0;

function connect(number) {
  return new Promise((resolve) => {
    const socket = io(SERVER_URL, { transports: ['websocket'], forceNew: true, reconnection: true });
    socket.on('job', (job) => heard.push(indexes.get(job.id), job.seq, Date.now()));
    socket.on('connect', () => socket.emit('subscribe', { job: jobs[number % jobs.length] }, () => { subscribed += 1; resolve(null); }));
  });
}

for (let begin = 0; begin < Number(COUNT); begin += 50) {
  await Promise.all(Array.from({ length: Math.min(50, COUNT - begin) }, (_, offset) => connect(begin + offset)));
}
console.log(`subscribed ${subscribed}`);
await new Promise((resolve) => { process.stdin.once('data', resolve); });
heard.length = 0;
console.log('measuring');
await new Promise((resolve) => setTimeout(resolve, Number(SECONDS) * 1000));
writeFileSync(OUT, Buffer.from(new Float64Array(heard).buffer));
console.log(`heard ${heard.length / 3}; cpu ${process.cpuUsage().user / 1e6} s`);
process.exit(0);
