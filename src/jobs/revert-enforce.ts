import { z } from 'zod';
import { revertEnforceTrial, revertEnforceTrials } from '../domain/federation/enforce-commands.ts';
import type { CompanyId } from '../lib/ids.ts';
import type { JobDefinition } from './queue.ts';

const payload = z.object({ companyId: z.uuid(), connectionId: z.uuid() });

/** Takes an enforced single sign-on back whose trial nobody has confirmed (C26); the housekeeping finds what this one missed. */
export const revertEnforceJob: JobDefinition<z.infer<typeof payload>> = {
  name: revertEnforceTrials,
  payload,
  retryLimit: 8,
  retryDelay: 5,
  concurrency: 4,
  // Written by our own command from ids of these kinds.
  handle: (work, { companyId, connectionId }) => revertEnforceTrial(work, companyId as CompanyId, connectionId),
};
