// B.3, C6, C37, C38: a policy is in force with its change, at every door and on every node.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { changePolicy } from '../../../src/domain/companies/commands.ts';
import type { Company } from '../../../src/domain/companies/company.ts';
import type { PolicyChange } from '../../../src/domain/companies/policy-change.ts';
import { changeOwnPassword } from '../../../src/domain/users/password-commands.ts';
import { AppError } from '../../../src/lib/errors.ts';
import { days, minutes } from '../../../src/lib/time.ts';
import { startApp, type TestApp } from '../../support/app.ts';
import {
  atCode,
  atPassword,
  eventsOf,
  giveCode,
  isHome,
  isSignedIn,
  mailsTo,
  namesOf,
  reload,
  signedInVisitor,
  stepOf,
  tryCode,
  tryWrong,
  until,
} from '../../support/attempts.ts';
import {
  answerOf,
  authorizeAddress,
  freshCode,
  makeCompany,
  makeModule,
  makePerson,
  redeem,
  signIn,
  type TestPerson,
  token,
} from '../../support/people.ts';
import { wordsOf } from '../../support/visitor.ts';

let app: TestApp;
let second: TestApp;
let count = 0;

beforeAll(async () => {
  app = await startApp({ start: true, environment: { FAILURES_PER_ADDRESS: '10000' } });
  // A server that holds one company only does not ask for it.
  for (const name of ['Northwind IT', 'Southwind IT']) await makeCompany(app, name);
  second = await app.node();
});
afterAll(() => app.stop());

async function place(policy: unknown = {}): Promise<{ company: Company; admin: TestPerson }> {
  count += 1;
  const company = await makeCompany(app, `Ruled ${count} Ltd`, policy);
  return { company, admin: await makePerson(app, company, { role: 'Admin' }) };
}

const as = (person: TestPerson) => app.runtime.work({ kind: 'user', id: person.user.id, name: person.user.username });

const change = ({ company, admin }: { company: Company; admin: TestPerson }, policy: PolicyChange) =>
  changePolicy(as(admin), company.id, policy);

const stored = async (company: Company) => (await app.runtime.store.companies.findById(company.id))?.policy;

async function problems(act: Promise<unknown>): Promise<Record<string, string>> {
  return act.then(
    () => ({}),
    (error: unknown) => {
      if (error instanceof AppError) return error.fields;
      throw error;
    },
  );
}

describe('changing the policy', () => {
  it('D.9 keeps what the change does not name, and is on record with before and after', async () => {
    const here = await place({ password: { minLength: 12 } });
    await change(here, { lock: { threshold: 9 }, session: { idleMinutes: 20 }, reactivate: 'reinvite' });
    expect(await stored(here.company)).toEqual({
      ...here.company.policy,
      lock: { threshold: 9, minutes: 10 },
      session: { idleMinutes: 20, absoluteMinutes: 720 },
      reactivate: 'reinvite',
    });
    const events = await app.runtime.store.audit.listRecent(50, { action: 'policy.change' });
    const [event, ...more] = events.filter(({ company_id }) => company_id === here.company.id);
    expect(more).toEqual([]);
    expect(event?.actor).toMatchObject({ kind: 'user', id: here.admin.user.id });
    expect(event?.details).toEqual({
      before: { 'lock.threshold': 5, 'session.idleMinutes': 30, reactivate: 'immediate' },
      after: { 'lock.threshold': 9, 'session.idleMinutes': 20, reactivate: 'reinvite' },
    });
  });

  it('D.9 what changes nothing leaves no event', async () => {
    const here = await place();
    await change(here, { lock: { threshold: 5 }, password: { history: 5 } });
    const events = await app.runtime.store.audit.listRecent(50, { action: 'policy.change' });
    expect(events.filter(({ company_id }) => company_id === here.company.id)).toEqual([]);
  });

  const refused: [rule: string, change: PolicyChange, field: string][] = [
    ['B.3', { password: { minLength: 7 } }, 'password.minLength'],
    ['B.3', { password: { minLength: 65 } }, 'password.minLength'],
    ['B.3', { password: { minLength: 8.5 } }, 'password.minLength'],
    ['B.3', { password: { minLength: Number.NaN } }, 'password.minLength'],
    ['C38', { password: { history: 25 } }, 'password.history'],
    ['C38', { password: { maxAgeDays: -1 } }, 'password.maxAgeDays'],
    ['C38', { password: { maxAgeDays: 366 } }, 'password.maxAgeDays'],
    ['C6', { lock: { threshold: 4 } }, 'lock.threshold'],
    ['C6', { lock: { threshold: 101 } }, 'lock.threshold'],
    ['C6', { lock: { minutes: 0 } }, 'lock.minutes'],
    ['C6', { lock: { minutes: 1440 } }, 'lock.minutes'],
    ['C37', { session: { idleMinutes: 4 } }, 'session.idleMinutes'],
    ['C37', { session: { absoluteMinutes: 1441 } }, 'session.absoluteMinutes'],
    ['C37 idle is not longer than all', { session: { absoluteMinutes: 29 } }, 'session.idleMinutes'],
    ['C3', { reactivate: 'never' as 'immediate' }, 'reactivate'],
  ];

  it.each(refused)('%s refuses %j', async (_rule, input, field) => {
    const here = await place();
    const fields = await problems(change(here, input));
    expect(Object.keys(fields)).toEqual([field]);
    expect(fields[field]).toMatch(/\.$/);
    expect(await stored(here.company)).toEqual(here.company.policy);
  });

  it('API-03 extra fields are not stored, and the list is not turned on this way', async () => {
    const here = await place();
    const sneaky = { ipList: { enabled: true }, mfa: { required: false }, inviteDays: 1, lock: { threshold: 6, x: 1 } };
    await change(here, sneaky as PolicyChange);
    expect(await stored(here.company)).toEqual({ ...here.company.policy, lock: { threshold: 6, minutes: 10 } });
  });

  it('API-01, API-02 only administrators of this company may', async () => {
    const here = await place();
    const others = [
      await makePerson(app, here.company),
      await makePerson(app, here.company, { role: 'Billing and Purchasing' }),
      await makePerson(app, here.company, { role: 'Co-Managed User' }),
      (await place()).admin,
    ];
    for (const admin of others)
      await expect(change({ ...here, admin }, { lock: { threshold: 50 } })).rejects.toMatchObject({ status: 403 });
    expect(await stored(here.company)).toEqual(here.company.policy);
  });

  it('two who change different things at once both keep theirs', async () => {
    const here = await place();
    await Promise.all([
      change(here, { lock: { threshold: 7 } }),
      change(here, { session: { idleMinutes: 60 } }),
      change(here, { password: { history: 9 } }),
    ]);
    expect(await stored(here.company)).toMatchObject({
      lock: { threshold: 7 },
      session: { idleMinutes: 60 },
      password: { history: 9 },
    });
  });
});

describe('in force at once, on both nodes', () => {
  it('C6 the threshold counts for the next failure, at the other node', async () => {
    const here = await place({ lock: { threshold: 50 } });
    const person = await makePerson(app, here.company);
    await tryWrong(second, namesOf(person), 5, second.visitor());
    expect((await reload(app, person)).lockedUntil).toBeNull();
    await change(here, { lock: { threshold: 6, minutes: 3 } });
    await tryWrong(second, namesOf(person), 1, second.visitor());
    const { lockedUntil } = await reload(app, person);
    expect(Math.round(((lockedUntil?.getTime() ?? 0) - app.clock.now().getTime()) / minutes(1))).toBe(3);
  });

  it('C6, T10 whoever stands above a lowered threshold is locked by the next failure, told once and on record', async () => {
    const here = await place({ lock: { threshold: 50 } });
    const [strange, known] = [await makePerson(app, here.company), await makePerson(app, here.company)];
    const browser = app.visitor();
    await giveCode(app, await atCode(app, known, browser), known);
    await browser.open('/signed-out');
    browser.jar = browser.jar.filter(({ name }) => name === 'ul_browser');
    await tryWrong(app, namesOf(strange), 8);
    await tryWrong(app, namesOf(known), 8, browser);
    await change(here, { lock: { threshold: 5 } });
    await Promise.all(Array.from({ length: 6 }, () => tryWrong(app, namesOf(strange), 1)));
    await tryWrong(app, namesOf(known), 2, browser);
    for (const person of [strange, known]) {
      expect((await reload(app, person)).lockedUntil).not.toBeNull();
      expect(await eventsOf(app, person, 'user.lock')).toHaveLength(1);
      expect(await mailsTo(app, person.user.email, 'locked')).toHaveLength(1);
    }
  });

  it('B.3 length and history hold for the next password, and say so', async () => {
    const here = await place({ password: { history: 0 } });
    const set = (password: string) =>
      changeOwnPassword(as(here.admin), {
        companyId: here.company.id,
        userId: here.admin.user.id,
        password,
        keepSession: 'none',
        keepBrowser: null,
      });
    expect((await set('Amber-Lantern-77')).outcome).toBe('done');
    app.clock.advance(1000);
    await change(here, { password: { minLength: 20, history: 2 } });
    expect(await set('Amber-Lantern-78')).toMatchObject({ problems: ['Use at least 20 characters.'] });
    await change(here, { password: { minLength: 8 } });
    expect(await set('Amber-Lantern-77')).toMatchObject({ outcome: 'refused' });
    expect(await set(`Xy-${here.admin.user.email}-7`)).toMatchObject({ outcome: 'refused' });
  });

  it('C37, WEB-03 a shorter idle time ends who is idle for that long with their next request, anywhere', async () => {
    const here = await place({ session: { idleMinutes: 1440, absoluteMinutes: 1440 } });
    const module = await makeModule(app, [here.company]);
    const person = await makePerson(app, here.company);
    const idle = app.visitor();
    const entered = await signIn(app, idle, person, authorizeAddress(module));
    const { body } = await redeem(app, module, answerOf(entered).get('code') ?? '');
    expect((await idle.open('/')).status).toBe(200);
    app.clock.advance(minutes(20));
    const busy = await signedInVisitor(app, person);
    const active = async () => (await app.visitor().send('/userinfo', bearer(body.access_token))).status;
    expect([await isSignedIn(busy), await active()]).toEqual([true, 200]);
    await change(here, { session: { idleMinutes: 10 } });
    expect(await active()).toBe(401);
    for (const node of [app, second]) {
      expect(await isSignedIn(idle.at(node.port))).toBe(false);
      expect(await isSignedIn(busy.at(node.port))).toBe(true);
      // prompt=none asks nobody: the session of the engine is over, too.
      const silent = await idle.at(node.port).open(authorizeAddress(module, { prompt: 'none' }));
      expect(answerOf(silent).get('error')).toBe('login_required');
    }
  });

  it('C37 a shorter time in all ends who is in for that long, however busy', async () => {
    const here = await place({ session: { idleMinutes: 60, absoluteMinutes: 1440 } });
    const visitor = await signedInVisitor(app, here.admin);
    for (let i = 0; i < 3; i += 1) {
      app.clock.advance(minutes(30));
      expect(await isSignedIn(visitor)).toBe(true);
    }
    await change(here, { session: { idleMinutes: 60, absoluteMinutes: 80 } });
    expect(await isSignedIn(visitor)).toBe(false);
    // What has ended does not come back with a longer time.
    const isEnded = () =>
      app.runtime.db('sessions').where({ user_id: here.admin.user.id }).whereNotNull('ended_at').first();
    await until(isEnded);
    await change(here, { session: { absoluteMinutes: 1440 } });
    expect(await isSignedIn(visitor)).toBe(false);
  });

  it('C37 lists and the sweep learn of the shorter time', async () => {
    const here = await place({ session: { idleMinutes: 1440, absoluteMinutes: 1440 } });
    await signedInVisitor(app, here.admin);
    const { sessions } = app.runtime.store.of(here.company.id);
    app.clock.advance(minutes(20));
    expect(await sessions.listLive(here.admin.user.id, app.clock.now())).toHaveLength(1);
    await change(here, { session: { idleMinutes: 10 } });
    await until(async () => (await sessions.listLive(here.admin.user.id, app.clock.now())).length === 0);
  });
});

const bearer = (value: unknown) => ({ headers: { authorization: `Bearer ${String(value)}` } });

describe('second factors', () => {
  it('B.2 without recovery codes none is made, offered or taken, and the app still lets people in', async () => {
    const here = await place({ session: { idleMinutes: 1440, absoluteMinutes: 1440 } });
    const person = await makePerson(app, here.company);
    const { credentials } = app.runtime.store.of(here.company.id);
    const { recoveryCodeHash } = await import('../../../src/domain/credentials/totp.ts');
    await credentials.replaceRecoveryCodes(person.user.id, [recoveryCodeHash('AAAA-AAAA-AAAA-AAAA')]);
    const before = await atCode(app, person);
    expect(wordsOf(before.page)).toContain('Use a recovery code instead');
    const recovery = await before.visitor.submit(before.page, { method: 'recovery' });
    await change(here, { mfa: { recoveryCodes: false } });
    const refused = await tryCode({ visitor: before.visitor, page: recovery }, 'AAAA-AAAA-AAAA-AAAA');
    expect(refused.status).toBe(422);
    expect(await credentials.countRecoveryCodes(person.user.id)).toBe(1);
    const place_ = await atCode(app, person);
    expect(wordsOf(place_.page)).not.toContain('recovery code');
    const visitor = place_.visitor;
    expect(isHome(await giveCode(app, place_, person))).toBe(true);
    expect(wordsOf(await visitor.open('/settings/security'))).not.toContain('Recovery codes');

    const enrolling = await makePerson(app, here.company, { totpSecret: null });
    const start = await atCode(app, enrolling);
    expect(stepOf(start.page)).toBe('enrol');
    const secret = /data-copy="([A-Z2-7]{32,})"/.exec(start.page.body)?.[1] ?? '';
    const code = await freshCode(app, { ...enrolling, totpSecret: secret });
    expect(isHome(await start.visitor.submit(start.page, { code }, '/enrol'))).toBe(true);
    expect(await credentials.countRecoveryCodes(enrolling.user.id)).toBe(0);
  });
});

// Last, since sessions do not outlive the days that pass here.
describe('a password past its last day (C38, D.5 step 3)', () => {
  it('D.5 leads to a new one, without a lock, and on into the module that waits', async () => {
    const here = await place();
    const module = await makeModule(app, [here.company]);
    const person = await makePerson(app, here.company);
    app.clock.advance(days(40));
    await change(here, { password: { maxAgeDays: 30 } });
    const visitor = second.visitor();
    const start = await visitor.open(authorizeAddress(module));
    const { page } = await atPassword(second, namesOf(person), visitor, authorizeAddress(module));
    expect(start.status).toBe(200);
    const forced = await visitor.submit(page, { password: person.password });
    expect([stepOf(forced), wordsOf(forced).includes('yours has run out')]).toEqual(['set-password', true]);
    const weak = await visitor.submit(forced, { password: 'short' }, '/set-password');
    expect(stepOf(weak)).toBe('set-password');
    const next = await visitor.submit(weak, { password: 'Amber-Lantern-770' }, '/set-password');
    expect(stepOf(next)).toBe('code');
    const back = await visitor.submit(next, { code: await freshCode(app, person) }, '/code');
    expect(back.headers.location?.startsWith(module.redirectUri)).toBe(true);
    expect(answerOf(back).get('state')).toBe('state-1');
    const redeemed = await redeem(app, module, answerOf(back).get('code') ?? '');
    expect(redeemed.status).toBe(200);
    expect(await token(app, module, { grant_type: 'refresh_token', refresh_token: 'none' })).toMatchObject({
      status: 400,
    });
    const user = await reload(app, person);
    expect([user.failures, user.lockedUntil]).toEqual([0, null]);
    expect(await eventsOf(app, person, 'login.fail')).toEqual([]);
  });
});
