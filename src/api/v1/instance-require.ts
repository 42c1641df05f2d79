import { z } from 'zod';
import type { Preflight } from '../../domain/integrations/requirement.ts';
import { preflight } from '../../domain/integrations/requirement-commands.ts';
import { acting, endpoint } from '../endpoint.ts';

const preflightWire = z.object({
  ready: z.boolean(),
  checks: z.array(
    z.object({
      name: z.enum(['signed_in', 'ways_in', 'accounts']),
      passed: z.boolean(),
      /** Only time is missing: ask again. */
      under_way: z.boolean(),
      sentence: z.string(),
    }),
  ),
  ways_in: z.array(z.object({ account_id: z.string(), user_name: z.string(), kind: z.enum(['person', 'emergency']) })),
  loses_local: z.object({
    count: z.number().int(),
    of: z.number().int(),
    reasons: z.array(z.object({ reason: z.string(), count: z.number().int(), sentence: z.string() })),
    sample: z.array(z.object({ account_id: z.string(), user_name: z.string(), reason: z.string() })),
  }),
  trial_minutes: z.number().int(),
});

export function toPreflightWire({ ready, checks, waysIn, losesLocal, trialMinutes }: Preflight) {
  return {
    ready,
    checks: checks.map(({ name, passed, isUnderWay, sentence }) => ({ name, passed, under_way: isUnderWay, sentence })),
    ways_in: waysIn.map(({ accountId, userName, kind }) => ({ account_id: accountId, user_name: userName, kind })),
    loses_local: {
      ...losesLocal,
      sample: losesLocal.sample.map(({ accountId, userName, reason }) => ({
        account_id: accountId,
        user_name: userName,
        reason,
      })),
    },
    trial_minutes: trialMinutes,
  };
}

export const requireEndpoints = [
  endpoint({
    method: 'POST',
    path: '/instance/require/preflight',
    summary: 'What requiring the login would mean, without doing it',
    auth: 'instance',
    body: z.object({ acting }),
    response: { 200: preflightWire },
    async handle({ work, caller: { companyId, instanceId } }) {
      return { status: 200, body: toPreflightWire(await preflight(work, companyId, instanceId)) };
    },
  }),
];
