// The provider's side of the connect ceremony (A8.4): who holds the access token of a sign-in with the scope `module.connect` connects
// one tenant with it, in that person's name. The module has bound the sign-in to one browser and to its own administrator.
import { forbidden, unauthorized } from '../../lib/errors.ts';
import type { CompanyId } from '../../lib/ids.ts';
import { transaction, type Work } from '../../work.ts';
import { authorise } from '../roles/authority.ts';
import type { CeremonyToken } from '../sessions/ceremony-repository.ts';
import { recordId } from '../sessions/session.ts';
import { tellAdministrators } from '../users/administrators.ts';
import { type Connection, type ConnectionInput, connectInstance } from './connect-commands.ts';

/** Opens nothing but this: neither userinfo nor introspection know such a token. */
export const connectScope = 'module.connect';

const isOfCeremony = (token: CeremonyToken | null): token is CeremonyToken =>
  token?.scope.split(' ').includes(connectScope) === true && !token.isBound;

/** Whose ceremony this token is of; null when of none. */
export async function findCeremony(work: Work, accessToken: string): Promise<CeremonyToken | null> {
  if (accessToken === '') return null;
  const token = await work.store.ceremonies.find(recordId('AccessToken', accessToken));
  return isOfCeremony(token) ? token : null;
}

/**
 * Connects, once for each token. An answer that never arrived may be asked for again: the same tenant, and so the same instance,
 * with new credentials; another tenant needs a ceremony of its own.
 * @throws AppError 401 when the token is used up, 403 when its person administers the company no longer
 */
export async function finishCeremony(
  work: Work,
  { id }: CeremonyToken,
  input: ConnectionInput,
): Promise<Connection & { company: { id: CompanyId; name: string } }> {
  return transaction(work, async (work) => {
    const token = await work.store.ceremonies.hold(id);
    if (!isOfCeremony(token)) throw unauthorized();
    const { companyId, userId, username, clientId } = token;
    const inTheirName: Work = { ...work, actor: { kind: 'user', id: userId, name: username } };
    await authorise(inTheirName, companyId, 'modules.manage');
    const module = await work.store.modules.findByClientId(clientId);
    if (!module || module.isBuiltIn) throw forbidden('This module cannot be connected.');
    const connection = await connectInstance(inTheirName, companyId, module, input);
    // The transaction takes back what was connected against the rule.
    if (token.instanceId !== null && token.instanceId !== connection.instance.id) throw unauthorized();
    await work.store.ceremonies.bind(id, connection.instance.id);
    // A live session is not asked, so that whoever operates a product can connect it by a visit: it never stays unsaid. Once for each token.
    if (token.instanceId === null) await tellConnected(inTheirName, token, { connection, module: module.name, input });
    return { ...connection, company: { id: companyId, name: token.company } };
  });
}

const tellConnected = (
  work: Work,
  { companyId, username, ip }: CeremonyToken,
  { connection, module, input }: { connection: Connection; module: string; input: ConnectionInput },
): Promise<void> =>
  tellAdministrators(work, companyId, 'moduleConnected', {
    module,
    tenant: input.tenant.name,
    by: username,
    admin: input.admin.name,
    from: ip,
    server: work.origin.ip,
    at: work.now.toISOString(),
    href: `/admin/modules/${connection.instance.id}/disconnect`,
  });
