import type { Database } from '../../db/knex.ts';
import type { CompanyId, UserId } from '../../lib/ids.ts';
import type { UpstreamClaims } from './claims.ts';
import type { ConnectionId } from './connection.ts';
import type { Mapping } from './mapping.ts';
import type { MembershipSource, RoleSource } from './person-mapping.ts';

/** Who somebody is at an upstream: what binds after the first login (C27). */
export interface IdentityKey {
  connectionId: ConnectionId;
  issuer: string;
  subject: string;
}

export type StopReason = Extract<Mapping, { outcome: 'stop' }>['because'];

const lockClass = 7_304_815;

export function identityRepository(db: Database, companyId: CompanyId) {
  const one = ({ connectionId, issuer, subject }: IdentityKey) =>
    db('idp_identities').where({ company_id: companyId, connection_id: connectionId, issuer, subject });

  return {
    async findPerson(key: IdentityKey): Promise<UserId | null> {
      const row: { user_id: UserId } | undefined = await one(key).first('user_id');
      return row?.user_id ?? null;
    },

    /** First logins of one subject, or with one address, stand in line until the transaction ends: two of them make one person. */
    async holdArrival(key: IdentityKey, emailKey: string | null): Promise<void> {
      const names = [
        `${key.connectionId} ${key.issuer} ${key.subject}`,
        ...(emailKey === null ? [] : [`@ ${emailKey}`]),
      ];
      // Subjects before addresses, everywhere.
      for (const name of names) await db.raw('select pg_advisory_xact_lock(?::int, hashtext(?))', [lockClass, name]);
    },

    async bind(key: IdentityKey, userId: UserId, now: Date): Promise<void> {
      await db('idp_identities').insert({
        company_id: companyId,
        connection_id: key.connectionId,
        issuer: key.issuer,
        subject: key.subject,
        user_id: userId,
        first_seen_at: now,
        last_seen_at: now,
        groups_state: 'missing',
      });
    },

    async isBound(connectionId: ConnectionId, userId: UserId): Promise<boolean> {
      const row = await db('idp_identities')
        .where({ company_id: companyId, connection_id: connectionId, user_id: userId })
        .first(db.raw('1'));
      return row !== undefined;
    },

    /** @returns false when there is none */
    async release(connectionId: ConnectionId, userId: UserId): Promise<boolean> {
      const count = await db('idp_identities')
        .where({ company_id: companyId, connection_id: connectionId, user_id: userId })
        .delete();
      return count > 0;
    },

    /** Bindings to any other issuer than this. @returns how many */
    async releaseOthers(connectionId: ConnectionId, issuer: string): Promise<number> {
      return db('idp_identities')
        .where({ company_id: companyId, connection_id: connectionId })
        .whereNot({ issuer })
        .delete();
    },

    /**
     * What was said at this sign-in. Groups that were not said, or were emptied without anybody having confirmed it, leave the last
     * ones where they are: else the second such sign-in would take them for no groups.
     */
    async see(
      key: IdentityKey,
      { groups, other }: Pick<UpstreamClaims, 'groups' | 'other'>,
      stop: StopReason | null,
      now: Date,
    ): Promise<void> {
      const counts = groups.state === 'list' && stop === null;
      await one(key).update({
        last_seen_at: now,
        claims: JSON.stringify(other),
        groups_state: groups.state,
        stopped_because: stop,
        stopped_at: stop === null ? null : now,
        // In an order of their own, so that the same ones said otherwise are the same.
        ...(counts ? { groups: [...groups.values].sort(), groups_seen_at: now } : {}),
      });
    },

    /** The person was let in through the connection. */
    async noteSignIn(connectionId: ConnectionId, userId: UserId, now: Date): Promise<void> {
      await db('idp_identities')
        .where({ company_id: companyId, connection_id: connectionId, user_id: userId })
        .update({ signed_in_at: now });
    },

    /** An administrator says that the empty list is right. @returns false when nothing was stopped for that reason. */
    async acceptEmptied(connectionId: ConnectionId, userId: UserId): Promise<boolean> {
      const count = await db('idp_identities')
        .where({
          company_id: companyId,
          connection_id: connectionId,
          user_id: userId,
          stopped_because: 'groups-emptied',
        })
        .update({
          groups: [],
          groups_seen_at: db.raw('stopped_at'),
          stopped_because: null,
          stopped_at: null,
        });
      return count > 0;
    },

    /** Exactly these sources of one connection for each of some people. */
    async setSources(
      connectionId: ConnectionId,
      people: { userId: UserId; sources: MembershipSource[] }[],
      now: Date,
    ): Promise<void> {
      const rows = people.flatMap(({ userId, sources }) => sources.map((source) => ({ userId, ...source })));
      await db.raw(
        `delete from membership_sources s where s.company_id = :companyId and s.connection_id = :connectionId
           and s.user_id = any(:userIds)
           and not exists (select from jsonb_to_recordset(:rows::jsonb) as r ("userId" uuid, "groupId" uuid)
             where r."userId" = s.user_id and r."groupId" = s.group_id)`,
        { companyId, connectionId, userIds: people.map(({ userId }) => userId), rows: JSON.stringify(rows) },
      );
      if (rows.length === 0) return;
      await db.raw(
        `insert into membership_sources (company_id, user_id, group_id, connection_id, rule_ids, since, was_by_hand)
         select :companyId, r."userId", r."groupId", :connectionId,
           array(select jsonb_array_elements_text(r."ruleIds"))::uuid[], :now, r."wasByHand"
         from jsonb_to_recordset(:rows::jsonb) as r ("userId" uuid, "groupId" uuid, "ruleIds" jsonb, "wasByHand" boolean)
         on conflict (user_id, group_id, connection_id)
           do update set rule_ids = excluded.rule_ids, was_by_hand = excluded.was_by_hand`,
        { companyId, connectionId, now, rows: JSON.stringify(rows) },
      );
    },

    /** Whose rule gave each one's role; null: a hand. */
    async setRoleSources(people: { userId: UserId; source: RoleSource | null }[], now: Date): Promise<void> {
      const gone = people.filter(({ source }) => source === null).map(({ userId }) => userId);
      await db('role_sources').where({ company_id: companyId }).whereIn('user_id', gone).delete();
      const rows = people.flatMap(({ userId, source }) => (source === null ? [] : [{ userId, ...source }]));
      if (rows.length === 0) return;
      await db.raw(
        `insert into role_sources (company_id, user_id, connection_id, rule_id, role, role_before, since)
         select :companyId, r."userId", r."connectionId", r."ruleId", r.role, r.before, :now
         from jsonb_to_recordset(:rows::jsonb) as r ("userId" uuid, "connectionId" uuid, "ruleId" uuid, role text, before text)
         on conflict (user_id) do update set connection_id = excluded.connection_id, rule_id = excluded.rule_id,
           role = excluded.role, role_before = excluded.role_before`,
        { companyId, now, rows: JSON.stringify(rows) },
      );
    },

    /** Of two administrators who would lose it at once, the second one counts without the first. */
    async holdAdministrators(): Promise<void> {
      await db.raw('select pg_advisory_xact_lock(?::int, hashtext(?))', [lockClass, `administrators ${companyId}`]);
    },

    /** Once in a day and connection. @returns whether it is due now. */
    async takeStopNotice(connectionId: ConnectionId, now: Date, dayAgo: Date): Promise<boolean> {
      const count = await db('idp_connections')
        .where({ company_id: companyId, id: connectionId })
        .where((old) => old.whereNull('stop_told_at').orWhere('stop_told_at', '<=', dayAgo))
        .update({ stop_told_at: now });
      return count > 0;
    },
  };
}
