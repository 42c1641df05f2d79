// The IP access list of a company (B.3): from where its people may log in, while the list is on.
import { z } from 'zod';
import { isWithin, normalNetwork } from '../../lib/networks.ts';

export interface IpEntry {
  id: string;
  /** As `normalNetwork` writes it. */
  network: string;
  note: string;
  createdAt: Date;
}

/** Every login reads the whole list. */
export const maxEntries = 500;

export const newEntrySchema = z.object({
  network: z
    .string()
    .max(100, 'That is too long for an address.')
    .transform((text, { addIssue }) => {
      const network = normalNetwork(text);
      if (network === null)
        addIssue('Enter an IPv4 or IPv6 address, or a network such as 203.0.113.0/24 or 2001:db8::/32.');
      return network ?? '';
    }),
  note: z
    .string()
    .trim()
    .max(100, 'A note has 100 characters at most.')
    .regex(/^\P{Cc}*$/u, 'A note is one line of text.')
    .default(''),
});

export type NewEntry = z.input<typeof newEntrySchema>;

/**
 * The warning of B.3, as a rule: whoever works on the list stays able to log in. Null: the list may be on like this.
 * @param ip where the administrator sits.
 */
export function lockOutProblem(networks: string[], ip: string, act: 'on' | 'remove'): string | null {
  if (isWithin(networks, ip)) return null;
  return act === 'on'
    ? `You are at ${ip}, which no entry covers: you could not log in any more. Add your own address first.`
    : `You are at ${ip}, which no other entry covers: you could not log in any more. Turn the list off first, or add another entry.`;
}
