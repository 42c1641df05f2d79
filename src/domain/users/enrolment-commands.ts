import { transaction, type Work } from '../../work.ts';
import { record } from '../audit/commands.ts';
import { matchTotp, newRecoveryCodes, recoveryCodeHash } from '../credentials/totp.ts';
import { sendMail } from '../mails/commands.ts';
import { standingChanged } from '../standing/commands.ts';
import { type Refused, refuse } from './attempt-commands.ts';
import { factorPurpose } from './password-commands.ts';
import {
  type Answer,
  type CodeResult,
  completeSignIn,
  digest,
  type Half,
  howOf,
  type Overtaken,
  overtaken,
  placeAt,
} from './second-half-commands.ts';
import { fullName } from './user.ts';

export type EnrolResult = Refused | { outcome: 'enrolled'; enrolled: string; recoveryCodes: string[] } | Overtaken;

/** The first right code makes the factor active (AUT-20), and an invited person Active (T6, C1). */
export async function enrolDuringSignIn(work: Work, half: Half, secret: string, typed: string): Promise<EnrolResult> {
  const place = await placeAt(work, half, 'enrol');
  if (!place) return overtaken(work, half);
  const { facts, user, company } = place;
  const step = matchTotp(secret, typed, work.now, 0);
  if (step === null) return refuse(work, half, facts, { outcome: 'refused', reason: 'wrong-code', counts: true });
  const recoveryCodes = company.policy.mfa.recoveryCodes ? newRecoveryCodes() : [];
  const sealedSecret = work.keyring.seal(factorPurpose, secret);
  const enrolled = await transaction(work, async (tx) => {
    const { users, credentials } = tx.store.of(company.id);
    const present = await users.lockById(user.id);
    // Another browser may have enrolled meanwhile: its factor must not be replaced by one that a thief of the password brings.
    if (!present || (!present.mustEnrol2fa && (await credentials.findTotp(user.id)))) return false;
    // And a deactivation since the facts were read must not be undone by the line that makes them Active.
    if (present.baseStatus !== user.baseStatus) return false;
    await credentials.setTotp(user.id, sealedSecret, tx.now, step);
    await credentials.replaceRecoveryCodes(user.id, recoveryCodes.map(recoveryCodeHash));
    await users.update(user.id, { mustEnrol2fa: false, baseStatus: 'Active' });
    const by: Work = { ...tx, actor: { kind: 'user', id: user.id, name: user.username } };
    const target = { kind: 'user' as const, id: user.id };
    await record(by, { action: 'user.2fa.enrol', companyId: company.id, target, details: { kind: 'totp' } });
    if (present.baseStatus === 'Invited')
      await record(by, { action: 'user.activate', companyId: company.id, target, details: { by: 'sign-up' } });
    if (present.baseStatus === 'Invited')
      await standingChanged(by, { companyId: company.id, userIds: [user.id], instanceIds: null, cause: 'signed up' });
    await sendMail(by, {
      kind: 'secondFactorEnrolled',
      companyId: company.id,
      userId: user.id,
      recipient: user.email,
      data: { name: fullName(user), company: company.name, ip: work.origin.ip, at: work.now.toISOString() },
    });
    return true;
  });
  return enrolled ? { outcome: 'enrolled', enrolled: digest(sealedSecret), recoveryCodes } : { outcome: 'start-again' };
}

/** After the recovery codes were shown: the proof was the password and the first code, minutes ago. */
export async function finishEnrolment(work: Work, half: Half, answer: Answer): Promise<CodeResult> {
  const place = await placeAt(work, half, 'code');
  if (!place) return overtaken(work, half);
  const { facts, user, company } = place;
  const { credential, factor } = facts;
  // The first code was proof for the factor that it confirmed, and for no other that took its place since (AUT-24).
  const isWhole = credential !== null || half.upstream !== null;
  if (!isWhole || !factor || digest(factor.sealedSecret) !== half.enrolled) return { outcome: 'start-again' };
  const how = { proof: 'given' as const, ...howOf(half, 'enrolment'), isKnownBrowser: facts.browser !== null };
  const result = await completeSignIn(work, half, { user, credential }, how, answer);
  if (!result.completed || !result.answered) return overtaken(work, half);
  return { outcome: 'signed-in', userId: user.id, companyId: company.id };
}
