// Audit: who did what, when, from where, to whom (domain D.9).
// Owns the append-only table of events and the catalogue of actions. Knows nothing of what the actions mean.
import { randomBytes } from 'node:crypto';
import type { CompanyId } from '../../lib/ids.ts';

export type AuditAction =
  | 'company.create'
  | 'user.create'
  | 'user.invite'
  | 'user.resend'
  | 'user.linkCopied'
  | 'user.edit'
  | 'user.roleChange'
  | 'user.groupChange'
  | 'user.passwordSet'
  | 'user.emailVerified'
  | 'user.emailChange.request'
  | 'user.emailChange.cancel'
  | 'user.emailChange.confirm'
  | 'user.activate'
  | 'user.deactivate'
  | 'user.delete'
  | 'user.unlock'
  | 'user.lock'
  | 'user.passwordReset.request'
  | 'user.passwordReset.done'
  | 'user.passwordChange'
  | 'user.2fa.enrol'
  | 'user.2fa.reset'
  | 'user.recoveryCodes.new'
  | 'user.recoveryCode.used'
  | 'user.pictureChange'
  | 'user.export'
  | 'login.ok'
  | 'login.fail'
  | 'logout'
  | 'session.end'
  | 'token.revoke'
  | 'grant.revoke'
  | 'entry.refuse'
  | 'group.create'
  | 'group.edit'
  | 'group.activate'
  | 'group.deactivate'
  | 'group.delete'
  | 'module.create'
  | 'module.connect'
  | 'module.disconnect'
  | 'module.provision'
  | 'module.deprovision'
  | 'module.restore'
  | 'module.batch.wait'
  | 'module.batch.approve'
  | 'module.batch.refuse'
  | 'module.delivery.resend'
  | 'module.delivery.late'
  | 'module.delivery.givenUp'
  | 'module.rename'
  | 'module.credential.new'
  | 'module.credential.end'
  | 'module.places'
  | 'module.settings'
  | 'module.require'
  | 'module.exception'
  | 'module.emergency'
  | 'module.administrator'
  | 'module.link'
  | 'module.jitCreate'
  | 'module.unlink'
  | 'module.read'
  | 'module.plan.make'
  | 'module.plan.ask'
  | 'module.plan.apply'
  | 'module.test.start'
  | 'module.test.done'
  | 'receipt.export'
  | 'sso.config'
  | 'sso.mapping'
  | 'sso.bind'
  | 'sso.stop'
  | 'sso.plan.make'
  | 'sso.plan.ask'
  | 'sso.plan.apply'
  | 'sso.plan.undo'
  | 'import.undo'
  | 'policy.change'
  | 'ip.change'
  | 'mail.settings'
  | 'mail.lift'
  | 'mail.test'
  | 'root.promote'
  | 'audit.export'
  | 'keys.rotate'
  | 'import.start'
  | 'import.done'
  | 'operator.recover';

export interface AuditEvent {
  action: AuditAction;
  companyId: CompanyId | null;
  target?: { kind: 'user' | 'company' | 'group' | 'module' | 'session' | 'key' | 'task' | 'connection'; id: string };
  /** Before, after, reason: whatever an auditor needs, never a secret. */
  details?: Record<string, unknown>;
  /** What a page showed instead of the reason. */
  code?: string;
}

const letters = 'ABCDEFGHJKLMNPQRSTUVWXYZ23456789';

/** A short code for an error page, easy to read out: an administrator finds the true reason by it. */
export function supportCode(random: Uint8Array): string {
  const text = [...random.subarray(0, 8)].map((byte) => letters[byte % letters.length]).join('');
  return `${text.slice(0, 4)}-${text.slice(4)}`;
}

export const newSupportCode = (): string => supportCode(randomBytes(8));

/** A code as people read it out and type it: in small letters, with spaces, without the hyphen. What is none stays, and is found nowhere. */
export function readSupportCode(typed: string): string {
  const found = typed.toUpperCase().replaceAll(/[^A-Z0-9]/g, '');
  return found.length === 8
    ? `${found.slice(0, 4)}-${found.slice(4)}`
    : typed.replaceAll('\0', '').trim().toUpperCase();
}
