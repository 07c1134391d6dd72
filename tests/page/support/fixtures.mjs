// @ts-check
/** Items, jobs and capabilities for the tests of the page's pure modules. */
import { EN as en, ZH as zh } from './catalogs.mjs';
import { advance, createItem } from '../../../frontend/js/core/item.js';
import { Words } from '../../../frontend/js/core/language.js';

/** @typedef {import('../../../frontend/js/core/types.js').Item} Item */
/** @typedef {import('../../../frontend/js/core/types.js').Job} Job */

/** As the gateway describes them. @type {Record<string, import('../../../frontend/js/core/types.js').OptionSchema>} */
export const OPTIONS = {
  quality: { anyOf: [{ type: 'integer', minimum: 0, maximum: 100 }, { const: 'auto' }], default: 80 },
  method: { minimum: 0, maximum: 6, default: 4 },
  lossless: { anyOf: [{ type: 'boolean' }, { const: 'auto' }], default: false },
  near_lossless: { minimum: 0, maximum: 100, default: null },
  sharp_yuv: { type: 'boolean', default: false },
  target_bytes: { minimum: 1, maximum: 1 << 30, default: null },
  width: { minimum: 1, maximum: 16383, default: null },
  height: { minimum: 1, maximum: 16383, default: null },
  metadata: { enum: ['none', 'copyright', 'all'], default: 'none' },
};

/** @param {string} name @param {number} side_pixels @param {boolean} has_alpha @param {boolean} has_animation */
const written = (name, side_pixels, has_alpha, has_animation) => ({ name, media_type: `image/${name}`, extension: name === 'jpeg' ? 'jpg' : name, side_pixels, has_alpha, has_animation });
/** As a gateway describes the formats that it writes. @type {import('../../../frontend/js/core/types.js').OutputFormat[]} */
export const OUTPUT_FORMATS = [written('webp', 16383, true, true), written('avif', 32768, true, true), written('jpeg', 65500, false, false), written('png', 65535, true, false)];
/** @type {Record<string, string[]>} */
const MEANT_FOR = { quality: ['webp', 'avif', 'jpeg'], method: ['webp'], lossless: ['webp'], near_lossless: ['webp'], sharp_yuv: ['webp'], target_bytes: ['webp', 'avif', 'jpeg'] };
/** Its options. @type {typeof OPTIONS} */
export const OPTIONS_OF_FORMATS = {
  ...Object.fromEntries(Object.entries(OPTIONS).map(([name, option]) => [name, MEANT_FOR[name] ? { ...option, 'x-formats': MEANT_FOR[name] } : option])),
  format: { type: 'string', enum: ['webp', 'avif', 'jpeg', 'png', 'auto'], default: 'webp' },
  speed: { type: 'integer', minimum: 0, maximum: 10, default: 6, 'x-formats': ['avif'] },
  quality_scale: { type: 'string', enum: ['native', 'look'], default: 'native', 'x-formats': ['webp', 'avif', 'jpeg'] },
  progressive: { type: 'boolean', default: true, 'x-formats': ['jpeg'] },
  subsampling: { type: 'string', enum: ['4:2:0', '4:4:4'], default: '4:2:0', 'x-formats': ['jpeg', 'avif'] },
  colors: { type: 'integer', minimum: 2, maximum: 256, default: null, 'x-formats': ['png'] },
  fit: { type: 'string', enum: ['inside', 'cover', 'contain', 'fill', 'outside'], default: 'inside' },
  gravity: { type: 'string', enum: ['centre', 'north', 'attention', 'entropy'], default: 'centre' },
  trim: { type: 'integer', minimum: 0, maximum: 255, default: null },
  blur: { type: 'number', minimum: 0.3, maximum: 100, default: null },
  sharpen: { type: 'number', minimum: 0, maximum: 10, default: 0 },
  formats: { type: 'string', default: null },
  widths: { type: 'string', default: null },
  width: { ...OPTIONS.width, maximum: 65535 },
  height: { ...OPTIONS.height, maximum: 65535 },
};

export const english = new Words('en', en);
export const chinese = new Words('zh-CN', zh);
/** @type {import('../../../frontend/js/core/types.js').Capabilities} */
export const capabilities = {
  version: '1', auth: false, retention_s: 86_400,
  formats: [{ name: 'jpeg', media_type: 'image/jpeg', extensions: ['jpg', 'jpeg'] }, { name: 'webp', media_type: 'image/webp', extensions: ['webp'] }],
  limits: { upload_bytes: 67_108_864, pixels: 50_000_000, frames: 256, side_pixels: 16383, files_per_request: 100 },
  options: { quality: OPTIONS.quality, method: OPTIONS.method, lossless: { type: 'boolean', default: false }, width: OPTIONS.width, height: OPTIONS.height },
};

/** Of a gateway that writes four formats. @type {typeof capabilities} */
export const four_formats = { ...capabilities, options: OPTIONS_OF_FORMATS, output_formats: OUTPUT_FORMATS };

/** One of several results, as the gateway tells it. @param {string} format @param {number} asked @param {Partial<import('../../../frontend/js/core/types.js').Result>} [more] */
export const variant = (format, asked, more) => ({ url: `/api/jobs/j/result?width=${asked}&format=${format}`, bytes: 1000, format, width: asked, height: asked / 2, ...more });

/** @param {Partial<Item>} [more] */
export const item = (more) => createItem({ id: 'a', name: 'cat.png', bytes: 1000, ...more });

/** @param {Partial<Job>} more @returns {Job} */
export const job = (more) => ({ id: 'j', state: 'queued', progress: 0, seq: 1, ...more });

/** The item after these facts, each at its `at_ms`. @param {Item} start @param {...any} facts */
export const after = (start, ...facts) => facts.reduce((now, { at_ms = 0, ...fact }) => advance(now, fact, at_ms), start);

/** The gateway has made this job of the item. @param {string} [job_id] */
export const accepted = (job_id = 'j') => /** @type {const} */ ({ type: 'job_accepted', job_id });
/** Its result answers. @param {string} [job_id] */
export const confirmed = (job_id = 'j') => /** @type {const} */ ({ type: 'result_confirmed', job_id });

/** @param {Partial<Job>} more */
export const seen = (more) => ({ type: 'job_updated', job: job(more) });
