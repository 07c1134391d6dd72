// COUNT official clients, each following all of JOBS to their ends, subscribing again with `after` whenever they reconnect. Prints their views.
import { createRequire } from 'node:module';

const { io } = createRequire(`${process.cwd()}/package.json`)('socket.io-client');
const { GATEWAY_URL, JOBS, COUNT } = process.env;
const jobs = JOBS.split(',');
const ended = new Set(['succeeded', 'failed', 'cancelled']);

function watch() {
  const views = Object.fromEntries(jobs.map((job) => [job, []]));
  return new Promise((resolve) => {
    const socket = io(GATEWAY_URL, { forceNew: true, reconnectionDelay: 50, reconnectionDelayMax: 200, timeout: 3000 });
    const see = (job) => {
      const view = views[job.id];
      if (!view.length || job.seq > view.at(-1).seq) view.push({ seq: job.seq, state: job.state });
      if (jobs.every((id) => views[id].length && ended.has(views[id].at(-1).state))) {
        socket.disconnect();
        resolve(views);
      }
    };
    socket.on('job', see);
    socket.on('connect', () => {
      for (const job of jobs) {
        const after = views[job].at(-1)?.seq;
        socket.emit('subscribe', after === undefined ? { job } : { job, after }, (answer) => { if (answer.ok) see(answer.job); });
      }
    });
  });
}

const all = await Promise.race([
  Promise.all(Array.from({ length: Number(COUNT) }, watch)),
  new Promise((resolve) => setTimeout(resolve, 150_000).unref()),
]);
process.stdout.write(JSON.stringify(all ?? null), () => process.exit(0)); // only then is a pipe given more than its 64 KiB
