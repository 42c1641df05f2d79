import { z } from 'zod';
import { shortenSessions } from '../domain/companies/commands.ts';
import { shortenSome } from '../domain/sessions/repository.ts';
import type { CompanyId } from '../lib/ids.ts';
import { endExpiredSessions } from './housekeeping.ts';
import type { JobDefinition } from './queue.ts';

const payload = z.object({ companyId: z.string() });
const limit = 1000;

/** After shorter session times: nobody waits for this, since each request asks the policy itself. */
export const shortenSessionsJob: JobDefinition<z.infer<typeof payload>> = {
  name: shortenSessions,
  payload,
  retryLimit: 5,
  retryDelay: 10,
  concurrency: 1,
  async handle(work, { companyId }) {
    const { store } = work;
    // Enqueued by changePolicy, which had it as an id.
    const id = companyId as CompanyId;
    let from: Date | null = new Date(0);
    while (from) {
      const company = await store.companies.findById(id);
      from = company && (await shortenSome(store.db, id, company.policy.session, { from, limit }));
    }
    await endExpiredSessions(work);
  },
};
