// "Require is lock-out-proof" (issue 4, C30): pre-flight, trial, confirmation, and the last way in against every call.
import { setTimeout } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Company } from '../../../src/domain/companies/company.ts';
import { watchExceptions } from '../../../src/domain/integrations/exception-clock.ts';
import { addException, changeException, removeException } from '../../../src/domain/integrations/exception-commands.ts';
import {
  preflight,
  requireLogin,
  revertOverdueTrials,
  revertTrial,
  stopRequiring,
} from '../../../src/domain/integrations/requirement-commands.ts';
import { isRequired } from '../../../src/domain/integrations/settings.ts';
import { findLostLastWay, refuseLosingLastWayIn } from '../../../src/domain/integrations/ways-in-commands.ts';
import { reportEntry } from '../../../src/domain/provisioning/entry-commands.ts';
import { reconcile } from '../../../src/domain/provisioning/reconcile-commands.ts';
import { readAccountsJobOf } from '../../../src/jobs/read-accounts.ts';
import { newId } from '../../../src/lib/ids.ts';
import { createOutgoing } from '../../../src/lib/outgoing.ts';
import { days, hours, after as later, minutes, seconds } from '../../../src/lib/time.ts';
import { transaction } from '../../../src/work.ts';
import { startApp, type TestApp } from '../../support/app.ts';
import { TestClock } from '../../support/clock.ts';
import { quickLimits } from '../../support/drift.ts';
import { makeCompany, makePerson } from '../../support/people.ts';
import {
  accountsWereRead,
  asPerson,
  enter,
  eventsOf,
  exempts,
  mailsOf,
  makeReady,
  makeStage,
  type Stage,
  save,
  settingsOf,
} from '../../support/requirement.ts';
import { ScimServer, scimUser } from '../../support/scim-server.ts';

let app: TestApp;
let company: Company;
/** Of its own, where mails are counted. */
let quiet: Company;

beforeAll(async () => {
  app = await startApp();
  company = await makeCompany(app);
  quiet = await makeCompany(app);
});
afterAll(() => app.stop());

const look = (stage: Stage) => preflight(stage.console(), stage.company.id, stage.module.instanceId);
const checksOf = async (stage: Stage) =>
  Object.fromEntries((await look(stage)).checks.map(({ name, passed }) => [name, passed]));
const report = (stage: Stage, sub: string, isAdministrator = true, id = 'ada') =>
  reportEntry(
    app.runtime.work({ kind: 'module', name: 'Workplace', instanceId: stage.module.instanceId }),
    stage.company.id,
    stage.module.instanceId,
    { sub, account: { id, userName: `${id}@northwind.example`, isAdministrator }, isCreated: false },
  );

describe('the pre-flight', () => {
  it('says what stands in the way, one thing after the other, and asks for a reading', async () => {
    const stage = await makeStage(app, company);
    const first = await look(stage);
    expect(first.ready).toBe(false);
    expect(first.checks.map(({ name, passed, isUnderWay }) => [name, passed, isUnderWay])).toEqual([
      ['signed_in', false, false],
      ['ways_in', false, false],
      ['accounts', false, true],
    ]);
    const jobs = await app.runtime.db.raw(
      `select count(*)::int as count from pgboss.job where name = 'read-accounts' and data ->> 'instanceId' = ?`,
      [stage.module.instanceId],
    );
    expect(jobs.rows[0].count).toBe(1);
    await enter(app, stage.module, stage.admin);
    expect(await checksOf(stage)).toEqual({ signed_in: true, ways_in: false, accounts: false });
    await accountsWereRead(app, company, stage.module, {
      ada: { isAdministrator: true },
      ben: { isAdministrator: true },
    });
    expect(await checksOf(stage)).toEqual({ signed_in: true, ways_in: false, accounts: true });
    await exempts(app, stage, 'ada');
    await exempts(app, stage, 'ben', { kind: 'emergency', endsAt: null, noEnd: true });
    expect(await checksOf(stage)).toEqual({ signed_in: true, ways_in: true, accounts: true });
    app.clock.advance(minutes(10));
    expect(await checksOf(stage)).toEqual({ signed_in: false, ways_in: true, accounts: true });
    app.clock.advance(minutes(5));
    expect(await checksOf(stage)).toEqual({ signed_in: false, ways_in: true, accounts: false });
  });

  it('the reading that it asks for is the one that the queue does: afterwards nothing stands in the way', async () => {
    const scim = await new ScimServer().start();
    try {
      const admin = { roles: [{ value: 'Full Access', primary: true }] };
      const account = (localLogin: boolean) => ({ 'urn:unifiedlogin:scim:2.0:Account': { localLogin } });
      scim.reset([
        scimUser('ada', { ...admin, ...account(true) }),
        scimUser('ben', { ...admin, ...account(true) }),
        scimUser('carl', { ...admin, ...account(false) }),
      ]);
      const stage = await makeStage(app, company, { scim: { url: scim.url, token: scim.token } });
      await enter(app, stage.module, stage.admin);
      expect((await checksOf(stage)).accounts).toBe(false);
      const { rows } = await app.runtime.db.raw(
        `select data from pgboss.job where name = 'read-accounts' and data ->> 'instanceId' = ?`,
        [stage.module.instanceId],
      );
      const job = readAccountsJobOf(createOutgoing({ mayReachLoopback: true }), quickLimits);
      await job.handle(app.runtime.work({ kind: 'system', name: 'jobs' }), job.payload.parse(rows[0].data));
      expect(await checksOf(stage)).toEqual({ signed_in: true, ways_in: false, accounts: true });
      await exempts(app, stage, 'ada');
      await exempts(app, stage, 'carl');
      expect((await checksOf(stage)).ways_in).toBe(false);
      await exempts(app, stage, 'ben');
      expect((await look(stage)).ready).toBe(true);
    } finally {
      await scim.stop();
    }
  });

  it('counts another administrator, another module and another company for nothing', async () => {
    const stage = await makeReady(app, company);
    const other = await makePerson(app, company, { role: 'Admin' });
    const seenBy = { ...stage, console: () => asPerson(app, other) };
    expect((await checksOf(seenBy)).signed_in).toBe(false);
    const elsewhere = await makeStage(app, company);
    await enter(app, elsewhere.module, other);
    expect((await checksOf(seenBy)).signed_in).toBe(false);
    const stranger = await makePerson(app, await makeCompany(app), { role: 'Admin' });
    await expect(look({ ...stage, console: () => asPerson(app, stranger) })).rejects.toMatchObject({ status: 403 });
    const user = await makePerson(app, company);
    await expect(look({ ...stage, console: () => asPerson(app, user) })).rejects.toMatchObject({ status: 403 });
  });

  it('counts who loses the local login, and who could not get in at all', async () => {
    const stage = await makeReady(app, company);
    await makePerson(app, company, { email: 'eve@northwind.example' });
    await accountsWereRead(app, company, stage.module, {
      eve: {},
      fay: { hasLocalLogin: false },
      gus: { hasLocalLogin: null },
    });
    await report(stage, stage.admin.user.id, false, 'carl');
    const { losesLocal } = await look(stage);
    expect([losesLocal.count, losesLocal.of]).toEqual([3, 6]);
    expect(losesLocal.reasons.map(({ reason, count }) => [reason, count])).toEqual([
      ['stranded', 1],
      ['matching', 1],
      ['linked', 1],
    ]);
    expect(losesLocal.sample.map(({ accountId }) => accountId)).toEqual(['gus', 'eve', 'carl']);
  });
});

describe('C30 the trial', () => {
  it('is not begun against the pre-flight, and nothing else is saved then', async () => {
    const stage = await makeStage(app, company);
    const before = await settingsOf(app, stage);
    const saved = await save(app, stage, {
      require: true,
      deprovisioning: { on: true, graceDays: 3, removal: 'remove' },
    });
    expect(saved.outcome).toBe('preflight');
    expect(await settingsOf(app, stage)).toEqual(before);
    const { version } = before;
    const asked = await requireLogin(stage.console(), company.id, stage.module.instanceId, { version });
    expect(asked.outcome).toBe('preflight');
    expect(await eventsOf(app, stage, 'module.require')).toEqual([]);
  });

  it('holds for 30 minutes, and reverts to the second when nobody confirms it', async () => {
    const stage = await makeReady(app, company);
    const began = app.clock.now();
    expect((await save(app, stage, { require: true })).outcome).toBe('saved');
    const { require } = await settingsOf(app, stage);
    expect([require.state, require.trialBy]).toEqual(['trial', stage.admin.user.id]);
    const left = Number(require.trialEndsAt) - began.getTime();
    expect(left).toBeGreaterThanOrEqual(minutes(30));
    expect(left).toBeLessThan(minutes(30) + seconds(20));
    app.clock.advance(minutes(30) - seconds(20));
    await revertTrial(app.operator(), company.id, stage.module.instanceId);
    await revertOverdueTrials(app.operator());
    expect(isRequired(await settingsOf(app, stage), app.clock.now())).toBe(true);
    app.clock.advance(Number(require.trialEndsAt) - app.clock.now().getTime());
    // In force no more in this second, whether or not a job was there in time.
    expect(isRequired(await settingsOf(app, stage), app.clock.now())).toBe(false);
    const { version } = await settingsOf(app, stage);
    await Promise.all([
      revertTrial(app.operator(), company.id, stage.module.instanceId),
      revertTrial(app.operator(), company.id, stage.module.instanceId),
      revertOverdueTrials(app.operator()),
    ]);
    const after = await settingsOf(app, stage);
    expect([after.require.state, after.version]).toEqual(['off', version + 1]);
    const changes = (await eventsOf(app, stage, 'module.require')).map(({ details }) => details.change);
    expect(changes).toEqual(['trial', 'reverted']);
    expect(await mailsOf(app, stage, 'requirementReverted')).toContain(stage.admin.user.email);
  });

  it('is confirmed by a second sign-in of an administrator, and by nothing less', async () => {
    const stage = await makeReady(app, company);
    const { version } = await settingsOf(app, stage);
    const begun = await requireLogin(stage.console(), company.id, stage.module.instanceId, { version });
    expect(begun.outcome).toBe('trial');
    // The entry that the pre-flight saw, told again.
    expect((await report(stage, stage.admin.user.id)).hasConfirmed).toBe(false);
    // Somebody who never came in.
    const other = await makePerson(app, company);
    expect((await report(stage, other.user.id, true, 'ben')).hasConfirmed).toBe(false);
    app.clock.advance(seconds(2));
    await enter(app, stage.module, other);
    expect((await report(stage, other.user.id, false, 'ben')).hasConfirmed).toBe(false);
    expect((await settingsOf(app, stage)).require.state).toBe('trial');
    expect((await report(stage, other.user.id, true, 'ben')).hasConfirmed).toBe(true);
    const { require } = await settingsOf(app, stage);
    expect(require).toEqual({ state: 'on', trialEndsAt: null, trialBy: null });
    app.clock.advance(hours(1));
    await revertTrial(app.operator(), company.id, stage.module.instanceId);
    expect((await settingsOf(app, stage)).require.state).toBe('on');
    const [, confirmed] = await eventsOf(app, stage, 'module.require');
    expect([confirmed?.details.change, confirmed?.actor.name]).toEqual(['confirmed', other.user.username]);
  });

  it('is not confirmed once it is over, though nobody has reverted it yet', async () => {
    const stage = await makeReady(app, company);
    await save(app, stage, { require: true });
    app.clock.advance(minutes(31));
    await enter(app, stage.module, stage.admin);
    expect((await report(stage, stage.admin.user.id)).hasConfirmed).toBe(false);
    expect(isRequired(await settingsOf(app, stage), app.clock.now())).toBe(false);
    // And it may be begun anew.
    await accountsWereRead(app, company, stage.module, {});
    expect((await save(app, stage, { require: true })).outcome).toBe('saved');
    expect(isRequired(await settingsOf(app, stage), app.clock.now())).toBe(true);
  });

  it('clocks of two nodes that differ by 90 s: the entry that was seen confirms nothing, a later one does', async () => {
    const ahead = new TestClock();
    ahead.advance(app.clock.now().getTime() - Date.now() + seconds(90));
    const fast = await app.node(ahead);
    const stage = await makeReady(app, company);
    const other = await makePerson(app, company, { role: 'Admin' });
    await enter(fast, stage.module, other);
    const seenBy = { ...stage, console: () => asPerson(app, other) };
    expect((await save(app, seenBy, { require: true })).outcome).toBe('saved');
    expect((await report(stage, other.user.id)).hasConfirmed).toBe(false);
    for (const { clock } of [app, fast]) clock.advance(seconds(2));
    await enter(fast, stage.module, other);
    expect((await report(stage, other.user.id)).hasConfirmed).toBe(true);
  });

  it('ends by the job at its time, beside another node', async () => {
    const stage = await makeReady(app, company);
    await save(app, stage, { require: true });
    const { rows } = await app.runtime.db.raw(
      `select start_after as at from pgboss.job where name = 'revert-trial' and data ->> 'instanceId' = ?`,
      [stage.module.instanceId],
    );
    expect(rows.map(({ at }: { at: Date }) => at)).toEqual([(await settingsOf(app, stage)).require.trialEndsAt]);
  });

  it('Require off at any time, and with Enable off; exceptions stay for the next time (D.10-14)', async () => {
    const stage = await makeReady(app, company);
    await save(app, stage, { require: true });
    await stopRequiring(stage.console(), company.id, stage.module.instanceId);
    expect((await settingsOf(app, stage)).require.state).toBe('off');
    await save(app, stage, { require: true });
    const deprovisioning = { on: true, graceDays: 3, removal: 'remove' } as const;
    await save(app, stage, { require: true, deprovisioning });
    expect((await settingsOf(app, stage)).require.state).toBe('trial');
    expect((await save(app, stage, { enabled: false, require: true, deprovisioning })).outcome).toBe('saved');
    const asleep = await settingsOf(app, stage);
    expect([asleep.enabled, asleep.require.state, asleep.deprovisioning]).toEqual([false, 'off', deprovisioning]);
    expect(await app.runtime.store.of(company.id).exceptions.list(stage.module.instanceId)).toHaveLength(2);
    expect((await save(app, stage, { deprovisioning })).outcome).toBe('saved');
    expect((await settingsOf(app, stage)).require.state).toBe('off');
  });
});

describe('no call takes the last way in away', () => {
  const required = async (of = company) => {
    const stage = await makeReady(app, of);
    await save(app, stage, { require: true });
    return stage;
  };
  const exceptionsOf = ({ company, module }: Stage) =>
    app.runtime.store.of(company.id).exceptions.list(module.instanceId);
  const idOf = async (stage: Stage, account: string) =>
    (await exceptionsOf(stage)).find(({ accountId }) => accountId === account)?.id ?? '';
  const end = async (stage: Stage, account: string) =>
    removeException(stage.console(), company.id, stage.module.instanceId, await idOf(stage, account));
  const suspend = (stage: Stage, ...accountIds: string[]) =>
    transaction(app.operator(), async (work) => {
      const change = { what: 'accounts', accountIds, act: 'suspend' } as const;
      await refuseLosingLastWayIn(work, company.id, stage.module.instanceId, change);
      await work.store
        .db('module_accounts')
        .where({ instance_id: stage.module.instanceId })
        .whereIn('external_id', accountIds)
        .update({ life: 'suspended', suspended_at: work.now, held_until: later(work.now, days(14)) });
    });

  it('an exception: one of two may go, the last one may not, in plain words', async () => {
    const stage = await required();
    await end(stage, 'ada');
    await expect(end(stage, 'ben')).rejects.toMatchObject({
      status: 409,
      code: 'last_way_in',
      message: expect.stringMatching(
        /^ben@northwind\.example is the last one who can get into Connected \d+ without KaseyaOne while that is required\. The exception cannot be removed: exempt another administrator first, or turn the requirement off\.$/,
      ),
      more: { way_in: { account_id: 'ben', user_name: 'ben@northwind.example', kind: 'person' } },
    });
    await exempts(app, stage, 'carl');
    await expect(end(stage, 'ben')).rejects.toMatchObject({ code: 'last_way_in' });
    await exempts(app, stage, 'ada');
    await end(stage, 'ben');
    await stopRequiring(stage.console(), company.id, stage.module.instanceId);
    await end(stage, 'ada');
    expect((await exceptionsOf(stage)).map(({ accountId }) => accountId)).toEqual(['carl']);
  });

  it('two administrators who each end one of two exceptions: one of them is refused', async () => {
    const stage = await required();
    const results = await Promise.allSettled([end(stage, 'ada'), end(stage, 'ben')]);
    expect(results.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    expect(await exceptionsOf(stage)).toHaveLength(1);
  });

  it('an account: suspended, beside one whose exception ends in the same moment', async () => {
    const stage = await required();
    const results = await Promise.allSettled([suspend(stage, 'ada'), end(stage, 'ben')]);
    expect(results.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
  });

  it('an account that is being exempted in the same moment: whoever comes second sees what the first has done', async () => {
    const stage = await required();
    const { instanceId } = stage.module;
    await accountsWereRead(app, company, stage.module, { eva: { isAdministrator: true } });
    const holds = Promise.withResolvers<void>();
    const goesOn = Promise.withResolvers<void>();
    // Eva is exempted in place of the two others, in a transaction that has not ended yet.
    const exempting = transaction(app.operator(), async (work) => {
      await addException(work, company.id, instanceId, {
        accountId: 'eva',
        kind: 'person',
        reason: 'On call',
        endsAt: later(app.clock.now(), days(30)),
        noEnd: false,
      });
      for (const account of ['ada', 'ben'])
        await removeException(work, company.id, instanceId, await idOf(stage, account));
      holds.resolve();
      await goesOn.promise;
    });
    await Promise.race([holds.promise, exempting]);
    const suspending = suspend(stage, 'eva');
    await Promise.race([suspending.catch(() => undefined), setTimeout(300)]);
    goesOn.resolve();
    const results = await Promise.allSettled([exempting, suspending]);
    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected']);
    await expect(suspending).rejects.toMatchObject({ code: 'last_way_in' });
  });

  it('accounts: both at once, one after the other; who is no way in may go', async () => {
    const stage = await required();
    await expect(suspend(stage, 'ada', 'ben', 'carl')).rejects.toMatchObject({ code: 'last_way_in' });
    await suspend(stage, 'carl');
    await suspend(stage, 'ada');
    await expect(suspend(stage, 'ben')).rejects.toMatchObject({ code: 'last_way_in' });
    await stopRequiring(stage.console(), company.id, stage.module.instanceId);
    await suspend(stage, 'ben');
  });

  it('provisioning: neither a leaver nor a rule takes the last one away, whether together or one after the other', async () => {
    const people = [await makePerson(app, company), await makePerson(app, company)];
    const linked = async () => {
      const stage = await makeReady(app, company);
      await app.runtime
        .db('module_accounts')
        .where({ instance_id: stage.module.instanceId })
        .update({ permissions: ['Full Access'] });
      for (const [i, id] of ['ada', 'ben'].entries()) await report(stage, people[i]?.user.id ?? '', true, id);
      const all = await app.runtime.store.of(company.id).groups.getSystem('system-all');
      const rules = [{ groupId: all.id, permission: 'Read only' }];
      await save(app, stage, { require: true, accessGroups: { on: true, rules } });
      return stage;
    };
    const look = (stage: Stage, ...whom: typeof people) =>
      reconcile(app.runtime.work({ kind: 'system', name: 'jobs' }), {
        companyId: company.id,
        userIds: whom.map(({ user }) => user.id),
        instanceIds: [stage.module.instanceId],
        cause: 'a rule',
        actId: newId(),
        actorId: null,
      });
    const states = async (stage: Stage) => {
      const rows = await app.runtime
        .db('deliveries')
        .where({ instance_id: stage.module.instanceId })
        .whereIn('external_id', ['ada', 'ben']);
      return rows.map(({ state, answer }) => [state, answer?.words ?? '']).toSorted();
    };
    const held = expect.stringMatching(/^(ada|ben)@northwind\.example is the last one .* It cannot be demoted: exempt/);
    const together = await linked();
    await look(together, ...people);
    expect(await states(together)).toEqual([
      ['queued', ''],
      ['waiting', held],
    ]);
    const apart = await linked();
    for (const person of people) await look(apart, person);
    expect(await states(apart)).toEqual([
      ['queued', ''],
      ['waiting', held],
    ]);
  });

  it('is asked inside a transaction alone, where the answer stays true', async () => {
    const stage = await required();
    const change = { what: 'accounts', accountIds: ['ada'], act: 'remove' } as const;
    await expect(findLostLastWay(app.operator(), company.id, stage.module.instanceId, change)).rejects.toThrow();
  });

  it('an exception is not changed into one that is none', async () => {
    const stage = await required();
    await end(stage, 'ada');
    const id = await idOf(stage, 'ben');
    const change = (endsAt: Date | null, noEnd = false) =>
      changeException(stage.console(), company.id, stage.module.instanceId, {
        id,
        kind: 'person',
        reason: 'Still on call',
        endsAt,
        noEnd,
      });
    await expect(change(later(app.clock.now(), -days(1)))).rejects.toMatchObject({ status: 422 });
    await expect(change(null)).rejects.toMatchObject({ status: 422 });
    await change(null, true);
    expect((await exceptionsOf(stage))[0]).toMatchObject({ endsAt: null, reason: 'Still on call' });
  });

  it('time: the last one is kept in force a day ahead, the version grows, and the administrators are told', async () => {
    const stage = await required(quiet);
    const { version } = await settingsOf(app, stage);
    app.clock.advance(days(29) - seconds(30));
    // Both end in a day; the trial is long over, so the requirement has to be on for good to matter.
    await app.runtime
      .db('integration_settings')
      .where({ instance_id: stage.module.instanceId })
      .update({ require_state: 'on', trial_began_at: null, trial_ends_at: null });
    await watchExceptions(app.operator());
    expect((await settingsOf(app, stage)).version).toBe(version);
    app.clock.advance(minutes(2));
    await Promise.all([watchExceptions(app.operator()), watchExceptions(app.operator())]);
    const ends = (await exceptionsOf(stage)).map(({ endsAt }) =>
      Math.round((Number(endsAt) - app.clock.now().getTime()) / days(1)),
    );
    expect(ends.sort()).toEqual([1, 7]);
    expect((await settingsOf(app, stage)).version).toBe(version + 1);
    expect((await eventsOf(app, stage, 'module.exception')).at(-1)?.details.change).toBe('kept');
    expect((await mailsOf(app, stage, 'exceptionKept')).filter((to) => to === stage.admin.user.email)).toHaveLength(1);
    await watchExceptions(app.operator());
    expect((await settingsOf(app, stage)).version).toBe(version + 1);
  });
});

it('tells the administrators, once a week, when the module itself takes away the last way in', async () => {
  const stage = await makeReady(app, quiet);
  await save(app, stage, { require: true });
  await enter(app, stage.module, stage.admin);
  app.clock.advance(seconds(2));
  await enter(app, stage.module, stage.admin);
  expect((await report(stage, stage.admin.user.id)).hasConfirmed).toBe(true);
  const alarms = async () =>
    (await mailsOf(app, stage, 'noWayIn')).filter((to) => to === stage.admin.user.email).length;
  const turn = () => Promise.all([watchExceptions(app.operator()), watchExceptions(app.operator())]);
  const demote = (isAdministrator: boolean) =>
    app.runtime
      .db('module_accounts')
      .where({ instance_id: stage.module.instanceId })
      .update({ is_administrator: isAdministrator });
  await turn();
  expect(await alarms()).toBe(0);
  await demote(false);
  await turn();
  await turn();
  expect(await alarms()).toBe(1);
  app.clock.advance(days(7) + minutes(1));
  await turn();
  expect(await alarms()).toBe(2);
  // A module that says one thing and then the other rings once an hour at most (DOS-06).
  for (let i = 0; i < 3; i += 1) {
    await demote(true);
    await turn();
    await demote(false);
    await turn();
  }
  expect(await alarms()).toBe(2);
  app.clock.advance(minutes(61));
  await demote(true);
  await turn();
  await demote(false);
  await turn();
  expect(await alarms()).toBe(3);
});

it('what a module says of who administers it is on record whenever it changes', async () => {
  const stage = await makeReady(app, company);
  const { user } = await makePerson(app, company);
  for (const isAdministrator of [true, true, false, true]) await report(stage, user.id, isAdministrator, 'carl');
  const rows = await app.runtime
    .db('audit_events')
    .where({ company_id: company.id, action: 'module.administrator', target_id: user.id })
    .orderBy('id');
  expect(rows.map(({ details }) => [details.account, details.before, details.after])).toEqual([
    ['carl@northwind.example', false, true],
    ['carl@northwind.example', true, false],
    ['carl@northwind.example', false, true],
  ]);
  expect(rows[0]).toMatchObject({ actor: { kind: 'module' } });
});

it('A8.6 reminders go out 7 days and 1 day before, once each, also beside another node', async () => {
  const stage = await makeStage(app, company);
  await accountsWereRead(app, company, stage.module, { ada: {}, ben: {} });
  await exempts(app, stage, 'ada', { endsAt: later(app.clock.now(), days(8)) });
  await exempts(app, stage, 'ben', { endsAt: null, noEnd: true });
  const reminders = async () =>
    (await mailsOf(app, stage, 'exceptionEnds')).filter((to) => to === stage.admin.user.email).length;
  const before = await reminders();
  const turn = () => Promise.all([watchExceptions(app.operator()), watchExceptions(app.operator())]);
  await turn();
  expect((await reminders()) - before).toBe(0);
  app.clock.advance(days(1) + minutes(1));
  await turn();
  await turn();
  expect((await reminders()) - before).toBe(1);
  app.clock.advance(days(6));
  await turn();
  await turn();
  expect((await reminders()) - before).toBe(2);
  app.clock.advance(days(1));
  await turn();
  expect((await reminders()) - before).toBe(2);
  const list = () => app.runtime.store.of(company.id).exceptions.list(stage.module.instanceId);
  // Ended: still to be seen, and exempt again by a new one.
  expect(await list()).toHaveLength(2);
  await exempts(app, stage, 'ada');
  await expect(exempts(app, stage, 'ada')).rejects.toMatchObject({ fields: { accountId: expect.any(String) } });
  app.clock.advance(days(61));
  await turn();
  expect((await list()).map(({ accountId }) => accountId)).toEqual(['ben']);
});
