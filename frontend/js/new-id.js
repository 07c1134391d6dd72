// @ts-check

/** 128 random bits. `crypto.randomUUID` exists in secure contexts only, and a gateway in a local network is not one. */
export function newId() {
  return [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}
