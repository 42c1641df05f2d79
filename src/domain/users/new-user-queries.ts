import type { CompanyId, UserId } from '../../lib/ids.ts';
import type { Work } from '../../work.ts';
import { authorise } from '../roles/authority.ts';
import { newUserSchema } from './invite-commands.ts';
import { findMatches } from './match-queries.ts';
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
  const sentence = emailWords(same, isBlocked);
  return sentence === '' ? null : { kind: 'warning', sentence };
}

function emailWords(same: string[], isBlocked: boolean): string {
  const sentences = [
    isBlocked
      ? 'Mail to this address is blocked, since it could not be delivered before: no invitation goes there. Lift the block under Mail, or copy the link on the person’s page.'
      : '',
    same.length > 0
      ? `${same.join(' and ')} ${same.length > 1 ? 'have' : 'has'} this e-mail, too. Modules that know people by their e-mail may mistake one for the other.`
      : '',
  ];
  return sentences.filter((sentence) => sentence !== '').join(' ');
}

/** The same for many who have just been invited: what there is to say about the addresses of some of them. */
export async function remarksOnInvited(work: Work, companyId: CompanyId, users: User[]): Promise<Map<UserId, string>> {
  await authorise(work, companyId, 'users.manage');
  if (users.length === 0) return new Map();
  const blocked = await work.store.mails.listSuppressed(users.map(({ email }) => email));
  const matches = await findMatches(work, companyId, users);
  const remarks = users.map(({ id, username }, i): [UserId, string] => {
    const others = matches[i]?.byEmail.filter((other) => other !== username) ?? [];
    return [id, emailWords(others, blocked[i] === true)];
  });
  return new Map(remarks.filter(([, sentence]) => sentence !== ''));
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
