/** Seals the template's signing keys and everything that tests seal. */
export const testKey = Buffer.alloc(32, 7);
