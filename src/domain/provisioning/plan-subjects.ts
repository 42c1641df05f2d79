// The facts behind the subjects of a plan, as they are now, for many at once.
import type { CompanyId, InstanceId, UserId } from '../../lib/ids.ts';
import type { Work } from '../../work.ts';
import type { Bench } from './drift-judge.ts';
import { peopleOf } from './drift-judging.ts';
import type { Subject } from './plan.ts';

export interface SubjectKey {
  subject: string;
  externalId: string | null;
  userId: UserId | null;
}

/** In the order of the keys. */
export async function subjectsOf(
  work: Work,
  { profile }: Bench,
  at: { companyId: CompanyId; instanceId: InstanceId },
  keys: SubjectKey[],
): Promise<Subject[]> {
  const { seen } = work.store.of(at.companyId);
  const named = await seen.listByIds(
    at.instanceId,
    keys.flatMap(({ externalId }) => externalId ?? []),
  );
  // People of the report who had no account may have one by now.
  const without = keys.flatMap(({ externalId, userId }) => (externalId === null && userId !== null ? [userId] : []));
  const theirs = new Map((await seen.listOfPeople(at.instanceId, without)).map((one) => [one.userId, one]));
  const accounts = new Map(named.filter(({ life }) => life !== 'removed').map((one) => [one.externalId, one]));
  const linked = named.flatMap(({ userId }) => userId ?? []);
  const people = await peopleOf(work, at, [...new Set([...linked, ...without])]);
  const strays = named.filter(({ userId }) => userId === null).map(({ externalId }) => externalId);
  const fitting = await seen.findFitting(at.instanceId, strays, profile);
  const doubtful = new Set(
    profile.linkMode === 'explicit' ? [] : fitting.filter(({ byRule }) => byRule).map(({ externalId }) => externalId),
  );
  return keys.map(({ subject: key, externalId, userId }) => {
    const account = (externalId === null ? theirs.get(userId) : accounts.get(externalId)) ?? null;
    const person = people.get(account ? (account.userId ?? ('' as UserId)) : (userId ?? ('' as UserId))) ?? null;
    return { key, account, person, isDoubtful: account !== null && doubtful.has(account.externalId) };
  });
}
