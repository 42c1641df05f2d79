// Takes up hints that people's standing has changed, and what modules are to be told of themselves.
import { z } from 'zod';
import { tellOfEnd, tellOfSessions, tellOfSettings } from '../domain/provisioning/event-commands.ts';
import { reconcile } from '../domain/provisioning/reconcile-commands.ts';
import {
  connectionEndedQueue,
  type EndedConnection,
  hintQueue,
  type QueuedHint,
  sessionsRevokedQueue,
  settingsEventQueue,
} from '../domain/standing/commands.ts';
import type { CompanyId, InstanceId, UserId } from '../lib/ids.ts';
import type { JobDefinition } from './queue.ts';

const ids = z.array(z.uuid());

const hint = z.object({
  companyId: z.uuid(),
  userIds: ids.nullable(),
  instanceIds: ids.nullable(),
  cause: z.string(),
  actId: z.uuid(),
  actorId: z.uuid().nullable(),
});

/** What follows from a change of a person, a group or a module's settings. */
export const reconcileJob: JobDefinition<z.infer<typeof hint>> = {
  name: hintQueue,
  payload: hint,
  retryLimit: 12,
  retryDelay: 2,
  concurrency: 4,
  // Written by standingChanged from ids of these kinds.
  handle: (work, given) => reconcile(work, given as QueuedHint),
};

const settings = z.object({ companyId: z.uuid(), instanceId: z.uuid(), cause: z.string() });

export const settingsEventJob: JobDefinition<z.infer<typeof settings>> = {
  name: settingsEventQueue,
  payload: settings,
  retryLimit: 8,
  retryDelay: 2,
  concurrency: 2,
  // Written by settingsChanged from ids of these kinds.
  handle: (work, { companyId, instanceId, cause }) =>
    tellOfSettings(work, companyId as CompanyId, instanceId as InstanceId, cause),
};

const revoked = z.object({ companyId: z.uuid(), userId: z.uuid(), cause: z.string() });

export const sessionsRevokedJob: JobDefinition<z.infer<typeof revoked>> = {
  name: sessionsRevokedQueue,
  payload: revoked,
  retryLimit: 8,
  retryDelay: 2,
  concurrency: 2,
  // Written by sessionsRevoked from ids of these kinds.
  handle: (work, { companyId, userId, cause }) =>
    tellOfSessions(work, { companyId: companyId as CompanyId, userId: userId as UserId, cause }),
};

const ended = z.object({
  companyId: z.uuid(),
  instanceId: z.uuid(),
  instanceName: z.string(),
  clientId: z.string(),
  eventsUrl: z.string().nullable(),
  cause: z.string(),
});

export const connectionEndedJob: JobDefinition<z.infer<typeof ended>> = {
  name: connectionEndedQueue,
  payload: ended,
  retryLimit: 12,
  retryDelay: 2,
  concurrency: 2,
  // Written by connectionEnded from ids of these kinds.
  handle: (work, given) => tellOfEnd(work, given as EndedConnection),
};
