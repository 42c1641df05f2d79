// What an administrator sees of one person. Reads only; each begins with the permission.
import { countUpTo } from '../../db/lists.ts';
import { notFound } from '../../lib/errors.ts';
import type { CompanyId, UserId } from '../../lib/ids.ts';
import { type Listed, listed, offsetOf, type Paging } from '../../lib/paging.ts';
import type { Work } from '../../work.ts';
import type { AuditAction } from '../audit/audit-event.ts';
import type { AuditRow } from '../audit/repository.ts';
import type { Company } from '../companies/company.ts';
import type { Group } from '../groups/group.ts';
import type { MailKind, MailState } from '../mails/mail.ts';
import { authorise } from '../roles/authority.ts';
import type { Session } from '../sessions/session.ts';
import { usesSso } from './sso-queries.ts';
import type { User } from './user.ts';

export interface PersonOfCompany {
  user: User;
  company: Company;
  /** Who looks; null for operator and system. */
  actorId: UserId | null;
  /** Mail to this address is not sent any more (A3.9). */
  isMailBlocked: boolean;
  /** Signs in with single sign-on alone (A10.13). */
  usesSso: boolean;
}

/** @throws AppError 404 for a person of another company, and for one who is deleted */
export async function getPersonOf(work: Work, companyId: CompanyId, userId: UserId): Promise<PersonOfCompany> {
  const actorId = await authorise(work, companyId, 'users.manage');
  const [company, user] = await Promise.all([
    work.store.companies.findById(companyId),
    work.store.of(companyId).users.findById(userId),
  ]);
  if (!company || !user) throw notFound('person');
  const [isMailBlocked, isSso] = await Promise.all([
    work.store.mails.isSuppressed(user.email),
    usesSso(work, companyId, userId),
  ]);
  return { user, company, actorId, isMailBlocked, usesSso: isSso };
}

export interface PersonOverview {
  groups: Group[];
  /** The open invitation; it may have run out. */
  invitationEndsAt: Date | null;
  /** Until when the change of e-mail waits for its link. */
  emailChangeEndsAt: Date | null;
  /** Events that changed the status, the newest first. */
  history: AuditRow[];
}

const statusActions: AuditAction[] = [
  'user.create',
  'user.invite',
  'user.resend',
  'user.activate',
  'user.deactivate',
  'user.lock',
  'user.unlock',
  'operator.recover',
  'root.promote',
];

export async function readOverview(work: Work, companyId: CompanyId, userId: UserId): Promise<PersonOverview> {
  await authorise(work, companyId, 'users.manage');
  const { store } = work;
  const [groups, invitation, emailChange, history] = await Promise.all([
    store.of(companyId).groups.listOf(userId),
    store.links.findOpen(companyId, userId, 'invitation'),
    store.links.findOpen(companyId, userId, 'emailChange'),
    store
      .db<AuditRow>('audit_events')
      .where({ company_id: companyId, target_kind: 'user', target_id: userId })
      .whereIn('action', statusActions)
      .orderBy('id', 'desc')
      .limit(10),
  ]);
  return {
    groups,
    invitationEndsAt: invitation?.expiresAt ?? null,
    emailChangeEndsAt: emailChange?.expiresAt ?? null,
    history,
  };
}

export interface PersonSecurity {
  password: { setAt: Date; isSingleUse: boolean } | null;
  factor: { confirmedAt: Date } | null;
  recoveryCodesLeft: number;
  /** Browsers that signed in before as this person, and how many of them are locked for themselves (AUT-07). */
  browsers: { known: number; locked: number };
  sessions: (Session & { modules: string[] })[];
}

export async function readSecurity(work: Work, companyId: CompanyId, userId: UserId): Promise<PersonSecurity> {
  await authorise(work, companyId, 'users.manage');
  const { credentials, sessions } = work.store.of(companyId);
  const [password, factor, recoveryCodesLeft, browsers, live] = await Promise.all([
    credentials.findPassword(userId),
    credentials.findTotp(userId),
    credentials.countRecoveryCodes(userId),
    countBrowsers(work, companyId, userId),
    sessions.listLive(userId, work.now),
  ]);
  return {
    password: password && { setAt: password.setAt, isSingleUse: password.isSingleUse },
    factor: factor && { confirmedAt: factor.confirmedAt },
    recoveryCodesLeft,
    browsers,
    sessions: live,
  };
}

async function countBrowsers(work: Work, companyId: CompanyId, userId: UserId): Promise<PersonSecurity['browsers']> {
  const { rows }: { rows: PersonSecurity['browsers'][] } = await work.store.db.raw(
    `select count(*)::int as known, (count(*) filter (where locked_until > :now))::int as locked
     from known_browsers where company_id = :companyId and user_id = :userId`,
    { companyId, userId, now: work.now },
  );
  return rows[0] ?? { known: 0, locked: 0 };
}

export interface MailToPerson {
  id: string;
  kind: MailKind;
  recipient: string;
  state: MailState;
  error: string | null;
  createdAt: Date;
  sentAt: Date | null;
}

/** Mails to one person, the newest first; never what they said. */
export async function listMailsTo(
  work: Work,
  companyId: CompanyId,
  userId: UserId,
  paging: Paging,
): Promise<Listed<MailToPerson>> {
  await authorise(work, companyId, 'users.manage');
  const { db } = work.store;
  const own = () => db('mails').where({ company_id: companyId, user_id: userId });
  const rows: MailToPerson[] = await own()
    .orderBy([
      { column: 'created_at', order: 'desc' },
      { column: 'id', order: 'desc' },
    ])
    .offset(offsetOf(paging))
    .limit(paging.size)
    .select('id', 'kind', 'recipient', 'state', 'error', { createdAt: 'created_at', sentAt: 'sent_at' });
  return listed(rows, await countUpTo(db, own()), paging);
}
