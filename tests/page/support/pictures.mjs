// @ts-check
/** Pictures of each kind for measurements, made in Chromium so that no files are needed: landscapes, screenshots, drawings, cut-outs. */
import { paintScenes } from './scenes.mjs';

/** @typedef {{name: string, mimeType: string, buffer: Buffer}} Picture */
/** @typedef {{name: string, width: number, height: number, seed: number, kind: keyof typeof PAINTERS}} Painting */

/** @type {Painting[]} */
const PAINTINGS = [
  { name: 'chart.png', width: 1600, height: 1000, seed: 3, kind: 'chart' },
  { name: 'map.png', width: 3000, height: 2200, seed: 11, kind: 'map' },
  { name: 'poster.png', width: 1200, height: 1700, seed: 21, kind: 'poster' },
  { name: 'logo.png', width: 1024, height: 1024, seed: 5, kind: 'logo' },
  { name: 'cut-out.png', width: 1800, height: 1500, seed: 8, kind: 'cutOut' },
  { name: 'icon.png', width: 96, height: 96, seed: 2, kind: 'logo' },
];

/** Path of the gateway's pages → how they are seen. */
const SCREENS = /** @type {const} */ ([
  { name: 'screen-page.png', path: '/', viewport: { width: 1280, height: 900 }, deviceScaleFactor: 1 },
  { name: 'screen-docs.png', path: '/api/docs', viewport: { width: 1440, height: 1000 }, deviceScaleFactor: 2 },
  { name: 'screen-phone.png', path: '/', viewport: { width: 390, height: 844 }, deviceScaleFactor: 3 },
]);

/**
 * @param {import('playwright-core').Browser} browser
 * @param {string} gateway whose pages are photographed
 * @returns {Promise<Picture[]>}
 */
export async function makePictures(browser, gateway) {
  const pictures = await paintScenes(browser);
  for (const { name, path, ...look } of SCREENS) pictures.push({ name, mimeType: 'image/png', buffer: await shoot(browser, gateway + path, look) });
  for (const { name } of PAINTINGS) pictures.push(await paint(browser, name));
  return pictures;
}

/** @param {import('playwright-core').Browser} browser @param {string} name @returns {Promise<Picture>} */
export async function paint(browser, name) {
  const painting = PAINTINGS.find((each) => each.name === name);
  if (!painting) throw new Error(`there is no ${name}`);
  const page = await browser.newPage();
  const url = await page.evaluate(PAINTERS[painting.kind], painting);
  await page.close();
  return { name, mimeType: 'image/png', buffer: Buffer.from(url.split(',')[1], 'base64') };
}

/** @param {import('playwright-core').Browser} browser @param {string} url @param {{viewport: {width: number, height: number}, deviceScaleFactor: number}} look */
async function shoot(browser, url, look) {
  const page = await browser.newPage(look);
  await page.goto(url, { waitUntil: 'networkidle' });
  const picture = await page.screenshot();
  await page.close();
  return picture;
}

/** Each runs in the page and returns a PNG as a data URL. */
const PAINTERS = {
  /** Lines, bars, axes and words on white. @param {Painting} painting */
  chart({ width, height, seed }) {
    const canvas = Object.assign(document.createElement('canvas'), { width, height });
    const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext('2d'));
    let grain = seed;
    const chance = () => (grain = (grain * 1_103_515_245 + 12_345) % 0x7fff_ffff) / 0x7fff_ffff;
    context.fillStyle = '#fff';
    context.fillRect(0, 0, width, height);
    context.font = `${Math.round(height / 45)}px sans-serif`;
    for (let line = 0; line <= 10; line += 1) {
      const y = height * (0.9 - 0.08 * line);
      context.fillStyle = '#dddddd';
      context.fillRect(width * 0.08, y, width * 0.88, 1);
      context.fillStyle = '#444444';
      context.fillText(`${line * 10} %`, width * 0.02, y + 5);
    }
    for (let bar = 0; bar < 24; bar += 1) {
      const tall = height * 0.75 * chance();
      context.fillStyle = ['#2f6fde', '#e8603c', '#2f9e6b'][bar % 3];
      context.fillRect(width * (0.09 + bar * 0.036), height * 0.9 - tall, width * 0.025, tall);
      context.fillStyle = '#444444';
      context.fillText(String(2000 + bar), width * (0.085 + bar * 0.036), height * 0.94);
    }
    for (let curve = 0; curve < 4; curve += 1) {
      context.strokeStyle = ['#8a2be2', '#d4a017', '#008b8b', '#c71585'][curve];
      context.lineWidth = 3;
      context.beginPath();
      for (let at = 0; at < 200; at += 1) context.lineTo(width * (0.09 + at * 0.00435), height * (0.5 + 0.3 * Math.sin(curve + at / (8 + 5 * curve)) * Math.cos(at / 31)));
      context.stroke();
    }
    return canvas.toDataURL('image/png');
  },

  /** Many small shapes, borders and names in few colours. @param {Painting} painting */
  map({ width, height, seed }) {
    const canvas = Object.assign(document.createElement('canvas'), { width, height });
    const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext('2d'));
    let grain = seed;
    const chance = () => (grain = (grain * 1_103_515_245 + 12_345) % 0x7fff_ffff) / 0x7fff_ffff;
    context.fillStyle = '#cfe3f1';
    context.fillRect(0, 0, width, height);
    for (let land = 0; land < 60; land += 1) {
      const [x, y, radius] = [width * chance(), height * chance(), width * (0.03 + 0.09 * chance())];
      context.fillStyle = ['#f2efe4', '#e3ecd2', '#dfe8c8', '#f7f3d9'][land % 4];
      context.strokeStyle = '#a99f8b';
      context.beginPath();
      for (let angle = 0; angle < 6.28; angle += 0.05) context.lineTo(x + radius * Math.cos(angle) * (0.8 + 0.3 * chance()), y + radius * Math.sin(angle) * (0.8 + 0.3 * chance()));
      context.closePath();
      context.fill();
      context.stroke();
    }
    for (let road = 0; road < 80; road += 1) {
      context.strokeStyle = ['#d9534f', '#f0ad4e', '#ffffff'][road % 3];
      context.lineWidth = 1 + 4 * chance();
      let [x, y, way] = [width * chance(), height * chance(), 6.28 * chance()];
      context.beginPath();
      for (let step = 0; step < 60; step += 1) {
        context.lineTo(x, y);
        way += chance() - 0.5;
        x += 20 * Math.cos(way);
        y += 20 * Math.sin(way);
      }
      context.stroke();
    }
    context.fillStyle = '#333333';
    for (let town = 0; town < 300; town += 1) {
      context.font = `${12 + Math.round(14 * chance() ** 3)}px sans-serif`;
      context.fillText(Array.from({ length: 4 + Math.round(6 * chance()) }, () => 'aeiourstlnmkdgh'[Math.floor(15 * chance())]).join(''), width * chance(), height * chance());
    }
    return canvas.toDataURL('image/png');
  },

  /** Large soft gradients with sharp letters. @param {Painting} painting */
  poster({ width, height, seed }) {
    const canvas = Object.assign(document.createElement('canvas'), { width, height });
    const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext('2d'));
    let grain = seed;
    const chance = () => (grain = (grain * 1_103_515_245 + 12_345) % 0x7fff_ffff) / 0x7fff_ffff;
    const ground = context.createLinearGradient(0, 0, width, height);
    ground.addColorStop(0, '#1c2a6b');
    ground.addColorStop(1, '#e0568a');
    context.fillStyle = ground;
    context.fillRect(0, 0, width, height);
    for (let ball = 0; ball < 30; ball += 1) {
      const [x, y, radius] = [width * chance(), height * chance(), width * 0.15 * chance() + 8];
      const glow = context.createRadialGradient(x - radius / 3, y - radius / 3, radius / 8, x, y, radius);
      glow.addColorStop(0, '#ffe9c9');
      glow.addColorStop(1, '#c3402f');
      context.fillStyle = glow;
      context.beginPath();
      context.arc(x, y, radius, 0, 2 * Math.PI);
      context.fill();
    }
    context.fillStyle = '#ffffff';
    context.font = `700 ${Math.round(width / 9)}px serif`;
    ['Concert', 'at night', '29 Nov'].forEach((line, index) => context.fillText(line, width * 0.08, height * (0.2 + 0.12 * index)));
    context.font = `${Math.round(width / 50)}px serif`;
    for (let line = 0; line < 24; line += 1) context.fillText('Doors open at eight, music from nine, and coffee until the lights go out.', width * 0.08, height * (0.6 + 0.016 * line));
    return canvas.toDataURL('image/png');
  },

  /** Plain shapes on a transparent ground, with soft edges. @param {Painting} painting */
  logo({ width, height, seed }) {
    const canvas = Object.assign(document.createElement('canvas'), { width, height });
    const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext('2d'));
    context.translate(width / 2, height / 2);
    for (let leaf = 0; leaf < 3 + seed; leaf += 1) {
      context.rotate(2 * Math.PI / (3 + seed));
      context.fillStyle = `hsl(${leaf * 360 / (3 + seed)} 70% 50% / 85%)`;
      context.beginPath();
      context.ellipse(width * 0.22, 0, width * 0.22, height * 0.09, 0.3, 0, 2 * Math.PI);
      context.fill();
    }
    return canvas.toDataURL('image/png');
  },

  /** A grained object on a transparent ground, with a soft shadow. @param {Painting} painting */
  cutOut({ width, height, seed }) {
    const canvas = Object.assign(document.createElement('canvas'), { width, height });
    const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext('2d'));
    let grain = seed;
    const chance = () => (grain = (grain * 1_103_515_245 + 12_345) % 0x7fff_ffff) / 0x7fff_ffff;
    const outline = new Path2D();
    outline.ellipse(width * 0.5, height * 0.48, width * 0.33, height * 0.36, 0, 0, 2 * Math.PI);
    outline.rect(width * 0.7, height * 0.1, width * 0.1, height * 0.5);
    context.shadowColor = 'rgb(0 0 0 / 60%)';
    context.shadowBlur = width / 25;
    context.shadowOffsetY = height / 40;
    context.fillStyle = '#8c5a2b';
    context.fill(outline);
    context.shadowColor = 'transparent';
    context.clip(outline);
    for (let line = 0; line < 900; line += 1) {
      context.strokeStyle = `rgb(${60 + 120 * chance()} ${40 + 80 * chance()} ${20 + 40 * chance()} / 50%)`;
      const y = height * chance();
      context.beginPath();
      context.moveTo(0, y);
      context.bezierCurveTo(width / 3, y + 40 * chance(), width / 1.5, y - 40 * chance(), width, y + 20 * chance());
      context.stroke();
    }
    for (let speck = 0; speck < width * height / 30; speck += 1) {
      context.fillStyle = chance() > 0.5 ? 'rgb(255 255 255 / 12%)' : 'rgb(0 0 0 / 12%)';
      context.fillRect(width * chance(), height * chance(), 2, 2);
    }
    return canvas.toDataURL('image/png');
  },
};
