/** "User Exceptions": one person at a time, found by typing, with a reason and an end (A8.6). */
import type { NewException } from '../../sdk/module.ts';
import { type Account, sameText } from './account.ts';

export interface TypedExemption {
  person: string;
  reason: string;
  until: string;
  noEnd: boolean;
  kind: 'person' | 'emergency';
}

export const blankExemption: TypedExemption = { person: '', reason: '', until: '', noEnd: false, kind: 'person' };

/** How a person stands in the list that appears while typing. */
export const entryOf = ({ name, email }: Pick<Account, 'name' | 'email'>): string => `${name} <${email}>`;

interface Exemption {
  typed: TypedExemption;
  exception: NewException | null;
  problems: Record<string, string>;
}

export function exemptionOf(form: URLSearchParams, accounts: readonly Account[]): Exemption {
  const typed: TypedExemption = {
    person: (form.get('person') ?? '').trim(),
    reason: (form.get('reason') ?? '').trim(),
    until: form.get('until') ?? '',
    noEnd: form.get('no_end') === 'on',
    kind: form.get('kind') === 'emergency' ? 'emergency' : 'person',
  };
  const problems: Record<string, string> = {};
  const found = accounts.filter((account) => isMeant(account, typed.person));
  const [account] = found;
  if (found.length !== 1)
    problems.person =
      found.length === 0 ? 'Choose a user from the list.' : 'Several users have this name: type the e-mail address.';
  if (typed.reason === '') problems.reason = 'Say why: it is shown to the next administrator.';
  const end = Date.parse(`${typed.until}T23:59:59Z`);
  if (!typed.noEnd && Number.isNaN(end)) problems.until = 'Choose the last day, or "No end date".';
  if (!account || Object.keys(problems).length > 0) return { typed, exception: null, problems };
  const exception: NewException = {
    account_id: account.id,
    user_name: account.userName,
    kind: typed.kind,
    reason: typed.reason,
    ends_at: typed.noEnd ? null : new Date(end).toISOString(),
    no_end: typed.noEnd,
  };
  return { typed, exception, problems };
}

function isMeant(account: Account, typed: string): boolean {
  return [entryOf(account), account.email, account.userName, account.name].some((name) => sameText(name, typed));
}
