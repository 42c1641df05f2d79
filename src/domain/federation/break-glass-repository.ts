import { violatedConstraint } from '../../db/errors.ts';
import type { Database } from '../../db/knex.ts';
import { conflict } from '../../lib/errors.ts';
import type { CompanyId, UserId } from '../../lib/ids.ts';
import type { Role } from '../roles/role.ts';
import type { User } from '../users/user.ts';

/** Somebody who may log in with the password whatever is enforced. */
export interface BreakGlassPerson {
  userId: UserId;
  username: string;
  name: string;
  role: Role;
  baseStatus: User['baseStatus'];
  hasPassword: boolean;
  reason: string;
  endsAt: Date | null;
  remindedDays: number | null;
  createdAt: Date;
  createdBy: string;
}

const select = `
  select b.user_id as "userId", u.username, btrim(u.first_name || ' ' || u.last_name) as name, u.role, u.base_status as "baseStatus",
    exists (select from credentials c where c.company_id = b.company_id and c.user_id = b.user_id) as "hasPassword",
    b.reason, b.ends_at as "endsAt", b.reminded_days as "remindedDays", b.created_at as "createdAt", b.created_by as "createdBy"
  from break_glass_people b join users u on u.company_id = b.company_id and u.id = b.user_id`;

/** More is no emergency list any more. */
export const mostBreakGlass = 50;

export function breakGlassRepository(db: Database, companyId: CompanyId) {
  const mine = (userId: UserId) => db('break_glass_people').where({ company_id: companyId, user_id: userId });
  return {
    async list(): Promise<BreakGlassPerson[]> {
      const { rows }: { rows: BreakGlassPerson[] } = await db.raw(
        `${select} where b.company_id = ? order by name, b.user_id limit 500`,
        [companyId],
      );
      return rows;
    },

    async find(userId: UserId): Promise<BreakGlassPerson | null> {
      const { rows }: { rows: BreakGlassPerson[] } = await db.raw(
        `${select} where b.company_id = ? and b.user_id = ?`,
        [companyId, userId],
      );
      return rows[0] ?? null;
    },

    /** Whoever changes the list, or begins to enforce by it, comes one after the other. Nobody's sign-in waits for it. */
    async holdList(): Promise<void> {
      await db.raw(`select pg_advisory_xact_lock(hashtextextended('break-glass:' || ?, 0))`, [companyId]);
    },

    async insert(person: Pick<BreakGlassPerson, 'userId' | 'reason' | 'endsAt' | 'createdAt' | 'createdBy'>) {
      try {
        await db('break_glass_people').insert({
          company_id: companyId,
          user_id: person.userId,
          reason: person.reason,
          ends_at: person.endsAt,
          created_at: person.createdAt,
          created_by: person.createdBy,
        });
      } catch (error) {
        if (violatedConstraint(error) !== 'break_glass_people_pkey') throw error;
        throw conflict('This person is on the list already.', { userId: 'This person is on the list already.' });
      }
    },

    async update(userId: UserId, change: { reason: string; endsAt: Date | null; remindedDays: number | null }) {
      await mine(userId).update({
        reason: change.reason,
        ends_at: change.endsAt,
        reminded_days: change.remindedDays,
      });
    },

    async remind(userId: UserId, days: number): Promise<void> {
      await mine(userId).update({ reminded_days: days });
    },

    async delete(userId: UserId): Promise<void> {
      await mine(userId).delete();
    },
  };
}

/** Whose end comes before `by`, and of whom nobody was reminded for that day yet: for the clock. */
export async function listEndingBreakGlass(
  db: Database,
  due: { now: Date; firstReminder: Date; limit: number },
): Promise<{ companyId: CompanyId; userId: UserId }[]> {
  return db('break_glass_people')
    .where('ends_at', '>', due.now)
    .where('ends_at', '<=', due.firstReminder)
    .where((open) => open.whereNull('reminded_days').orWhere('reminded_days', '>', 1))
    .orderBy('ends_at')
    .limit(due.limit)
    .select({ companyId: 'company_id', userId: 'user_id' });
}

export async function deleteEndedBreakGlass(db: Database, endedBefore: Date): Promise<void> {
  await db('break_glass_people').where('ends_at', '<', endedBefore).delete();
}
