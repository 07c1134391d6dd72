// As tests/support/receiver_process.py, in Node: node webhook-receiver.mjs PORT FILE SECRET
import { appendFileSync } from "node:fs";
import { createServer } from "node:http";
import { Webhook } from "standardwebhooks";

const [port, file, secret] = process.argv.slice(2);
const webhook = new Webhook(secret);

createServer(async (request, response) => {
  const parts = [];
  for await (const part of request) parts.push(part);
  const body = Buffer.concat(parts).toString("utf8");
  const headers = /** @type {Record<string, string>} */ (request.headers);
  let isGenuine = true;
  try {
    webhook.verify(body, headers);
  } catch {
    isGenuine = false;
  }
  const event = JSON.parse(body);
  const line = { id: headers["webhook-id"], type: event.type, subject: event.data.id, is_genuine: isGenuine };
  appendFileSync(file, JSON.stringify(line) + "\n");
  response.writeHead(Math.random() < 0.1 ? 500 : 204).end();
}).listen(Number(port), "127.0.0.1");
