import type { CompanyId } from '../../lib/ids.ts';
import type { Work } from '../../work.ts';
import { authorise } from '../roles/authority.ts';
import { newUserSchema } from './invite-commands.ts';
import { emailKey, fullName, type User, usernameTaken } from './user.ts';

/** A problem stands in the way of inviting; a warning does not. */
export interface Remark {
  kind: 'problem' | 'warning';
  sentence: string;
}

export const remarkable = ['firstName', 'lastName', 'email', 'username'] as const;

/** What can be said about one field of a new person before the whole is sent: by the schemas of the invitation itself. */
export async function remarkOn(
  work: Work,
  companyId: CompanyId,
  field: (typeof remarkable)[number],
  value: string,
): Promise<Remark | null> {
  await authorise(work, companyId, 'users.manage');
  const parsed = newUserSchema.shape[field].safeParse(value);
  if (!parsed.success) return { kind: 'problem', sentence: parsed.error.issues[0]?.message ?? 'That will not do.' };
  if (field === 'username') return remarkOnUsername(work, companyId, parsed.data);
  return field === 'email' ? remarkOnEmail(work, companyId, parsed.data) : null;
}

async function remarkOnUsername(work: Work, companyId: CompanyId, username: string): Promise<Remark | null> {
  const taken = await work.store.of(companyId).users.findByUsername(username);
  return taken && { kind: 'problem', sentence: usernameTaken };
}

/** C13: several people may share an address, but modules that match by it could mistake one for the other. A3.9: a blocked one is told. */
async function remarkOnEmail(work: Work, companyId: CompanyId, email: string): Promise<Remark | null> {
  const [same, isBlocked] = await Promise.all([
    sameEmail(work, companyId, email),
    work.store.mails.isSuppressed(email),
  ]);
  const sentences = [
    isBlocked
      ? 'Mail to this address is blocked, since it could not be delivered before: the invitation will not be sent. Lift the block under Mail, or copy the link afterwards.'
      : '',
    same.length > 0
      ? `${same.join(' and ')} ${same.length > 1 ? 'have' : 'has'} this e-mail, too. Modules that know people by their e-mail may mistake one for the other.`
      : '',
  ].filter((sentence) => sentence !== '');
  return sentences.length > 0 ? { kind: 'warning', sentence: sentences.join(' ') } : null;
}

async function sameEmail({ store }: Work, companyId: CompanyId, email: string): Promise<string[]> {
  const rows: (Pick<User, 'firstName' | 'lastName'> & { username: string })[] = await store
    .db('users')
    .where({ company_id: companyId, email_key: emailKey(email) })
    .whereNot({ base_status: 'Deleted' })
    .orderBy('created_at')
    .limit(2)
    .select('first_name as firstName', 'last_name as lastName', 'username');
  return rows.map((user) => `${fullName(user)} (${user.username})`);
}
