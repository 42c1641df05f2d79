import { z } from 'zod';
import { addException, removeException } from '../../domain/integrations/exception-commands.ts';
import { accountIdSchema } from '../../domain/modules/account-id.ts';
import { acting, endpoint, idParam } from '../endpoint.ts';
import { exceptionWire, inWireNames, toExceptionWire } from './settings-wire.ts';

export const exceptionEndpoints = [
  endpoint({
    method: 'POST',
    path: '/instance/exceptions',
    summary: 'Exempts an account from the required login',
    auth: 'instance',
    body: z.object({
      account_id: accountIdSchema,
      user_name: z.string().max(200).optional(),
      kind: z.enum(['person', 'emergency']),
      reason: z.string().max(1000),
      /** Null only together with `no_end`. */
      ends_at: z.iso.datetime({ offset: true }).nullable(),
      no_end: z.boolean().default(false),
      acting,
    }),
    response: { 201: exceptionWire },
    async handle({ work, caller: { companyId, instanceId }, body }) {
      const input = {
        accountId: body.account_id,
        ...(body.user_name === undefined ? {} : { userName: body.user_name }),
        kind: body.kind,
        reason: body.reason,
        endsAt: body.ends_at === null ? null : new Date(body.ends_at),
        noEnd: body.no_end,
      };
      const exception = await inWireNames(() => addException(work, companyId, instanceId, input));
      return { status: 201, body: toExceptionWire(exception) };
    },
  }),
  endpoint({
    method: 'DELETE',
    path: '/instance/exceptions/:id',
    summary: 'Ends an exception; never the last way in while the login is required',
    auth: 'instance',
    params: idParam,
    // Not every HTTP client sends a body with DELETE.
    body: z.object({ acting: acting.optional() }),
    response: { 204: null },
    problems: { 409: '`last_way_in`: nobody could get in but through the provider; `way_in` names who it is' },
    async handle({ work, caller: { companyId, instanceId }, params }) {
      await removeException(work, companyId, instanceId, params.id);
      return { status: 204 };
    },
  }),
];
