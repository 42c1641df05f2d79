// E-mail domains of a company: proved by a TXT record, and one company's alone from then on. They say where a person logs in. Pure.
import { domainToASCII } from 'node:url';
import { z } from 'zod';
import type { TxtRecords } from '../../lib/txt-records.ts';

/** Labels of letters, digits and inner dashes, two at least (RFC 1035 section 2.3.1); as DNS writes them. */
const name = /^(?=.{4,253}$)(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]{0,61}[a-z0-9]$/;

/** Typed with capitals, a leading @, or letters outside ASCII: it is one and the same domain. */
export const domainSchema = z
  .string()
  .trim()
  .transform((text) => domainToASCII(text.replace(/^@/, '').replace(/\.$/, '')).toLowerCase())
  .pipe(z.string().regex(name, 'Enter a domain such as example.com.'));

/** Anybody can have an address there: whoever proved one of these would lead strangers to their own login. */
const publicMail = new Set(
  [
    'gmail.com',
    'googlemail.com',
    'outlook.com',
    'hotmail.com',
    'live.com',
    'msn.com',
    'yahoo.com',
    'icloud.com',
  ].concat(
    [
      'me.com',
      'mac.com',
      'aol.com',
      'gmx.com',
      'gmx.de',
      'gmx.net',
      'web.de',
      'proton.me',
      'protonmail.com',
      'mail.com',
    ],
    ['zoho.com', 'yandex.com', 'yandex.ru', 'mail.ru', 'qq.com', '163.com', 'fastmail.com'],
  ),
);

export const isPublicMail = (domain: string): boolean => publicMail.has(domain);

/** Beside everything else that stands at the domain, so nothing has to be changed there. */
export const proofHost = (domain: string): string => `_unified-login.${domain}`;

/** What has to stand there. */
export const proofRecord = (proof: string): string => `unified-login-verification=${proof}`;

/** A record longer than 255 characters comes in pieces. At the host of its own, or at the domain itself where a provider allows no underscore. */
export const proves = (answers: readonly TxtRecords[], proof: string): boolean =>
  answers.some(
    (answer) =>
      answer.outcome === 'found' && answer.records.some((pieces) => pieces.join('').trim() === proofRecord(proof)),
  );

export interface EmailDomain {
  domain: string;
  proof: string;
  verifiedAt: Date | null;
  checkedAt: Date | null;
  missingSince: Date | null;
  createdAt: Date;
}
