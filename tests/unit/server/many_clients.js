// N official Socket.IO clients ask five times each; prints how many were answered rightly, always by the same worker.
"use strict";
const { io } = require("socket.io-client");
const [url, n, mode] = [process.argv[2], +process.argv[3], process.argv[4]];
const opts = { forceNew: true, reconnection: false, timeout: 8000 };
if (mode === "websocket") opts.transports = ["websocket"];
if (mode === "polling") opts.transports = ["polling"];
let done = 0, ok = 0, upgraded = 0, errors = {};
const pids = {};
function finish() { console.log(JSON.stringify({ ok, upgraded, errors, workers: Object.keys(pids).length })); process.exit(0); }
setTimeout(finish, 20000);
for (let i = 0; i < n; i++) {
  const s = io(url, opts);
  let rounds = 0;
  const fin = (good, why) => { if (s.fin) return; s.fin = true; if (good) ok++; else errors[why] = (errors[why] || 0) + 1; if (s.io.engine && s.io.engine.transport.name === "websocket") upgraded++; s.close(); if (++done === n) setTimeout(finish, 100); };
  const ask = () => s.timeout(5000).emit("who", i, (e, r) => {
    if (e) return fin(false, "ack " + e.message);
    if (r.data !== i) return fin(false, "wrong data");
    if (s.pid && s.pid !== r.pid) return fin(false, "moved");
    s.pid = r.pid; pids[r.pid] = 1;
    if (++rounds < 5) return setTimeout(ask, 30);
    if (mode === "default" && s.io.engine.transport.name !== "websocket") { s.io.engine.once("upgrade", () => fin(true)); setTimeout(() => fin(false, "not upgraded"), 3000); }
    else fin(true);
  });
  s.on("connect", ask);
  s.on("connect_error", e => fin(false, e.message));
  s.on("disconnect", r => fin(false, "disconnect " + r));
}
