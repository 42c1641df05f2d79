// Machine credentials: how a connected module proves which instance it is. Bearer secrets, several alive at once, so that they can be
// changed without a pause.
import { randomToken, tokenHash } from '../../lib/secrets.ts';
import { hours } from '../../lib/time.ts';

export interface MachineCredential {
  id: string;
  createdAt: Date;
  lastUsedAt: Date | null;
  /** Null: the newest. */
  endsAt: Date | null;
}

/** How long the ones before the newest go on. */
export const overlap = hours(24);

/** The prefix lets secret scanners and people know what they have found. */
const form = /^ulm_[A-Za-z0-9_-]{43}$/;

export function newSecret(): { secret: string; secretHash: string } {
  const secret = `ulm_${randomToken()}`;
  return { secret, secretHash: tokenHash(secret) };
}

/** Null for what cannot be one: that costs no statement. */
export const hashOf = (secret: string): string | null => (form.test(secret) ? tokenHash(secret) : null);
