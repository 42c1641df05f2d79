/** The module's table as the kit asks for it: SCIM, events and entries all come through here. */
import {
  type AccountChanges,
  AccountRefusal,
  type Accounts,
  type ModuleAccount,
  type NewAccount,
} from '../../sdk/module.ts';
import { type Account, isAdministrator, sameText, toModuleAccount } from './account.ts';
import { type AccountTable, newAccount } from './account-table.ts';
import { isTimeZone, type ModuleConfig } from './config.ts';

type Rules = Pick<ModuleConfig, 'name' | 'permissions' | 'administrators'>;

export function createAccountHooks(table: AccountTable, rules: Rules, clock: () => number): Accounts {
  const { administrators } = rules;
  const shown = (account: Account): ModuleAccount => toModuleAccount(account, administrators);
  const stamped = (link: NonNullable<ModuleAccount['link']>) => ({
    issuer: link.issuer,
    subject: link.sub,
    linkedAt: new Date(clock()).toISOString(),
  });

  return {
    list({ skip, count, filter }) {
      const all = filter ? table.all().filter((account) => fits(account, filter)) : table.all();
      return { total: all.length, accounts: all.slice(skip, skip + count).map(shown) };
    },
    find(id) {
      const account = table.find(id);
      return account && shown(account);
    },
    matching({ link, names }) {
      const isMeant = ({ link: own, email, userName }: Account) =>
        (own?.subject === link.sub && own.issuer === link.issuer) ||
        names.some((name) => sameText(email, name) || sameText(userName, name));
      return table.all().filter(isMeant).map(shown);
    },
    async provision(given) {
      checkValues(given, rules);
      refuseTaken(table, given, null);
      const account = newAccount({
        ...changesOf(given),
        name: nameOf(given),
        email: given.email ?? given.userName,
        userName: given.userName,
        link: given.link ? stamped(given.link) : null,
      });
      await table.add(account);
      return shown(account);
    },
    async change(id, changes) {
      checkValues(changes, rules);
      refuseTaken(table, changes, id);
      const account = await table.change(id, () => changesOf(changes));
      return account && shown(account);
    },
    async link(id, link) {
      const linked = await table.change(id, (account) => (account.link === null ? { link: stamped(link) } : undefined));
      return linked !== undefined;
    },
    async endSessions(id) {
      await table.change(id, () => ({ sessionsEndedAt: clock() }));
    },
    administers: (permissions) => permissions.some((name) => administrators.includes(name)),
    isLastAdministrator: (id) =>
      !table.all().some((it) => it.id !== id && it.status === 'active' && isAdministrator(it, administrators)),
    remove: (id) => table.remove(id),
  };
}

function fits(account: Account, { by, value }: { by: string; value: string }): boolean {
  if (by === 'id') return account.id === value;
  if (by === 'externalId') return account.externalId === value;
  return sameText(by === 'email' ? account.email : account.userName, value);
}

const nameOf = ({ displayName, givenName, familyName, userName }: NewAccount): string =>
  displayName || [givenName, familyName].filter(Boolean).join(' ') || userName;

/** What the kit's names are called here; what was not said is not changed. */
function changesOf(changes: AccountChanges): Partial<Account> {
  const { userName, email, givenName, familyName, displayName, active, suspendedBy } = changes;
  const { permissions, timeZone, externalId, values, eventSeq, localLogin } = changes;
  const own: { [Name in keyof Account]?: Account[Name] | undefined } = {
    userName,
    // An account here has an address always; taking it away leaves the one that was.
    email: email ?? undefined,
    givenName: givenName ?? undefined,
    familyName: familyName ?? undefined,
    name: displayName || undefined,
    status: active === undefined ? undefined : active ? 'active' : 'suspended',
    suspendedBy,
    permissions,
    timeZone: timeZone ?? undefined,
    externalId,
    values,
    eventSeq,
    // A local password can be taken away from outside, never given.
    passwordHash: localLogin === false ? null : undefined,
  };
  return Object.fromEntries(Object.entries(own).filter(([, value]) => value !== undefined));
}

function checkValues({ permissions, timeZone }: AccountChanges, { permissions: known, name }: Rules): void {
  for (const permission of permissions ?? [])
    if (!known.includes(permission)) throw new AccountRefusal('invalid', `${permission} is no permission of ${name}.`);
  if (timeZone && !isTimeZone(timeZone)) throw new AccountRefusal('invalid', `${timeZone} is no time zone.`);
}

function refuseTaken(table: AccountTable, given: { userName?: string; email?: string | null }, own: string | null) {
  const { userName, email } = given;
  const isTaken = (name: string | null | undefined) =>
    Boolean(name) && table.findByName(name ?? '').some(({ id }) => id !== own);
  if (isTaken(userName) || isTaken(email)) throw new AccountRefusal('taken', 'The user name or the address is taken.');
}
