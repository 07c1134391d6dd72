// tus's own Node server over a folder.
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';

const required = createRequire(`${process.env.NODE_HOME}/package.json`);
const { Server } = await import(pathToFileURL(required.resolve('@tus/server')));
const { FileStore } = await import(pathToFileURL(required.resolve('@tus/file-store')));
const tus = new Server({ path: '/files', datastore: new FileStore({ directory: process.env.FOLDER }) });

createServer((request, response) => (request.url === '/health' ? response.end('ok') : tus.handle(request, response))).listen(
  Number(process.env.PORT),
  '127.0.0.1',
);
