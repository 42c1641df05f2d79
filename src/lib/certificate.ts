// Self-signed X.509 certificates (RFC 5280), as identity providers want them around a public key. Node reads certificates but makes none.
import { createPrivateKey, createPublicKey, type KeyObject, randomBytes, sign } from 'node:crypto';

function der(tag: number, ...parts: Buffer[]): Buffer {
  const body = Buffer.concat(parts);
  if (body.length < 0x80) return Buffer.concat([Buffer.from([tag, body.length]), body]);
  const length = Buffer.from(
    body.length.toString(16).padStart(body.length > 0xffff ? 6 : body.length > 0xff ? 4 : 2, '0'),
    'hex',
  );
  return Buffer.concat([Buffer.from([tag, 0x80 | length.length]), length, body]);
}

const sequence = (...parts: Buffer[]) => der(0x30, ...parts);
const sha256WithRsa = sequence(der(0x06, Buffer.from('2a864886f70d01010b', 'hex')), der(0x05));
const commonName = Buffer.from('550403', 'hex');

/** UTCTime until 2049, GeneralizedTime after that (section 4.1.2.5). */
function time(at: Date): Buffer {
  const digits = at.toISOString().replace(/[-:T]|\.\d+/g, '');
  return at.getUTCFullYear() < 2050 ? der(0x17, Buffer.from(digits.slice(2))) : der(0x18, Buffer.from(digits));
}

/** An integer that is positive and has no leading zeros. */
function serial(): Buffer {
  const bytes = randomBytes(16);
  bytes[0] = ((bytes[0] as number) & 0x7f) | 0x40;
  return der(0x02, bytes);
}

export function pemOf(label: string, body: Buffer): string {
  const lines = body.toString('base64').match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join('\n')}\n-----END ${label}-----\n`;
}

/** An RSA key's certificate, signed by itself with SHA-256. */
export function selfSigned(privateKey: KeyObject | string, of: { name: string; from: Date; until: Date }): string {
  const key = typeof privateKey === 'string' ? createPrivateKey(privateKey) : privateKey;
  const name = sequence(der(0x31, sequence(der(0x06, commonName), der(0x0c, Buffer.from(of.name.slice(0, 64))))));
  const publicKey = createPublicKey(key).export({ type: 'spki', format: 'der' });
  const body = sequence(
    der(0xa0, der(0x02, Buffer.from([2]))),
    serial(),
    sha256WithRsa,
    name,
    sequence(time(of.from), time(of.until)),
    name,
    publicKey,
  );
  const signature = der(0x03, Buffer.from([0]), sign('sha256', body, key));
  return pemOf('CERTIFICATE', sequence(body, sha256WithRsa, signature));
}
