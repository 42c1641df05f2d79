// What the pre-flight goes by. Asks for no permission: for commands that have. Bounded: one statement looks at all accounts, once.
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
}

/** @throws AppError 404, also for an instance of another company */
export async function getConnected(work: Work, companyId: CompanyId, instanceId: InstanceId): Promise<Connected> {
  const { rows }: { rows: (Omit<Connected, 'profile'> & { profile: unknown })[] } = await work.store.db.raw(
    `select i.id as "instanceId", i.name as instance, m.id as "moduleId", m.name as module, m.client_id as "clientId", c.name as company,
       m.profile, i.local_login_url as "localLoginUrl", i.scim_url is not null and i.sealed_scim_token is not null as "isReadable"
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

/** When the person entered this very module through us last. */
export const enteredAt = (
  work: Work,
  connected: Pick<Connected, 'instanceId' | 'clientId'>,
  userId: UserId,
): Promise<Date | null> => lastRedeemedAt(work.store.db, connected, userId);

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
// Addresses meet by sorting, not by looking each one up: the table has grown by the thousand, and nobody has told the planner yet.
const judged = `
  with losing as (
    select a.external_id, a.user_name, case when a.user_id is null then a.email_key end as email_key, u.id is not null as is_linked
    from module_accounts a left join users u on u.company_id = a.company_id and u.id = a.user_id and u.base_status = 'Active'
    where a.company_id = :companyId and a.instance_id = :instanceId and a.is_active and a.has_local_login is distinct from false
      and not exists (
        select from login_exceptions x where x.instance_id = a.instance_id and x.account_id = a.external_id
          and (x.ends_at is null or x.ends_at > :now))
  ), meeting as (
    select external_id, user_name, is_linked, email_key is not null and bool_or(is_person) over (partition by email_key) as is_met
    from (
      select external_id, user_name, is_linked, email_key, false as is_person from losing
      union all
      select null, null, false, email_key, true from users
      where :matches and company_id = :companyId and base_status = 'Active' and email_verified_at is not null) both_sides
  ), judged as materialized (
    select external_id, user_name, case when is_linked then 'linked' when is_met then 'matching' else 'stranded' end as reason
    from meeting where external_id is not null
  )`;

type Losses = Pick<PreflightFacts, 'counts' | 'sample'>;

interface LossRow {
  of: number;
  counts: Partial<Record<LossReason, number>>;
  sample: { accountId: string; userName: string; reason: LossReason }[];
}

async function lossesOf(work: Work, companyId: CompanyId, { instanceId, profile }: Connected): Promise<Losses> {
  const { rows }: { rows: LossRow[] } = await work.store.db.raw(
    `${judged}
     select
       (select count(*)::int from module_accounts where company_id = :companyId and instance_id = :instanceId and is_active) as of,
       coalesce((select jsonb_object_agg(reason, count) from (
         select reason, count(*) as count from judged group by reason) c), '{}'::jsonb) as counts,
       coalesce((select jsonb_agg(to_jsonb(s)) from (
         select external_id as "accountId", user_name as "userName", reason from judged
         order by array_position(array['${lossReasons.join("','")}'], reason), user_name, external_id
         limit ${sampleSize}) s), '[]'::jsonb) as sample`,
    { companyId, instanceId, now: work.now, matches: profile.linkMode !== 'explicit' },
  );
  const { of = 0, counts = {}, sample = [] } = rows[0] ?? {};
  return {
    counts: { of, linked: counts.linked ?? 0, matching: counts.matching ?? 0, stranded: counts.stranded ?? 0 },
    sample,
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
    signedInAt: acting === null ? null : await enteredAt(work, connected, acting),
    waysIn: waysIn(exempt, work.now),
    isReadable,
    ...(await readingOf(work, companyId, instanceId)),
    ...(await lossesOf(work, companyId, connected)),
  };
}
