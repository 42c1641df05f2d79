// The cases of the contract test against the built-in fake: a module that keeps the protocol passes all of them, and whatever breaks it
// in one way fails in the case that is about it.
import { describe, expect, it } from 'vitest';
import type { CaseName, CaseResult } from '../../../src/domain/integrations/contract.ts';
import { catalogue, findProduct } from '../../../src/domain/modules/catalogue.ts';
import { type Profile, plainProfile } from '../../../src/domain/modules/profile.ts';
import { createBench, fakePlace, runCases } from '../../../src/jobs/contract/bench.ts';
import { type Misbehaviour, misbehaviours } from '../../../src/jobs/contract/fake.ts';
import { createLog } from '../../../src/lib/log.ts';

const workplace = findProduct('workplace')?.profile ?? plainProfile;

async function run(profile: Profile, misbehaves: Misbehaviour[] = []) {
  const place = fakePlace(profile, misbehaves);
  const waits: number[] = [];
  const parts = { clock: () => new Date(), sleep: async (ms: number) => void waits.push(ms) };
  const bench = createBench(place, profile, 'unified-login-test-0123456789', parts);
  const results = (await runCases(bench, createLog('silent'))) ?? [];
  return { results, fake: place.fake, token: place.service.token, waits };
}

const failing = (results: CaseResult[]) =>
  results.filter(({ outcome }) => outcome === 'failed').map(({ name }) => name as CaseName);

describe('a module that keeps the protocol', () => {
  it('passes every case, and nothing is left behind', async () => {
    const { results, fake } = await run(workplace);
    expect(results.filter(({ outcome }) => outcome !== 'passed')).toEqual([]);
    expect(results).toHaveLength(14);
    expect(fake.accounts).toEqual([]);
  });

  it.each(catalogue.map(({ name, profile }) => [name, profile] as const))(
    '%s: no case fails',
    async (_name, profile) => {
      const { results, fake } = await run(profile);
      expect(failing(results)).toEqual([]);
      expect(fake.accounts.filter(({ active }) => active)).toEqual([]);
    },
  );

  it('C36 one that only disables keeps the accounts, disabled', async () => {
    const { results, fake } = await run({ ...workplace, deletion: 'disable' });
    expect(failing(results)).toEqual([]);
    expect(fake.accounts.length).toBeGreaterThan(0);
    expect(fake.accounts.every(({ active }) => !active)).toBe(true);
  });

  it('waits as long as Retry-After wants, and tries again until there is exactly one account', async () => {
    const { results, waits } = await run(workplace);
    expect(waits[0]).toBeGreaterThanOrEqual(2000);
    const outage = results.find(({ name }) => name === 'outage')?.exchanges ?? [];
    const posts = outage.filter(({ method }) => method === 'POST');
    expect(posts.map(({ status, isInjected }) => [status, isInjected])).toEqual([
      [503, true],
      [500, true],
      [409, false],
    ]);
  });

  it('API-15 what is shown holds no credential', async () => {
    const { results, token } = await run(workplace);
    expect(JSON.stringify(results)).not.toContain(token);
    expect(results.every(({ exchanges }) => exchanges.length > 0)).toBe(true);
  });
});

describe('a module that breaks it fails the case that is about it', () => {
  const about: Record<Misbehaviour, CaseName[]> = {
    'takes-duplicates': ['duplicate', 'outage'],
    'unnamed-conflict': ['duplicate'],
    'ascii-only': ['non-ascii'],
    'ignores-active': ['suspend'],
    'never-reactivates': ['reactivate'],
    'ignores-roles': ['permission'],
    'ignores-timezone': ['time-zone'],
    'ignores-rename': ['rename'],
    'ignores-update': ['update', 'rename', 'non-ascii', 'concurrent'],
    'keeps-deleted': ['delete'],
    'forgets-external-id': ['read-back', 'too-many', 'outage'],
    'changes-ids': ['read-back'],
    'breaks-on-repeat': ['outage'],
    'sends-html': ['create'],
    'always-412': ['concurrent'],
  };

  it.each(misbehaviours)('%s', async (name) => {
    const { results } = await run(workplace, [name]);
    const found = failing(results);
    for (const one of about[name]) expect(found).toContain(one);
    // Nobody has to look through the wire to know what to do.
    for (const { outcome, sentence, advice } of results)
      if (outcome === 'failed') expect(sentence !== '' && advice !== '').toBe(true);
    if (about[name].length === 1 && name !== 'sends-html' && name !== 'changes-ids') expect(found).toEqual(about[name]);
  });

  it('one that cannot be reached fails once, and the rest is left out', async () => {
    const { results } = await run(workplace, ['sends-html']);
    expect(failing(results)).toContain('create');
    expect(results.slice(1, -1).every(({ outcome }) => outcome === 'skipped')).toBe(true);
  });
});
