// The facts of the trace for one person and one module: a bounded number of statements, each by an index.

import { notFound } from '../../lib/errors.ts';
import { type CompanyId, type InstanceId, isId, type UserId } from '../../lib/ids.ts';
import type { Work } from '../../work.ts';
import { readSupportCode } from '../audit/audit-event.ts';
import type { AuditRow } from '../audit/repository.ts';
import { actorWords } from '../audit/sentence.ts';
import { readSettings } from '../integrations/repository.ts';
import { profileSchema } from '../modules/profile.ts';
import { authorise } from '../roles/authority.ts';
import { getPersonOf, type PersonOfCompany } from '../users/person-queries.ts';
import { readComer } from '../users/sso-queries.ts';
import type { User } from '../users/user.ts';
import type { Delivery } from './account.ts';
import { type DeliveryRow, toDelivery } from './delivery-repository.ts';
import { readToldAccounts } from './taking-queries.ts';
import { explain, type Line, type Why, type WhyFacts, type WhyGroup, type WhyInstance } from './why.ts';

export interface AskedWhy {
  instanceId: InstanceId | null;
  /** Judged by the settings of now, as if this were the time. */
  at: Date;
  /** The address that they come from; null: not said. */
  from: string | null;
}

export interface Explained {
  person: PersonOfCompany;
  instance: { id: InstanceId; name: string; icon: string | null } | null;
  why: Why;
  /** Who changed what decided last, by line; absent: nobody, as far as the log goes back. */
  changes: Map<Line, AuditRow>;
}

/** @throws AppError 404 for a person or a module of another company, and for one who is deleted */
export async function explainWhy(
  work: Work,
  companyId: CompanyId,
  userId: UserId,
  { instanceId, at, from }: AskedWhy,
): Promise<Explained> {
  await authorise(work, companyId, 'users.manage');
  const person = await getPersonOf(work, companyId, userId);
  const { user, company } = person;
  const found = instanceId && (await readInstance(work, companyId, user, instanceId));
  if (instanceId !== null && !found) throw notFound('module');
  const comer = await readComer(work, person, from);
  const sessions = await work.store.of(companyId).sessions.listLive(userId, work.now);
  const facts: WhyFacts = {
    user,
    policy: company.policy,
    ...comer,
    from,
    failuresPerAddress: work.config.failuresPerAddress,
    liveSessions: sessions.length,
    instance: found?.instance ?? null,
  };
  const why = explain(facts, at);
  return {
    person,
    instance: found && { id: found.instance.settings.instanceId, name: found.instance.name, icon: found.icon },
    why,
    changes: await changesOf(work, companyId, why.lines),
  };
}

interface InstanceRow {
  id: InstanceId;
  name: string;
  icon: string | null;
  client_id: string;
  profile: unknown;
  groups: (Omit<WhyGroup, 'since' | 'addedBy'> & { since: string | null })[];
}

const instanceSql = `
  select i.id, i.name, m.icon, m.client_id, m.profile, coalesce((
    select jsonb_agg(g order by g.since is null, g.name) from (
      select g.id, g.name, g.is_active as "isActive", g.kind <> 'custom' as "isSystem", gm.since
      from group_modules x
        join access_groups g on g.id = x.group_id and g.removed_at is null
        left join group_members gm on gm.group_id = g.id and gm.user_id = :userId
      where x.instance_id = i.id order by gm.since is null, g.name limit 200) g), '[]'::jsonb) as groups
  from module_instances i join modules m on m.id = i.module_id where i.company_id = :companyId and i.id = :instanceId`;

async function readInstance(
  work: Work,
  companyId: CompanyId,
  user: User,
  instanceId: InstanceId,
): Promise<{ instance: WhyInstance; icon: string | null } | null> {
  const { db } = work.store;
  const { rows }: { rows: InstanceRow[] } = await db.raw(instanceSql, { companyId, instanceId, userId: user.id });
  const [row] = rows;
  const [settings] = row ? await readSettings(db, [instanceId]) : [];
  if (!row || !settings) return null;
  const profile = profileSchema.parse(row.profile);
  const store = work.store.of(companyId);
  const [told, exceptions, deliveries, logout, adders] = await Promise.all([
    readToldAccounts(work, companyId, user, [{ id: instanceId, profile }]),
    store.exceptions.list(instanceId),
    listDeliveries(work, companyId, instanceId, user.id),
    work.store.logouts.findLast(companyId, user.id, row.client_id),
    listAdders(work, companyId, user.id),
  ]);
  const { account, fitting, readAt } = told.get(instanceId) ?? { account: null, fitting: [], readAt: null };
  const instance: WhyInstance = {
    id: row.id,
    name: row.name,
    profile,
    settings,
    groups: row.groups.map((group) => ({
      ...group,
      since: group.since === null ? null : new Date(group.since),
      addedBy: adders.get(group.name) ?? null,
    })),
    account,
    fitting,
    readAt,
    exception: exceptions.find(({ accountId }) => account?.externalId === accountId) ?? null,
    deliveries,
    logout,
  };
  return { instance, icon: row.icon };
}

/** The last changes of groups that are looked through for who made them. */
const changesRead = 50;

/** Who put the person into which group last, by its name then. */
async function listAdders(work: Work, companyId: CompanyId, userId: UserId): Promise<Map<string, string>> {
  const rows: Pick<AuditRow, 'actor' | 'details'>[] = await work.store
    .db('audit_events')
    .where({ company_id: companyId, target_kind: 'user', target_id: userId, action: 'user.groupChange' })
    .orderBy('id', 'desc')
    .limit(changesRead)
    .select('actor', 'details');
  const adders = new Map<string, string>();
  for (const { actor, details } of rows)
    for (const name of groupsIn(details.after).filter((group) => !groupsIn(details.before).includes(group)))
      if (!adders.has(name))
        adders.set(
          name,
          actorWords(actor, () => null),
        );
  return adders;
}

function groupsIn(side: unknown): string[] {
  const { groups } = (side ?? {}) as { groups?: unknown };
  return Array.isArray(groups) ? groups.map(String) : [];
}

const newest = 5;

async function listDeliveries(
  work: Work,
  companyId: CompanyId,
  instanceId: InstanceId,
  userId: UserId,
): Promise<Delivery[]> {
  const rows: DeliveryRow[] = await work.store
    .db('deliveries')
    .where({ company_id: companyId, user_id: userId, instance_id: instanceId })
    .orderBy('seq', 'desc')
    .limit(newest)
    .select('*');
  return rows.map(toDelivery);
}

/** The last event of each setting, by the index of its target: one statement for all lines. */
async function changesOf(work: Work, companyId: CompanyId, lines: Line[]): Promise<Map<Line, AuditRow>> {
  const { db } = work.store;
  const last = lines.map(({ changedBy: { target, actions, settings } }, at) =>
    db
      .from(
        db('audit_events')
          .where({ company_id: companyId, target_kind: target.kind, target_id: target.id })
          .whereIn('action', actions)
          .modify((events) => {
            if (settings)
              events.whereRaw(
                `exists (select from jsonb_object_keys(case jsonb_typeof(details -> 'after') when 'object' then details -> 'after' else '{}' end) as name
                 where name like any(?))`,
                [settings.map((name) => (name.endsWith('.') ? `${name}%` : name))],
              );
          })
          .orderBy('id', 'desc')
          .limit(1)
          .as('e'),
      )
      .select('e.*', db.raw('?::int as line', [at])),
  );
  const rows: (AuditRow & { line: number })[] = await db.unionAll(last, true);
  return new Map(rows.flatMap((row) => (lines[row.line] ? [[lines[row.line] as Line, row] as const] : [])));
}

/** What a code from a person's page leads to. */
export interface CodeFound {
  userId: UserId;
  /** Null: they were logging in, to whatever module. */
  instanceId: InstanceId | null;
  /** What was refused then, as the log has it. */
  event: AuditRow;
}

/** @returns null when the company has no such code, or it was nobody's whom we know */
export async function findByCode(work: Work, companyId: CompanyId, typed: string): Promise<CodeFound | null> {
  await authorise(work, companyId, 'audit.read');
  await authorise(work, companyId, 'users.manage');
  const { db } = work.store;
  const event: AuditRow | undefined = await db<AuditRow>('audit_events')
    .where({ company_id: companyId, code: readSupportCode(typed), target_kind: 'user' })
    .whereIn('action', ['entry.refuse', 'login.fail'])
    .orderBy('id', 'desc')
    .first();
  if (!event?.target_id || !isId(event.target_id)) return null;
  // The target of these events is a person.
  const user = await work.store.of(companyId).users.findById(event.target_id as UserId);
  if (!user || user.baseStatus === 'Deleted') return null;
  const { instance, clientId } = event.details;
  const candidates: { id: InstanceId }[] =
    typeof clientId === 'string'
      ? await db('module_instances as i')
          .join('modules as m', 'm.id', 'i.module_id')
          .where({ 'i.company_id': companyId, 'm.client_id': clientId })
          .orderBy(['i.name', 'i.id'])
          .limit(200)
          .select('i.id')
      : [];
  const asked = candidates.find(({ id }) => id === instance) ?? candidates[0];
  return {
    userId: user.id,
    instanceId: asked?.id ?? null,
    event,
  };
}
