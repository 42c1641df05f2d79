// The numbers of the dashboard. Each reads a small table or a page of rows; only people are counted one by one.
import type { CompanyId, UserId } from '../../lib/ids.ts';
import { after, days } from '../../lib/time.ts';
import type { Work } from '../../work.ts';
import type { SignInCount } from '../audit/counts-repository.ts';
import type { MailKind } from '../mails/mail.ts';
import { authorise } from '../roles/authority.ts';

/** Sign-ins from each of these times to the next. Newest numbers are a few seconds old: they come with the seal of the audit log. */
export async function countSignIns(work: Work, companyId: CompanyId, bounds: Date[]): Promise<SignInCount[]> {
  await authorise(work, companyId, 'audit.read');
  return work.store.signInCounts.between(companyId, bounds);
}

export interface PeopleCounts {
  active: number;
  lockedOut: number;
  invited: number;
  deactivated: number;
  enrolled: number;
  notEnrolled: number;
}

/** Everybody of a company, by status and by second factor, in one walk. It takes longer the more there are: keep the answer. */
export async function countPeopleByState(work: Work, companyId: CompanyId): Promise<PeopleCounts> {
  await authorise(work, companyId, 'users.manage');
  const { db } = work.store;
  const { rows }: { rows: { base_status: string; locked: boolean | null; must_enrol_2fa: boolean; count: string }[] } =
    await db.raw(
      `select base_status, locked_until > ? as locked, must_enrol_2fa, count(*) as count from users
     where company_id = ? and base_status <> 'Deleted' group by 1, 2, 3`,
      [work.now, companyId],
    );
  const sum = (isMeant: (row: (typeof rows)[number]) => boolean) =>
    rows.filter(isMeant).reduce((total, { count }) => total + Number(count), 0);
  return {
    active: sum((row) => row.base_status === 'Active' && row.locked !== true),
    lockedOut: sum((row) => row.base_status === 'Active' && row.locked === true),
    invited: sum((row) => row.base_status === 'Invited'),
    deactivated: sum((row) => row.base_status === 'Deactivated'),
    enrolled: sum((row) => !row.must_enrol_2fa),
    notEnrolled: sum((row) => row.must_enrol_2fa),
  };
}

export interface DashboardPerson {
  id: UserId;
  name: string;
  username: string;
  /** End of the lock, or of the invitation. */
  until: Date;
}

/** A few rows, and how many there are in all, counted up to a limit. */
export interface Some<T> {
  rows: T[];
  total: number;
  isMore: boolean;
}

export const shownRows = 8;
const countedRows = 1000;

interface PersonRow {
  id: UserId;
  first_name: string;
  last_name: string;
  username: string;
  until: Date;
}

const toPerson = ({ first_name, last_name, ...row }: PersonRow): DashboardPerson => ({
  ...row,
  name: `${first_name} ${last_name}`.trim(),
});

const some = <T>(rows: T[], counted: number): Some<T> => ({
  rows: rows.slice(0, shownRows),
  total: Math.min(counted, countedRows),
  isMore: counted > countedRows,
});

/** Who is locked out now, the longest lock first. */
export async function listLocked(work: Work, companyId: CompanyId): Promise<Some<DashboardPerson>> {
  await authorise(work, companyId, 'users.manage');
  const { db } = work.store;
  const locked = () =>
    db('users as u')
      .where('u.company_id', companyId)
      .where('u.base_status', 'Active')
      .where('u.locked_until', '>', work.now);
  const [rows, counted]: [PersonRow[], { count: string }[]] = await Promise.all([
    locked()
      .select('u.id', 'u.first_name', 'u.last_name', 'u.username', 'u.locked_until as until')
      .orderByRaw('u.locked_until desc, u.id')
      .limit(shownRows),
    db
      .from(
        locked()
          .select(db.raw('1'))
          .limit(countedRows + 1)
          .as('u'),
      )
      .count({ count: '*' }),
  ]);
  return some(rows.map(toPerson), Number(counted[0]?.count ?? 0));
}

export const runsOutWithin = days(3);

/** Invitations that end within three days, the next one first. */
export async function listRunningOut(work: Work, companyId: CompanyId): Promise<Some<DashboardPerson>> {
  await authorise(work, companyId, 'users.manage');
  const { db } = work.store;
  const open = () =>
    db('links as l')
      .join('users as u', (on) => on.on('u.company_id', 'l.company_id').on('u.id', 'l.user_id'))
      .where('l.company_id', companyId)
      .where('l.kind', 'invitation')
      .whereNull('l.used_at')
      .whereNull('l.voided_at')
      .where('l.expires_at', '>', work.now)
      .where('l.expires_at', '<=', after(work.now, runsOutWithin))
      .where('u.base_status', 'Invited');
  const [rows, counted]: [PersonRow[], { count: string }[]] = await Promise.all([
    open()
      .select('u.id', 'u.first_name', 'u.last_name', 'u.username', 'l.expires_at as until')
      .orderByRaw('l.expires_at, l.id')
      .limit(shownRows),
    db
      .from(
        open()
          .select(db.raw('1'))
          .limit(countedRows + 1)
          .as('u'),
      )
      .count({ count: '*' }),
  ]);
  return some(rows.map(toPerson), Number(counted[0]?.count ?? 0));
}

export interface LostMail {
  id: string;
  at: Date;
  recipient: string;
  kind: MailKind;
  error: string | null;
  userId: UserId | null;
}

export const lostSince = days(30);

/** Mails of the last 30 days that the recipient's server refused for good, or that could not be delivered at all. */
export async function listLostMails(work: Work, companyId: CompanyId): Promise<Some<LostMail>> {
  await authorise(work, companyId, 'mail.manage');
  const { db } = work.store;
  const lost = () =>
    db('mails as m')
      .where('m.company_id', companyId)
      .whereIn('m.state', ['bounced', 'failed'])
      .where('m.created_at', '>=', after(work.now, -lostSince));
  const [rows, counted]: [(Omit<LostMail, 'userId'> & { user_id: UserId | null })[], { count: string }[]] =
    await Promise.all([
      lost()
        .select('m.id', 'm.created_at as at', 'm.recipient', 'm.kind', 'm.error', 'm.user_id')
        .orderByRaw('m.created_at desc, m.id desc')
        .limit(shownRows),
      db
        .from(
          lost()
            .select(db.raw('1'))
            .limit(countedRows + 1)
            .as('m'),
        )
        .count({ count: '*' }),
    ]);
  return some(
    rows.map(({ user_id, ...row }) => ({ ...row, userId: user_id })),
    Number(counted[0]?.count ?? 0),
  );
}
