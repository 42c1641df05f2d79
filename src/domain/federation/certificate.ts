// Certificates with which identity providers sign: read, told, and held against time. Pure.
import { X509Certificate } from 'node:crypto';
import { after, days } from '../../lib/time.ts';

export interface CertificateFacts {
  /** As one line: "CN=Northwind IdP, O=Northwind". */
  subject: string;
  issuer: string;
  /** SHA-256, in pairs. */
  fingerprint: string;
  validFrom: Date;
  validTo: Date;
  /** "RSA 2048", "EC P-256". */
  key: string;
}

export type Certificate = { pem: string } & CertificateFacts;

/**
 * PEM with or without its frame, or base64 of DER, as metadata and people bring it. Null: it is none, or its key is too weak to be
 * trusted (NIST SP 800-57: RSA of 2048 bits at least).
 */
export function readCertificate(text: string): Certificate | null {
  const body = text.replace(/-----(BEGIN|END) CERTIFICATE-----/g, '').replace(/\s+/g, '');
  if (body === '' || body.length > 20_000 || !/^[A-Za-z0-9+/]+={0,2}$/.test(body)) return null;
  try {
    const certificate = new X509Certificate(Buffer.from(body, 'base64'));
    const key = keyWords(certificate);
    if (key === null) return null;
    return {
      pem: pemOf(certificate.raw),
      subject: oneLine(certificate.subject),
      issuer: oneLine(certificate.issuer),
      fingerprint: certificate.fingerprint256,
      validFrom: new Date(certificate.validFrom),
      validTo: new Date(certificate.validTo),
      key,
    };
  } catch {
    // Whatever node says of it: it is no certificate.
    return null;
  }
}

function pemOf(raw: Buffer): string {
  const lines = raw.toString('base64').match(/.{1,64}/g) ?? [];
  return `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`;
}

/** A certificate may be called nothing at all. */
const oneLine = (name: string | undefined): string =>
  (name ?? '')
    .split('\n')
    .map((part) => part.trim())
    .filter((part) => part !== '')
    .join(', ')
    .slice(0, 200) || 'without a name';

function keyWords({ publicKey }: X509Certificate): string | null {
  const { modulusLength, namedCurve } = publicKey.asymmetricKeyDetails ?? {};
  if (publicKey.asymmetricKeyType === 'rsa' && modulusLength !== undefined)
    return modulusLength >= 2048 ? `RSA ${modulusLength}` : null;
  return publicKey.asymmetricKeyType === 'ec' && namedCurve !== undefined ? `EC ${namedCurve}` : null;
}

/** Looking for frames takes longer than in proportion to the text (DOS-03). */
const longestText = 65_536;

/** Several in one file, as identity providers hand them out in a roll-over; what is none makes the whole null. */
export function readCertificates(text: string): Certificate[] | null {
  if (text.length > longestText) return null;
  const framed = text.match(/-----BEGIN CERTIFICATE-----[\s\S]*?-----END CERTIFICATE-----/g);
  const read = (framed ?? [text]).map(readCertificate);
  const all = read.filter((one) => one !== null);
  return all.length === read.length && all.length > 0 ? uniqueOf(all) : null;
}

export const uniqueOf = (certificates: readonly Certificate[]): Certificate[] => [
  ...new Map(certificates.map((one) => [one.fingerprint, one])).values(),
];

/** Days before the end on which the administrators are told, first to last; 0: it has ended. */
const warningDays = [30, 7, 0] as const;

/** The warning that is due now, unless it or a later one went out already. */
export function dueWarning(
  { validTo }: Pick<CertificateFacts, 'validTo'>,
  told: number | undefined,
  now: Date,
): number | null {
  const due = warningDays.findLast((before) => validTo <= after(now, days(before)));
  return due === undefined || (told !== undefined && told <= due) ? null : due;
}

/** A certificate that nobody signs with any more needs no warning: a younger one of the same connection is good for longer. */
export function needsWarning(one: Certificate, all: readonly Certificate[], now: Date): boolean {
  const isReplaced = all.some(
    (other) =>
      other.validTo > after(one.validTo, days(1)) && other.validFrom <= now && other.validTo > after(now, days(30)),
  );
  return !isReplaced;
}

/** Beside the present ones, the newest first; only as many as a connection keeps, and an ended one makes room before any other. */
export function joined(
  present: readonly Certificate[],
  brought: readonly Certificate[],
  { most, now }: { most: number; now: Date },
): { certificates: Certificate[]; added: Certificate[]; dropped: Certificate[]; refused: Certificate[] } {
  const known = new Set(present.map(({ fingerprint }) => fingerprint));
  const added: Certificate[] = [];
  const refused: Certificate[] = [];
  const dropped: Certificate[] = [];
  let kept = [...present];
  for (const one of uniqueOf(brought)) {
    if (known.has(one.fingerprint)) continue;
    if (one.validTo <= now) continue;
    if (kept.length + added.length >= most) {
      const ended = kept.find(({ validTo }) => validTo <= now);
      if (!ended) {
        refused.push(one);
        continue;
      }
      kept = kept.filter((other) => other !== ended);
      dropped.push(ended);
    }
    added.push(one);
  }
  return { certificates: [...kept, ...added], added, dropped, refused };
}
