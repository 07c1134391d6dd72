// ipx over a folder of pictures, with its defaults.
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';

const required = createRequire(`${process.env.NODE_HOME}/package.json`);
const { createIPX, createIPXNodeServer, ipxFSStorage } = await import(pathToFileURL(required.resolve('ipx')));
const serve = createIPXNodeServer(createIPX({ storage: ipxFSStorage({ dir: process.env.PICTURES }) }));

createServer((request, response) => (request.url === '/health' ? response.end('ok') : serve(request, response))).listen(
  Number(process.env.PORT),
  '127.0.0.1',
);
