// Events as a timeline reads them.
import type { AuditRow } from '../../domain/audit/repository.ts';
import { sentenceOf } from '../../domain/audit/sentence.ts';
import { namesFor } from '../../domain/reports/name-queries.ts';
import { deviceName } from '../../domain/sessions/session.ts';
import { toTold } from '../../domain/users/activity-queries.ts';
import type { Moment } from '../views.ts';
import type { Desk } from './console.ts';

export interface Told {
  sentence: string;
  at: Moment;
  /** Address, device and code, as far as there are any. */
  from: string;
}

export async function told(desk: Desk, events: AuditRow[]): Promise<Told[]> {
  const facts = events.map(toTold);
  const nameOf = await namesFor(desk.work, desk.companyId, facts);
  return events.map((event, at) => ({
    sentence: sentenceOf(facts[at] ?? toTold(event), nameOf),
    at: desk.moment(event.at),
    from: [event.ip, event.agent && deviceName(event.agent), event.code && `Code ${event.code}`]
      .filter(Boolean)
      .join(' · '),
  }));
}
