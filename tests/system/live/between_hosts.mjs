// COUNT official clients, one after the other, with these TRANSPORTS (by comma), each following one of JOBS to its end. Prints what became of them.
import { createRequire } from 'node:module';

const { io } = createRequire(`${process.cwd()}/package.json`)('socket.io-client');
const { GATEWAY_URL, JOBS, COUNT, TRANSPORTS } = process.env;
const jobs = JOBS.split(',');
const told = { connected: 0, ended: 0, transports: [], errors: [] };

/** @param {number} number */
function follow(number) {
  return new Promise((resolve) => {
    const socket = io(GATEWAY_URL, { forceNew: true, reconnection: false, transports: TRANSPORTS.split(',') });
    const finish = () => { socket.disconnect(); resolve(null); };
    const look = (job) => {
      if (!['succeeded', 'failed', 'cancelled'].includes(job.state)) return;
      told.ended += 1;
      told.transports.push(socket.io.engine.transport.name);
      finish();
    };
    socket.on('connect', () => {
      told.connected += 1;
      socket.emit('subscribe', { job: jobs[number % jobs.length] }, (answer) => { if (answer.ok) setTimeout(() => look(answer.job), 300); });
    });
    socket.on('job', look);
    socket.on('connect_error', (error) => { told.errors.push(String(error.message)); finish(); });
    setTimeout(finish, 30_000).unref();
  });
}

for (let number = 0; number < Number(COUNT); number += 1) await follow(number);
console.log(JSON.stringify(told));
process.exit(0);
