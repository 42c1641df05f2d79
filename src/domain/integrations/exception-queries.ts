// Exceptions and accounts as pages show them. No rules here.
import type { CompanyId, InstanceId } from '../../lib/ids.ts';
import { searchPatterns } from '../../lib/paging.ts';
import type { Work } from '../../work.ts';
import { authoriseInstance } from '../roles/authority.ts';
import type { ExceptionRow } from './exception.ts';
import type { StoredException } from './exception-repository.ts';
import { getConnected } from './requirement-queries.ts';
import { canGetIn, isInForce, type WayIn, waysIn } from './ways-in.ts';

export interface ExceptionList {
  /** By name. Those without an end are named besides: somebody should look at them now and then. */
  rows: ExceptionRow[];
  withoutEnd: number;
  waysIn: WayIn[];
}

export async function listExceptions(work: Work, companyId: CompanyId, instanceId: InstanceId): Promise<ExceptionList> {
  await authoriseInstance(work, companyId, instanceId);
  await getConnected(work, companyId, instanceId);
  const stored = await work.store.of(companyId).exceptions.list(instanceId);
  return {
    rows: stored.map((one) => toRow(one, work.now)),
    withoutEnd: stored.filter(({ endsAt }) => endsAt === null).length,
    waysIn: waysIn(stored, work.now),
  };
}

function toRow({ account, remindedDays: _, email, ...one }: StoredException, now: Date): ExceptionRow {
  const isOver = !isInForce(one, now);
  const { isActive, hasLocalLogin, isAdministrator } = account ?? {};
  return {
    ...one,
    isOver,
    account:
      isActive === undefined
        ? null
        : {
            isActive,
            hasLocalLogin: hasLocalLogin ?? null,
            isAdministrator: isAdministrator === true,
            email: email ?? '',
          },
    isWayIn: !isOver && canGetIn(account),
  };
}

/** An account of the module, to be chosen. */
export interface FoundAccount {
  id: string;
  userName: string;
  name: string;
  email: string;
  isActive: boolean;
  isAdministrator: boolean;
  /** Null: the module does not say. */
  hasLocalLogin: boolean | null;
  isExempt: boolean;
}

export const accountsFound = 20;

/** Accounts that fit what was typed so far; each word must stand in name, address or user name. The first 20. */
export async function searchAccounts(
  work: Work,
  companyId: CompanyId,
  instanceId: InstanceId,
  words: string,
): Promise<FoundAccount[]> {
  await authoriseInstance(work, companyId, instanceId);
  await getConnected(work, companyId, instanceId);
  const patterns = searchPatterns(words);
  if (patterns.length === 0) return [];
  // One condition a word: the index of trigrams knows no list of patterns.
  const fits = patterns.map(() => 'a.search_text like ?').join(' and ');
  const { rows }: { rows: FoundAccount[] } = await work.store.db.raw(
    `select a.external_id as id, a.user_name as "userName", btrim(a.first_name || ' ' || a.last_name) as name, a.email,
       a.is_active as "isActive", a.is_administrator as "isAdministrator", a.has_local_login as "hasLocalLogin",
       exists (select from login_exceptions x where x.instance_id = a.instance_id and x.account_id = a.external_id
         and (x.ends_at is null or x.ends_at > ?)) as "isExempt"
     from module_accounts a where a.company_id = ? and a.instance_id = ? and a.life <> 'removed' and ${fits}
     order by a.user_name, a.external_id limit ${accountsFound}`,
    [work.now, companyId, instanceId, ...patterns],
  );
  return rows;
}
