import { randomBytes } from 'node:crypto';
import type { Account } from './account.ts';
import type { AccountTable } from './account-table.ts';
import { createLimiter } from './limiter.ts';
import { hashPassword, isPassword } from './passwords.ts';

/** The module's own way in: an e-mail address or user name, and a password of its own user table. */
export interface LocalLogin {
  /** Every wrong way out is the same to the outside, in words and in time (AUT-05); the reason is for the log. */
  check(input: { email: string; password: string; address: string }): Promise<LocalOutcome>;
}

export type LocalOutcome =
  | { outcome: 'in'; account: Account }
  | { outcome: 'refused'; reason: 'unknown' | 'wrong-password' | 'no-password' | 'suspended' | 'ambiguous' }
  | { outcome: 'wait'; seconds: number };

const MAX_PASSWORD_BYTES = 1024;

export async function createLocalLogin(accounts: AccountTable, clock: () => number): Promise<LocalLogin> {
  const byAccount = createLimiter(clock, { tries: 10, seconds: 900 });
  const byAddress = createLimiter(clock, { tries: 100, seconds: 900 });
  const nobodysHash = await hashPassword(randomBytes(16).toString('base64url'));

  async function judge(email: string, password: string): Promise<LocalOutcome> {
    const [account, ...others] = accounts.findByName(email);
    const isRight = await isPassword(password, account?.passwordHash ?? nobodysHash);
    if (!account) return { outcome: 'refused', reason: 'unknown' };
    if (account.passwordHash === null) return { outcome: 'refused', reason: 'no-password' };
    if (!isRight) return { outcome: 'refused', reason: 'wrong-password' };
    if (others.length > 0) return { outcome: 'refused', reason: 'ambiguous' };
    return account.status === 'active' ? { outcome: 'in', account } : { outcome: 'refused', reason: 'suspended' };
  }

  return {
    async check({ email, password, address }) {
      // Refused before hashing: a megabyte of password must not cost a second of work (DOS-02).
      if (Buffer.byteLength(password) > MAX_PASSWORD_BYTES || email.length > 320) {
        return { outcome: 'refused', reason: 'wrong-password' };
      }
      const key = `${email.normalize('NFC').toLowerCase()} ${address}`;
      const seconds = Math.max(byAddress.take(address), byAccount.take(key));
      if (seconds > 0) return { outcome: 'wait', seconds };
      const outcome = await judge(email, password);
      if (outcome.outcome === 'in') {
        byAccount.giveBack(key);
        byAddress.giveBack(address);
      }
      return outcome;
    },
  };
}
