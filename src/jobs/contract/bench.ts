// The bench on which the cases are run: a module or the fake, the wire to it, and what is left behind afterwards.
import { setTimeout as wait } from 'node:timers/promises';
import { type CaseResult, contractCases } from '../../domain/integrations/contract.ts';
import type { Profile } from '../../domain/modules/profile.ts';
import type { Log } from '../../lib/log.ts';
import type { Outgoing } from '../../lib/outgoing.ts';
import { randomToken } from '../../lib/secrets.ts';
import type { Clock } from '../../lib/time.ts';
import { ScimError, type ScimService } from '../scim.ts';
import { cases } from './cases.ts';
import { type AccountClient, createClient } from './client.ts';
import { type Bench, failed, skipped, testNames, userNameOf, type Verdict } from './expectation.ts';
import { FakeModule, type Misbehaviour } from './fake.ts';
import { createWire } from './wire.ts';

export interface Place {
  send: Outgoing;
  service: ScimService;
}

export interface BenchParts {
  clock: Clock;
  /** Waiting, for tests that have no time. */
  sleep?: (milliseconds: number) => Promise<void>;
}

export function createBench({ send, service }: Place, profile: Profile, prefix: string, parts: BenchParts): Bench {
  const wire = createWire(send, [service.token]);
  let waited = 0;
  const sleep = async (milliseconds: number) => {
    waited += milliseconds;
    await (parts.sleep ?? wait)(milliseconds);
  };
  return {
    profile,
    wire,
    client: createClient(wire.send, service, { sleep, now: parts.clock }),
    prefix,
    account: null,
    waited() {
      const so = waited;
      waited = 0;
      return so;
    },
  };
}

/** A fake of one's own: nothing leaves this process. */
export function fakePlace(profile: Profile, misbehaves: readonly Misbehaviour[] = []): Place & { fake: FakeModule } {
  const token = randomToken();
  const fake = new FakeModule({ token, keepsAccounts: profile.deletion === 'disable', misbehaves });
  return {
    fake,
    service: { url: 'https://fake.module.example/scim/v2', token },
    send: async (address, { method = 'GET', headers, body = '' }) => fake.handle({ method, address, headers, body }),
  };
}

/**
 * Runs all cases, one after the other, and leaves nothing behind that works.
 * @param keep is told after each case; false: somebody else has ended the run
 */
export async function runCases(
  bench: Bench,
  log: Log,
  keep: (results: CaseResult[]) => Promise<boolean> = async () => true,
): Promise<CaseResult[] | null> {
  const results: CaseResult[] = [];
  for (const { name, title } of contractCases) {
    const isHopeless = name !== 'create' && results[0]?.outcome === 'failed';
    const verdict = isHopeless
      ? skipped('There is no account to try it with: the first case failed.')
      : await verdictOf(bench, name, log);
    results.push({ name, title, ...verdict, exchanges: bench.wire.take() });
    if (!(await keep(results))) return null;
  }
  const left = await sweep(bench);
  const last = results.at(-1);
  if (left.length > 0 && last) {
    last.outcome = 'failed';
    last.sentence = `These accounts are left, and may be active: ${left.join(', ')}.`;
    last.advice = 'Remove them by hand, and look at what was answered to their deletion.';
    last.exchanges = bench.wire.take();
  }
  return results;
}

async function verdictOf(bench: Bench, name: keyof typeof cases, log: Log): Promise<Verdict> {
  try {
    return await cases[name](bench);
  } catch (error) {
    if (error instanceof ScimError) return failed(error.message, 'Look at what was sent and answered.');
    log.error({ err: error, case: name }, 'a case of the contract test broke');
    return failed('Something went wrong on our side. It has been noted.', 'Run it again; if it stays, report it.');
  } finally {
    bench.wire.disturb([]);
  }
}

/** Removes or disables every account of this run. @returns names of those that may still be active */
export async function sweep({ client, prefix }: Bench): Promise<string[]> {
  const left: string[] = [];
  for (const name of testNames) {
    const userName = userNameOf({ prefix }, name);
    try {
      await sweepOne(client, userName);
    } catch (error) {
      if (!(error instanceof ScimError)) throw error;
      left.push(userName);
    }
  }
  return left;
}

async function sweepOne(client: AccountClient, userName: string): Promise<void> {
  for (const { externalId, isActive } of await client.find('userName', userName)) {
    if (!isActive) continue;
    await client.remove(externalId);
    if (!(await client.read(externalId))?.isActive) continue;
    await client.change(externalId, { active: false }, null);
    if ((await client.read(externalId))?.isActive) throw new ScimError('It stays active.');
  }
}
