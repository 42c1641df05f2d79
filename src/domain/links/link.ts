// Links that mails carry: invitation, reset, set-up, change of address. Each is single-use and has an end (D.2 ActionToken, Invitation).
// Owns the links table; what a link opens is decided by the room that made it.
import type { CompanyId, UserId } from '../../lib/ids.ts';

export type LinkKind = 'invitation' | 'passwordReset' | 'setup' | 'emailChange' | 'installation';

export interface Link {
  id: string;
  companyId: CompanyId | null;
  userId: UserId | null;
  kind: LinkKind;
  sentTo: string | null;
  createdAt: Date;
  expiresAt: Date;
  usedAt: Date | null;
  voidedAt: Date | null;
}

/** Day 14 counts to the last second, and not one longer (AUT-17, D.10 no. 5). */
export function isLive(link: Pick<Link, 'usedAt' | 'voidedAt' | 'expiresAt'>, now: Date): boolean {
  return link.usedAt === null && link.voidedAt === null && link.expiresAt > now;
}

/** Where each kind of link leads; the token is the last part of the path. */
export const linkPaths: Record<LinkKind, string> = {
  invitation: '/invitation',
  passwordReset: '/reset-password',
  setup: '/set-up',
  emailChange: '/confirm-email',
  installation: '/install',
};

export function linkAddress(publicUrl: string, kind: LinkKind, token: string): string {
  return `${publicUrl}${linkPaths[kind]}/${token}`;
}
