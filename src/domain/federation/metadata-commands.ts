// Metadata of identity providers read again by its address, and certificates that come to their end.
import { notFound, standsInTheWay } from '../../lib/errors.ts';
import type { CompanyId } from '../../lib/ids.ts';
import { type Outgoing, OutgoingError } from '../../lib/outgoing.ts';
import { after, days, hours, seconds } from '../../lib/time.ts';
import { transaction, type Work } from '../../work.ts';
import { record } from '../audit/commands.ts';
import { authorise } from '../roles/authority.ts';
import { tellAdministrators } from '../users/administrators.ts';
import { dueWarning, needsWarning, readCertificate } from './certificate.ts';
import type { ConnectionId } from './connection.ts';
import { listDueMetadata, listSamlConnections, type StoredConnection } from './connection-repository.ts';
import { type IdpMetadata, type ReadMetadata, refreshed, withCertificates } from './metadata.ts';
import { isTested, testedHashOf } from './tested.ts';

const limits = { timeoutMs: seconds(5), maxBytes: 512 * 1024 };

export type MetadataReader = (
  source: string,
) => { outcome: 'read'; metadata: IdpMetadata } | { outcome: 'refused'; problem: string };

export interface MetadataMeans {
  outgoing: Outgoing;
  readMetadata: MetadataReader;
}

export type Fetched = { outcome: 'read'; metadata: ReadMetadata } | { outcome: 'refused'; problem: string };

/** From a file or a text field. */
export function metadataOf(source: string, readMetadata: MetadataReader): Fetched {
  const read = readMetadata(source);
  if (read.outcome === 'refused') return read;
  const metadata = withCertificates(read.metadata);
  return metadata.certificates.length === 0
    ? { outcome: 'refused', problem: 'None of its certificates can be used: RSA keys have 2048 bits at least.' }
    : { outcome: 'read', metadata };
}

/** By its address, never into our own network (API-11). Nothing is saved. @throws AppError 403 */
export async function fetchMetadata(
  work: Work,
  companyId: CompanyId,
  address: string,
  means: MetadataMeans,
): Promise<Fetched> {
  await authorise(work, companyId, 'security.manage');
  return fetched(address, means);
}

async function fetched(address: string, { outgoing, readMetadata }: MetadataMeans): Promise<Fetched> {
  const refused = (problem: string): Fetched => ({ outcome: 'refused', problem });
  const url = URL.canParse(address) ? new URL(address) : null;
  if (!url || !/^https?:$/.test(url.protocol) || url.username !== '' || url.password !== '')
    return refused('Enter the address of the metadata, such as https://idp.example.com/metadata.');
  try {
    const answer = await outgoing(url.href, {
      headers: { accept: 'application/samlmetadata+xml, text/xml' },
      ...limits,
    });
    if (answer.status !== 200) return refused(`The address answers with status ${answer.status}.`);
    return metadataOf(answer.body, readMetadata);
  } catch (error) {
    if (!(error instanceof OutgoingError)) throw error;
    return refused(outgoingWords[error.problem]);
  }
}

const outgoingWords: Record<OutgoingError['problem'], string> = {
  'refused-address': 'This address lies in a network that is never asked from here.',
  unreachable: 'The address cannot be reached.',
  timeout: 'The address did not answer within 5 seconds.',
  'too-large': 'The answer is larger than 512 kB, which no metadata of one identity provider is.',
};

export type Refresh =
  | { outcome: 'read'; added: number; differences: string[] }
  | { outcome: 'failed'; problem: string };

/** Now, by an administrator. @throws AppError 404, 409 without an address */
export async function refreshMetadata(
  work: Work,
  companyId: CompanyId,
  connectionId: ConnectionId,
  means: MetadataMeans,
): Promise<Refresh> {
  await authorise(work, companyId, 'security.manage');
  const connection = await work.store.of(companyId).connections.find(connectionId);
  if (!connection) throw notFound('connection');
  if (addressOf(connection) === null)
    throw standsInTheWay('conflict', `The metadata of ${connection.name} has no address: upload it again.`);
  return refresh(work, connection, means);
}

const addressOf = ({ settings }: Pick<StoredConnection, 'settings'>): string | null =>
  settings.kind === 'saml' ? settings.metadataUrl : null;

/** No transaction is open while somebody else's server is asked. */
async function refresh(work: Work, looked: StoredConnection, means: MetadataMeans): Promise<Refresh> {
  const address = addressOf(looked) ?? '';
  const read = await fetched(address, means);
  return transaction(work, async (work) => {
    const connection = await work.store.of(looked.companyId).connections.hold(looked.id);
    // It was changed or removed meanwhile: the next turn looks again.
    if (connection?.settings.kind !== 'saml' || addressOf(connection) !== address)
      return { outcome: 'failed', problem: 'The connection was changed meanwhile.' };
    const { connections } = work.store.of(connection.companyId);
    const outcome =
      read.outcome === 'refused' ? { problem: read.problem } : refreshed(connection.settings, read.metadata, work.now);
    if ('problem' in outcome) {
      await connections.setMetadata(connection.id, { at: work.now, problem: outcome.problem });
      return { outcome: 'failed', problem: outcome.problem };
    }
    const { settings, added, differences } = outcome;
    // What was tested stays tested: the certificate that the test went by is still there.
    const testedHash = isTested(connection) ? testedHashOf({ ...connection, settings }) : connection.testedHash;
    await connections.setMetadata(connection.id, {
      at: work.now,
      problem: differences.length > 0 ? differences.join(' ') : null,
      ...(added.length > 0 ? { settings, testedHash } : {}),
    });
    if (added.length > 0)
      await tellAdded(
        work,
        connection,
        added.map(({ subject }) => subject),
      );
    return { outcome: 'read', added: added.length, differences };
  });
}

async function tellAdded(work: Work, { companyId, id, name }: StoredConnection, subjects: string[]): Promise<void> {
  await record(work, {
    action: 'sso.config',
    companyId,
    target: { kind: 'connection', id },
    details: { name, of: 'metadata', change: 'certificates', added: subjects.length, subjects },
  });
  await tellAdministrators(work, companyId, 'certificateAdded', {
    connection: name,
    certificates: subjects,
    href: `/admin/sso/${id}`,
  });
}

const atOnce = 20;
/** A little less than a day, so that it is once a day and not later every day. */
const readEvery = hours(23);

/** At every turn of the upkeep, each connection once a day. */
export async function readMetadataAgain(work: Work, means: MetadataMeans): Promise<void> {
  for (const { companyId, connectionId } of await listDueMetadata(work.store.db, after(work.now, -readEvery), atOnce)) {
    const connection = await work.store.of(companyId).connections.find(connectionId);
    if (connection) await refresh(work, connection, means);
  }
}

/** 30 and 7 days before a certificate ends, and when it has (B.5). Each is told once, on whichever node. */
export async function warnOfCertificates(work: Work): Promise<void> {
  let last: ConnectionId | null = null;
  for (;;) {
    const some = await listSamlConnections(work.store.db, last, 200);
    for (const connection of some) if (warningsFor(connection, work.now).length > 0) await warn(work, connection);
    const next = some.at(-1);
    if (!next || some.length < 200) return;
    last = next.id;
  }
}

function warningsFor({ settings, certificateNotices }: StoredConnection, now: Date) {
  if (settings.kind !== 'saml') return [];
  const all = settings.certificates.map(readCertificate).filter((one) => one !== null);
  return all.flatMap((certificate) => {
    if (!needsWarning(certificate, all, now)) return [];
    const due = dueWarning(certificate, certificateNotices[certificate.fingerprint], now);
    return due === null ? [] : [{ certificate, due }];
  });
}

const warn = (work: Work, looked: StoredConnection) =>
  transaction(work, async (work) => {
    const connection = await work.store.of(looked.companyId).connections.hold(looked.id);
    const warnings = connection ? warningsFor(connection, work.now) : [];
    if (!connection || warnings.length === 0) return;
    const told = Object.fromEntries(warnings.map(({ certificate, due }) => [certificate.fingerprint, due]));
    await work.store
      .of(connection.companyId)
      .connections.setCertificateNotices(connection.id, { ...connection.certificateNotices, ...told });
    for (const { certificate } of warnings)
      await tellAdministrators(work, connection.companyId, 'certificateEnds', {
        connection: connection.name,
        certificate: certificate.subject,
        endsAt: certificate.validTo.toISOString(),
        isOver: certificate.validTo <= work.now,
        href: `/admin/sso/${connection.id}`,
      });
  });

/** So long ahead pages begin to warn. */
export const warnedAhead = days(30);
