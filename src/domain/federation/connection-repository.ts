import { violatedConstraint } from '../../db/errors.ts';
import type { Database } from '../../db/knex.ts';
import { conflict } from '../../lib/errors.ts';
import type { CompanyId, UserId } from '../../lib/ids.ts';
import type { Resealing } from '../../lib/secrets.ts';
import { attributeNames, type Connection, type ConnectionId, connectionSettings } from './connection.ts';
import type { EnforceState } from './enforce.ts';

/** A connection with what time and switches have made of it. */
export interface StoredConnection extends Connection {
  enforce: { state: EnforceState; trialBeganAt: Date | null; trialEndsAt: Date | null; trialBy: UserId | null };
  /** Client secret of an OpenID Connect one, sealed under `clientSecretPurpose`. */
  sealedSecret: string | null;
  testedHash: string | null;
  metadata: { readAt: Date | null; triedAt: Date | null; problem: string | null };
  /** By fingerprint: days before the end for which the administrators were told. */
  certificateNotices: Record<string, number>;
  createdAt: Date;
}

export const clientSecretPurpose = 'idp-client-secret';

interface Row {
  id: ConnectionId;
  company_id: CompanyId;
  name: string;
  settings: unknown;
  sealed_secret: string | null;
  attributes: unknown;
  is_enabled: boolean;
  enforce_state: EnforceState;
  trial_began_at: Date | null;
  trial_ends_at: Date | null;
  trial_by: UserId | null;
  creates: boolean;
  default_role: Connection['creation']['role'];
  default_group_ids: string[];
  asks_second_factor: boolean;
  is_mapping: boolean;
  version: string;
  tested_at: Date | null;
  tested_hash: string | null;
  metadata_read_at: Date | null;
  metadata_tried_at: Date | null;
  metadata_problem: string | null;
  certificate_notices: Record<string, number>;
  created_at: Date;
}

export const toConnection = (row: Row): StoredConnection => ({
  id: row.id,
  companyId: row.company_id,
  name: row.name,
  settings: connectionSettings.parse(row.settings),
  attributes: attributeNames.parse(row.attributes),
  enabled: row.is_enabled,
  enforce: {
    state: row.enforce_state,
    trialBeganAt: row.trial_began_at,
    trialEndsAt: row.trial_ends_at,
    trialBy: row.trial_by,
  },
  creation: { on: row.creates, role: row.default_role, groupIds: row.default_group_ids },
  asksSecondFactor: row.asks_second_factor,
  mapping: row.is_mapping,
  version: Number(row.version),
  testedAt: row.tested_at,
  testedHash: row.tested_hash,
  sealedSecret: row.sealed_secret,
  metadata: { readAt: row.metadata_read_at, triedAt: row.metadata_tried_at, problem: row.metadata_problem },
  certificateNotices: row.certificate_notices,
  createdAt: row.created_at,
});

/** What a form or a command may write. */
export type ConnectionValues = Pick<
  Connection,
  'name' | 'settings' | 'attributes' | 'creation' | 'asksSecondFactor' | 'mapping'
>;

const valuesOf = ({ name, settings, attributes, creation, asksSecondFactor, mapping }: ConnectionValues) => ({
  name,
  kind: settings.kind,
  settings: JSON.stringify(settings),
  attributes: JSON.stringify(attributes),
  creates: creation.on,
  default_role: creation.role,
  default_group_ids: creation.groupIds,
  asks_second_factor: asksSecondFactor,
  is_mapping: mapping,
});

async function named<T>(write: () => Promise<T>): Promise<T> {
  try {
    return await write();
  } catch (error) {
    if (violatedConstraint(error) !== 'idp_connections_name_unique') throw error;
    const problem = 'There is a connection of this name already.';
    throw conflict(problem, { name: problem });
  }
}

/** Connections of one company. */
export function connectionRepository(db: Database, companyId: CompanyId) {
  const mine = (id: ConnectionId) => db('idp_connections').where({ company_id: companyId, id });
  return {
    async list(): Promise<StoredConnection[]> {
      const rows: Row[] = await db('idp_connections').where({ company_id: companyId }).orderBy(['name', 'id']);
      return rows.map(toConnection);
    },

    async find(id: ConnectionId): Promise<StoredConnection | null> {
      const row: Row | undefined = await mine(id).first();
      return row ? toConnection(row) : null;
    },

    /** The same, held until the transaction ends; sign-ins go on meanwhile. */
    async hold(id: ConnectionId): Promise<StoredConnection | null> {
      const row: Row | undefined = await mine(id).forNoKeyUpdate().first();
      return row ? toConnection(row) : null;
    },

    async insert(id: ConnectionId, values: ConnectionValues, sealedSecret: string | null, now: Date): Promise<void> {
      await named(() =>
        db('idp_connections').insert({
          ...valuesOf(values),
          id,
          company_id: companyId,
          sealed_secret: sealedSecret,
          created_at: now,
        }),
      );
    },

    /** A new version. `sealedSecret` undefined: as it was; a new one was never tested. */
    async update(id: ConnectionId, values: ConnectionValues, sealedSecret?: string | null): Promise<void> {
      const secret =
        sealedSecret === undefined ? {} : { sealed_secret: sealedSecret, tested_at: null, tested_hash: null };
      await named(() => mine(id).update({ ...valuesOf(values), ...secret, version: db.raw('version + 1') }));
      // A test that is under way says nothing of what stands here now.
      await db('sso_requests')
        .where({ company_id: companyId, connection_id: id, purpose: 'test' })
        .update({ expires_at: db.ref('created_at') });
    },

    /** Ways to the upstream that are under way, and answers that wait to be fetched: they were judged by what stood here before. */
    async endWaiting(id: ConnectionId): Promise<void> {
      await db('sso_requests')
        .where({ company_id: companyId, connection_id: id })
        .update({ expires_at: db.ref('created_at') });
    },

    async setEnabled(id: ConnectionId, enabled: boolean): Promise<void> {
      await mine(id).update({ is_enabled: enabled, version: db.raw('version + 1') });
    },

    async setEnforce(id: ConnectionId, { state, ...trial }: StoredConnection['enforce']): Promise<void> {
      await mine(id).update({
        enforce_state: state,
        trial_began_at: trial.trialBeganAt,
        trial_ends_at: trial.trialEndsAt,
        trial_by: trial.trialBy,
        version: db.raw('version + 1'),
      });
    },

    async setTested(id: ConnectionId, hash: string, at: Date): Promise<void> {
      await mine(id).update({ tested_at: at, tested_hash: hash });
    },

    /** A reading of its metadata has ended. `settings`: what it changed; what was tested before stays tested. */
    async setMetadata(
      id: ConnectionId,
      read: { at: Date; problem: string | null; settings?: Connection['settings']; testedHash?: string | null },
    ): Promise<void> {
      await mine(id).update({
        metadata_tried_at: read.at,
        metadata_problem: read.problem,
        ...(read.problem === null ? { metadata_read_at: read.at } : {}),
        ...(read.settings
          ? {
              settings: JSON.stringify(read.settings),
              tested_hash: read.testedHash ?? null,
              version: db.raw('version + 1'),
            }
          : {}),
      });
    },

    async setCertificateNotices(id: ConnectionId, notices: Record<string, number>): Promise<void> {
      await mine(id).update({ certificate_notices: JSON.stringify(notices) });
    },

    async delete(id: ConnectionId): Promise<void> {
      await mine(id).delete();
    },
  };
}

/** A connection by its id alone, whosever it is: for callbacks, which know no company yet. */
export async function findConnection(db: Database, id: ConnectionId): Promise<StoredConnection | null> {
  const row: Row | undefined = await db('idp_connections').where({ id }).first();
  return row ? toConnection(row) : null;
}

interface Named {
  companyId: CompanyId;
  connectionId: ConnectionId;
}

/** Trials that are over, whosever they are: for the clock. */
export async function listDueTrials(db: Database, now: Date): Promise<Named[]> {
  return db('idp_connections')
    .where({ enforce_state: 'trial' })
    .where('trial_ends_at', '<=', now)
    .orderBy('trial_ends_at')
    .limit(100)
    .select({ companyId: 'company_id', connectionId: 'id' });
}

/** SAML connections whose metadata has an address and was not tried since. */
export async function listDueMetadata(db: Database, triedBefore: Date, limit: number): Promise<Named[]> {
  return db('idp_connections')
    .where({ kind: 'saml' })
    .whereRaw(`settings ->> 'metadataUrl' is not null`)
    .where((old) => old.whereNull('metadata_tried_at').orWhere('metadata_tried_at', '<', triedBefore))
    .orderByRaw('metadata_tried_at nulls first')
    .limit(limit)
    .select({ companyId: 'company_id', connectionId: 'id' });
}

/** After `after`, by id: for the look at certificates. */
export async function listSamlConnections(
  db: Database,
  after: ConnectionId | null,
  limit: number,
): Promise<StoredConnection[]> {
  const rows: Row[] = await db('idp_connections')
    .where({ kind: 'saml' })
    .where((rest) => (after === null ? rest : rest.where('id', '>', after)))
    .orderBy('id')
    .limit(limit);
  return rows.map(toConnection);
}

/** Boxes that an older key sealed are replaced. @returns how many */
export async function resealClientSecrets(db: Database, { keyId, limit, reseal }: Resealing): Promise<number> {
  const rows: { id: string; sealed_secret: string }[] = await db('idp_connections')
    .whereRaw('left(sealed_secret, ?) <> ?', [keyId.length + 1, `${keyId}.`])
    .limit(limit)
    .select('id', 'sealed_secret');
  for (const { id, sealed_secret } of rows)
    await db('idp_connections')
      .where({ id, sealed_secret })
      .update({ sealed_secret: reseal(sealed_secret) });
  return rows.length;
}
