// Counting everybody of a large company takes a tenth of a second, so the answer is kept for a while: the longer it took, the longer,
// and a minute at most. Whoever comes later sees it with its age, and it is counted anew behind their back.
// A small company always sees the truth of this second.
import { countPeopleByState, type PeopleCounts } from '../../../domain/reports/dashboard-queries.ts';
import type { CompanyId } from '../../../lib/ids.ts';
import { minutes } from '../../../lib/time.ts';
import type { Work } from '../../../work.ts';

interface Kept {
  counts: PeopleCounts;
  at: Date;
  /** By the clock that only runs forward. */
  goodUntil: number;
  /** Until then an old answer is better than a wait. */
  usableUntil: number;
}

export interface PeopleCounter {
  count(work: Work, companyId: CompanyId): Promise<{ counts: PeopleCounts; at: Date }>;
}

const mostCompanies = 500;

export function createPeopleCounter(ask = countPeopleByState, clock = () => performance.now()): PeopleCounter {
  const kept = new Map<CompanyId, Kept>();
  const asking = new Map<CompanyId, Promise<Kept>>();

  async function countAnew(work: Work, companyId: CompanyId): Promise<Kept> {
    const startedAt = clock();
    const counts = await ask(work, companyId);
    const took = clock() - startedAt;
    const fresh = {
      counts,
      at: work.now,
      goodUntil: clock() + Math.min(minutes(1), (took - 10) * 500),
      usableUntil: clock() + (took < 40 ? 0 : minutes(10)),
    };
    kept.delete(companyId);
    if (kept.size >= mostCompanies) kept.delete(kept.keys().next().value as CompanyId);
    kept.set(companyId, fresh);
    return fresh;
  }

  return {
    async count(work, companyId) {
      const known = kept.get(companyId);
      if (known && known.goodUntil > clock()) return known;
      // A crowd of administrators counts once.
      const running = asking.get(companyId) ?? countAnew(work, companyId).finally(() => asking.delete(companyId));
      asking.set(companyId, running);
      if (!known || known.usableUntil <= clock()) return running;
      running.catch((err) => work.log.warn({ err }, 'people could not be counted'));
      return known;
    },
  };
}
