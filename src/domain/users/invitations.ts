import { days, hours } from '../../lib/time.ts';
import { transaction, type Work } from '../../work.ts';
import { record } from '../audit/commands.ts';
import type { Company } from '../companies/company.ts';
import { createLink } from '../links/commands.ts';
import { sendMail } from '../mails/commands.ts';
import { fullName, type User } from './user.ts';

/** The welcome mail with its Sign Up link, 14 days (A5.7, D.8); an older link dies (A7.9). */
export async function sendInvitation(
  work: Work,
  company: Company,
  user: User,
  action: 'user.invite' | 'user.resend',
): Promise<string> {
  return transaction(work, async (work) => {
    const { address, expiresAt } = await createLink(work, {
      kind: 'invitation',
      companyId: company.id,
      userId: user.id,
      sentTo: user.email,
      lifetime: days(company.policy.inviteDays),
    });
    await record(work, {
      action,
      companyId: company.id,
      target: { kind: 'user', id: user.id },
      details: { expiresAt },
    });
    await sendMail(work, {
      kind: 'invitation',
      companyId: company.id,
      userId: user.id,
      recipient: user.email,
      data: {
        name: user.firstName,
        company: company.name,
        username: user.username,
        link: address,
        expiresAt: expiresAt.toISOString(),
      },
    });
    return address;
  });
}

/** After reactivation: password and second factor must be set again, by a link of 24 hours (C2). */
export async function sendSetup(work: Work, company: Company, user: User): Promise<string> {
  return transaction(work, async (work) => {
    const { address, expiresAt } = await createLink(work, {
      kind: 'setup',
      companyId: company.id,
      userId: user.id,
      sentTo: user.email,
      lifetime: hours(company.policy.resetHours),
    });
    await sendMail(work, {
      kind: 'setup',
      companyId: company.id,
      userId: user.id,
      recipient: user.email,
      data: {
        name: fullName(user),
        company: company.name,
        username: user.username,
        link: address,
        expiresAt: expiresAt.toISOString(),
      },
    });
    return address;
  });
}
