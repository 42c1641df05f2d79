// Companies: the tenants. Owns name, login address and policy; owns neither people nor modules.
import { z } from 'zod';
import type { CompanyId, UserId } from '../../lib/ids.ts';

export const companyNameSchema = z
  .string()
  .trim()
  .min(1, 'Enter the company name.')
  .max(100, 'A company name has 100 characters at most.')
  .regex(/^[^\p{Cc}<>]+$/u, 'A company name cannot contain < or >.');

/** Defaults are KaseyaOne's (domain B.3, C6, C37, C38). */
export const policySchema = z.object({
  password: z
    .object({
      minLength: z.number().int().min(8).max(64).default(8),
      requireLower: z.boolean().default(true),
      requireUpper: z.boolean().default(true),
      requireDigit: z.boolean().default(true),
      requireSymbol: z.boolean().default(true),
      history: z.number().int().min(0).max(24).default(5),
      maxAgeDays: z.number().int().min(0).max(365).default(0),
    })
    .prefault({}),
  lock: z
    .object({
      threshold: z.number().int().min(5).max(100).default(5),
      minutes: z.number().int().min(1).max(1439).default(10),
    })
    .prefault({}),
  session: z
    .object({
      idleMinutes: z.number().int().min(5).max(1440).default(30),
      absoluteMinutes: z.number().int().min(5).max(1440).default(720),
    })
    .prefault({}),
  ipList: z.object({ enabled: z.boolean().default(false) }).prefault({}),
  /** A second factor is always asked for; whether a recovery code may stand in for the app is the company's. */
  mfa: z.object({ recoveryCodes: z.boolean().default(true) }).prefault({}),
  /** Notices that can be switched off (D.8). */
  notices: z.object({ deactivated: z.boolean().default(true) }).prefault({}),
  inviteDays: z.number().int().min(1).max(14).default(14),
  resetHours: z.number().int().min(1).max(24).default(24),
  emailChangeHours: z.number().int().min(1).max(24).default(24),
  /** C3: `immediate` is KaseyaOne's way. */
  reactivate: z.enum(['immediate', 'reinvite']).default('immediate'),
});

export type CompanyPolicy = z.infer<typeof policySchema>;

export interface Company {
  id: CompanyId;
  name: string;
  loginSlug: string;
  identifier: string;
  rootUserId: UserId | null;
  policy: CompanyPolicy;
  createdAt: Date;
}

/** Company names sign people in without regard to case and to the Unicode form a keyboard made (B.1). */
export function companyKey(name: string): string {
  return name.normalize('NFKC').trim().replace(/\s+/g, ' ').toLowerCase();
}

/** First part of the Company Login URL: letters, digits and dashes of the name. */
export function slugOf(name: string): string {
  const slug = name
    .normalize('NFKD')
    .replace(/\p{M}/gu, '')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-|-$/g, '')
    .slice(0, 40)
    .replace(/-$/, '');
  return slug === '' ? 'company' : slug;
}

/** @param stored only that part of the stored policy: it comes with each request of a session. */
export function parseSessionPolicy(stored: unknown): CompanyPolicy['session'] {
  return policySchema.shape.session.parse(stored ?? undefined);
}

export function parsePolicy(stored: unknown): CompanyPolicy {
  return policySchema.parse(stored ?? {});
}
