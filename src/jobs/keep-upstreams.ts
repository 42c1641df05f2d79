// What is looked at again outside once a day: proofs of e-mail domains, and the metadata of identity providers. Apart from the
// housekeeping, since sessions must end in time however slow somebody else's server is.
import { checkDomainsAgain } from '../domain/federation/email-domain-commands.ts';
import { type MetadataMeans, readMetadataAgain, warnOfCertificates } from '../domain/federation/metadata-commands.ts';
import { minutes } from '../lib/time.ts';
import type { TxtResolver } from '../lib/txt-records.ts';
import type { Work } from '../work.ts';

export interface UpkeepMeans extends MetadataMeans {
  txtRecords: TxtResolver;
}

export interface Upkeep {
  /** Waits for the turn that is under way. */
  stop(): Promise<void>;
}

export async function keepUpstreamsOnce(work: Work, { txtRecords, ...metadata }: UpkeepMeans): Promise<void> {
  await checkDomainsAgain(work, txtRecords);
  await readMetadataAgain(work, metadata);
  await warnOfCertificates(work);
}

/** Every minute, one turn at a time; most find nothing to do. */
export function keepUpstreams(work: () => Work, means: UpkeepMeans): Upkeep {
  let turn: Promise<void> | null = null;
  const timer = setInterval(() => {
    turn ??= keepUpstreamsOnce(work(), means)
      .catch((err) => work().log.warn({ err }, 'upstreams could not be looked at again'))
      .finally(() => {
        turn = null;
      });
  }, minutes(1));
  timer.unref();
  return {
    async stop() {
      clearInterval(timer);
      await turn;
    },
  };
}
