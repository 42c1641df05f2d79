import { z } from 'zod';
import { endCredential, rotateCredential } from '../../domain/integrations/credential-commands.ts';
import { acting, endpoint, idParam } from '../endpoint.ts';

export const credentialEndpoints = [
  endpoint({
    method: 'POST',
    path: '/instance/credentials',
    summary: 'A new credential; the others end after 24 hours',
    auth: 'instance',
    body: z.object({ acting: acting.optional() }),
    response: { 201: z.object({ id: z.uuid(), secret: z.string(), others_end_at: z.iso.datetime() }) },
    async handle({ work, caller }) {
      const made = await rotateCredential(work, caller.companyId, caller.instanceId);
      return { status: 201, body: { ...made, others_end_at: made.othersEndAt.toISOString() } };
    },
  }),
  endpoint({
    method: 'DELETE',
    path: '/instance/credentials/:id',
    summary: 'Ends a credential at once; never the last one that stays',
    auth: 'instance',
    params: idParam,
    body: z.object({ acting: acting.optional() }),
    response: { 204: null },
    problems: { 409: '`last_credential`: it is the last one that stays' },
    async handle({ work, caller, params }) {
      await endCredential(work, caller.companyId, { instanceId: caller.instanceId, id: params.id });
      return { status: 204 };
    },
  }),
];
