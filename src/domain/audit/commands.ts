import type { Work } from '../../work.ts';
import type { AuditEvent } from './audit-event.ts';

/** Writes an event in the transaction of `work`, so that the change and its event are one commit. */
export async function record(work: Work, event: AuditEvent): Promise<void> {
  await recordAll(work, [event]);
}

/** Many events of one act, as one statement. */
export async function recordAll(work: Work, events: AuditEvent[]): Promise<void> {
  if (events.length > 0) await work.store.audit.append(events, work);
}
