// Icons of modules, kept as data: addresses, so that a page shows them without asking anybody else (WEB-05).

const maxBytes = 48 * 1024;

const kinds: [type: string, matches: (bytes: Buffer) => boolean][] = [
  ['image/png', (bytes) => bytes.subarray(1, 4).toString('latin1') === 'PNG'],
  ['image/jpeg', (bytes) => bytes[0] === 0xff && bytes[1] === 0xd8],
  ['image/webp', (bytes) => bytes.subarray(8, 12).toString('latin1') === 'WEBP'],
  // Drawn by <img> only, where neither scripts nor links of an SVG work.
  [
    'image/svg+xml',
    (bytes) => /^\s*(<\?xml[^>]*>\s*)?(<!--[\s\S]*?-->\s*)*<svg[\s>]/.test(bytes.subarray(0, 2000).toString('utf8')),
  ],
];

/** @returns the data: address, or null when the bytes are no picture of a kind that pages draw, or too many. */
export function iconAddress(bytes: Buffer): string | null {
  const type = kinds.find(([, matches]) => matches(bytes))?.[0];
  return type && bytes.length <= maxBytes ? `data:${type};base64,${bytes.toString('base64')}` : null;
}
