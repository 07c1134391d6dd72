// @ts-check
/** The query of a retry, which keeps the options of its job: sent empty, those that are not named go back to their defaults. */

const CLEARED = ['quality', 'lossless', 'near_lossless', 'sharp_yuv', 'width', 'height', 'target_bytes', 'metadata'];
/** As those do, at a gateway that offers them: an older one refuses a name that it does not know. */
const CLEARED_WHERE_OFFERED = ['format', 'formats', 'widths', 'quality_scale', 'subsampling', 'colors', 'progressive', 'fit', 'gravity', 'sharpen', 'blur', 'trim', 'watermark'];

/** @param {Record<string, string>} query @param {readonly string[]} offered names of the gateway's options @returns {Record<string, string>} */
export function retryQueryOf(query, offered) {
  const cleared = [...CLEARED, ...CLEARED_WHERE_OFFERED.filter((name) => offered.includes(name))];
  return { ...Object.fromEntries(cleared.map((name) => [name, ''])), ...query };
}
