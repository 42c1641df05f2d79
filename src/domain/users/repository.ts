import { violatedConstraint } from '../../db/errors.ts';
import type { Database } from '../../db/knex.ts';
import { conflict } from '../../lib/errors.ts';
import type { CompanyId, UserId } from '../../lib/ids.ts';
import { emailKey, type User, usernameKey } from './user.ts';

export interface UserRow {
  id: UserId;
  company_id: CompanyId;
  username: string;
  username_key: string;
  email: string;
  email_key: string;
  email_verified_at: Date | null;
  pending_email: string | null;
  first_name: string;
  last_name: string;
  phone: string | null;
  time_zone: string | null;
  theme: User['theme'];
  role: User['role'];
  base_status: User['baseStatus'];
  deactivated_reason: User['deactivatedReason'];
  failures: number;
  locked_until: Date | null;
  must_set_password: boolean;
  must_enrol_2fa: boolean;
  source: User['source'];
  last_login_at: Date | null;
  created_at: Date;
}

export const toUser = (row: UserRow): User => ({
  id: row.id,
  companyId: row.company_id,
  username: row.username,
  email: row.email,
  emailVerifiedAt: row.email_verified_at,
  pendingEmail: row.pending_email,
  firstName: row.first_name,
  lastName: row.last_name,
  phone: row.phone,
  timeZone: row.time_zone,
  theme: row.theme,
  role: row.role,
  baseStatus: row.base_status,
  deactivatedReason: row.deactivated_reason,
  failures: row.failures,
  lockedUntil: row.locked_until,
  mustSetPassword: row.must_set_password,
  mustEnrol2fa: row.must_enrol_2fa,
  source: row.source,
  lastLoginAt: row.last_login_at,
  createdAt: row.created_at,
});

const columns: Partial<Record<keyof User, keyof UserRow>> = {
  email: 'email',
  emailVerifiedAt: 'email_verified_at',
  pendingEmail: 'pending_email',
  firstName: 'first_name',
  lastName: 'last_name',
  phone: 'phone',
  timeZone: 'time_zone',
  theme: 'theme',
  baseStatus: 'base_status',
  deactivatedReason: 'deactivated_reason',
  failures: 'failures',
  lockedUntil: 'locked_until',
  mustSetPassword: 'must_set_password',
  mustEnrol2fa: 'must_enrol_2fa',
};

/** What may change after creation: never id, company, username or source (A3.4). */
export type UserChanges = Partial<
  Pick<
    User,
    | 'email'
    | 'emailVerifiedAt'
    | 'pendingEmail'
    | 'firstName'
    | 'lastName'
    | 'phone'
    | 'timeZone'
    | 'theme'
    | 'baseStatus'
    | 'deactivatedReason'
    | 'failures'
    | 'lockedUntil'
    | 'mustSetPassword'
    | 'mustEnrol2fa'
  >
>;

/** What goes with a person: who they were at an upstream as well, so that whoever comes from there is somebody new (C15). */
const buriedWith = [
  'group_members',
  'user_preferences',
  'user_pictures',
  'idp_identities',
  'membership_sources',
  'role_sources',
  'break_glass_people',
];

export function userRepository(db: Database, companyId: CompanyId) {
  const living = () => db<UserRow>('users').where({ company_id: companyId }).whereNot({ base_status: 'Deleted' });

  return {
    async findById(id: UserId): Promise<User | null> {
      const row = await living().where({ id }).first();
      return row ? toUser(row) : null;
    },

    async findByUsername(username: string): Promise<User | null> {
      const row = await living()
        .where({ username_key: usernameKey(username) })
        .first();
      return row ? toUser(row) : null;
    },

    /**
     * For a decision that must not change under our feet: holds the row until the transaction ends. Sessions, links and mails of the
     * person go on being stored meanwhile: waiting for this one, a sign-in would be waited for by it in turn.
     */
    async lockById(id: UserId): Promise<User | null> {
      const row = await living().where({ id }).forNoKeyUpdate().first();
      return row ? toUser(row) : null;
    },

    /** As above for many, in one order, so that two of these do not wait for each other. */
    async lockAll(ids: UserId[]): Promise<User[]> {
      return (await living().whereIn('id', ids).orderBy('id').forNoKeyUpdate()).map(toUser);
    },

    /** As above for many, in one order, so that two of these do not wait for each other. */
    async holdAll(ids: UserId[]): Promise<void> {
      await living().whereIn('id', ids).orderBy('id').forNoKeyUpdate().select('id');
    },

    /** @returns ids of those who are in now; the username of the others is taken, by one of these or by somebody who was faster. */
    async insert(users: User[], createdBy: UserId | null): Promise<Set<UserId>> {
      const values = users.map((user) => ({
        id: user.id,
        company_id: companyId,
        username: user.username,
        username_key: usernameKey(user.username),
        email: user.email,
        email_key: emailKey(user.email),
        email_verified_at: user.emailVerifiedAt,
        first_name: user.firstName,
        last_name: user.lastName,
        phone: user.phone,
        time_zone: user.timeZone,
        role: user.role,
        base_status: user.baseStatus,
        must_set_password: user.mustSetPassword,
        must_enrol_2fa: user.mustEnrol2fa,
        source: user.source,
        created_by: createdBy,
        created_at: user.createdAt,
      }));
      try {
        const rows: { id: UserId }[] = await db('users')
          .insert(values)
          .onConflict(db.raw(`(company_id, username_key) where base_status <> 'Deleted'`))
          .ignore()
          .returning('id');
        return new Set(rows.map(({ id }) => id));
      } catch (error) {
        if (violatedConstraint(error) === 'users_root_unique')
          throw conflict('This company has its Root Admin already.');
        throw error;
      }
    },

    async update(id: UserId, changes: UserChanges): Promise<void> {
      const values: Partial<Record<keyof UserRow, unknown>> = {};
      for (const [field, value] of Object.entries(changes)) {
        // Object.entries widens the key; `changes` holds only keys of User.
        const column = columns[field as keyof User];
        if (column) values[column] = value;
      }
      if (changes.email !== undefined) values.email_key = emailKey(changes.email);
      await db('users').where({ company_id: companyId, id }).update(values);
    },

    async deactivateAll(ids: UserId[], reason: NonNullable<User['deactivatedReason']>): Promise<void> {
      await db('users')
        .where({ company_id: companyId })
        .whereIn('id', ids)
        .update({ base_status: 'Deactivated', deactivated_reason: reason });
    },

    /** Never to or from Root Admin, whatever the caller thinks (A1.4, A1.6). */
    async setRole(id: UserId, role: Exclude<User['role'], 'Root Admin'>): Promise<void> {
      await db('users').where({ company_id: companyId, id }).whereNot({ role: 'Root Admin' }).update({ role });
    },

    /** Leaves the tombstone (C15): id, names and e-mail for the audit log; neither groups nor what was private to the person. */
    async bury(id: UserId, at: Date): Promise<void> {
      const own = { company_id: companyId, user_id: id };
      for (const table of buriedWith) await db(table).where(own).delete();
      await db('users').where({ company_id: companyId, id }).update({
        base_status: 'Deleted',
        deleted_at: at,
        pending_email: null,
        phone: null,
        failures: 0,
        locked_until: null,
      });
    },

    async clearLock(id: UserId): Promise<void> {
      await db('users').where({ company_id: companyId, id }).update({ failures: 0, locked_until: null });
      await db('known_browsers')
        .where({ company_id: companyId, user_id: id })
        .update({ failures: 0, locked_until: null });
    },

    /** AUT-07: a browser that they know is locked for itself. */
    async hasLockedBrowser(id: UserId, now: Date): Promise<boolean> {
      const locked: unknown = await db('known_browsers')
        .where({ company_id: companyId, user_id: id })
        .where('locked_until', '>', now)
        .first('user_id');
      return locked !== undefined;
    },

    async findPicture(id: UserId): Promise<{ type: string; bytes: Buffer; updatedAt: Date } | null> {
      const row = await db<{ company_id: string; user_id: string; type: string; bytes: Buffer; updated_at: Date }>(
        'user_pictures',
      )
        .where({ company_id: companyId, user_id: id })
        .first();
      return row ? { type: row.type, bytes: row.bytes, updatedAt: row.updated_at } : null;
    },

    async setPicture(id: UserId, picture: { type: string; bytes: Buffer; updatedAt: Date } | null): Promise<void> {
      if (picture === null) {
        await db('user_pictures').where({ company_id: companyId, user_id: id }).delete();
        return;
      }
      const { type, bytes, updatedAt } = picture;
      await db('user_pictures')
        .insert({ company_id: companyId, user_id: id, type, bytes, updated_at: updatedAt })
        .onConflict('user_id')
        .merge(['type', 'bytes', 'updated_at']);
    },
  };
}

/** Names of the companies that know an address: what "Forgot company name" mails (B.1). Crosses companies on purpose. */
export async function companiesWithEmail(db: Database, email: string): Promise<string[]> {
  const rows: { name: string }[] = await db('users')
    .join('companies', 'companies.id', 'users.company_id')
    .where({ email_key: emailKey(email) })
    .whereIn('base_status', ['Active', 'Invited'])
    .distinct('companies.name as name')
    .orderBy('name')
    .limit(50);
  return rows.map(({ name }) => name);
}
