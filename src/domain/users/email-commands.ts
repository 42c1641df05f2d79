// A new e-mail address counts when the link that was mailed to it is opened (A6.4, C14). Until then nothing changes.
import { conflict, invalid, notFound, tooManyRequests } from '../../lib/errors.ts';
import type { CompanyId, UserId } from '../../lib/ids.ts';
import { hours } from '../../lib/time.ts';
import { transaction, type Work } from '../../work.ts';
import { record } from '../audit/commands.ts';
import type { Company } from '../companies/company.ts';
import { createLink } from '../links/commands.ts';
import { mayMailForStranger, sendMail } from '../mails/commands.ts';
import { strangerMailGapSeconds } from '../mails/mail.ts';
import { authorise } from '../roles/authority.ts';
import { decide, getCompany } from './decide.ts';
import { type Own, own } from './own-commands.ts';
import { emailKey, emailSchema, fullName, type User } from './user.ts';

export function parseEmail(input: string): string {
  const parsed = emailSchema.safeParse(input);
  if (parsed.success) return parsed.data;
  const sentence = parsed.error.issues[0]?.message ?? 'Enter a valid e-mail address.';
  throw invalid(sentence, { email: sentence });
}

/** Mail to the new address must be able to arrive, or the change could never be confirmed (A3.9). */
export async function refuseBlocked(work: Work, email: string): Promise<void> {
  if (!(await work.store.mails.isSuppressed(email))) return;
  const sentence = `Mail to ${email} is blocked, since it could not be delivered before. Use another address.`;
  throw invalid(sentence, { email: sentence });
}

/**
 * Mails the link to the new address and a notice, without any link, to the old one; a second request voids the first (C14).
 * The caller holds the person's row.
 */
export async function beginEmailChange(work: Work, company: Company, user: User, email: string): Promise<Date> {
  await refuseBlocked(work, email);
  const owner = { companyId: company.id, userId: user.id };
  const lifetime = hours(company.policy.emailChangeHours);
  const { address, expiresAt } = await createLink(work, { ...owner, kind: 'emailChange', sentTo: email, lifetime });
  await work.store.of(company.id).users.update(user.id, { pendingEmail: email });
  await record(work, {
    action: 'user.emailChange.request',
    companyId: company.id,
    target: { kind: 'user', id: user.id },
    details: { before: user.email, after: email },
  });
  const person = { name: fullName(user), company: company.name };
  await sendMail(work, {
    ...owner,
    kind: 'confirmEmail',
    recipient: email,
    data: { ...person, username: user.username, email, link: address, expiresAt: expiresAt.toISOString() },
  });
  await sendMail(work, {
    ...owner,
    kind: 'emailChangeRequested',
    recipient: user.email,
    data: { ...person, at: work.now.toISOString(), expiresAt: expiresAt.toISOString() },
  });
  return expiresAt;
}

async function cancel(work: Work, user: User): Promise<void> {
  if (user.pendingEmail === null) throw conflict('No change of e-mail is waiting.');
  await work.store.links.voidOpen(user.companyId, user.id, ['emailChange'], work.now);
  await work.store.of(user.companyId).users.update(user.id, { pendingEmail: null });
  await record(work, {
    action: 'user.emailChange.cancel',
    companyId: user.companyId,
    target: { kind: 'user', id: user.id },
    details: { before: user.pendingEmail, after: user.email },
  });
}

/** An administrator takes a change of e-mail back before it is confirmed: the link that was mailed is dead. */
export async function cancelEmailChange(work: Work, companyId: CompanyId, userId: UserId): Promise<void> {
  const actorId = await authorise(work, companyId, 'users.manage');
  await transaction(work, async (work) => {
    // Of somebody else's it is a change of their e-mail, and that of the Root Admin is theirs alone.
    const transition = actorId === userId ? 'edit' : 'change-email';
    const { user } = await decide(work, companyId, userId, transition, actorId);
    await cancel(work, user);
  });
}

async function ownRow(work: Work, { companyId, userId }: Own): Promise<{ company: Company; user: User }> {
  const company = await getCompany(work, companyId);
  const user = await work.store.of(companyId).users.lockById(userId);
  if (!user) throw notFound('person');
  return { company, user };
}

/** One's own e-mail; the surface asks for fresh proof before (AUT-19). Held back like what strangers cause: the address may be anybody's. */
export async function changeOwnEmail(work: Work, who: Own, input: string): Promise<Date> {
  own(work, who);
  const email = parseEmail(input);
  return transaction(work, async (work) => {
    const { company, user } = await ownRow(work, who);
    if (emailKey(email) === emailKey(user.email)) {
      const sentence = 'This is your e-mail already.';
      throw invalid(sentence, { email: sentence });
    }
    if (!(await mayMailForStranger(work, email, ['confirmEmail']))) throw tooManyRequests(strangerMailGapSeconds);
    return beginEmailChange(work, company, user, email);
  });
}

export async function cancelOwnEmailChange(work: Work, who: Own): Promise<void> {
  own(work, who);
  await transaction(work, async (work) => {
    const { user } = await ownRow(work, who);
    await cancel(work, user);
  });
}
