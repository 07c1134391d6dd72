// @ts-check
/** Chromium for the page's tests, and a page that reports everything it must not do. */
import { chromium } from 'playwright-core';

const ARGUMENTS = [
  '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync',
];

/** Chromium logs an error for every refusal of the gateway, and for what a test blocks. */
const EXPECTED = /^(Failed to load resource: (the server responded with a status of (4\d\d|503|507)|net::ERR_FAILED)|WebSocket connection to .* failed)/;

export const GATEWAY_URL = (process.env.GATEWAY_URL ?? 'http://127.0.0.1:5000').replace(/\/$/, '');

/** A certificate that Node was told to trust (`NODE_EXTRA_CA_CERTS`) is one that Chromium does not know. */
export function launch() {
  const args = process.env.NODE_EXTRA_CA_CERTS ? [...ARGUMENTS, '--ignore-certificate-errors'] : ARGUMENTS;
  return chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', headless: true, args });
}

/**
 * A fresh visitor. `violations` collects console errors, uncaught errors, blocked resources, failed and foreign requests.
 * @param {import('playwright-core').Browser} browser
 * @param {import('playwright-core').BrowserContextOptions & {path?: string, gateway?: string}} [options]
 */
export async function visit(browser, { path = '/', gateway = GATEWAY_URL, ...options } = {}) {
  const context = await browser.newContext({ locale: 'en-GB', viewport: { width: 1180, height: 860 }, acceptDownloads: true, ...options });
  const page = await context.newPage();
  /** @type {string[]} */
  const violations = [];
  page.on('console', (message) => message.type() === 'error' && !EXPECTED.test(message.text()) && violations.push(`console: ${message.text()} ${message.location().url ?? ''}`));
  page.on('pageerror', (error) => violations.push(`uncaught: ${error.message}`));
  page.on('request', (request) => {
    if (/^(https?|wss?):/.test(request.url()) && new URL(request.url()).host !== new URL(gateway).host) violations.push(`foreign: ${request.url()}`);
  });
  await page.addInitScript(() => {
    document.addEventListener('securitypolicyviolation', (event) => console.error(`CSP: ${event.violatedDirective} ${event.blockedURI}`));
  });
  await page.goto(gateway + path);
  if (options.javaScriptEnabled !== false) await page.waitForSelector('html[data-ready]');
  return { context, page, violations };
}
