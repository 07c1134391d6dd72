// sharp behind Node's own HTTP server: image in, WebP out.
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { buffer } from 'node:stream/consumers';

const sharp = createRequire(`${process.env.NODE_HOME}/package.json`)('sharp');
sharp.cache(false);

createServer(async (request, response) => {
  const url = new URL(request.url, 'http://localhost');
  if (url.pathname === '/health') return response.end('ok');
  const width = Number(url.searchParams.get('width')) || null;
  try {
    let image = sharp(await buffer(request));
    if (width) image = image.resize({ width, withoutEnlargement: true });
    const webp = await image.webp({ quality: 80, effort: 4 }).toBuffer();
    response.writeHead(200, { 'content-type': 'image/webp', 'content-length': webp.length }).end(webp);
  } catch (error) {
    response.writeHead(500).end(String(error));
  }
}).listen(Number(process.env.PORT), '127.0.0.1');
