import type { Database } from '../../db/knex.ts';
import type { Actor, Origin } from '../../work.ts';
import type { AuditEvent } from './audit-event.ts';

export interface AuditRow {
  id: string;
  at: Date;
  company_id: string | null;
  action: string;
  actor: { kind: string; id?: string; name: string };
  target_kind: string | null;
  target_id: string | null;
  details: Record<string, unknown>;
  code: string | null;
  ip: string | null;
  agent: string | null;
}

export function auditRepository(db: Database) {
  return {
    async append(events: AuditEvent[], by: { actor: Actor; origin: Origin; now: Date }): Promise<void> {
      const actor = JSON.stringify(by.actor);
      await db('audit_events').insert(
        events.map((event) => ({
          at: by.now,
          company_id: event.companyId,
          action: event.action,
          actor,
          target_kind: event.target?.kind ?? null,
          target_id: event.target?.id ?? null,
          details: JSON.stringify(event.details ?? {}),
          code: event.code ?? null,
          ip: by.origin.ip,
          agent: by.origin.agent,
          request_id: by.origin.requestId,
        })),
      );
    },

    /** Newest first; for tests and the operator. The console's search comes with the audit log page. */
    async listRecent(limit: number, filter: { action?: string; code?: string } = {}): Promise<AuditRow[]> {
      return db<AuditRow>('audit_events')
        .where((query) => {
          if (filter.action) query.where('action', filter.action);
          if (filter.code) query.where('code', filter.code);
        })
        .orderBy('id', 'desc')
        .limit(limit);
    },
  };
}
