// Plans (B.7): nothing changes by making one, what is applied is what was shown, and where the inputs have changed nothing is.
import { setTimeout } from 'node:timers/promises';
import fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Company } from '../../../src/domain/companies/company.ts';
import { addException } from '../../../src/domain/integrations/exception-commands.ts';
import { linkAccount } from '../../../src/domain/provisioning/drift-commands.ts';
import type { PlanRow, PlanScope } from '../../../src/domain/provisioning/plan.ts';
import { applyPlan, dropPlan, makePlan } from '../../../src/domain/provisioning/plan-commands.ts';
import { comparePlan, eachPlanRow, getPlan } from '../../../src/domain/provisioning/plan-queries.ts';
import { deactivateUser } from '../../../src/domain/users/commands.ts';
import { editUser } from '../../../src/domain/users/edit-commands.ts';
import { sweepStanding } from '../../../src/jobs/standing-sweep.ts';
import { runTaskJob } from '../../../src/jobs/task.ts';
import { taskHandlers } from '../../../src/jobs/task-handlers.ts';
import type { InstanceId } from '../../../src/lib/ids.ts';
import { minutes } from '../../../src/lib/time.ts';
import { transaction, type Work } from '../../../src/work.ts';
import { startApp, type TestApp } from '../../support/app.ts';
import { connectForDrift, makeHere, readNow, setDriftSettings } from '../../support/drift.ts';
import { makeCompany, makePerson, type TestPerson } from '../../support/people.ts';
import { ScimServer, type ScimUser, scimUser } from '../../support/scim-server.ts';

const everything: PlanScope = {
  classes: ['orphan', 'missing', 'status', 'permission', 'timeZone'],
  orphans: 'suspend',
};

describe('a plan', () => {
  let app: TestApp;
  let company: Company;
  let instanceId: InstanceId;
  let ada: Work;
  let eve: Work;
  const scim = new ScimServer();

  beforeAll(async () => {
    app = await startApp();
    await scim.start();
  });
  afterAll(async () => {
    await scim.stop();
    await app?.stop();
  });
  beforeEach(async () => {
    scim.reset();
    company = await makeCompany(app);
    const admin = async (username: string) => {
      const { user } = await makePerson(app, company, { username, role: 'Admin', groups: ['No Module Access'] });
      return app.runtime.work({ kind: 'user', id: user.id, name: user.username });
    };
    ada = await admin('ada');
    eve = await admin('eve');
    instanceId = await connectForDrift(app, company, scim);
    await setDriftSettings(app, company, instanceId);
  });

  const people = async (...names: string[]): Promise<TestPerson[]> => {
    const made: TestPerson[] = [];
    for (const username of names)
      made.push(
        await makePerson(app, company, { username, email: `${username}@here.example`, groups: ['All Module Access'] }),
      );
    return made;
  };
  const account = (id: string, username: string, more: ScimUser = {}): ScimUser =>
    scimUser(id, {
      userName: username,
      emails: [{ value: `${username}@here.example` }],
      roles: [{ value: 'Team Access' }],
      timezone: 'Europe/Berlin',
      ...more,
    });
  const read = () => readNow(app, company, instanceId);
  const make = (scope = everything, work = ada) => makePlan(work, company.id, instanceId, scope);
  const get = (id: string) => getPlan(app.operator(), company.id, instanceId, id);
  async function rowsOf(id: string): Promise<PlanRow[]> {
    const rows: PlanRow[] = [];
    for await (const some of eachPlanRow(app.operator(), await get(id))) rows.push(...some);
    return rows;
  }
  const leave = ({ user }: TestPerson) => deactivateUser(app.operator(), company.id, user.id);
  const deliveries = () =>
    app.runtime.db('deliveries').where({ instance_id: instanceId, channel: 'scim' }).orderBy('seq');
  async function work(taskId: string) {
    await runTaskJob(taskHandlers, app.clock.now).handle(app.runtime.work({ kind: 'system', name: 'jobs' }), {
      taskId,
      companyId: company.id,
    });
    return app.runtime.store.of(company.id).tasks.findById(taskId);
  }

  /** One of each kind. */
  async function oneOfEach(): Promise<TestPerson[]> {
    const [gone, fine, late] = await people('gone', 'fine', 'late');
    scim.users = [
      account('1', 'gone'),
      account('2', 'fine'),
      account('3', 'stray'),
      account('4', 'stray.off', { active: false }),
    ];
    await read();
    await leave(gone as TestPerson);
    // What the act has queued by itself is done by nobody here.
    await app.runtime.db('deliveries').where({ instance_id: instanceId }).delete();
    await read();
    return [gone, fine, late] as TestPerson[];
  }

  it('says act, before, after and rule of each, and changes nothing', async () => {
    await oneOfEach();
    const before = await app.runtime.db('module_accounts').where({ instance_id: instanceId }).orderBy('external_id');
    const { id } = await make();
    expect(
      (await rowsOf(id)).map(({ account, person, act, before, after, rule }) => [
        account || person,
        act,
        before,
        after,
        rule,
      ]),
    ).toEqual([
      [
        'gone',
        'suspend',
        'Active · Team Access · Europe/Berlin',
        'Suspended · Team Access · Europe/Berlin',
        'Has no access any more. They were deactivated.',
      ],
      [
        'Pat Example',
        'create',
        'No account',
        'Active · Team Access · Europe/Berlin · late@here.example',
        'Has access and no account. Through All Module Access.',
      ],
      [
        'stray',
        'suspend',
        'Active · Team Access · Europe/Berlin',
        'Suspended · Team Access · Europe/Berlin',
        'It belongs to nobody here, and you chose to suspend those.',
      ],
      ['stray.off', 'none', 'Suspended · Team Access · Europe/Berlin', 'As it is', 'It is suspended already.'],
    ]);
    const plan = await get(id);
    expect(plan).toMatchObject({ state: 'ready', secondBecause: null, counts: { create: 1, suspend: 2, none: 1 } });
    expect(plan.inputHash).toMatch(/^[0-9a-f]{64}$/);
    expect(await deliveries()).toEqual([]);
    expect(await app.runtime.db('module_accounts').where({ instance_id: instanceId }).orderBy('external_id')).toEqual(
      before,
    );
    // The same facts make the same plan.
    expect((await get((await make()).id)).inputHash).toBe(plan.inputHash);
  });

  it('applied, it queues exactly what it showed, once', async () => {
    const [gone, , late] = await oneOfEach();
    const { id } = await make();
    const applied = await applyPlan(ada, company.id, id);
    if (applied.outcome !== 'started') throw new Error(applied.outcome);
    expect(await applyPlan(ada, company.id, id)).toEqual(applied);
    expect(await work(applied.taskId)).toMatchObject({
      state: 'done',
      kind: 'plan',
      succeeded: 3,
      skipped: 0,
      failed: 0,
    });
    expect(
      (await deliveries()).map(({ act, user_id, external_id, state, wanted }) => [
        act,
        user_id,
        external_id,
        state,
        wanted.active,
      ]),
    ).toEqual([
      ['suspend', gone?.user.id, '1', 'queued', false],
      ['create', late?.user.id, null, 'queued', true],
      ['suspend', null, '3', 'queued', false],
    ]);
    const held = await app.runtime
      .db('module_accounts')
      .where({ instance_id: instanceId, life: 'suspended' })
      .orderBy('external_id');
    expect(held.map(({ external_id }) => external_id)).toEqual(['1', '3']);
    await work(applied.taskId);
    expect(await deliveries()).toHaveLength(3);
    const told = await app.runtime
      .db('audit_events')
      .where({ company_id: company.id })
      .whereLike('action', 'module.plan%')
      .orderBy('id');
    expect(told.map(({ action }) => action)).toEqual(['module.plan.make', 'module.plan.apply']);
  });

  it('accounts of nobody are left alone unless somebody chose otherwise; exempt ones always', async () => {
    await oneOfEach();
    const acts = async (scope: PlanScope) => (await rowsOf((await make(scope)).id)).map(({ act }) => act);
    expect(await acts({ classes: ['orphan'], orphans: 'ignore' })).toEqual(['none', 'none']);
    expect(await acts({ classes: ['orphan'], orphans: 'suspend' })).toEqual(['suspend', 'none']);
    await app.runtime.store
      .of(company.id)
      .exceptions.insert(
        instanceId,
        { id: company.id, kind: 'emergency', accountId: '3', userName: 'stray', reason: 'x', endsAt: null },
        'test',
        app.clock.now(),
      );
    expect(await acts({ classes: ['orphan'], orphans: 'suspend' })).toEqual(['none', 'none']);
  });

  it('an account of nobody that becomes the last way in while the plan runs stays, and the report says why', async () => {
    scim.users = ['1', '2'].map((id) =>
      account(id, `stray.${id}`, {
        'urn:unifiedlogin:scim:2.0:Account': { localLogin: true, administrator: true },
      }),
    );
    await read();
    const { id } = await make({ classes: ['orphan'], orphans: 'suspend' });
    const applied = await applyPlan(ada, company.id, id);
    // Two administrators would be suspended, so that another one is asked.
    expect(applied.outcome).toBe('asked');
    const { taskId } = (await applyPlan(eve, company.id, id)) as { taskId: string };
    const has = Promise.withResolvers<void>();
    const goesOn = Promise.withResolvers<void>();
    const exempting = transaction(app.operator(), async (work) => {
      const { integrations } = work.store.of(company.id);
      await integrations.hold(instanceId);
      await addException(work, company.id, instanceId, {
        accountId: '2',
        kind: 'person',
        reason: 'On call',
        endsAt: null,
        noEnd: true,
      });
      has.resolve();
      await goesOn.promise;
    });
    const require = { state: 'on', trialBeganAt: null, trialEndsAt: null, trialBy: null } as const;
    await app.runtime.store.of(company.id).integrations.setRequire(instanceId, require);
    await Promise.race([has.promise, exempting]);
    const running = work(taskId);
    await Promise.race([running, setTimeout(1000)]);
    goesOn.resolve();
    await exempting;
    expect(await running).toMatchObject({ state: 'done', succeeded: 1, skipped: 1 });
    expect((await deliveries()).map(({ act, external_id }) => [act, external_id])).toEqual([['suspend', '1']]);
    const rows = await app.runtime.db('task_rows').where({ task_id: taskId }).whereNotNull('message');
    expect(rows.map(({ message }) => message)).toEqual([
      expect.stringMatching(/^stray\.2 is the last one who can get into/),
    ]);
  });

  it("an account of nobody that was suspended is held, and given back once it is somebody's", async () => {
    await oneOfEach();
    const { id } = await make({ classes: ['orphan'], orphans: 'suspend' });
    const applied = await applyPlan(ada, company.id, id);
    if (applied.outcome !== 'started') throw new Error(applied.outcome);
    await work(applied.taskId);
    // The module has done it.
    scim.users = scim.users.map((one) => (one.id === '3' ? { ...one, active: false } : one));
    const [owner] = await people('owner');
    await linkAccount(app.operator(), company.id, { instanceId, externalId: '3', userId: owner?.user.id as never });
    await read();
    const rows = await rowsOf((await make({ classes: ['status'], orphans: 'ignore' })).id);
    expect(rows.find(({ externalId }) => externalId === '3')).toMatchObject({
      act: 'restore',
      before: 'Suspended · Team Access · Europe/Berlin',
      after: 'Active · Team Access · Europe/Berlin',
    });
  });

  it('brings accounts of ours back to the time zone that they were made with, which comparing alone never does', async () => {
    await people('zoned');
    const name = { givenName: 'Pat', familyName: 'Example' };
    scim.users = [account('1', 'zoned', { name, timezone: 'Asia/Tokyo' })];
    await read();
    await makeHere(app, company, instanceId, { externalId: '1', timeZone: 'Europe/Berlin' });
    await read();
    const queued = async () => (await deliveries()).filter(({ act }) => act === 'update');
    expect(await rowsOf((await make({ classes: ['status'], orphans: 'ignore' })).id)).toEqual([]);
    const { id } = await make({ classes: ['timeZone'], orphans: 'ignore' });
    expect(await rowsOf(id)).toMatchObject([
      { act: 'update', after: 'Active · Team Access · Europe/Berlin', wanted: { timeZone: 'Europe/Berlin' } },
    ]);
    await sweepStanding(app.operator());
    expect(await queued()).toEqual([]);
    const applied = await applyPlan(ada, company.id, id);
    if (applied.outcome !== 'started') throw new Error(applied.outcome);
    expect(await work(applied.taskId)).toMatchObject({ succeeded: 1, skipped: 0 });
    app.clock.advance(minutes(2));
    await sweepStanding(app.operator());
    expect(await queued()).toMatchObject([
      { state: 'queued', external_id: '1', wanted: { timeZone: 'Europe/Berlin' } },
    ]);
  });

  it('C13 duplicates are in no plan', async () => {
    await people('twin');
    scim.users = [account('1', 'twin'), account('2', 'twin.b', { emails: [{ value: 'twin@here.example' }] })];
    const report = await read();
    expect(report.counts.duplicate?.count).toBe(2);
    expect(await rowsOf((await make()).id)).toEqual([]);
  });

  it.each([
    [
      'a person',
      async (_: TestPerson, late: TestPerson) =>
        void (await editUser(app.operator(), company.id, late.user.id, { firstName: 'Other' })),
      /Pat Example/,
    ],
    [
      'an account',
      async () =>
        void (await app.runtime
          .db('module_accounts')
          .where({ instance_id: instanceId, external_id: '3' })
          .update({ permissions: ['Reports'] })),
      /stray/,
    ],
    [
      'the settings',
      async () =>
        setDriftSettings(app, company, instanceId, { deprovisioning: { on: true, graceDays: 3, removal: 'remove' } }),
      null,
    ],
  ])('is refused when %s has changed, and says what', async (_, change, who) => {
    const [gone, , late] = await oneOfEach();
    const { id } = await make();
    await change(gone as TestPerson, late as TestPerson);
    await expect(applyPlan(ada, company.id, id)).rejects.toMatchObject({ status: 409 });
    const { count, settingsChanged, differences } = await comparePlan(app.operator(), await get(id), 10);
    expect(count).toBe(1);
    expect(settingsChanged).toBe(who === null);
    if (who) expect(`${differences[0]?.person} ${differences[0]?.account}`).toMatch(who);
    expect(await deliveries()).toEqual([]);
    expect(await get(id)).toMatchObject({ state: 'ready', taskId: null });
  });

  it('what changes between Apply and the work is left as it is, and said', async () => {
    await oneOfEach();
    const { id } = await make();
    const applied = await applyPlan(ada, company.id, id);
    if (applied.outcome !== 'started') throw new Error(applied.outcome);
    await app.runtime
      .db('module_accounts')
      .where({ instance_id: instanceId, external_id: '3' })
      .update({ is_active: false });
    expect(await work(applied.taskId)).toMatchObject({ state: 'done', succeeded: 2, skipped: 1 });
    expect((await deliveries()).map(({ external_id }) => external_id)).toEqual(['1', null]);
  });

  it('an administrator of the module, or more than 10 people and 5 %: only a second Admin can apply it', async () => {
    scim.users = [account('1', 'boss', { roles: [{ value: 'Administrator' }] })];
    await read();
    const { id } = await make();
    expect(await get(id)).toMatchObject({ secondBecause: expect.stringMatching(/an administrator/) });
    expect(await applyPlan(ada, company.id, id)).toEqual({ outcome: 'asked' });
    expect(await get(id)).toMatchObject({ state: 'waiting', askedByName: 'ada' });
    await expect(applyPlan(ada, company.id, id)).rejects.toMatchObject({
      status: 409,
      message: expect.stringMatching(/Another administrator/),
    });
    expect(await deliveries()).toEqual([]);
    expect(await applyPlan(eve, company.id, id)).toMatchObject({ outcome: 'started' });

    scim.users = Array.from({ length: 30 }, (_, i) => account(String(i), `s${i}`, { active: i < 11 }));
    await read();
    expect((await get((await make()).id)).secondBecause).toMatch(/11 of 11/);
    scim.users = Array.from({ length: 30 }, (_, i) => account(String(i), `s${i}`, { active: i < 10 }));
    await read();
    expect((await get((await make()).id)).secondBecause).toBeNull();
  });

  it('whoever is no administrator any more stops the work', async () => {
    await oneOfEach();
    const { id } = await make();
    const applied = await applyPlan(eve, company.id, id);
    if (applied.outcome !== 'started' || eve.actor.kind !== 'user') throw new Error('not started');
    await editUser(app.operator(), company.id, eve.actor.id, { role: 'User' });
    expect(await work(applied.taskId)).toMatchObject({ state: 'done', succeeded: 0, failed: 3 });
    expect(await deliveries()).toEqual([]);
  });

  it('needs a report, something to be about, and something to do; dropped, it is applied by nobody', async () => {
    await expect(make()).rejects.toMatchObject({ status: 409 });
    await read();
    await expect(make({ classes: [], orphans: 'ignore' })).rejects.toMatchObject({ status: 422 });
    await expect(applyPlan(ada, company.id, (await make()).id)).rejects.toMatchObject({
      status: 409,
      message: expect.stringMatching(/nothing to do/),
    });
    await oneOfEach();
    const { id } = await make();
    await dropPlan(ada, company.id, id);
    await expect(applyPlan(ada, company.id, id)).rejects.toMatchObject({ status: 409 });
  });

  it('whatever stands there: the deliveries are the lines of the plan, act by act', async () => {
    const subject = fc.record({
      hasAccount: fc.boolean(),
      isActive: fc.boolean(),
      isKnown: fc.boolean(),
      isPerson: fc.boolean(),
      leaves: fc.boolean(),
      permission: fc.constantFrom('Team Access', 'Reports', 'Administrator'),
    });
    const scope = fc.record({
      classes: fc.subarray(everything.classes, { minLength: 1 }),
      orphans: fc.constantFrom('ignore' as const, 'suspend' as const),
      withRules: fc.boolean(),
    });
    await fc.assert(
      fc.asyncProperty(
        fc.array(subject, { minLength: 1, maxLength: 8 }),
        scope,
        async (subjects, { withRules, ...wanted }) => {
          instanceId = await connectForDrift(app, company, scim);
          const groups = await app.runtime.store.of(company.id).groups.list();
          const all = groups.find(({ name }) => name === 'All Module Access');
          await setDriftSettings(app, company, instanceId, {
            accessGroups: {
              on: withRules,
              rules: withRules ? [{ groupId: all?.id as never, permission: 'Reports' }] : [],
            },
          });
          scim.users = [];
          const leavers: TestPerson[] = [];
          for (const [i, one] of subjects.entries()) {
            const name = `p${i}.${instanceId.slice(-6)}`;
            const [made] = one.isPerson ? await people(name) : [];
            if (made && one.leaves) leavers.push(made);
            if (one.hasAccount)
              scim.users.push(
                account(String(i), name, {
                  active: one.isActive,
                  roles: [{ value: one.permission }],
                  ...(one.isKnown && made ? { externalId: made.user.id } : {}),
                }),
              );
          }
          await read();
          for (const one of leavers) await leave(one);
          await read();
          await app.runtime.db('deliveries').where({ instance_id: instanceId }).delete();
          const { id } = await make(wanted);
          const shown = (await rowsOf(id)).filter(({ act }) => act !== 'none');
          if (shown.length === 0) return;
          const applied = await applyPlan(eve, company.id, id);
          if (applied.outcome !== 'started') throw new Error(applied.outcome);
          expect(await work(applied.taskId)).toMatchObject({ succeeded: shown.length, skipped: 0, failed: 0 });
          const key = (one: { act: string; userId: unknown; externalId: unknown; wanted: object }) =>
            JSON.stringify([one.act, one.userId, one.externalId, Object.entries(one.wanted).sort()]);
          const queued = (await deliveries()).map(({ act, user_id, external_id, wanted }) =>
            key({ act, userId: user_id, externalId: external_id, wanted }),
          );
          expect(queued.sort()).toEqual(shown.map(key).sort());
        },
      ),
      { numRuns: 12 },
    );
  }, 120_000);
});
