// Somebody arrives from an upstream: found or made, mapped, let in or refused. What is decided and what is done are one transaction;
// a refusal is a value, and its event is committed with it.
import { isDeepStrictEqual } from 'node:util';
import { cut } from '../../lib/cut.ts';
import type { UserId } from '../../lib/ids.ts';
import { transaction, type Work } from '../../work.ts';
import { newSupportCode } from '../audit/audit-event.ts';
import { record } from '../audit/commands.ts';
import { causeOf, standingChanged } from '../standing/commands.ts';
import { getCompany } from '../users/decide.ts';
import { draft, insertUsers } from '../users/invite-commands.ts';
import { emailKey } from '../users/user.ts';
import {
  type Arrival,
  type ArrivalDecision,
  type ArrivalFacts,
  type ArrivalRefusal,
  arrivalSentences,
  decideArrival,
  type NewPerson,
} from './arrival.ts';
import { type Come, readArrival } from './arrival-queries.ts';
import type { UpstreamClaims } from './claims.ts';
import type { Connection } from './connection.ts';
import { applyChanges } from './mapping-commands.ts';
import { administers, type MembershipSource } from './person-mapping.ts';
import { tellStop } from './stop-commands.ts';

/**
 * T3, T9, T15, T18, T24 with C22 to C28. The claims are verified; `issuer` is who has sent them.
 * Signing in itself, and the line in the connection's log, are the caller's: with `outcome: 'accepted'` the person is Active here.
 */
export async function acceptArrival(
  work: Work,
  connection: Connection,
  claims: UpstreamClaims,
  how: { issuer: string },
): Promise<Arrival> {
  const by: Work = { ...work, actor: { kind: 'system', name: `single sign-on (${connection.name})` } };
  const key = { connectionId: connection.id, issuer: how.issuer, subject: claims.subject };
  const present = await work.store.of(connection.companyId).connections.find(connection.id);
  const come: Come = { connection: present ?? { ...connection, enabled: false }, claims, key };
  const facts = await readArrival(by, come);
  const decision = decideArrival(facts);
  // Most logins change nothing: they hold nothing, and wait for nobody.
  if (isSettled(decision)) return transaction(by, (by) => finish(by, work, come, facts, decision));
  return transaction(by, async (by) => {
    const held = await hold(by, come, decision);
    const done = await act(by, come, held.facts, held.decision);
    return finish(by, work, come, held.facts, done);
  });
}

/** Nothing is to be done but to remember that they were here. */
function isSettled(decision: ArrivalDecision): boolean {
  if (decision.outcome === 'refused') return true;
  if (decision.outcome !== 'accept' || decision.binds || decision.becomes !== 'same') return false;
  const { act, sources, roleSource, was } = decision.change;
  return (
    act === 'unknown' ||
    (act === 'none' && isDeepStrictEqual([sorted(sources), roleSource], [sorted(was.sources), was.roleSource]))
  );
}

const sorted = (sources: MembershipSource[]) =>
  sources.map((one) => JSON.stringify(one, ['groupId', 'ruleIds', 'wasByHand'])).sort();

/** Everything that is decided by is held, in the order that all others keep: arrivals, memberships, people. */
async function hold(
  work: Work,
  come: Come,
  before: ArrivalDecision,
): Promise<{ facts: ArrivalFacts; decision: ArrivalDecision }> {
  const { companyId } = come.connection;
  const { identities, groups, users } = work.store.of(companyId);
  await identities.holdArrival(come.key, come.claims.email === null ? null : emailKey(come.claims.email));
  await groups.holdMemberships('some');
  for (let known = before.userId; ; ) {
    if (known) await users.lockById(known);
    let facts = await readArrival(work, come);
    const [person] = facts.bound ? [facts.bound] : facts.byEmail;
    if (person && administers(person)) {
      await identities.holdAdministrators();
      facts = await readArrival(work, come);
    }
    const decision = decideArrival(facts);
    // Another first login may have made the person meanwhile; then that one is held, too.
    if (decision.userId === known) return { facts, decision };
    known = decision.userId;
  }
}

async function act(work: Work, come: Come, facts: ArrivalFacts, decision: ArrivalDecision): Promise<ArrivalDecision> {
  const { connection, key } = come;
  const { identities } = work.store.of(connection.companyId);
  if (decision.outcome === 'refused') return decision;
  if (decision.outcome === 'create') return create(work, come, decision);
  if (decision.binds) {
    await identities.bind(key, decision.userId, work.now);
    await recordBinding(work, come, decision.userId);
  }
  const company = await getCompany(work, connection.companyId);
  await applyChanges(work, { company, connection }, [{ userId: decision.userId, change: decision.change }]);
  if (decision.outcome === 'accept' && decision.becomes === 'signed-up')
    await signUp(work, come, decision.userId, facts.vouches);
  return decision;
}

/** T9: the upstream vouches for the address, so the invitation is not needed any more. */
async function signUp(work: Work, { connection }: Come, userId: UserId, vouches: boolean): Promise<void> {
  const { companyId, name } = connection;
  const { users } = work.store.of(companyId);
  const user = await users.findById(userId);
  const verified = user?.emailVerifiedAt === null && vouches ? { emailVerifiedAt: work.now } : {};
  await users.update(userId, { baseStatus: 'Active', ...verified });
  await work.store.links.voidOpen(companyId, userId, ['invitation'], work.now);
  await record(work, {
    action: 'user.activate',
    companyId,
    target: { kind: 'user', id: userId },
    details: { by: 'sso', connection: name },
  });
  await standingChanged(work, { companyId, userIds: [userId], instanceIds: null, cause: causeOf(work, 'signed up') });
}

/** T3 */
async function create(
  work: Work,
  come: Come,
  decision: Extract<ArrivalDecision, { outcome: 'create' }>,
): Promise<ArrivalDecision> {
  const { companyId } = come.connection;
  const { person } = decision;
  const user = {
    ...draft(work, companyId, { ...person.fields, role: person.role }, 'sso'),
    baseStatus: 'Active' as const,
    emailVerifiedAt: person.emailIsVerified ? work.now : null,
  };
  const all = await work.store.of(companyId).groups.list();
  const groups = all.filter(({ id }) => person.groupIds.includes(id));
  const [made] = await insertUsers(work, companyId, [{ user, groups }], null);
  if (!made) return { ...decision, outcome: 'refused', because: 'username-taken', fields: {}, userId: null };
  await rememberSources(work, come, user.id, person);
  await work.store.of(companyId).identities.bind(come.key, user.id, work.now);
  await recordBinding(work, come, user.id);
  await standingChanged(work, { companyId, userIds: [user.id], instanceIds: null, cause: causeOf(work, 'created') });
  return { ...decision, userId: user.id };
}

async function rememberSources(work: Work, { connection }: Come, userId: UserId, person: NewPerson): Promise<void> {
  const { identities } = work.store.of(connection.companyId);
  await identities.setSources(connection.id, [{ userId, sources: person.sources }], work.now);
  if (person.roleRuleId === null) return;
  const before = connection.creation.role;
  const source = { connectionId: connection.id, ruleId: person.roleRuleId, role: person.role, before };
  await identities.setRoleSources([{ userId, source }], work.now);
}

async function recordBinding(work: Work, { connection, key, claims }: Come, userId: UserId): Promise<void> {
  await record(work, {
    action: 'sso.bind',
    companyId: connection.companyId,
    target: { kind: 'user', id: userId },
    details: {
      connection: connection.name,
      connectionId: connection.id,
      issuer: key.issuer,
      subject: cut(key.subject, 200),
      email: claims.email,
    },
  });
}

/** What was seen is kept, what was not said is put before the administrators, and a refusal is remembered. */
async function finish(
  work: Work,
  asked: Work,
  come: Come,
  facts: ArrivalFacts,
  decision: ArrivalDecision,
): Promise<Arrival> {
  const { connection, key, claims } = come;
  const { companyId } = connection;
  const stop = decision.mapping?.outcome === 'stop' ? decision.mapping.because : null;
  const isBound = facts.bound !== null || (decision.outcome !== 'refused' && decision.userId !== null);
  if (isBound) await work.store.of(companyId).identities.see(key, claims, stop, work.now);
  if (stop) await tellStop(work, connection, { because: stop, userId: decision.userId, email: claims.email });
  const because = refusalOf(decision);
  const user = decision.userId === null ? null : await work.store.of(companyId).users.findById(decision.userId);
  const code = because === null ? null : newSupportCode();
  if (because !== null && code !== null)
    await record(
      { ...asked, store: work.store },
      {
        action: 'login.fail',
        companyId,
        ...(decision.userId === null ? {} : { target: { kind: 'user', id: decision.userId } }),
        details: {
          reason: `sso-${because}`,
          username: user?.username ?? cut(claims.email ?? claims.subject, 100),
          connection: connection.name,
          ...(decision.outcome === 'refused' && Object.keys(decision.fields).length > 0
            ? { fields: decision.fields }
            : {}),
        },
        code,
      },
    );
  return {
    outcome: because === null ? 'accepted' : 'refused',
    userId: decision.userId,
    username: user?.username ?? null,
    became: becameOf(decision),
    because,
    code,
    sentence: because === null ? null : arrivalSentences[because],
    trace: decision.trace,
    stop,
    asksSecondFactor: connection.asksSecondFactor,
  };
}

function refusalOf(decision: ArrivalDecision): ArrivalRefusal | null {
  if (decision.outcome === 'refused') return decision.because;
  return decision.outcome === 'deactivate' ? 'unmapped' : null;
}

function becameOf(decision: ArrivalDecision): Arrival['became'] {
  switch (decision.outcome) {
    case 'accept':
      return decision.becomes;
    case 'create':
      return 'created';
    case 'deactivate':
      return 'deactivated';
    case 'refused':
      return decision.userId === null ? 'nobody' : 'same';
  }
}
