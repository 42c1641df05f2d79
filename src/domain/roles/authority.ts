// Who may act on a company: the first line of every command and query of administrators (D.3, API-01).
import { forbidden } from '../../lib/errors.ts';
import type { CompanyId, InstanceId, UserId } from '../../lib/ids.ts';
import type { Work } from '../../work.ts';
import { can, type Permission } from './role.ts';

/**
 * The operator at the console and the system's own work may do all; a person what their role allows, in their own company.
 * The role is read anew: a demotion counts at once, also for a request that had begun before.
 * @returns the acting person, or null for operator and system
 * @throws AppError 403
 */
export async function authorise(work: Work, companyId: CompanyId, permission: Permission): Promise<UserId | null> {
  if (work.actor.kind === 'operator' || work.actor.kind === 'system') return null;
  if (work.actor.kind === 'user') {
    const actor = await work.store.of(companyId).users.findById(work.actor.id);
    if (actor?.baseStatus === 'Active' && can(actor.role, permission)) return actor.id;
  }
  throw forbidden('Only an administrator of this company may do that.');
}

/**
 * The same for what belongs to one connected module: besides the company's administrators, the module itself may do it, on its own
 * instance and no other (API-08). First line of the commands that both the console and the API for modules call.
 * @returns the acting person, or null for operator, system and module
 * @throws AppError 403
 */
export async function authoriseInstance(
  work: Work,
  companyId: CompanyId,
  instanceId: InstanceId,
): Promise<UserId | null> {
  if (work.actor.kind === 'module' && work.actor.instanceId === instanceId) return null;
  return authorise(work, companyId, 'modules.manage');
}
