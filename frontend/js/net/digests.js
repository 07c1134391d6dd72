// @ts-check
/** Whether two files are the same, byte for byte: by SHA-256, computed once for each file and only where another has the same size. */

export class Digests {
  constructor() {
    /** @type {WeakMap<Blob, Promise<string>>} */
    this.known = new WeakMap();
  }

  /**
   * Browsers compute digests in secure contexts only; elsewhere no two files are known to be the same, and each is sent.
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
    const known = this.known.get(file) ?? digest(file);
    this.known.set(file, known);
    return known;
  }
}

/** @param {Blob} file @returns {Promise<string>} empty for what cannot be read */
async function digest(file) {
  try {
    const bytes = new Uint8Array(await crypto.subtle.digest('SHA-256', await file.arrayBuffer()));
    return [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join('');
  } catch {
    return '';
  }
}
