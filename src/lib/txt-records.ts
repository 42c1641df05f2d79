// TXT records of a name, by the resolver of the machine. "There is none" and "nobody knows" are told apart.
import { Resolver } from 'node:dns/promises';

export type TxtRecords =
  | { outcome: 'found'; records: string[][] }
  /** DNS says that there is none. */
  | { outcome: 'none' }
  /** DNS did not answer: nobody knows. */
  | { outcome: 'unknown'; problem: string };

export type TxtResolver = (host: string) => Promise<TxtRecords>;

export function createTxtResolver(): TxtResolver {
  const resolver = new Resolver({ timeout: 2000, tries: 2 });
  return async (host) => {
    try {
      return { outcome: 'found', records: await resolver.resolveTxt(host) };
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? error.code : undefined;
      if (code === 'ENOTFOUND' || code === 'ENODATA') return { outcome: 'none' };
      return { outcome: 'unknown', problem: code === 'ETIMEOUT' ? 'It took too long.' : 'It gave no answer.' };
    }
  };
}
