// What people do to their own account: self-service is commands of its own, not flags on those of administrators.
import { z } from 'zod';
import { conflict, forbidden, invalid } from '../../lib/errors.ts';
import type { CompanyId, UserId } from '../../lib/ids.ts';
import { tokenHash } from '../../lib/secrets.ts';
import { transaction, type Work } from '../../work.ts';
import { record } from '../audit/commands.ts';
import { matchTotp, newRecoveryCodes, recoveryCodeHash } from '../credentials/totp.ts';
import { isLive } from '../links/link.ts';
import { sendMail } from '../mails/commands.ts';
import { endEverythingElse } from '../sessions/commands.ts';
import { causeOf, standingChanged } from '../standing/commands.ts';
import { readFacts, refuse } from './attempt-commands.ts';
import { fieldProblems } from './fields.ts';
import { factorPurpose, findCompanyAndUser } from './password-commands.ts';
import { isLocked } from './sign-in.ts';
import { usesSso } from './sso-queries.ts';
import { firstNameSchema, fullName, lastNameSchema, phoneSchema, timeZoneSchema, type User } from './user.ts';

export interface Own {
  companyId: CompanyId;
  userId: UserId;
}

export function own(work: Work, { userId }: Own): void {
  if (work.actor.kind !== 'user' || work.actor.id !== userId) throw forbidden('You can change your own account only.');
}

const profileSchema = z.object({
  firstName: firstNameSchema,
  lastName: lastNameSchema,
  phone: phoneSchema,
  timeZone: timeZoneSchema,
});

export type Profile = z.input<typeof profileSchema>;

export async function editOwnProfile(work: Work, who: Own, input: Profile): Promise<void> {
  own(work, who);
  const parsed = profileSchema.safeParse(input);
  if (!parsed.success) {
    const fields = fieldProblems(parsed.error);
    throw invalid(Object.values(fields).join(' '), fields);
  }
  const { firstName, lastName, phone, timeZone } = parsed.data;
  await transaction(work, async (work) => {
    const { user } = await findCompanyAndUser(work, who.companyId, who.userId);
    const after = { firstName, lastName, phone: phone || null, timeZone: timeZone || null };
    await work.store.of(who.companyId).users.update(who.userId, after);
    const before = { firstName: user.firstName, lastName: user.lastName, phone: user.phone, timeZone: user.timeZone };
    await record(work, {
      action: 'user.edit',
      companyId: who.companyId,
      target: { kind: 'user', id: who.userId },
      details: { before, after },
    });
    const { companyId, userId } = who;
    await standingChanged(work, { companyId, userIds: [userId], instanceIds: null, cause: causeOf(work, 'edited') });
  });
}

export async function chooseTheme(work: Work, who: Own, theme: User['theme']): Promise<void> {
  own(work, who);
  await work.store.of(who.companyId).users.update(who.userId, { theme });
}

const signatures: [type: string, matches: (bytes: Buffer) => boolean][] = [
  ['image/png', (b) => b.subarray(0, 8).equals(Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]))],
  ['image/jpeg', (b) => b[0] === 0xff && b[1] === 0xd8 && b[2] === 0xff],
  [
    'image/webp',
    (b) => b.subarray(0, 4).toString('latin1') === 'RIFF' && b.subarray(8, 12).toString('latin1') === 'WEBP',
  ],
];

/** The type is read from the bytes, not from what the browser says; SVG and HTML are none of these (WEB-08). */
export async function setOwnPicture(work: Work, who: Own, bytes: Buffer | null): Promise<void> {
  own(work, who);
  const type = bytes === null ? null : signatures.find(([, matches]) => matches(bytes))?.[0];
  if (type === undefined)
    throw invalid('Choose a PNG, JPEG or WebP picture.', { picture: 'Choose a PNG, JPEG or WebP picture.' });
  await transaction(work, async (work) => {
    const { users } = work.store.of(who.companyId);
    await users.setPicture(who.userId, bytes === null || type === null ? null : { type, bytes, updatedAt: work.now });
    await record(work, {
      action: 'user.pictureChange',
      companyId: who.companyId,
      target: { kind: 'user', id: who.userId },
      details: { removed: bytes === null },
    });
  });
}

export type Proof = { outcome: 'proved' } | { outcome: 'refused'; sentence: string; field: string };

const paused: Proof = {
  outcome: 'refused',
  sentence: 'After several failed tries this is paused for a while. Try again later.',
  field: 'password',
};

/**
 * Proves the person anew before a sensitive act (AUT-19): the password, and the code when a factor is enrolled.
 * Failures count on the same counter as at signing in (AUT-06).
 */
export async function proveOneself(
  work: Work,
  who: Own,
  input: { password: string; code: string | null; browserToken: string },
): Promise<Proof> {
  own(work, who);
  const { company, user } = await findCompanyAndUser(work, who.companyId, who.userId);
  const attempt = { company: company.name, username: user.username, browserToken: input.browserToken };
  const facts = await readFacts(work, attempt);
  const { credential, factor } = facts;
  const refused = async (sentence: string, field: string): Promise<Proof> => {
    await refuse(work, attempt, facts, { outcome: 'refused', reason: 'wrong-proof', counts: true });
    return { outcome: 'refused', sentence, field };
  };
  // The same lock as at signing in: strangers' failures do not hold a browser that is known (AUT-07, C9).
  if (isLocked(facts, work.now)) return paused;
  if (!(await work.hasher.verify(credential?.hash ?? null, input.password)))
    return refused('The current password is not right.', 'password');
  // As at signing in: many tries at once must not outrun the lock that they earn (AUT-06).
  const present = await readFacts(work, attempt);
  if (isLocked(present, work.now)) return paused;
  // And a password that was replaced meanwhile proves nothing any more (AUT-13).
  if (present.credential?.hash !== credential?.hash) return refused('The current password is not right.', 'password');
  if (factor && input.code !== null) {
    const secret = work.keyring.open(factorPurpose, factor.sealedSecret);
    const step = matchTotp(secret, input.code, work.now, factor.lastStep);
    if (step === null || !(await work.store.of(who.companyId).credentials.takeStep(user.id, step))) {
      return refused('That code did not work. Enter the code that your app shows now.', 'code');
    }
  }
  return { outcome: 'proved' };
}

/** Takes effect at the next sign-in, after logging out (B.2): the person enrols anew; other sessions end now. */
export async function resetOwnSecondFactor(work: Work, who: Own & { keepSession: string }): Promise<void> {
  own(work, who);
  await transaction(work, async (work) => {
    const { company, user } = await findCompanyAndUser(work, who.companyId, who.userId);
    if (await usesSso(work, who.companyId, who.userId))
      throw conflict('You log in with single sign-on: your second factor is set up there.');
    const { credentials, users } = work.store.of(who.companyId);
    // The person's row first, as everywhere: else this and a sign-in could wait for each other.
    await users.lockById(user.id);
    await credentials.eraseFactors(user.id);
    await credentials.forgetBrowsers(user.id);
    await users.update(user.id, { mustEnrol2fa: true });
    await endEverythingElse(
      work,
      { companyId: who.companyId, userId: who.userId, keepUid: who.keepSession },
      'second-factor-reset',
    );
    await record(work, {
      action: 'user.2fa.reset',
      companyId: who.companyId,
      target: { kind: 'user', id: user.id },
      details: { by: 'self' },
    });
    await sendMail(work, {
      kind: 'secondFactorReset',
      companyId: who.companyId,
      userId: user.id,
      recipient: user.email,
      data: { name: fullName(user), company: company.name, ip: work.origin.ip, at: work.now.toISOString() },
    });
  });
}

/** New recovery codes; the old ones are dead (AUT-25). */
export async function renewOwnRecoveryCodes(work: Work, who: Own): Promise<string[]> {
  own(work, who);
  const { company } = await findCompanyAndUser(work, who.companyId, who.userId);
  if (!company.policy.mfa.recoveryCodes)
    throw forbidden('Your company does not let recovery codes stand in for the app.');
  const codes = newRecoveryCodes();
  await transaction(work, async (work) => {
    await work.store.of(who.companyId).credentials.replaceRecoveryCodes(who.userId, codes.map(recoveryCodeHash));
    await record(work, {
      action: 'user.recoveryCodes.new',
      companyId: who.companyId,
      target: { kind: 'user', id: who.userId },
    });
  });
  return codes;
}

/** The link that was mailed to a new address (A6.4): from now on it is the address. */
export async function confirmEmail(work: Work, token: string): Promise<{ email: string } | null> {
  const link = await work.store.links.findByHash(tokenHash(token));
  if (link?.kind !== 'emailChange' || !link.companyId || !link.userId || !isLive(link, work.now)) return null;
  const { companyId, userId } = link;
  return transaction(work, async (work) => {
    await work.store.of(companyId).users.lockById(userId);
    if (!(await work.store.links.take(tokenHash(token), 'emailChange', work.now))) return null;
    const { company, user } = await findCompanyAndUser(work, companyId, userId);
    if (!user.pendingEmail || user.pendingEmail !== link.sentTo) return null;
    await work.store
      .of(companyId)
      .users.update(userId, { email: user.pendingEmail, pendingEmail: null, emailVerifiedAt: work.now });
    // Links that went to the old mailbox must not set the password of who moved away from it (AUT-13).
    await work.store.links.voidOpen(companyId, userId, ['passwordReset', 'setup'], work.now);
    await record(work, {
      action: 'user.emailChange.confirm',
      companyId,
      target: { kind: 'user', id: userId },
      details: { before: user.email, after: user.pendingEmail },
    });
    await standingChanged(work, { companyId, userIds: [userId], instanceIds: null, cause: 'e-mail confirmed' });
    await sendMail(work, {
      kind: 'emailChanged',
      companyId,
      userId,
      recipient: user.email,
      data: { name: fullName(user), company: company.name, at: work.now.toISOString() },
    });
    return { email: user.pendingEmail };
  });
}
