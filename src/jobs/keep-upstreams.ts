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

/** What is due outside; each thing once a day, on whichever node comes first. */
export async function keepUpstreamsOnce(work: Work, { txtRecords, ...metadata }: UpkeepMeans): Promise<void> {
  await checkDomainsAgain(work, txtRecords);
  await readMetadataAgain(work, metadata);
}

/** Turns between two looks at all certificates: their ends are a matter of days. */
const turnsBetweenLooks = 30;

/** Every minute, one turn at a time; most find nothing to do. */
export function keepUpstreams(work: () => Work, means: UpkeepMeans): Upkeep {
  let turn: Promise<void> | null = null;
  let count = 0;
  const keep = async () => {
    await keepUpstreamsOnce(work(), means);
    if (count % turnsBetweenLooks === 0) await warnOfCertificates(work());
    count += 1;
  };
  const timer = setInterval(() => {
    turn ??= keep()
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
