// C26: Enforce Log In with SSO is lock-out-proof: the pre-flight, the trial, break-glass people, and the last way in.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Company } from '../../../src/domain/companies/company.ts';
import { bindOwnIdentity } from '../../../src/domain/federation/binding-commands.ts';
import {
  addBreakGlass,
  changeBreakGlass,
  listBreakGlass,
  removeBreakGlass,
  watchBreakGlass,
} from '../../../src/domain/federation/break-glass-commands.ts';
import { editConnection } from '../../../src/domain/federation/connection-commands.ts';
import type { StoredConnection } from '../../../src/domain/federation/connection-repository.ts';
import { isEnforced } from '../../../src/domain/federation/enforce.ts';
import {
  cameInThrough,
  enforceSso,
  preflightEnforce,
  revertEnforceTrial,
  revertOverdueEnforceTrials,
  stopEnforcing,
} from '../../../src/domain/federation/enforce-commands.ts';
import { switchConnection } from '../../../src/domain/federation/switch-commands.ts';
import { testedHashOf } from '../../../src/domain/federation/tested.ts';
import { deleteUser } from '../../../src/domain/users/admin-commands.ts';
import { deactivateUser } from '../../../src/domain/users/commands.ts';
import { editUser } from '../../../src/domain/users/edit-commands.ts';
import { deactivateSome } from '../../../src/domain/users/leave-commands.ts';
import { mustUseSso } from '../../../src/domain/users/sso-queries.ts';
import { keepHouse } from '../../../src/jobs/housekeeping.ts';
import { days, after as later, minutes, seconds } from '../../../src/lib/time.ts';
import { startApp, type TestApp } from '../../support/app.ts';
import { arrive, claimsOf, getConnection, makeConnection, upstreamIssuer, workAs } from '../../support/federation.ts';
import { makeCompany, makePerson, signIn, type TestPerson } from '../../support/people.ts';
import { wordsOf } from '../../support/visitor.ts';

let app: TestApp;
beforeAll(async () => {
  app = await startApp();
}, 60_000);
afterAll(() => app.stop());

interface Stage {
  company: Company;
  connection: StoredConnection;
  root: TestPerson;
  admin: TestPerson;
  glass: TestPerson;
  user: TestPerson;
  now(): Promise<StoredConnection>;
}

/** Nothing stands in the way: an administrator on the list beside Root, a passed test, and the other one has just come in. */
async function makeStage(): Promise<Stage> {
  const company = await makeCompany(app);
  const root = await makePerson(app, company, { role: 'Root Admin' });
  const admin = await makePerson(app, company, { role: 'Admin' });
  const glass = await makePerson(app, company, { role: 'Admin' });
  const user = await makePerson(app, company);
  const connection = await makeConnection(app, company);
  const stage = {
    company,
    connection,
    root,
    admin,
    glass,
    user,
    now: () => getConnection(app, company, connection.id),
  };
  await exempt(stage, glass);
  await app.runtime.store
    .of(company.id)
    .connections.setTested(connection.id, testedHashOf(connection), app.clock.now());
  await comeIn(stage, admin);
  return stage;
}

const exempt = ({ company, admin }: Pick<Stage, 'company' | 'admin'>, { user }: TestPerson, more: object = {}) =>
  addBreakGlass(workAs(app, admin), company.id, {
    userId: user.id,
    reason: 'On call',
    endsAt: null,
    noEnd: true,
    ...more,
  });

async function comeIn({ connection, now }: Pick<Stage, 'connection' | 'now'>, { user }: TestPerson): Promise<void> {
  const arrival = await arrive(app, connection, claimsOf(user.email));
  if (arrival.outcome !== 'accepted') throw new Error(`refused: ${arrival.because}`);
  await cameInThrough(app.operator(), await now(), user.id);
}

const enforce = async ({ company, admin, now }: Stage) => {
  const { id, version } = await now();
  return enforceSso(workAs(app, admin), company.id, id, { version });
};

const mayUsePassword = async ({ company }: Stage, { user }: TestPerson): Promise<boolean> =>
  !(await mustUseSso(app.operator(), company, user));

const checksOf = async ({ company, connection }: Stage, by: TestPerson) => {
  const { checks } = await preflightEnforce(workAs(app, by), company.id, connection.id);
  return Object.fromEntries(checks.map(({ name, passed, sentence }) => [name, { passed, sentence }]));
};

const eventsOf = async ({ connection }: Stage): Promise<unknown[]> =>
  (
    await app.runtime
      .db('audit_events')
      .where({ action: 'sso.config', target_id: connection.id })
      .orderBy('id')
      .select('details')
  )
    .map(({ details }) => details)
    .filter(({ of }) => of === 'enforce')
    .map(({ change }) => change);

const mailsOf = ({ company }: Stage, kind: string): Promise<string[]> =>
  app.runtime.db('mails').where({ company_id: company.id, kind }).orderBy('id').pluck('recipient');

describe('the pre-flight', () => {
  it('says who has to have come in, that the connection is tested, who keeps a way in, and who loses the password', async () => {
    const stage = await makeStage();
    const read = await preflightEnforce(workAs(app, stage.admin), stage.company.id, stage.connection.id);
    expect(read.ready).toBe(true);
    expect(read.waysIn.map(({ userId, kind }) => [userId, kind])).toEqual([
      [stage.root.user.id, 'root'],
      [stage.glass.user.id, 'break-glass'],
    ]);
    // The administrator, who was seen, and the user, who was not; neither Root nor the one on the list.
    expect(read.losesPassword).toMatchObject({ count: 2, of: 4 });
    expect(read.losesPassword.reasons.map(({ reason, count }) => [reason, count])).toEqual([
      ['unseen', 1],
      ['known', 1],
    ]);
    expect(read.losesPassword.sample.map(({ userId }) => userId)).toEqual([stage.user.user.id, stage.admin.user.id]);
  });

  it('10 minutes: an administrator who has not come in, or not lately, or only was refused, is told what to do', async () => {
    const stage = await makeStage();
    expect((await checksOf(stage, stage.root)).signed_in).toMatchObject({ passed: false });
    app.clock.advance(minutes(9));
    expect((await checksOf(stage, stage.admin)).signed_in?.passed).toBe(true);
    app.clock.advance(minutes(2));
    const { signed_in } = await checksOf(stage, stage.admin);
    expect(signed_in).toMatchObject({ passed: false });
    expect(signed_in?.sentence).toContain('in the last 10 minutes');
    // Seen again, but not let in.
    await arrive(app, stage.connection, claimsOf(stage.admin.user.email));
    expect((await checksOf(stage, stage.admin)).signed_in?.passed).toBe(false);
    expect(await enforce(stage)).toMatchObject({ outcome: 'preflight', preflight: { ready: false } });
    expect(await mayUsePassword(stage, stage.user)).toBe(true);
  });

  it('C27 a Root Admin whom no sign-in could find is led to “This is me” first, and to another window then', async () => {
    const { company, connection, root, admin } = await makeStage();
    const looked = async (person: TestPerson) => {
      const visitor = app.visitor();
      await signIn(app, visitor, person, '/login');
      return visitor.open(`/admin/sso/${connection.id}/enforce`);
    };
    const toTest = `href="/admin/sso/${connection.id}/test">Test ${connection.name}</a>`;
    const before = await looked(root);
    expect(wordsOf(before)).toContain('choose “This is me” on its result');
    expect(before.body).toContain(toTest);
    const claims = claimsOf('root@upstream.example');
    await bindOwnIdentity(workAs(app, root), connection, claims, { issuer: upstreamIssuer });
    // Others are found by their address.
    app.clock.advance(minutes(11));
    for (const person of [root, admin]) {
      const after = await looked(person);
      expect(wordsOf(after)).toContain('Do it now in another window');
      expect(after.body).not.toContain(toTest);
    }
    const { mustBind } = await preflightEnforce(workAs(app, admin), company.id, connection.id);
    expect(mustBind).toBe(false);
  });

  it('a test of other settings is none', async () => {
    const stage = await makeStage();
    const { version, settings } = await stage.now();
    if (settings.kind !== 'saml') throw new Error('not SAML');
    await editConnection(workAs(app, stage.admin), stage.company.id, stage.connection.id, {
      version,
      settings: { ...settings, ssoUrl: 'https://idp.contoso.example/other' },
    });
    expect((await checksOf(stage, stage.admin)).tested?.passed).toBe(false);
    expect((await enforce(stage)).outcome).toBe('preflight');
  });

  it('two ways in, one of them an administrator: who is deactivated, without a password or over time counts for none', async () => {
    const stage = await makeStage();
    const ways = async () => (await checksOf(stage, stage.admin)).ways_in;
    expect((await ways())?.passed).toBe(true);
    await app.runtime.db('credentials').where({ user_id: stage.glass.user.id }).delete();
    expect(await ways()).toMatchObject({ passed: false });
    await exempt(stage, stage.user, { endsAt: later(app.clock.now(), days(2)), noEnd: false });
    expect((await ways())?.passed).toBe(true);
    await app.runtime.db('users').where({ id: stage.root.user.id }).update({ base_status: 'Deactivated' });
    expect(await ways()).toMatchObject({ passed: false });
    await app.runtime.db('users').where({ id: stage.root.user.id }).update({ base_status: 'Active' });
    app.clock.advance(days(2));
    expect(await ways()).toMatchObject({ passed: false });
  });

  it('D.3 administrators of the company alone; another company does not exist', async () => {
    const stage = await makeStage();
    const stranger = await makePerson(app, await makeCompany(app), { role: 'Root Admin' });
    await expect(
      preflightEnforce(workAs(app, stage.user), stage.company.id, stage.connection.id),
    ).rejects.toMatchObject({
      status: 403,
    });
    await expect(
      preflightEnforce(workAs(app, stranger), stranger.company.id, stage.connection.id),
    ).rejects.toMatchObject({ status: 404 });
    await expect(
      enforceSso(workAs(app, stranger), stage.company.id, stage.connection.id, { version: 1 }),
    ).rejects.toMatchObject({ status: 403 });
  });
});

describe('the trial', () => {
  it('binds at once all but Root and break-glass people (C23), and reverts to the minute when nobody confirms it', async () => {
    const stage = await makeStage();
    expect(await enforce(stage)).toMatchObject({ outcome: 'trial' });
    expect(await mayUsePassword(stage, stage.user)).toBe(false);
    expect(await mayUsePassword(stage, stage.admin)).toBe(false);
    expect(await mayUsePassword(stage, stage.root)).toBe(true);
    expect(await mayUsePassword(stage, stage.glass)).toBe(true);
    app.clock.advance(minutes(29));
    await revertEnforceTrial(app.operator(), stage.company.id, stage.connection.id);
    expect(await mayUsePassword(stage, stage.user)).toBe(false);
    app.clock.advance(minutes(1));
    // Over, whether or not the job has run.
    expect(await mayUsePassword(stage, stage.user)).toBe(true);
    expect(isEnforced(await stage.now(), app.clock.now())).toBe(false);
    await Promise.all([
      revertEnforceTrial(app.operator(), stage.company.id, stage.connection.id),
      revertEnforceTrial(app.operator(), stage.company.id, stage.connection.id),
      revertOverdueEnforceTrials(app.operator()),
    ]);
    expect((await stage.now()).enforce).toEqual({ state: 'off', trialBeganAt: null, trialEndsAt: null, trialBy: null });
    expect(await eventsOf(stage)).toEqual(['trial', 'reverted']);
    expect((await mailsOf(stage, 'ssoReverted')).sort()).toEqual(
      [stage.root, stage.admin, stage.glass].map(({ user }) => user.email).sort(),
    );
  });

  it('is kept by the second sign-in of an administrator, and by nobody else', async () => {
    const stage = await makeStage();
    await enforce(stage);
    await comeIn(stage, stage.user);
    expect((await stage.now()).enforce.state).toBe('trial');
    app.clock.advance(minutes(3));
    await comeIn(stage, stage.admin);
    expect((await stage.now()).enforce.state).toBe('on');
    app.clock.advance(minutes(60));
    await revertOverdueEnforceTrials(app.operator());
    expect(await mayUsePassword(stage, stage.user)).toBe(false);
    expect(await eventsOf(stage)).toEqual(['trial', 'confirmed']);
  });

  it('the sign-in that the pre-flight saw confirms nothing; one in time, whose word was lost, does', async () => {
    const stage = await makeStage();
    await enforce(stage);
    const { enforce: trial } = await stage.now();
    // What a node that fell right after the sign-in leaves behind.
    const came = (at: Date) =>
      app.runtime
        .db('idp_identities')
        .where({ connection_id: stage.connection.id, user_id: stage.admin.user.id })
        .update({ signed_in_at: at });
    await came(trial.trialBeganAt ?? app.clock.now());
    app.clock.advance(minutes(31));
    await came(later(trial.trialBeganAt ?? app.clock.now(), minutes(5)));
    await revertEnforceTrial(app.operator(), stage.company.id, stage.connection.id);
    expect((await stage.now()).enforce.state).toBe('on');
    await stopEnforcing(workAs(app, stage.admin), stage.company.id, stage.connection.id);
    await comeIn(stage, stage.admin);
    await enforce(stage);
    app.clock.advance(minutes(31));
    await revertEnforceTrial(app.operator(), stage.company.id, stage.connection.id);
    expect((await stage.now()).enforce.state).toBe('off');
  });

  it('too late is too late: a sign-in after its end begins nothing anew', async () => {
    const stage = await makeStage();
    await enforce(stage);
    app.clock.advance(minutes(31));
    await comeIn(stage, stage.admin);
    expect(await mayUsePassword(stage, stage.user)).toBe(true);
    await revertOverdueEnforceTrials(app.operator());
    expect((await stage.now()).enforce.state).toBe('off');
  });

  it('twice is once, an old page is stale, a disabled connection is refused', async () => {
    const stage = await makeStage();
    const { version } = await stage.now();
    const both = await Promise.all([enforce(stage), enforce(stage)]);
    expect(both.map(({ outcome }) => outcome).sort()).toEqual(['stale', 'trial']);
    expect(await enforce(stage)).toEqual({ outcome: 'unchanged' });
    expect(await enforceSso(workAs(app, stage.admin), stage.company.id, stage.connection.id, { version })).toEqual({
      outcome: 'stale',
    });
    await switchConnection(workAs(app, stage.admin), stage.company.id, stage.connection.id, { enabled: false });
    expect(await mayUsePassword(stage, stage.user)).toBe(true);
    await expect(enforce(stage)).rejects.toMatchObject({ status: 409 });
    // Enabled again, it binds nobody without a new pre-flight.
    await switchConnection(workAs(app, stage.admin), stage.company.id, stage.connection.id, {
      enabled: true,
      override: 'a test',
    });
    expect(await mayUsePassword(stage, stage.user)).toBe(true);
  });

  it('the housekeeping reverts what a lost job would have', async () => {
    const stage = await makeStage();
    await enforce(stage);
    app.clock.advance(minutes(31));
    await keepHouse(app.operator());
    expect((await stage.now()).enforce.state).toBe('off');
  });

  it('turning it off needs nothing, and leaves the list for the next time', async () => {
    const stage = await makeStage();
    await enforce(stage);
    await stopEnforcing(workAs(app, stage.root), stage.company.id, stage.connection.id);
    await stopEnforcing(workAs(app, stage.root), stage.company.id, stage.connection.id);
    expect(await mayUsePassword(stage, stage.user)).toBe(true);
    expect(await listBreakGlass(workAs(app, stage.root), stage.company.id)).toHaveLength(1);
    expect(await eventsOf(stage)).toEqual(['trial', 'ended']);
  });
});

describe('break-glass people', () => {
  it('each with a reason, and an end or none by choice', async () => {
    const { company, admin, user } = await makeStage();
    const add = (input: object) =>
      addBreakGlass(workAs(app, admin), company.id, {
        userId: user.user.id,
        reason: 'On call',
        endsAt: null,
        noEnd: true,
        ...input,
      });
    const field = async (input: object) => {
      const error: unknown = await add(input).catch((error: unknown) => error);
      return error instanceof Error && 'fields' in error ? Object.keys(error.fields as object) : error; // as: AppError's
    };
    expect(await field({ reason: ' ' })).toEqual(['reason']);
    expect(await field({ reason: 'two\nlines' })).toEqual(['reason']);
    expect(await field({ noEnd: false })).toEqual(['endsAt']);
    expect(await field({ endsAt: later(app.clock.now(), minutes(5)), noEnd: false })).toEqual(['endsAt']);
    expect(await field({ endsAt: later(app.clock.now(), days(400)), noEnd: false })).toEqual(['endsAt']);
    expect(await field({ endsAt: later(app.clock.now(), days(4)) })).toEqual(['endsAt']);
    expect(await field({ userId: 'nobody' })).toEqual(['userId']);
    const stranger = await makePerson(app, await makeCompany(app));
    expect(await field({ userId: stranger.user.id })).toEqual(['userId']);
    await add({});
    await expect(add({})).rejects.toMatchObject({ status: 409 });
  });

  it('only administrators, and Root needs no place on the list', async () => {
    const { company, root, admin, user } = await makeStage();
    const input = { userId: user.user.id, reason: 'x', endsAt: null, noEnd: true };
    await expect(addBreakGlass(workAs(app, user), company.id, input)).rejects.toMatchObject({ status: 403 });
    await expect(
      addBreakGlass(workAs(app, admin), company.id, { ...input, userId: root.user.id }),
    ).rejects.toMatchObject({
      status: 422,
    });
    await expect(removeBreakGlass(workAs(app, user), company.id, user.user.id)).rejects.toMatchObject({ status: 403 });
  });

  it('the last administrator who could log in is named, and refused to go; also of two at once', async () => {
    const stage = await makeStage();
    const third = await makePerson(app, stage.company, { role: 'Admin' });
    await exempt(stage, third);
    await enforce(stage);
    // Root, too, can lose the password: then the list is all there is.
    await app.runtime.db('credentials').where({ user_id: stage.root.user.id }).delete();
    const remove = ({ user }: TestPerson) => removeBreakGlass(workAs(app, stage.admin), stage.company.id, user.id);
    const results = await Promise.allSettled([remove(stage.glass), remove(third)]);
    expect(results.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    const [left] = await listBreakGlass(workAs(app, stage.admin), stage.company.id);
    const refusal = results.find((one) => one.status === 'rejected')?.reason;
    expect(refusal).toMatchObject({ code: 'last_way_in', status: 409, more: { way_in: { user_id: left?.userId } } });
    // The same for whoever would deactivate them.
    const last = left?.userId ?? stage.glass.user.id;
    const by = workAs(app, stage.admin);
    for (const act of [
      () => deactivateUser(by, stage.company.id, last),
      () => deleteUser(by, stage.company.id, last),
      () => editUser(by, stage.company.id, last, { role: 'User' }),
    ])
      await expect(act()).rejects.toMatchObject({ code: 'last_way_in' });
    const [kept, gone] = await deactivateSome(by, stage.company.id, [last, stage.user.user.id]);
    expect(kept).toMatchObject({ outcome: 'skipped', message: expect.stringContaining('last administrator') });
    expect(gone).toMatchObject({ outcome: 'succeeded' });
    await stopEnforcing(workAs(app, stage.admin), stage.company.id, stage.connection.id);
    await removeBreakGlass(workAs(app, stage.admin), stage.company.id, left?.userId ?? stage.glass.user.id);
  });

  it('over time a place counts no more; it is told 7 days and 1 day before, and can be given anew', async () => {
    const stage = await makeStage();
    await exempt(stage, stage.user, { endsAt: later(app.clock.now(), days(8)), noEnd: false });
    await enforce(stage);
    app.clock.advance(seconds(5));
    await comeIn(stage, stage.admin);
    expect((await stage.now()).enforce.state).toBe('on');
    const mails = async () =>
      (await mailsOf(stage, 'breakGlassEnds')).filter((to) => to === stage.admin.user.email).length;
    const turn = async (time: number) => {
      app.clock.advance(time);
      await Promise.all([watchBreakGlass(app.operator()), watchBreakGlass(app.operator())]);
      return mails();
    };
    expect(await turn(0)).toBe(0);
    expect(await turn(days(1))).toBe(1);
    expect(await turn(days(1))).toBe(1);
    expect(await turn(days(5))).toBe(2);
    expect(await mayUsePassword(stage, stage.user)).toBe(true);
    expect(await turn(days(1))).toBe(2);
    expect(await mayUsePassword(stage, stage.user)).toBe(false);
    await exempt(stage, stage.user);
    expect(await mayUsePassword(stage, stage.user)).toBe(true);
    await changeBreakGlass(workAs(app, stage.admin), stage.company.id, stage.user.user.id, {
      reason: 'For a day',
      endsAt: later(app.clock.now(), days(1)),
      noEnd: false,
    });
    expect((await listBreakGlass(workAs(app, stage.admin), stage.company.id)).map(({ reason }) => reason)).toContain(
      'For a day',
    );
  });

  it('the last administrator on the list does not end by time while it is enforced: kept for a week, and told', async () => {
    const stage = await makeStage();
    await changeBreakGlass(workAs(app, stage.admin), stage.company.id, stage.glass.user.id, {
      reason: 'On call',
      endsAt: later(app.clock.now(), days(2)),
      noEnd: false,
    });
    await enforce(stage);
    app.clock.advance(seconds(5));
    await comeIn(stage, stage.admin);
    expect((await stage.now()).enforce.state).toBe('on');
    await app.runtime.db('credentials').where({ user_id: stage.root.user.id }).delete();
    app.clock.advance(days(1) + minutes(1));
    await watchBreakGlass(app.operator());
    const [kept] = await listBreakGlass(workAs(app, stage.admin), stage.company.id);
    expect(Number(kept?.endsAt)).toBeGreaterThan(Number(later(app.clock.now(), days(6))));
    app.clock.advance(days(3));
    expect(await mayUsePassword(stage, stage.glass)).toBe(true);
    expect(await mailsOf(stage, 'breakGlassEnds')).toContain(stage.admin.user.email);
  });
});
