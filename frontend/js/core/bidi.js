// @ts-check
/** Text of two directions (UAX 9). A name in a right-to-left script must not turn the words around it, nor be turned by them. */

/** The blocks of Unicode whose characters run from right to left, Arabic digits among them. */
const RIGHT_TO_LEFT = /[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc\u{10800}-\u{10fff}\u{1e800}-\u{1efff}]/u;

/** @param {string} text */
export const hasRightToLeft = (text) => RIGHT_TO_LEFT.test(text);

/** For a text inside a sentence: between FIRST STRONG ISOLATE and POP DIRECTIONAL ISOLATE, where it needs them. @param {string} text */
export const isolated = (text) => hasRightToLeft(text) ? `\u2068${text}\u2069` : text;

/** For what is only spoken: the isolates order what is seen. @param {string} text */
export const withoutIsolates = (text) => text.replace(/[\u2068\u2069]/g, '');
