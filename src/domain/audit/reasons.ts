// Why somebody was let in, refused, ended, activated or deactivated: the words for the reasons that events keep.

export const activatedBecause: Record<string, string> = {
  mapping: ', who is in a mapped group again',
  sso: ', who logged in through single sign-on for the first time',
};

export const deactivatedBecause: Record<string, string> = {
  mapping: ', who is in no mapped group any more',
  scim: ', as the directory asked',
};

const refusedBecause: Record<string, string> = {
  'unknown-company': 'there is no such company',
  'unknown-user': 'there is no such person',
  'not-signed-up': 'they have not signed up yet',
  deactivated: 'the account is deactivated',
  locked: 'the account is locked',
  'no-password': 'no password is set',
  sso: 'the company enforces single sign-on',
  'wrong-password': 'the password was wrong',
  'no-factor': 'no second factor is set up',
  'wrong-code': 'the code was wrong',
  'used-code': 'the code had been used before',
  'wrong-proof': 'the password or the code that was asked for once more was wrong',
  address: 'the address is not on the IP access list',
  'sso-address': 'the address is not on the IP access list',
  'sso-disabled': 'the connection is off',
  'sso-no-email': 'the identity provider sent no e-mail address',
  'sso-ambiguous': 'several people have that address',
  'sso-root': 'the Root Admin is not found by an address',
  'sso-bound-elsewhere': 'the person belongs to another account of the identity provider',
  'sso-unverified': 'the address has not been confirmed',
  'sso-deactivated': 'the account is deactivated',
  'sso-unmapped': 'no mapping rule fits',
  'sso-no-account': 'there is no such person, and nobody is created automatically',
  'sso-groups-unknown': 'the groups were not said',
  'sso-invalid-person': 'what an account needs was missing or not valid',
  'sso-username-taken': 'somebody else has the username',
};

/** Why a sign-in was refused, in words; an unknown reason as it stands. */
export function refusalWords(reason: unknown): string {
  const name = textOf(reason) ?? 'no reason was kept';
  return refusedBecause[name] ?? name;
}

const endedBecause: Record<string, string> = {
  logout: 'logged out',
  'upstream-logout': 'logged out at the identity provider',
  'ended-by-user': 'ended by the person',
  'ended-by-admin': 'ended by an administrator',
  deactivated: 'deactivated',
  'password-changed': 'the password was changed',
  'second-factor-reset': 'the second factor was reset',
  deleted: 'deleted',
  expired: 'time ran out',
  recovered: 'the account was recovered',
};

export function endWords(reason: unknown): string {
  const name = textOf(reason) ?? 'no reason was kept';
  return endedBecause[name] ?? name;
}

export const proofWords: Record<string, string> = {
  sso: 'single sign-on',
  'sso-totp': 'single sign-on and code',
  'sso-recovery': 'single sign-on and a recovery code',
  'sso-enrolment': 'single sign-on and a newly set-up second factor',
  totp: 'password and code',
  recovery: 'password and a recovery code',
  enrolment: 'password and a newly set-up second factor',
};

/** What details hold under a name, if it is words. */
export const textOf = (value: unknown): string | null => (typeof value === 'string' && value !== '' ? value : null);
