// N official Socket.IO clients with default settings stay connected; each line of output says how many are, and at which workers.
"use strict";
const { io } = require("socket.io-client");
const [url, count] = [process.argv[2], Number(process.argv[3])];
const pids = new Map();
const report = () => console.log(JSON.stringify({ connected: pids.size, pids: [...new Set(pids.values())] }));
for (let i = 0; i < count; i++) {
  const socket = io(url, { forceNew: true, reconnectionDelay: 100, reconnectionDelayMax: 500 });
  socket.on("connect", () => socket.emit("who", null, (answer) => { pids.set(i, answer.pid); report(); }));
  socket.on("disconnect", () => { pids.delete(i); report(); });
}
process.stdin.on("close", () => process.exit(0)).resume();
