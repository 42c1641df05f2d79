import type { Work } from '../../work.ts';
import type { AuditEvent } from './audit-event.ts';

/** Writes an event in the transaction of `work`, so that the change and its event are one commit. */
export async function record(work: Work, event: AuditEvent): Promise<void> {
  await work.store.audit.append(event, work);
}
