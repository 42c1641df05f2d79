import { days, hours } from '../../lib/time.ts';
import { transaction, type Work } from '../../work.ts';
import { recordAll } from '../audit/commands.ts';
import type { Company } from '../companies/company.ts';
import { createLinks } from '../links/commands.ts';
import { sendMails } from '../mails/commands.ts';
import { fullName, type User } from './user.ts';

interface MailedLink {
  kind: 'invitation' | 'setup' | 'passwordReset';
  lifetime: number;
}

/** Makes a link and mails it to the person. */
export async function mailLink(
  work: Work,
  company: Company,
  user: User,
  link: MailedLink,
): Promise<{ address: string; expiresAt: Date }> {
  const { addresses, expiresAt } = await mailLinks(work, company, [user], link);
  return { address: addresses[0] ?? '', expiresAt };
}

/** A link for each of many people. An invitation greets by first name, the others address an account that is known. */
async function mailLinks(
  work: Work,
  company: Company,
  users: User[],
  link: MailedLink,
): Promise<{ addresses: string[]; expiresAt: Date }> {
  return transaction(work, async (work) => {
    const owners = users.map(({ id, email }) => ({ userId: id, sentTo: email }));
    const made = await createLinks(work, { companyId: company.id, ...link }, owners);
    await sendMails(
      work,
      users.map((user, i) => ({
        kind: link.kind,
        companyId: company.id,
        userId: user.id,
        recipient: user.email,
        data: {
          name: link.kind === 'invitation' ? user.firstName : fullName(user),
          company: company.name,
          username: user.username,
          link: made.addresses[i],
          expiresAt: made.expiresAt.toISOString(),
        },
      })),
    );
    return made;
  });
}

/** The welcome mail with its Sign Up link, 14 days (A5.7, D.8); an older link dies (A7.9). @returns the link. */
export async function sendInvitation(
  work: Work,
  company: Company,
  user: User,
  action: 'user.invite' | 'user.resend',
): Promise<string> {
  const [address = ''] = await sendInvitations(work, company, [user], action);
  return address;
}

export async function sendInvitations(
  work: Work,
  company: Company,
  users: User[],
  action: 'user.invite' | 'user.resend',
): Promise<string[]> {
  if (users.length === 0) return [];
  return transaction(work, async (work) => {
    const lifetime = days(company.policy.inviteDays);
    const { addresses, expiresAt } = await mailLinks(work, company, users, { kind: 'invitation', lifetime });
    await recordAll(
      work,
      users.map(({ id }) => ({
        action,
        companyId: company.id,
        target: { kind: 'user', id },
        details: { expiresAt },
      })),
    );
    return addresses;
  });
}

/** After reactivation: password and second factor must be set again, by a link of 24 hours (C2). */
export async function sendSetup(work: Work, company: Company, user: User): Promise<string> {
  const lifetime = hours(company.policy.resetHours);
  return (await mailLink(work, company, user, { kind: 'setup', lifetime })).address;
}
