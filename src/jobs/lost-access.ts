import { z } from 'zod';
import { type LostAccess, lostAccessQueue, sweepLostAccess } from '../domain/sessions/lost-access-commands.ts';
import type { JobDefinition } from './queue.ts';

const ids = z.array(z.uuid());
const payload = z.object({ companyId: z.uuid(), moduleIds: ids, userIds: ids.nullable() });

/** Tells modules of the people who lost them, and revokes what they hold (C21). */
export const lostAccessJob: JobDefinition<z.infer<typeof payload>> = {
  name: lostAccessQueue,
  payload,
  retryLimit: 8,
  retryDelay: 5,
  concurrency: 2,
  // Written by our own command from ids of these kinds.
  handle: (work, lost) => sweepLostAccess(work, lost as LostAccess),
};
