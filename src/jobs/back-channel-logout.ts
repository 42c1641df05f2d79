import { z } from 'zod';
import type { JobDefinition } from './queue.ts';

const payload = z.object({ clientId: z.string(), accountId: z.string(), sid: z.string() });

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
      try {
        await sender.send(notice);
      } catch (error) {
        work.log.info(
          { clientId: notice.clientId, reason: error instanceof Error ? error.message : 'unknown' },
          'logout not delivered, will try again',
        );
        throw error;
      }
    },
  };
}
