import { days, hours } from '../../lib/time.ts';
import { transaction, type Work } from '../../work.ts';
import { record } from '../audit/commands.ts';
import type { Company } from '../companies/company.ts';
import { createLink } from '../links/commands.ts';
import { sendMail } from '../mails/commands.ts';
import { fullName, type User } from './user.ts';

/** Makes a link and mails it to the person. An invitation greets by first name, the others address an account that is known. */
export async function mailLink(
  work: Work,
  company: Company,
  user: User,
  link: { kind: 'invitation' | 'setup' | 'passwordReset'; lifetime: number },
): Promise<{ address: string; expiresAt: Date }> {
  return transaction(work, async (work) => {
    const owner = { companyId: company.id, userId: user.id };
    const made = await createLink(work, { ...owner, ...link, sentTo: user.email });
    await sendMail(work, {
      ...owner,
      kind: link.kind,
      recipient: user.email,
      data: {
        name: link.kind === 'invitation' ? user.firstName : fullName(user),
        company: company.name,
        username: user.username,
        link: made.address,
        expiresAt: made.expiresAt.toISOString(),
      },
    });
    return made;
  });
}

/** The welcome mail with its Sign Up link, 14 days (A5.7, D.8); an older link dies (A7.9). */
export async function sendInvitation(
  work: Work,
  company: Company,
  user: User,
  action: 'user.invite' | 'user.resend',
): Promise<string> {
  return transaction(work, async (work) => {
    const lifetime = days(company.policy.inviteDays);
    const { address, expiresAt } = await mailLink(work, company, user, { kind: 'invitation', lifetime });
    await record(work, {
      action,
      companyId: company.id,
      target: { kind: 'user', id: user.id },
      details: { expiresAt },
    });
    return address;
  });
}

/** After reactivation: password and second factor must be set again, by a link of 24 hours (C2). */
export async function sendSetup(work: Work, company: Company, user: User): Promise<string> {
  const lifetime = hours(company.policy.resetHours);
  return (await mailLink(work, company, user, { kind: 'setup', lifetime })).address;
}
