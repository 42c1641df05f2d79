// Certificates of a connection as people read them. Logins are verified by their keys, whose end SAML does not ask for; an identity
// provider that changes the key is followed only where the new certificate has come.
import { type Certificate, needsWarning, readCertificate } from '../../../domain/federation/certificate.ts';
import type { StoredConnection } from '../../../domain/federation/connection-repository.ts';
import { warnedAhead } from '../../../domain/federation/metadata-commands.ts';
import { endOfCertificate, samlKeys } from '../../../domain/keys/saml-key.ts';
import { days } from '../../../lib/time.ts';
import type { Desk } from '../console.ts';
import type { CertificateLine } from './views.ts';

/** Certificates were read once when they were saved; one that can't be read any more is left out. */
const certificatesOf = ({ settings }: Pick<StoredConnection, 'settings'>): Certificate[] =>
  settings.kind === 'saml' ? settings.certificates.map(readCertificate).filter((one) => one !== null) : [];

/** When the last of them ends. */
export function nextEnd(connection: Pick<StoredConnection, 'settings'>): Date | null {
  const ends = certificatesOf(connection).map(({ validTo }) => validTo.getTime());
  return ends.length === 0 ? null : new Date(Math.max(...ends));
}

/** Empty unless all have ended; it says what that means, and what it does not. */
export function endedWords(certificates: readonly Pick<Certificate, 'validTo'>[], { work, moment }: Desk): string {
  const last = new Date(Math.max(...certificates.map(({ validTo }) => validTo.getTime())));
  if (certificates.length === 0 || last > work.now) return '';
  return `The certificate ended on ${moment(last).exact}. Logins still work: we go by its key.`;
}

/** Empty while the end is far away. */
export function endingWords(endsAt: Date, desk: Desk): string {
  const ended = endedWords([{ validTo: endsAt }], desk);
  if (ended !== '') return `${ended} Bring the new one before your identity provider signs with it.`;
  const left = endsAt.getTime() - desk.work.now.getTime();
  if (left > warnedAhead) return '';
  const many = Math.ceil(left / days(1));
  return `The certificate ends in ${many} ${many === 1 ? 'day' : 'days'}: get the new one in time.`;
}

/** Our own certificate, where the identity provider has to get a new one; empty else. */
export async function ourWords({ work, moment }: Desk): Promise<string> {
  const [signing, ...others] = await samlKeys(work);
  const next = others.find(({ signsFrom }) => signsFrom > work.now);
  if (next)
    return `From ${moment(next.signsFrom).exact} our requests are signed with a new certificate. Let your identity provider read our metadata again before then; both certificates stand in it.`;
  const left = endOfCertificate(signing).getTime() - work.now.getTime();
  return left <= warnedAhead
    ? `Our own certificate ${left <= 0 ? 'has ended' : `ends in ${Math.ceil(left / days(1))} days`}: ask the operator of this service for a new one.`
    : '';
}

export function certificateLines(connection: Pick<StoredConnection, 'settings'>, desk: Desk): CertificateLine[] {
  const { now } = desk.work;
  const all = certificatesOf(connection);
  return all.map((one) => ({
    subject: one.subject,
    ends: desk.moment(one.validTo),
    warning:
      one.validTo <= now
        ? 'Ended'
        : one.validTo.getTime() - now.getTime() <= warnedAhead && needsWarning(one, all, now)
          ? 'Ends soon'
          : '',
    fingerprint: one.fingerprint,
  }));
}
