import { z } from 'zod';
import { finishGroupRemoval, groupRemovalQueue } from '../domain/groups/change-commands.ts';
import type { CompanyId, GroupId } from '../lib/ids.ts';
import type { JobDefinition } from './queue.ts';

const payload = z.object({ companyId: z.uuid(), groupId: z.uuid() });

/** Empties a deleted group of very many members (C20: each of them keeps a group). */
export const groupRemovalJob: JobDefinition<z.infer<typeof payload>> = {
  name: groupRemovalQueue,
  payload,
  retryLimit: 12,
  retryDelay: 5,
  concurrency: 1,
  // Written by our own command from ids of these kinds.
  handle: (work, { companyId, groupId }) => finishGroupRemoval(work, companyId as CompanyId, groupId as GroupId),
};
