// The test of a connection: a real sign-in by an administrator, of which nothing comes but knowledge.
import { notFound } from '../../lib/errors.ts';
import type { CompanyId } from '../../lib/ids.ts';
import { after, minutes } from '../../lib/time.ts';
import { transaction, type Work } from '../../work.ts';
import { record } from '../audit/commands.ts';
import { authorise } from '../roles/authority.ts';
import type { ArrivalDecision } from './arrival.ts';
import { explainArrival } from './arrival-queries.ts';
import type { ConnectionId } from './connection.ts';
import type { StoredConnection } from './connection-repository.ts';
import { fetchTestResult, type TestResult } from './request-commands.ts';
import { isProof, isTested, judgeTest, type TestCheck, type TestVerdict, testedHashOf, verdictOf } from './tested.ts';

export type TestOutcome =
  /** It has run out, somebody else began it, or the connection was changed since. */
  | { outcome: 'gone' }
  | { outcome: 'problem'; result: Extract<TestResult, { outcome: 'problem' }> }
  | {
      outcome: 'arrived';
      result: Extract<TestResult, { outcome: 'arrived' }>;
      checks: TestCheck[];
      /** What a sign-in of this person would do. */
      decision: ArrivalDecision;
      verdict: TestVerdict;
    };

/**
 * What came back, every claim of it, for the administrator who began the test and nobody else. One that proves it makes the connection
 * ready to be enabled; looking at it again changes nothing more.
 */
export async function recordTest(
  work: Work,
  companyId: CompanyId,
  connectionId: ConnectionId,
  ticket: string,
): Promise<TestOutcome> {
  const startedBy = await authorise(work, companyId, 'security.manage');
  const connection = await work.store.of(companyId).connections.find(connectionId);
  if (!connection) throw notFound('connection');
  const result = startedBy && (await fetchTestResult(work, { companyId, connectionId, startedBy }, ticket));
  if (!result) return { outcome: 'gone' };
  if (result.outcome === 'problem') return { outcome: 'problem', result };
  const rules = await work.store.of(companyId).mappingRules.list(connectionId);
  const decision = await explainArrival(work, connection, result.claims, { issuer: result.issuer });
  const checks = judgeTest(result.claims, connection, {
    readsGroups: rules.some(({ when }) => when.kind === 'group'),
    needsNames: decision.outcome === 'refused' && decision.because === 'invalid-person',
  });
  const verdict = verdictOf(checks, decision);
  if (isProof(verdict)) await markTested(work, connection);
  return { outcome: 'arrived', result, checks, decision, verdict };
}

/** Whoever opens the page twice has tested once. */
const onePage = minutes(1);

async function markTested(work: Work, looked: StoredConnection): Promise<void> {
  await transaction(work, async (work) => {
    const { connections } = work.store.of(looked.companyId);
    const connection = await connections.hold(looked.id);
    // Changed a moment ago: what was tested is not what stands there.
    if (connection?.version !== looked.version) return;
    const { id, companyId, name, testedAt } = connection;
    if (isTested(connection) && testedAt !== null && testedAt > after(work.now, -onePage)) return;
    await connections.setTested(id, testedHashOf(connection), work.now);
    await record(work, {
      action: 'sso.config',
      companyId,
      target: { kind: 'connection', id },
      details: { name, of: 'test', change: 'passed' },
    });
  });
}
