// Passwords: setting, changing, resetting. Hashing happens before the transaction, never inside.
import { addressKey } from '../../lib/addresses.ts';
import { forbidden, notFound, tooManyRequests } from '../../lib/errors.ts';
import type { CompanyId, UserId } from '../../lib/ids.ts';
import { tokenHash } from '../../lib/secrets.ts';
import { after, hours, minutes } from '../../lib/time.ts';
import { transaction, type Work } from '../../work.ts';
import { record } from '../audit/commands.ts';
import type { Company } from '../companies/company.ts';
import { commonPasswords } from '../credentials/common-passwords.ts';
import { contextWords, passwordProblems } from '../credentials/password.ts';
import { isLive, type Link, type LinkKind } from '../links/link.ts';
import { mayMailForStranger, sendMail } from '../mails/commands.ts';
import { endEverything, endEverythingElse } from '../sessions/commands.ts';
import { mailLink, sendInvitation } from './invitations.ts';
import { companiesWithEmail } from './repository.ts';
import { mustUseSso } from './sso-queries.ts';
import { fullName, type User } from './user.ts';

export const factorPurpose = 'factor';

export async function findCompanyAndUser(
  work: Work,
  companyId: CompanyId,
  userId: UserId,
): Promise<{ company: Company; user: User }> {
  const [company, user] = await Promise.all([
    work.store.companies.findById(companyId),
    work.store.of(companyId).users.findById(userId),
  ]);
  if (!company || !user) throw notFound('person');
  return { company, user };
}

/**
 * What is wrong with a new password for this person, history included; empty when it will do.
 * @param history how many of the last passwords it must differ from.
 */
async function problemsOf(
  work: Work,
  company: Company,
  user: User,
  password: string,
  history = company.policy.password.history,
): Promise<string[]> {
  const policy = company.policy.password;
  const words = contextWords({
    username: user.username,
    email: user.email,
    firstName: user.firstName,
    lastName: user.lastName,
    company: company.name,
    brand: work.config.brandName,
  });
  const problems = passwordProblems(password, policy, { words, common: await commonPasswords() });
  if (problems.length > 0) return problems;
  const hashes = await work.store.of(company.id).credentials.lastHashes(user.id, history);
  for (const hash of hashes) {
    if (await work.hasher.verify(hash, password))
      return [
        history === 1
          ? 'This is your present password. Choose another one.'
          : `You have used this password before. Choose one that is not among your last ${history}.`,
      ];
  }
  return [];
}

/**
 * Holds the person, and tells whether `known` is still their password: hashing took its time, and whoever proved a password
 * that was reset meanwhile must not overwrite the new one (AUT-13).
 */
async function holdWithPassword(work: Work, companyId: CompanyId, user: User, known: string | null): Promise<boolean> {
  const { credentials, users } = work.store.of(companyId);
  const present = await users.lockById(user.id);
  const credential = await credentials.findPassword(user.id);
  return present?.baseStatus === user.baseStatus && (credential?.hash ?? null) === known;
}

export type StoreResult =
  | { outcome: 'stored'; hash: string }
  | { outcome: 'refused'; problems: string[] }
  /** Another password was set meanwhile. */
  | { outcome: 'overtaken' };

/**
 * Checks and stores a password that its owner had to choose, so the present one will not do, history or not (AUT-18).
 * @param input.proved hash of the password that brought them here.
 */
export async function storePassword(
  work: Work,
  input: { companyId: CompanyId; userId: UserId; password: string; keepBrowser: string | null; proved: string | null },
): Promise<StoreResult> {
  const { company, user } = await findCompanyAndUser(work, input.companyId, input.userId);
  const problems = await problemsOf(work, company, user, input.password, Math.max(1, company.policy.password.history));
  if (problems.length > 0) return { outcome: 'refused', problems };
  const hash = await work.hasher.hash(input.password);
  return transaction(work, async (work) => {
    if (!(await holdWithPassword(work, company.id, user, input.proved))) return { outcome: 'overtaken' };
    await writePassword(work, company, user, hash, input.keepBrowser);
    await record(work, { action: 'user.passwordSet', companyId: company.id, target: { kind: 'user', id: user.id } });
    return { outcome: 'stored', hash };
  });
}

async function writePassword(
  work: Work,
  company: Company,
  user: User,
  hash: string,
  keepBrowser: string | null,
): Promise<void> {
  const { credentials, users } = work.store.of(company.id);
  await credentials.setPassword(
    user.id,
    { hash, setAt: work.now, setBy: user.id, isSingleUse: false },
    company.policy.password.history,
  );
  await credentials.forgetBrowsers(user.id, keepBrowser);
  await users.update(user.id, { mustSetPassword: false });
  // A password reset by link that is still open would undo this one (AUT-13).
  await work.store.links.voidOpen(company.id, user.id, ['passwordReset', 'setup'], work.now);
}

async function tellPasswordChanged(work: Work, company: Company, user: User): Promise<void> {
  await sendMail(work, {
    kind: 'passwordChanged',
    companyId: company.id,
    userId: user.id,
    recipient: user.email,
    data: {
      name: fullName(user),
      company: company.name,
      username: user.username,
      at: work.now.toISOString(),
      ip: work.origin.ip,
    },
  });
}

export type PasswordLinkKind = Extract<LinkKind, 'invitation' | 'passwordReset' | 'setup'>;

export interface OpenLink {
  link: Link;
  company: Company;
  user: User;
  /** Single sign-on is enforced: no password of theirs would be taken, so none is set (C26). */
  mustUseSso: boolean;
}

/** The person behind a mailed link, or null when it is dead: used, voided, too old, unknown, or its person may not use it. */
export async function findPasswordLink(work: Work, kind: PasswordLinkKind, token: string): Promise<OpenLink | null> {
  const link = await work.store.links.findByHash(tokenHash(token));
  if (!link || link.kind !== kind || !link.companyId || !link.userId || !isLive(link, work.now)) return null;
  const { company, user } = await findCompanyAndUser(work, link.companyId, link.userId);
  const isUsable = kind === 'invitation' ? user.baseStatus === 'Invited' : user.baseStatus === 'Active';
  return isUsable ? { link, company, user, mustUseSso: await mustUseSso(work, company, user) } : null;
}

export type LinkPasswordResult =
  | { outcome: 'done'; company: Company; user: User }
  | { outcome: 'refused'; problems: string[] }
  | { outcome: 'dead' }
  /** To the button of the company's own identity provider instead. */
  | { outcome: 'sso' };

/**
 * Sets a password by a mailed link (T5, T13, T16, T20). Spends the link, clears the lock, ends sessions; signs nobody in and
 * leaves the second factor as it is (AUT-13).
 */
export async function setPasswordByLink(
  work: Work,
  kind: PasswordLinkKind,
  token: string,
  password: string,
): Promise<LinkPasswordResult> {
  const open = await findPasswordLink(work, kind, token);
  if (!open) return { outcome: 'dead' };
  if (open.mustUseSso) return { outcome: 'sso' };
  const { company, user } = open;
  const problems = await problemsOf(work, company, user, password);
  if (problems.length > 0) return { outcome: 'refused', problems };
  const hash = await work.hasher.hash(password);
  const by: Work = { ...work, actor: { kind: 'user', id: user.id, name: user.username } };
  return transaction(by, async (work) => {
    // The person's row first, then their links, as everywhere: else two of these could wait for each other.
    await work.store.of(company.id).users.lockById(user.id);
    if (!(await work.store.links.take(tokenHash(token), kind, work.now))) return { outcome: 'dead' };
    await writePassword(work, company, user, hash, null);
    const { users } = work.store.of(company.id);
    await users.clearLock(user.id);
    // The link came by mail to this address, which proves it (A2.1).
    if (open.link.sentTo === user.email && user.emailVerifiedAt === null) {
      await users.update(user.id, { emailVerifiedAt: work.now });
      await record(work, {
        action: 'user.emailVerified',
        companyId: company.id,
        target: { kind: 'user', id: user.id },
      });
    }
    await endEverything(work, { companyId: company.id, userId: user.id }, 'password-changed');
    await record(work, {
      action: 'user.passwordReset.done',
      companyId: company.id,
      target: { kind: 'user', id: user.id },
      details: { kind },
    });
    if (kind === 'passwordReset') await tellPasswordChanged(work, company, user);
    return { outcome: 'done', company, user };
  });
}

/** Mails a link to set a new password, 24 hours (A7.6). On an invited person it is the invitation again (T20). */
export async function sendPasswordReset(work: Work, company: Company, user: User): Promise<void> {
  await transaction(work, async (work) => {
    if (user.baseStatus === 'Invited') {
      await sendInvitation(work, company, user, 'user.resend');
      return;
    }
    await mailLink(work, company, user, { kind: 'passwordReset', lifetime: hours(company.policy.resetHours) });
    await record(work, {
      action: 'user.passwordReset.request',
      companyId: company.id,
      target: { kind: 'user', id: user.id },
    });
  });
}

const forgottenWindow = minutes(10);
/** A whole office behind one address may forget its passwords on a Monday. */
const forgottenPerAddress = 300;

/**
 * Puts a request of "Can't log in?" into the queue: whom it means is found out there, so this takes the same time for all.
 * @throws AppError 429 when one network address asks too often (DOS-06)
 */
export async function queueForgotten(
  work: Work,
  request: { kind: 'password'; username: string; company: string } | { kind: 'company'; email: string },
): Promise<void> {
  const address = addressKey(work.origin.ip);
  const asked = await work.store.signIns.countAddress('forgotten', address, work.now, after(work.now, forgottenWindow));
  if (asked > forgottenPerAddress) throw tooManyRequests(forgottenWindow / 1000);
  await work.jobs.enqueue(work, 'forgotten', { ...request, ip: work.origin.ip });
}

/** "Can't log in?" > forgotten password. Says nothing about whether anybody was found. Runs as a job, so timing says nothing either. */
export async function requestForgottenPassword(
  work: Work,
  input: { company: string; username: string },
): Promise<void> {
  const company = await work.store.companies.findByName(input.company);
  const user = company ? await work.store.of(company.id).users.findByUsername(input.username) : null;
  if (!company || !user) return;
  if (user.baseStatus !== 'Active' && user.baseStatus !== 'Invited') return;
  await transaction(work, async (work) => {
    if (await mayMailForStranger(work, user.email, ['passwordReset', 'invitation']))
      await sendPasswordReset(work, company, user);
  });
}

/** "Can't log in?" > forgot company name: the companies that know this address, mailed to it (D.8). */
export async function requestForgottenCompany(work: Work, email: string): Promise<void> {
  const companies = await companiesWithEmail(work.store.db, email);
  if (companies.length === 0) return;
  await transaction(work, async (work) => {
    if (!(await mayMailForStranger(work, email, ['forgotCompany']))) return;
    await sendMail(work, {
      kind: 'forgotCompany',
      companyId: null,
      userId: null,
      recipient: email,
      data: { companies, email },
    });
  });
}

export type ChangePasswordResult =
  | { outcome: 'done' }
  | { outcome: 'refused'; problems: string[]; field: 'currentPassword' | 'password' };

/** A person's own password, with the current one (AUT-12); all other sessions and remembered browsers end. */
export async function changeOwnPassword(
  work: Work,
  input: { companyId: CompanyId; userId: UserId; password: string; keepSession: string; keepBrowser: string | null },
): Promise<ChangePasswordResult> {
  if (work.actor.kind !== 'user' || work.actor.id !== input.userId)
    throw forbidden('You can change your own password only.');
  const { company, user } = await findCompanyAndUser(work, input.companyId, input.userId);
  const proved = await work.store.of(company.id).credentials.findPassword(user.id);
  const problems = await problemsOf(work, company, user, input.password);
  if (problems.length > 0) return { outcome: 'refused', problems, field: 'password' };
  const hash = await work.hasher.hash(input.password);
  return transaction(work, async (work) => {
    if (!(await holdWithPassword(work, company.id, user, proved?.hash ?? null))) {
      const problems = ['Your password was changed elsewhere meanwhile.'];
      return { outcome: 'refused', problems, field: 'currentPassword' };
    }
    await writePassword(work, company, user, hash, input.keepBrowser);
    await endEverythingElse(
      work,
      { companyId: company.id, userId: user.id, keepUid: input.keepSession },
      'password-changed',
    );
    await record(work, { action: 'user.passwordChange', companyId: company.id, target: { kind: 'user', id: user.id } });
    await tellPasswordChanged(work, company, user);
    return { outcome: 'done' };
  });
}
