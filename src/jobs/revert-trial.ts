import { z } from 'zod';
import { revertTrial, revertTrials } from '../domain/integrations/requirement-commands.ts';
import type { CompanyId, InstanceId } from '../lib/ids.ts';
import type { JobDefinition } from './queue.ts';

const payload = z.object({ companyId: z.uuid(), instanceId: z.uuid() });

/** Takes a required login back whose trial nobody has confirmed (C30); the housekeeping finds what this one missed. */
export const revertTrialJob: JobDefinition<z.infer<typeof payload>> = {
  name: revertTrials,
  payload,
  retryLimit: 8,
  retryDelay: 5,
  concurrency: 4,
  // Written by our own command from ids of these kinds.
  handle: (work, { companyId, instanceId }) => revertTrial(work, companyId as CompanyId, instanceId as InstanceId),
};
