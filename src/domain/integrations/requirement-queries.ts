// What the pre-flight goes by. Asks for no permission: for commands that have. Bounded: two statements look at all accounts, once each.
import { notFound } from '../../lib/errors.ts';
import { type CompanyId, type InstanceId, isId, type ModuleId, type UserId } from '../../lib/ids.ts';
import { after, minutes } from '../../lib/time.ts';
import type { Work } from '../../work.ts';
import { type Profile, profileSchema } from '../modules/profile.ts';
import { lastRedeemedAt } from '../sessions/redemption-queries.ts';
import { type LossReason, lossReasons, type PreflightFacts, sampleSize } from './requirement.ts';
import { waysIn } from './ways-in.ts';

/** One connected module with what its commands need to know of it. */
export interface Connected {
  instanceId: InstanceId;
  instance: string;
  moduleId: ModuleId;
  module: string;
  clientId: string;
  company: string;
  profile: Profile;
  localLoginUrl: string | null;
  isReadable: boolean;
  /** Instances of the same product that the company has. */
  siblings: number;
}

/** @throws AppError 404, also for an instance of another company */
export async function getConnected(work: Work, companyId: CompanyId, instanceId: InstanceId): Promise<Connected> {
  const { rows }: { rows: (Omit<Connected, 'profile'> & { profile: unknown })[] } = await work.store.db.raw(
    `select i.id as "instanceId", i.name as instance, m.id as "moduleId", m.name as module, m.client_id as "clientId", c.name as company,
       m.profile, i.local_login_url as "localLoginUrl", i.scim_url is not null and i.sealed_scim_token is not null as "isReadable",
       (select count(*)::int from module_instances o where o.company_id = i.company_id and o.module_id = i.module_id) as siblings
     from module_instances i join modules m on m.id = i.module_id join companies c on c.id = i.company_id
     where i.company_id = ? and i.id = ?`,
    [companyId, instanceId],
  );
  const [row] = rows;
  if (!row) throw notFound('module');
  return { ...row, profile: profileSchema.parse(row.profile) };
}

/** The person of the company who acts, if it is one: in the console, or through the module in a session that came from us. */
export async function actingPerson(work: Work, companyId: CompanyId): Promise<UserId | null> {
  const { actor } = work;
  if (actor.kind === 'user') return actor.id;
  if (actor.kind !== 'module' || actor.sub === undefined || !isId(actor.sub)) return null;
  // Checked to be an id; whose it is, the company's own table says.
  const user = await work.store.of(companyId).users.findById(actor.sub as UserId);
  return user?.baseStatus === 'Active' ? user.id : null;
}

/**
 * When the person entered this very module through us last. Tokens tell of the product alone: where the company has several of it, the
 * person must belong to this one (C28).
 */
export async function enteredAt(
  work: Work,
  companyId: CompanyId,
  connected: Pick<Connected, 'instanceId' | 'clientId' | 'siblings'>,
  userId: UserId,
): Promise<Date | null> {
  const at = await lastRedeemedAt(work.store.db, connected.clientId, userId);
  if (at === null || connected.siblings < 2) return at;
  const linked = await work.store
    .db('module_accounts')
    .where({ company_id: companyId, instance_id: connected.instanceId, user_id: userId })
    .first('external_id');
  return linked ? at : null;
}

interface ReadingFacts {
  readAt: Date | null;
  isBeingRead: boolean;
  /** The last try has failed just now. */
  problem: string | null;
}

/** Whoever looks again at once after a failure shall read why, not cause the next one. */
const problemShown = minutes(1);

async function readingOf(work: Work, companyId: CompanyId, instanceId: InstanceId): Promise<ReadingFacts> {
  const { rows }: { rows: { state: string; is_whole: boolean; problem: string | null; asked_at: Date }[] } =
    await work.store.db.raw(
      `select state, is_whole, problem, asked_at from drift_reads where company_id = ? and instance_id = ?
       order by asked_at desc limit 20`,
      [companyId, instanceId],
    );
  const [latest] = rows;
  // Judging comes after reading: what the module has is known by then.
  const whole = rows.find(({ state, is_whole }) => is_whole && (state === 'judging' || state === 'done'));
  const hasJustFailed = latest?.state === 'failed' && latest.asked_at > after(work.now, -problemShown);
  return {
    readAt: whole?.asked_at ?? null,
    isBeingRead: latest?.state === 'reading',
    problem: hasJustFailed ? (latest.problem ?? 'It did not answer.') : null,
  };
}

/** Queue of the job that reads the accounts of one module; provisioning answers it. */
const readAccounts = 'read-accounts';

export async function requestReading(work: Work, companyId: CompanyId, instanceId: InstanceId): Promise<void> {
  await work.jobs.enqueue(work, readAccounts, { companyId, instanceId, trigger: 'require' }, { priority: 10 });
}

// An account whose person is there enters through us from now on; one that matches is linked when it first does (C28).
const judged = `
  select a.external_id, a.user_name, case
    when a.user_id is not null then case when u.id is not null then 'linked' else 'stranded' end
    when :matches and exists (
      select from users n where n.company_id = a.company_id and n.email_key = a.email_key and n.base_status = 'Active'
        and n.email_verified_at is not null) then 'matching'
    else 'stranded' end as reason
  from module_accounts a left join users u on u.company_id = a.company_id and u.id = a.user_id and u.base_status = 'Active'
  where a.company_id = :companyId and a.instance_id = :instanceId and a.is_active and a.has_local_login is distinct from false
    and not exists (
      select from login_exceptions x where x.instance_id = a.instance_id and x.account_id = a.external_id
        and (x.ends_at is null or x.ends_at > :now))`;

type Losses = Pick<PreflightFacts, 'counts' | 'sample'>;

async function lossesOf(work: Work, companyId: CompanyId, { instanceId, profile }: Connected): Promise<Losses> {
  const values = { companyId, instanceId, now: work.now, matches: profile.linkMode !== 'explicit' };
  const { rows: counted }: { rows: { reason: LossReason; count: number }[] } = await work.store.db.raw(
    `select reason, count(*)::int as count from (${judged}) l group by reason`,
    values,
  );
  const { rows: sample }: { rows: { external_id: string; user_name: string; reason: LossReason }[] } =
    await work.store.db.raw(
      `select * from (${judged}) l order by array_position(array['${lossReasons.join("','")}'], reason), user_name, external_id
       limit ${sampleSize}`,
      values,
    );
  const { rows: active }: { rows: { count: number }[] } = await work.store.db.raw(
    'select count(*)::int as count from module_accounts where company_id = ? and instance_id = ? and is_active',
    [companyId, instanceId],
  );
  const countOf = (reason: LossReason) => counted.find((one) => one.reason === reason)?.count ?? 0;
  return {
    counts: {
      of: active[0]?.count ?? 0,
      linked: countOf('linked'),
      matching: countOf('matching'),
      stranded: countOf('stranded'),
    },
    sample: sample.map(({ external_id, user_name, reason }) => ({
      accountId: external_id,
      userName: user_name,
      reason,
    })),
  };
}

export async function preflightFacts(work: Work, companyId: CompanyId, connected: Connected): Promise<PreflightFacts> {
  const { instanceId, module, isReadable } = connected;
  const acting = await actingPerson(work, companyId);
  const exempt = await work.store.of(companyId).exceptions.list(instanceId);
  return {
    module,
    brand: work.config.brandName,
    acting,
    signedInAt: acting === null ? null : await enteredAt(work, companyId, connected, acting),
    waysIn: waysIn(exempt, work.now),
    isReadable,
    ...(await readingOf(work, companyId, instanceId)),
    ...(await lossesOf(work, companyId, connected)),
  };
}
