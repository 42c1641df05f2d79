import { z } from 'zod';
import { requestForgottenCompany, requestForgottenPassword } from '../domain/users/password-commands.ts';
import type { JobDefinition } from './queue.ts';

const payload = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('password'), username: z.string(), company: z.string(), ip: z.string() }),
  z.object({ kind: z.literal('company'), email: z.string(), ip: z.string() }),
]);

/** "Can't log in?" is answered at once and looked up here, so that neither words nor time tell who exists (AUT-05). */
export const forgottenJob: JobDefinition<z.infer<typeof payload>> = {
  name: 'forgotten',
  payload,
  retryLimit: 3,
  retryDelay: 5,
  concurrency: 2,
  async handle(work, request) {
    const asked = { ...work, origin: { ...work.origin, ip: request.ip } };
    if (request.kind === 'password') await requestForgottenPassword(asked, request);
    else await requestForgottenCompany(asked, request.email);
  },
};
