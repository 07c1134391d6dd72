// @ts-check
/** Whether two files have the same bytes, by SHA-256. Computed once for each file, and only when another has the same size. */

export class Digests {
  constructor() {
    /** @type {WeakMap<Blob, Promise<string>>} */
    this.cache = new WeakMap();
  }

  /**
   * Browsers compute digests in secure contexts only. Elsewhere the answer is false, and each file is sent.
   * @param {Blob | undefined} one
   * @param {Blob | undefined} other
   */
  async areSame(one, other) {
    if (!one || !other || one.size !== other.size || !crypto.subtle) return false;
    const [first, second] = await Promise.all([this.digestOf(one), this.digestOf(other)]);
    return first === second && first !== '';
  }

  /** @param {Blob} file */
  digestOf(file) {
    const digest = this.cache.get(file) ?? computeDigest(file);
    this.cache.set(file, digest);
    return digest;
  }
}

/** @param {Blob} file @returns {Promise<string>} empty when it cannot be read */
async function computeDigest(file) {
  try {
    const bytes = new Uint8Array(await crypto.subtle.digest('SHA-256', await file.arrayBuffer()));
    return [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join('');
  } catch {
    return '';
  }
}
