// Setting up a connection: what an administrator writes, checked, and its secret sealed. Rules and the switches that touch people go
// through a plan (plan-commands.ts).
import { z } from 'zod';
import { type AppError, conflict, invalid, notFound } from '../../lib/errors.ts';
import { type CompanyId, newId } from '../../lib/ids.ts';
import { transaction, type Work } from '../../work.ts';
import { record } from '../audit/commands.ts';
import { authorise } from '../roles/authority.ts';
import { choosableRoles } from '../roles/role.ts';
import { fieldProblems } from '../users/fields.ts';
import { attributeNames, type Connection, type ConnectionId, connectionSettings } from './connection.ts';
import { type ConnectionValues, clientSecretPurpose, type StoredConnection } from './connection-repository.ts';
import { taken } from './metadata.ts';
import { isTested, testedHashOf } from './tested.ts';

const creationSchema = z.strictObject({
  on: z.boolean(),
  role: z.enum(choosableRoles, 'Choose one of the four roles.'),
  groupIds: z.array(z.string()).max(100),
});

export const connectionInputSchema = z.strictObject({
  name: z
    .string()
    .trim()
    .min(1, 'Enter a name.')
    .max(80, 'A name has 80 characters at most.')
    .regex(/^[^<>\p{Cc}]+$/u, 'A name cannot contain < or >.'),
  settings: connectionSettings,
  attributes: attributeNames,
  creation: creationSchema.default({ on: false, role: 'User', groupIds: [] }),
  asksSecondFactor: z.boolean().default(false),
  /** Of an OpenID Connect one; left out or empty: as it is. */
  clientSecret: z.string().max(2000).optional(),
});

export type ConnectionInput = z.input<typeof connectionInputSchema>;
/** Fields that are left out stay as they are. */
export type ConnectionEdit = Partial<ConnectionInput> & { version: number };

type Checked = z.output<typeof connectionInputSchema>;

function parse(input: unknown): Checked {
  const parsed = connectionInputSchema.safeParse(input);
  if (parsed.success) return parsed.data;
  const fields = fieldProblems(parsed.error);
  throw invalid(Object.values(fields).join(' '), fields);
}

/** Off, without rules, and not tested yet. @throws AppError 409, 422 */
export async function createConnection(
  work: Work,
  companyId: CompanyId,
  input: ConnectionInput,
): Promise<{ id: ConnectionId }> {
  await authorise(work, companyId, 'security.manage');
  const checked = parse(input);
  return transaction(work, async (work) => {
    await refuseUnknownGroups(work, companyId, checked.creation.groupIds);
    const sealed = sealedSecret(work, checked);
    if (checked.settings.kind === 'oidc' && sealed === null) throw secretMissing('Enter the client secret.');
    const id = newId<ConnectionId>();
    await work.store.of(companyId).connections.insert(id, valuesOf(checked, false), sealed, work.now);
    await recordConfig(work, { companyId, id, name: checked.name }, { change: 'created', after: told(checked) });
    return { id };
  });
}

export type Edited = { outcome: 'saved' } | { outcome: 'stale'; connection: StoredConnection };

/** @throws AppError 404, 409, 422 */
export async function editConnection(
  work: Work,
  companyId: CompanyId,
  id: ConnectionId,
  { version, ...edit }: ConnectionEdit,
): Promise<Edited> {
  await authorise(work, companyId, 'security.manage');
  return transaction(work, async (work) => {
    const { connections, identities } = work.store.of(companyId);
    const connection = await connections.hold(id);
    if (!connection) throw notFound('connection');
    if (connection.version !== version) return { outcome: 'stale', connection };
    const { name, settings, attributes, creation, asksSecondFactor } = connection;
    const checked = parse({ name, settings, attributes, creation, asksSecondFactor, ...edit });
    if (checked.settings.kind !== settings.kind)
      throw conflict('A connection stays what it is: SAML or OpenID Connect.');
    await refuseUnknownGroups(work, companyId, checked.creation.groupIds);
    // Another claim in place of the groups would deactivate people one by one at their next login, and no plan would have said so.
    if (connection.mapping && JSON.stringify(attributes) !== JSON.stringify(checked.attributes))
      throw invalid(
        'While Enable Mapping Rules is on, the names of the attributes stay as they are: another one could deactivate people without a plan. Turn it off first, and on again by a plan.',
      );
    const sealed = sealedSecret(work, checked);
    if (isElsewhere(settings, checked.settings) && connection.sealedSecret !== null && sealed === null)
      throw secretMissing(
        'The identity provider is another one now: enter its client secret. The stored one stays here.',
      );
    await connections.update(id, valuesOf(checked, connection.mapping), sealed ?? undefined);
    // A certificate that was taken away vouches for nobody any more, not even for who is on the way.
    if (testedHashOf(connection) !== testedHashOf(checked)) await connections.endWaiting(id);
    // Subjects mean something at their own issuer only (C27).
    const released =
      issuerOf(settings) === issuerOf(checked.settings)
        ? 0
        : await identities.releaseOthers(id, issuerOf(checked.settings));
    await recordConfig(
      work,
      { companyId, id, name: checked.name },
      {
        change: 'edited',
        before: told(connection),
        after: told(checked),
        ...(sealed === null ? {} : { secret: 'replaced' }),
        ...(released === 0 ? {} : { released }),
      },
    );
    return { outcome: 'saved' };
  });
}

/**
 * Metadata that somebody has looked through, for a connection that is there.
 * @param address where it was read from; null: it was a file
 * @throws AppError 404, 409, 422
 */
export async function takeMetadata(
  work: Work,
  companyId: CompanyId,
  id: ConnectionId,
  of: { version: number; metadata: Parameters<typeof taken>[1]; address: string | null },
): Promise<Edited> {
  await authorise(work, companyId, 'security.manage');
  return transaction(work, async (work) => {
    const { connections } = work.store.of(companyId);
    const before = await connections.hold(id);
    if (!before) throw notFound('connection');
    if (before.settings.kind !== 'saml') throw conflict('Only SAML connections have metadata.');
    const { settings, addsOnly } = taken(before.settings, of.metadata, { address: of.address, now: work.now });
    const edited = await editConnection(work, companyId, id, { version: of.version, settings });
    if (edited.outcome === 'stale') return edited;
    // The certificate that the test went by is still there.
    if (addsOnly && isTested(before) && before.testedAt)
      await connections.setTested(id, testedHashOf({ ...before, settings }), before.testedAt);
    await connections.setMetadata(id, { at: work.now, problem: null });
    return edited;
  });
}

/** API-06: what was given to one upstream is never sent to another. */
function isElsewhere(before: Connection['settings'], after: Connection['settings']): boolean {
  if (before.kind !== 'oidc' || after.kind !== 'oidc') return false;
  return before.issuer !== after.issuer || before.clientId !== after.clientId;
}

export const issuerOf = (settings: Connection['settings']): string =>
  settings.kind === 'saml' ? settings.entityId : settings.issuer;

const secretMissing = (sentence: string): AppError => invalid(sentence, { clientSecret: sentence });

function sealedSecret({ keyring }: Work, { settings, clientSecret }: Checked): string | null {
  if (settings.kind !== 'oidc' || clientSecret === undefined || clientSecret === '') return null;
  return keyring.seal(clientSecretPurpose, clientSecret);
}

const valuesOf = (
  { name, settings, attributes, creation, asksSecondFactor }: Checked,
  mapping: boolean,
): ConnectionValues => ({ name, settings, attributes, creation, asksSecondFactor, mapping });

/** For the audit log; the secret is not among them, and a certificate is told by how many there are. */
const told = ({
  name,
  settings,
  attributes,
  creation,
  asksSecondFactor,
}: Pick<Connection, 'name' | 'settings' | 'attributes' | 'creation' | 'asksSecondFactor'>) => ({
  name,
  ...settings,
  ...(settings.kind === 'saml' ? { certificates: settings.certificates.length } : {}),
  attributes,
  creation,
  asksSecondFactor,
});

async function refuseUnknownGroups(work: Work, companyId: CompanyId, groupIds: string[]): Promise<void> {
  if (groupIds.length === 0) return;
  const groups = await work.store.of(companyId).groups.list();
  if (groupIds.every((id) => groups.some((group) => group.id === id))) return;
  throw invalid('Choose groups from the list.', { groups: 'Choose groups from the list.' });
}

/** People stay, and so do the memberships and roles that its rules gave; nobody is deactivated by it. */
export async function deleteConnection(work: Work, companyId: CompanyId, id: ConnectionId): Promise<void> {
  await authorise(work, companyId, 'security.manage');
  await transaction(work, async (work) => {
    const { connections } = work.store.of(companyId);
    const connection = await connections.hold(id);
    if (!connection) throw notFound('connection');
    // A step that can't be undone comes after one that can: what stops working shows while it is only off.
    if (connection.enabled)
      throw conflict('Disable the connection first: that can be undone, and shows who misses it.');
    await connections.delete(id);
    await recordConfig(work, connection, { change: 'removed', before: told(connection) });
  });
}

/** Before anything is enabled, a test sign-in has come back whole with the settings of now, or somebody says why not. */
export function refuseUnready(connection: StoredConnection, override: string | undefined): void {
  if (isTested(connection) || (override ?? '').trim() !== '') return;
  throw conflict('Test the connection first: nobody has come through it with the settings of now.');
}

export async function recordConfig(
  work: Work,
  { companyId, id, name }: Pick<Connection, 'companyId' | 'id' | 'name'>,
  details: Record<string, unknown>,
): Promise<void> {
  await record(work, {
    action: 'sso.config',
    companyId,
    target: { kind: 'connection', id },
    details: { of: 'connection', name, ...details },
  });
}
