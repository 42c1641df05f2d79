import { z } from 'zod';
import { nameThereSchema } from '../../domain/integrations/connect-commands.ts';
import { reportEmergency } from '../../domain/integrations/emergency-commands.ts';
import { ownSubject } from '../../domain/integrations/subject-queries.ts';
import { accountIdSchema } from '../../domain/modules/account-id.ts';
import { reportEntry } from '../../domain/provisioning/entry-commands.ts';
import { endpoint } from '../endpoint.ts';

export const entryEndpoints = [
  endpoint({
    method: 'POST',
    path: '/instance/emergencies',
    summary: 'Raises the alarm: a sealed emergency account has logged in with its own password',
    auth: 'instance',
    body: z.object({ account_id: accountIdSchema, at: z.iso.datetime() }),
    response: { 204: null },
    async handle({ work, caller: { companyId, instanceId }, body }) {
      await reportEmergency(work, companyId, instanceId, { accountId: body.account_id, at: new Date(body.at) });
      return { status: 204 };
    },
  }),
  endpoint({
    method: 'POST',
    path: '/instance/entries',
    summary: 'Reports a link, a new account, or that somebody came in during a trial',
    auth: 'instance',
    body: z.object({
      sub: z.string().max(200),
      account: z.object({ id: accountIdSchema, user_name: nameThereSchema, administrator: z.boolean() }),
      created: z.boolean().default(false),
    }),
    response: { 204: null },
    problems: { 409: '`linked_elsewhere`: the account, or the person, belongs to another here' },
    async handle({ work, caller, body }) {
      const { companyId, instanceId } = caller;
      const sub = await ownSubject(work, caller, body.sub);
      const { id, user_name: userName, administrator } = body.account;
      const account = { id, userName, isAdministrator: administrator };
      await reportEntry(work, companyId, instanceId, { sub, account, isCreated: body.created });
      return { status: 204 };
    },
  }),
];
