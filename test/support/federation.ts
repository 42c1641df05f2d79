// Connections, claims and arrivals for tests, made through commands.
import type { Company } from '../../src/domain/companies/company.ts';
import type { Arrival } from '../../src/domain/federation/arrival.ts';
import { acceptArrival } from '../../src/domain/federation/arrival-commands.ts';
import type { UpstreamClaims, UpstreamGroups } from '../../src/domain/federation/claims.ts';
import type { ConnectionId } from '../../src/domain/federation/connection.ts';
import { type ConnectionInput, createConnection } from '../../src/domain/federation/connection-commands.ts';
import type { StoredConnection } from '../../src/domain/federation/connection-repository.ts';
import { applyPlan, makePlan, type Proposal } from '../../src/domain/federation/plan-commands.ts';
import type { RuleInput } from '../../src/domain/federation/rule.ts';
import { runTaskJob } from '../../src/jobs/task.ts';
import { taskHandlers } from '../../src/jobs/task-handlers.ts';
import type { Work } from '../../src/work.ts';
import type { TestApp } from './app.ts';
import type { TestPerson } from './people.ts';

export const upstreamIssuer = 'https://idp.contoso.example/saml';

const names = {
  email: 'Email',
  username: 'Username',
  firstName: 'FirstName',
  lastName: 'LastName',
  groups: 'Groups',
  companyIdentifier: 'CompanyIdentifier',
};

/** Of an OpenID Connect upstream, by their standard names. */
export const oidcAttributes = {
  email: 'email',
  username: 'preferred_username',
  firstName: 'given_name',
  lastName: 'family_name',
  groups: 'groups',
  companyIdentifier: '',
};

export const samlInput = (input: Partial<ConnectionInput> = {}): ConnectionInput => ({
  name: 'Entra ID',
  settings: {
    kind: 'saml',
    entityId: upstreamIssuer,
    ssoUrl: 'https://idp.contoso.example/sso',
    certificates: ['-----BEGIN CERTIFICATE-----\nnot read here\n-----END CERTIFICATE-----'],
  },
  attributes: names,
  ...input,
});

export async function getConnection(app: TestApp, company: Company, id: ConnectionId): Promise<StoredConnection> {
  const found = await app.runtime.store.of(company.id).connections.find(id);
  if (!found) throw new Error('the connection is not there');
  return found;
}

export interface ConnectionOptions extends Partial<ConnectionInput> {
  rules?: RuleInput[];
  /** Enable Mapping Rules. */
  mapping?: boolean;
}

/** Enabled, with the people being created as User in All Module Access unless told. */
export async function makeConnection(
  app: TestApp,
  company: Company,
  { rules = [], mapping = false, ...input }: ConnectionOptions = {},
): Promise<StoredConnection> {
  const work = app.operator();
  const all = await app.runtime.store.of(company.id).groups.getSystem('system-all');
  const creation = { on: true, role: 'User' as const, groupIds: [all.id as string] };
  const { id } = await createConnection(work, company.id, samlInput({ creation, ...input }));
  await propose(app, company, id, { enabled: true, override: 'a test', rules, mapping });
  return getConnection(app, company, id);
}

/** A plan, and its being applied to the end. @returns the plan's id */
export async function propose(
  app: TestApp,
  company: Company,
  connectionId: ConnectionId,
  proposal: Proposal,
  work: Work = app.operator(),
): Promise<string> {
  const { id } = await makePlan(work, company.id, connectionId, proposal);
  const applied = await applyPlan(work, company.id, id);
  if (applied.outcome === 'started' && applied.taskId) await runTask(app, company, applied.taskId);
  return id;
}

/** As the queue would do it. */
export async function runTask(app: TestApp, company: Company, taskId: string): Promise<void> {
  const job = runTaskJob(taskHandlers, () => app.clock.now());
  await job.handle(app.operator(), { taskId, companyId: company.id });
}

export const groupsOf = (...values: string[]): UpstreamGroups => ({ state: 'list', values });

export const claimsOf = (email: string, claims: Partial<UpstreamClaims> = {}): UpstreamClaims => ({
  subject: `sub-${email}`,
  email,
  username: null,
  firstName: 'Pat',
  lastName: 'Upstream',
  groups: { state: 'missing' },
  other: {},
  ...claims,
});

/** What a stranger's browser brings. */
export function arrive(
  app: TestApp,
  connection: StoredConnection,
  claims: UpstreamClaims,
  issuer = upstreamIssuer,
): Promise<Arrival> {
  const work: Work = {
    ...app.operator(),
    actor: { kind: 'stranger', name: 'somebody' },
    origin: { requestId: 'r', ip: '203.0.113.7', agent: 'test' },
  };
  return acceptArrival(work, connection, claims, { issuer });
}

export const workAs = (app: TestApp, { user }: TestPerson): Work => ({
  ...app.operator(),
  actor: { kind: 'user', id: user.id, name: user.username },
});
