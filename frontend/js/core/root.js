// @ts-check
/** Where the gateway is: empty, or the path under which a proxy shows it, such as `/images`. This file is at `static/js/core/` below it. */
export const ROOT = /^(.*)\/static\/js\/core\/root\.js$/.exec(new URL(import.meta.url).pathname)?.[1] ?? '';
