// @ts-check
/** Landscapes for the README's pictures, painted in Chromium so that no photographs are needed. */

/** @typedef {{name: string, width: number, height: number, sky: [string, string], sun: string, hills: string[], stars: number, seed: number}} Scene */

/** @type {Scene[]} */
const SCENES = [
  { name: 'morning-mist.jpg', width: 2400, height: 1600, sky: ['#f7d9b8', '#8fb8d0'], sun: '#fff4d6', hills: ['#b9c9cf', '#8ba6ad', '#5f8285', '#375a58', '#1d3836'], stars: 0, seed: 4 },
  { name: 'mountain-lake.jpg', width: 4000, height: 2667, sky: ['#dcecf5', '#3f7fb5'], sun: '#ffffff', hills: ['#a9bccb', '#7d95a8', '#53718a', '#2f5a56', '#173a33'], stars: 0, seed: 9 },
  { name: 'desert-evening.jpg', width: 3000, height: 2000, sky: ['#ffb36b', '#5a3d7a'], sun: '#ffe3a3', hills: ['#c9785a', '#a3563f', '#7a3b2e', '#4d2420', '#2a1415'], stars: 0, seed: 17 },
  { name: '星空.jpg', width: 6000, height: 4000, sky: ['#3a4a86', '#070b1e'], sun: '#dfe7ff', hills: ['#232d55', '#182043', '#0f1530', '#080c1e'], stars: 900, seed: 23 },
  { name: '远山.jpg', width: 1800, height: 1200, sky: ['#f3ead9', '#c9d6cf'], sun: '#e8603c', hills: ['#c3cfc9', '#9db2aa', '#76938a', '#4d6f66', '#2b4a43'], stars: 0, seed: 31 },
];

/**
 * @param {import('playwright-core').Browser} browser
 * @returns {Promise<{name: string, mimeType: string, buffer: Buffer}[]>}
 */
export async function paintScenes(browser) {
  const page = await browser.newPage();
  const files = [];
  for (const scene of SCENES) {
    const url = await page.evaluate(paint, scene);
    files.push({ name: scene.name, mimeType: 'image/jpeg', buffer: Buffer.from(url.split(',')[1], 'base64') });
  }
  await page.close();
  return files;
}

/** Runs in the page. @param {Scene} scene */
function paint({ width, height, sky, sun, hills, stars, seed }) {
  const canvas = Object.assign(document.createElement('canvas'), { width, height });
  const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext('2d'));
  let grain = seed;
  const chance = () => (grain = (grain * 1_103_515_245 + 12_345) % 0x7fff_ffff) / 0x7fff_ffff;
  const air = context.createLinearGradient(0, height * 0.75, 0, 0);
  air.addColorStop(0, sky[0]);
  air.addColorStop(1, sky[1]);
  context.fillStyle = air;
  context.fillRect(0, 0, width, height);
  for (let star = 0; star < stars; star += 1) {
    context.fillStyle = `rgb(255 255 255 / ${0.25 + 0.75 * chance()})`;
    context.fillRect(width * chance(), height * 0.8 * chance(), 1 + 5 * chance() ** 4, 1 + 5 * chance() ** 4);
  }
  const [x, y, radius] = [width * (0.25 + 0.5 * chance()), height * 0.34, height * 0.055];
  const glow = context.createRadialGradient(x, y, radius * 0.9, x, y, radius * 7);
  glow.addColorStop(0, `${sun}cc`);
  glow.addColorStop(1, `${sun}00`);
  context.fillStyle = glow;
  context.fillRect(0, 0, width, height);
  context.fillStyle = sun;
  context.beginPath();
  context.arc(x, y, radius, 0, 2 * Math.PI);
  context.fill();
  hills.forEach((colour, index) => {
    const base = height * (0.46 + 0.13 * index);
    const waves = Array.from({ length: 9 }, (_, wave) => [2 ** (wave * 0.72) * (1.2 + chance()), 6.3 * chance(), height * 0.075 / 1.62 ** wave]);
    context.fillStyle = colour;
    context.beginPath();
    context.moveTo(0, height);
    for (let at = 0; at <= width; at += 3) context.lineTo(at, base + waves.reduce((sum, [pace, start, size]) => sum + size * Math.sin(start + pace * 3 * at / width), 0));
    context.lineTo(width, height);
    context.fill();
    const haze = context.createLinearGradient(0, base - height * 0.1, 0, base + height * 0.28);
    haze.addColorStop(0, `${sky[0]}00`);
    haze.addColorStop(1, `${sky[0]}${index < hills.length - 1 ? '55' : '00'}`);
    context.fillStyle = haze;
    context.fillRect(0, base - height * 0.1, width, height);
  });
  for (let speck = 0; speck < width * height / 60; speck += 1) {
    context.fillStyle = chance() > 0.5 ? 'rgb(255 255 255 / 5%)' : 'rgb(0 0 0 / 5%)';
    context.fillRect(width * chance(), height * chance(), 2, 2);
  }
  return canvas.toDataURL('image/jpeg', 0.93);
}
