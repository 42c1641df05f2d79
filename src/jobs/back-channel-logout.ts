import { z } from 'zod';
import { cut } from '../lib/cut.ts';
import { after } from '../lib/time.ts';
import type { JobDefinition } from './queue.ts';

const payload = z.object({
  clientId: z.string(),
  accountId: z.string(),
  sid: z.string(),
  receipt: z.string().optional(),
});

export interface LogoutSender {
  /** Sends a fresh logout token to a module (OpenID Connect Back-Channel Logout 1.0). False: nowhere to send it. */
  send(notice: z.infer<typeof payload>): Promise<boolean>;
}

/** A module that is down hears of it when it is back: about a day of tries, then a dead letter. */
export function backChannelLogoutJob(sender: LogoutSender): JobDefinition<z.infer<typeof payload>> {
  return {
    name: 'back-channel-logout',
    payload,
    retryLimit: 24,
    retryDelay: 5,
    concurrency: 16,
    async handle(work, notice) {
      const begun = Date.now();
      const note = async (problem: string | null) => {
        if (notice.receipt !== undefined)
          await work.store.logouts.note(notice.receipt, problem, after(work.now, Date.now() - begun));
      };
      try {
        await sender.send(notice);
        await note(null);
      } catch (error) {
        const reason = error instanceof Error ? error.message : 'unknown';
        work.log.info({ clientId: notice.clientId, reason }, 'logout not delivered, will try again');
        await note(cut(reason, 200));
        throw error;
      }
    },
  };
}
