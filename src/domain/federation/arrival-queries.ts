// All that an arrival is decided from. Asks for no permission: whoever arrives has none yet.
import type { UserId } from '../../lib/ids.ts';
import type { Work } from '../../work.ts';
import { emailKey } from '../users/user.ts';
import { type ArrivalDecision, type ArrivalFacts, decideArrival } from './arrival.ts';
import type { UpstreamClaims } from './claims.ts';
import type { Connection } from './connection.ts';
import type { IdentityKey } from './identity-repository.ts';
import {
  allowedNetworks,
  countAdministrators,
  isForeignDomain,
  listByEmail,
  listSeenPeople,
} from './people-queries.ts';
import { administers } from './person-mapping.ts';

export interface Come {
  connection: Connection;
  claims: UpstreamClaims;
  key: IdentityKey;
}

/** What would become of this arrival, without anything being done: for the test of a connection, and for "why". */
export async function explainArrival(
  work: Work,
  connection: Connection,
  claims: UpstreamClaims,
  how: { issuer: string },
): Promise<ArrivalDecision> {
  const key = { connectionId: connection.id, issuer: how.issuer, subject: claims.subject };
  // The test of a connection that is still off asks what it would be like.
  const facts = await readArrival(work, { connection: { ...connection, enabled: true }, claims, key });
  const decision = decideArrival(facts);
  return decision.outcome === 'create' && (await isTaken(work, connection, decision.person.fields.username))
    ? { ...decision, outcome: 'refused', because: 'username-taken', fields: {} }
    : decision;
}

const isTaken = async (work: Work, { companyId }: Connection, username: string): Promise<boolean> =>
  (await work.store.of(companyId).users.findByUsername(username)) !== null;

export async function readArrival(work: Work, { connection, claims, key }: Come): Promise<ArrivalFacts> {
  const { companyId } = connection;
  const repositories = work.store.of(companyId);
  const boundTo = await repositories.identities.findPerson(key);
  const found = boundTo ? [boundTo] : await findByEmail(work, connection, claims);
  const people = await listSeenPeople(work, { companyId, connectionId: connection.id }, found);
  const [first] = people;
  return {
    connection,
    claims,
    bench: {
      connectionId: connection.id,
      enabled: connection.enabled,
      mapping: connection.mapping,
      rules: await repositories.mappingRules.list(connection.id),
      groups: await repositories.groups.list(),
    },
    vouches: await vouches(work, connection, claims),
    bound: boundTo ? (first ?? null) : null,
    byEmail: boundTo ? [] : people,
    from: { ip: work.origin.ip, allowed: await allowedNetworks(work, companyId) },
    othersAdministering: first && administers(first) ? await countAdministrators(work, companyId, first.id) : 1,
  };
}

async function findByEmail(work: Work, { companyId }: Connection, { email }: UpstreamClaims): Promise<UserId[]> {
  return email === null ? [] : listByEmail(work, companyId, emailKey(email));
}

/** An address that the upstream itself calls unproved, or whose domain another company has proved, stays to be proved by its owner. */
async function vouches(work: Work, { companyId }: Connection, { email, other }: UpstreamClaims): Promise<boolean> {
  if (email === null || other.email_verified?.[0] === 'false') return false;
  return !(await isForeignDomain(work, companyId, emailKey(email).split('@').at(-1) ?? ''));
}
