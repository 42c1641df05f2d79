// Receipts for pages, the command and the signed export. Reads only; each begins with the permission.
import type { Database, Query } from '../../db/knex.ts';
import { countUpTo, searchIn } from '../../db/lists.ts';
import { notFound } from '../../lib/errors.ts';
import type { CompanyId, InstanceId, UserId } from '../../lib/ids.ts';
import { type Listed, listed, offsetOf, type Paging, reach } from '../../lib/paging.ts';
import type { Work } from '../../work.ts';
import { canDo, profileSchema } from '../modules/profile.ts';
import { authorise } from '../roles/authority.ts';
import type { Act, Delivery } from './account.ts';
import { type DeliveryRow, toDelivery } from './delivery-repository.ts';
import type { AccountReceipts } from './receipt.ts';

export const receiptStates = ['waiting', 'open', 'verified', 'given-up', 'confirmed', 'superseded'] as const;
export type ReceiptState = (typeof receiptStates)[number];

export const receiptActs: readonly Act[] = [
  'create',
  'update',
  'suspend',
  'restore',
  'remove',
  'disable',
  'end-sessions',
  'settings-changed',
  'disconnected',
];

export interface ReceiptFilter {
  /** `open`: something will still happen by itself. */
  state: ReceiptState | null;
  act: Act | null;
  /** Words of a person's names, username or e-mail. */
  search: string;
  userId: UserId | null;
}

const openStates = ['queued', 'sent', 'accepted', 'failed'];
/** An event is through when the module has taken it: there is nothing to read back. */
const statesOf: Record<ReceiptState, string[]> = {
  waiting: ['waiting'],
  open: openStates,
  verified: ['verified'],
  'given-up': ['given-up'],
  confirmed: ['superseded'],
  superseded: ['superseded'],
};

/** As far back as a list is filtered; what is rarer and older is found on the person's page. */
const newest = 50_000;
/** People that a search stands for. */
const mostPeople = 200;

/** Deliveries of one instance, the newest first. */
export async function listDeliveries(
  work: Work,
  companyId: CompanyId,
  instanceId: InstanceId,
  filter: ReceiptFilter,
  paging: Paging,
): Promise<Listed<Delivery>> {
  await authorise(work, companyId, 'modules.manage');
  const { db } = work.store;
  const matching = () => narrowed(db, companyId, instanceId, filter);
  const rows: DeliveryRow[] = await matching()
    .orderBy('d.seq', 'desc')
    .offset(offsetOf(paging))
    .limit(paging.size)
    .select('d.*');
  return listed(rows.map(toDelivery), await countUpTo(db, matching()), paging);
}

function narrowed(db: Database, companyId: CompanyId, instanceId: InstanceId, filter: ReceiptFilter): Query {
  const own = { company_id: companyId, instance_id: instanceId };
  const { state, act, search, userId } = filter;
  const people = db('users').where('company_id', companyId).select('id').limit(mostPeople);
  searchIn(people, 'search_text', search);
  const base = db('deliveries').where(own);
  // Both of these by an index of their own; the others look through what is new.
  if (userId !== null) base.where('user_id', userId);
  else if (search !== '') base.whereIn('user_id', people);
  if (state !== null) base.whereIn('state', statesOf[state]);
  if (state === 'confirmed') base.whereRaw(`answer ->> 'sentAs' is not null`);
  if (state === 'superseded') base.whereRaw(`answer ->> 'sentAs' is null`);
  if (act !== null && userId === null && search === '' && (state === null || state === 'verified'))
    base.orderBy('seq', 'desc').limit(newest);
  const query: Query = db.from(base.as('d'));
  if (act !== null) query.where('d.act', act);
  return query;
}

/** How many deliveries of an instance have been given up and may be sent anew, as none of a refused batch may; stops counting at `reach`. */
export async function countGivenUp(work: Work, companyId: CompanyId, instanceId: InstanceId): Promise<number> {
  await authorise(work, companyId, 'modules.manage');
  const { rows }: { rows: { count: number }[] } = await work.store.db.raw(
    `select count(*)::int as count from (select from deliveries
       where company_id = ? and instance_id = ? and state = 'given-up' and batch_id is null limit ?) given_up`,
    [companyId, instanceId, reach],
  );
  return rows[0]?.count ?? 0;
}

/** @throws AppError 404, also for a delivery of another company */
export async function getDelivery(work: Work, companyId: CompanyId, id: string): Promise<Delivery> {
  await authorise(work, companyId, 'modules.manage');
  const row: DeliveryRow | undefined = await work.store
    .db('deliveries')
    .where({ company_id: companyId, id })
    .first<DeliveryRow>();
  if (!row) throw notFound('delivery');
  return toDelivery(row);
}

interface AccountRow extends Pick<AccountReceipts, 'instanceId' | 'instance' | 'module' | 'icon'> {
  profile: unknown;
  enabled: boolean;
  deprovision: boolean | null;
  account:
    | (Omit<NonNullable<AccountReceipts['account']>, 'suspendedAt' | 'heldUntil' | 'confirmedAt'> & {
        suspendedAt: string | null;
        heldUntil: string | null;
        confirmedAt: string;
      })
    | null;
}

/** Deliveries of a person that a page shows. */
const shown = 200;

/** A person's accounts at modules, and what was done about each; also of instances that are disconnected by now. */
export async function listAccountReceipts(
  work: Work,
  companyId: CompanyId,
  userId: UserId,
): Promise<AccountReceipts[]> {
  await authorise(work, companyId, 'users.manage');
  const { db } = work.store;
  // One after the other: the proof is made in a transaction, which has one connection.
  const { rows: accounts }: { rows: AccountRow[] } = await db.raw(accountsSql, { companyId, userId });
  const deliveries: DeliveryRow[] = await db('deliveries')
    .where({ company_id: companyId, user_id: userId })
    .orderBy('seq', 'desc')
    .limit(shown)
    .select('*');
  const receipts = deliveries.map(toDelivery);
  const here = accounts.map((row) => toAccountReceipts(row, receipts));
  const known = new Set(here.map(({ instanceId }) => instanceId));
  const gone = new Map(
    receipts.filter(({ instanceId }) => !known.has(instanceId)).map((one) => [one.instanceId, one.instanceName]),
  );
  return [
    ...here,
    ...[...gone].map(([instanceId, instance]) => ({
      instanceId,
      instance,
      module: '',
      icon: null,
      account: null,
      deprovisions: false,
      deliveries: receipts.filter((one) => one.instanceId === instanceId),
    })),
  ];
}

const accountsSql = `
  select i.id as "instanceId", i.name as instance, m.name as module, m.icon, m.profile, i.is_enabled as enabled, s.deprovision,
    case when a.external_id is not null then jsonb_build_object('externalId', a.external_id, 'userName', a.user_name,
      'isActive', a.is_active, 'isAdministrator', a.is_administrator, 'life', a.life, 'suspendedAt', a.suspended_at,
      'heldUntil', a.held_until, 'lifeReason', a.life_reason, 'confirmedAt', a.confirmed_at) end as account
  from module_instances i join modules m on m.id = i.module_id
    left join integration_settings s on s.instance_id = i.id
    left join module_accounts a on a.instance_id = i.id and a.company_id = i.company_id and a.user_id = :userId
  where i.company_id = :companyId and (a.user_id is not null
    or exists (select from deliveries d where d.company_id = :companyId and d.user_id = :userId and d.instance_id = i.id))
  order by i.name, i.id limit 200`;

function toAccountReceipts(row: AccountRow, receipts: Delivery[]): AccountReceipts {
  const { instanceId, instance, module, icon, account, enabled, deprovision } = row;
  return {
    instanceId,
    instance,
    module,
    icon,
    account: account && {
      ...account,
      suspendedAt: dateOf(account.suspendedAt),
      heldUntil: dateOf(account.heldUntil),
      confirmedAt: new Date(account.confirmedAt),
    },
    deprovisions: enabled && deprovision === true && canDo(profileSchema.parse(row.profile), 'deprovision'),
    deliveries: receipts.filter((one) => one.instanceId === instanceId),
  };
}

const dateOf = (text: string | null): Date | null => (text === null ? null : new Date(text));
