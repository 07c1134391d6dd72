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

export const english = new Words('en', en);
export const chinese = new Words('zh-CN', zh);
/** @type {import('../../../frontend/js/core/types.js').Capabilities} */
export const capabilities = {
  version: '1', auth: false, retention_s: 86_400,
  formats: [{ name: 'jpeg', media_type: 'image/jpeg', extensions: ['jpg', 'jpeg'] }, { name: 'webp', media_type: 'image/webp', extensions: ['webp'] }],
  limits: { upload_bytes: 67_108_864, pixels: 50_000_000, frames: 256, side_pixels: 16383, files_per_request: 100 },
  options: { quality: OPTIONS.quality, method: OPTIONS.method, lossless: { type: 'boolean', default: false }, width: OPTIONS.width, height: OPTIONS.height },
};

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
