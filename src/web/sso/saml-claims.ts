// From the attributes of an assertion that was judged to what the domain reads. Pure.
import type { UpstreamClaims, UpstreamGroups } from '../../domain/federation/claims.ts';
import type { Connection } from '../../domain/federation/connection.ts';
import type { Asserted } from './saml-assertion.ts';

const overageClaim = 'http://schemas.microsoft.com/claims/groups.link';

function groupsOf(name: string, attributes: Map<string, string[]>): UpstreamGroups {
  if (attributes.has(overageClaim)) return { state: 'overage' };
  const values = name === '' ? undefined : attributes.get(name);
  return values ? { state: 'list', values } : { state: 'missing' };
}

export function claimsOf({ attributes: names }: Connection, { nameId, attributes }: Asserted): UpstreamClaims {
  const first = (name: string) => attributes.get(name)?.[0] ?? null;
  const isAddress = nameId.attributes.Format === 'urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress';
  const sent = first(names.email);
  const mapped = new Set(Object.values(names));
  return {
    subject: nameId.value,
    email: sent ?? (isAddress ? nameId.value : null),
    isEmailFromSubject: sent === null && isAddress,
    username: first(names.username),
    firstName: first(names.firstName),
    lastName: first(names.lastName),
    groups: groupsOf(names.groups, attributes),
    other: Object.fromEntries([...attributes].filter(([name]) => !mapped.has(name))),
  };
}

/** For the log: what was said, without what it was proved by. */
export function detailsOf({ nameId, attributes, id }: Asserted): Record<string, unknown> {
  return {
    assertion: `${id.slice(0, 8)}…`,
    nameId: nameId.value.slice(0, 200),
    nameIdFormat: nameId.attributes.Format ?? null,
    attributes: [...attributes].slice(0, 50).map(([name, values]) => ({
      name: name.slice(0, 200),
      values: values.slice(0, 20).map((value) => value.slice(0, 100)),
      count: values.length,
    })),
  };
}
