// Import and drift (A8.7, C13, C28, C32): a module's accounts are read from services as bad as they come, and said what they are.
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Company } from '../../../src/domain/companies/company.ts';
import { addMembers } from '../../../src/domain/groups/member-commands.ts';
import type { Finding, Reading } from '../../../src/domain/provisioning/drift.ts';
import { linkAccount, requestReading, unlinkAccount } from '../../../src/domain/provisioning/drift-commands.ts';
import { eachFinding, listFindings } from '../../../src/domain/provisioning/drift-queries.ts';
import { hintQueue } from '../../../src/domain/standing/commands.ts';
import { deactivateUser } from '../../../src/domain/users/commands.ts';
import { keepReadings } from '../../../src/jobs/read-accounts.ts';
import { accountExtension } from '../../../src/jobs/scim.ts';
import { sweepStanding } from '../../../src/jobs/standing-sweep.ts';
import type { InstanceId } from '../../../src/lib/ids.ts';
import { days, minutes } from '../../../src/lib/time.ts';
import { startApp, type TestApp } from '../../support/app.ts';
import { connectForDrift, makeHere, readNow, runReading, setDriftSettings } from '../../support/drift.ts';
import { makeCompany, makePerson, type TestPerson } from '../../support/people.ts';
import { listOf, ScimServer, type ScimUser, scimUser, scimUsers, sendJson } from '../../support/scim-server.ts';

const anything = { search: '', class: null, onlyNew: false };

describe('import and drift', () => {
  let app: TestApp;
  let company: Company;
  let instanceId: InstanceId;
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
    instanceId = await connectForDrift(app, company, scim);
    await setDriftSettings(app, company, instanceId);
  });

  const person = (username: string, more = {}): Promise<TestPerson> =>
    makePerson(app, company, { username, email: `${username}@here.example`, groups: ['All Module Access'], ...more });
  /** As a module tells of somebody's account. */
  const account = (id: string, username: string, more: ScimUser = {}): ScimUser =>
    scimUser(id, {
      userName: username,
      emails: [{ value: `${username}@here.example` }],
      roles: [{ value: 'Team Access', primary: true }],
      timezone: 'Europe/Berlin',
      [accountExtension]: { localLogin: false, administrator: false },
      ...more,
    });
  const read = (limits = {}) => readNow(app, company, instanceId, limits);
  async function findings(report: Reading, filter: Partial<typeof anything> = {}): Promise<Finding[]> {
    const all: Finding[] = [];
    const wanted = { ...anything, ...filter } as Parameters<typeof listFindings>[2];
    for await (const some of eachFinding(app.operator(), report, wanted)) all.push(...some);
    return all;
  }
  const matched = async (report: Reading) => {
    const { rows } = await listFindings(
      app.operator(),
      report,
      { ...anything, class: 'matched' },
      { page: 1, size: 200 },
    );
    return rows;
  };
  const madeHere = (externalId: string, timeZone: string) =>
    makeHere(app, company, instanceId, { externalId, timeZone });
  const accounts = async () =>
    app.runtime.db('module_accounts').where({ instance_id: instanceId }).orderBy('external_id');
  const stored = () => app.runtime.store.of(company.id).seen;

  it('reads page by page and keeps what the module tells: permissions, time zone, our name, version, local login', async () => {
    const { user } = await person('ada');
    scim.users = [
      scimUser('a1', {
        externalId: user.id,
        timezone: 'Europe/Berlin',
        roles: [{ value: 'Reports' }, { value: 'Administrator', primary: true }],
        meta: { version: 'W/"7"' },
        [accountExtension]: { localLogin: true, administrator: true, values: { theme: 'dark' } },
      }),
      ...scimUsers(120),
    ];
    const report = await read();
    expect(report).toMatchObject({ state: 'done', read: 121, announced: 121, isWhole: true, problem: null });
    expect(scim.hits.map(({ url }) => new URL(url, 'http://x').searchParams.get('startIndex'))).toEqual([
      '1',
      '51',
      '101',
    ]);
    const [first] = await stored().listByIds(instanceId, ['a1']);
    expect(first).toMatchObject({
      permissions: ['Administrator', 'Reports'],
      timeZone: 'Europe/Berlin',
      knownAs: user.id,
      etag: 'W/"7"',
      hasLocalLogin: true,
      isAdministrator: true,
      userId: user.id,
      linkedBy: 'known',
      life: 'live',
    });
    expect(report.counts.orphan).toMatchObject({ count: 120 });
  });

  it('C28 links by our own name, else by a verified address; an unverified one says nothing', async () => {
    const ada = await person('ada');
    const ben = await person('ben');
    await person('cai', { emailVerified: false });
    scim.users = [account('1', 'someone.else', { externalId: ada.user.id }), account('2', 'ben'), account('3', 'cai')];
    const report = await read();
    expect((await accounts()).map(({ user_id, linked_by }) => [user_id, linked_by])).toEqual([
      [ada.user.id, 'known'],
      [ben.user.id, 'email'],
      [null, null],
    ]);
    const [stray] = await findings(report, { class: 'orphan' } as never);
    expect(stray).toMatchObject({ account: 'cai', why: expect.stringMatching(/not verified/) });
  });

  it('C28 our name for a person of another company links nobody', async () => {
    const other = await makeCompany(app);
    const { user } = await makePerson(app, other);
    scim.users = [account('1', 'x', { externalId: user.id })];
    await read();
    expect((await accounts())[0]).toMatchObject({ user_id: null, known_as: user.id });
  });

  it('C13 what is not clear is a duplicate, and touched by nobody: two accounts, two people, a second account', async () => {
    await person('ada');
    await person('ben');
    await person('cai');
    await makePerson(app, company, { username: 'cai.two', email: 'cai@here.example', groups: ['All Module Access'] });
    const dan = await person('dan');
    scim.users = [
      account('1', 'ada'),
      account('2', 'ada2', { emails: [{ value: 'ADA@here.example' }] }),
      account('3', 'ben'),
      account('4', 'cai'),
      account('5', 'dan', { externalId: dan.user.id, emails: [{ value: 'else@here.example' }] }),
      account('6', 'dan.old', { emails: [{ value: 'dan@here.example' }] }),
    ];
    const report = await read();
    const doubtful = await findings(report, { class: 'duplicate' } as never);
    expect(doubtful.map(({ externalId }) => externalId).sort()).toEqual(['1', '2', '4', '6']);
    expect((await accounts()).filter(({ user_id }) => user_id).map(({ external_id }) => external_id)).toEqual([
      '3',
      '5',
    ]);
    // Who could be one of several is not missing: an account for them would be one more.
    expect(await findings(report, { class: 'missing' } as never)).toEqual([]);
  });

  it('takes the first username where the product says so, and ties nobody where only its own login does (B.8)', async () => {
    const { user } = await person('ada');
    const twins = [
      account('1', 'ada.z', { emails: [{ value: 'ada@here.example' }] }),
      account('2', 'ada.a', { emails: [{ value: 'ada@here.example' }] }),
    ];
    scim.users = twins;
    instanceId = await connectForDrift(app, company, scim, { severalMatches: 'firstUsername' });
    await read();
    expect((await accounts()).map(({ user_id }) => user_id)).toEqual([null, user.id]);
    instanceId = await connectForDrift(app, company, scim, { linkMode: 'explicit' });
    scim.users = twins.slice(0, 1);
    const report = await read();
    expect(report.counts).toMatchObject({ orphan: { count: 1 } });
    expect((await accounts())[0].user_id).toBeNull();
  });

  it('classes each account: matched, orphan, missing, status, permission, time zone, local password', async () => {
    const group = await app.runtime.store.of(company.id).groups.list();
    const all = group.find(({ name }) => name === 'All Module Access');
    await setDriftSettings(app, company, instanceId, {
      accessGroups: { on: true, rules: [{ groupId: all?.id ?? '', permission: 'Reports' }] },
    });
    await app.runtime.store.of(company.id).integrations.setRequire(instanceId, {
      state: 'on',
      trialBeganAt: null,
      trialEndsAt: null,
      trialBy: null,
    });
    for (const name of ['fine', 'gone', 'off', 'role', 'zone', 'local', 'exempt']) await person(name);
    // What somebody has chosen for themselves here is about our own pages: no account is wrong because of it.
    await app.runtime.db('users').where({ company_id: company.id }).update({ time_zone: 'America/New_York' });
    const { user: missing } = await person('missing');
    const right = { roles: [{ value: 'Reports' }] };
    scim.users = [
      account('1', 'fine', right),
      account('2', 'gone', right),
      account('3', 'off', { ...right, active: false }),
      account('4', 'role'),
      account('5', 'zone', right),
      account('6', 'local', { ...right, [accountExtension]: { localLogin: true } }),
      account('7', 'exempt', { ...right, [accountExtension]: { localLogin: true } }),
      account('8', 'stranger', right),
    ];
    await app.runtime.store
      .of(company.id)
      .exceptions.insert(
        instanceId,
        { id: missing.id, kind: 'person', accountId: '7', userName: 'exempt', reason: 'x', endsAt: null },
        'test',
        app.clock.now(),
      );
    await read();
    await madeHere('5', 'Europe/Berlin');
    scim.users[4] = account('5', 'zone', { ...right, timezone: 'Asia/Tokyo' });
    const gone = await app.runtime.store.of(company.id).users.findByUsername('gone');
    await deactivateUser(app.operator(), company.id, gone?.id as never);
    const report = await read();
    const told = (await findings(report)).map((one) => [one.class, one.account || one.person, one.before, one.after]);
    expect(told.sort()).toEqual(
      [
        ['localPassword', 'local', 'Local password works', 'Log In with KaseyaOne only'],
        [
          'missing',
          'Pat Example',
          'No account',
          'Active · Reports · Europe/Berlin · missing · missing@here.example · Pat Example',
        ],
        ['orphan', 'stranger', 'Active · Reports · Europe/Berlin', ''],
        ['permission', 'role', 'Team Access', 'Reports'],
        ['status', 'gone', 'Active', 'Suspended'],
        ['status', 'off', 'Suspended', 'Active'],
        ['timeZone', 'zone', 'Asia/Tokyo', 'Europe/Berlin'],
      ].sort(),
    );
    expect((await matched(report)).map(({ account }) => account).sort()).toEqual(['exempt', 'fine']);
  });

  it('A8.7 the time zone of an account is held against the one that it was made with, not against the settings of today', async () => {
    for (const name of ['kept', 'moved', 'entered']) await person(name);
    const name = { givenName: 'Pat', familyName: 'Example' };
    scim.users = [
      account('1', 'kept', { name }),
      account('2', 'moved', { name, timezone: 'Asia/Tokyo' }),
      account('3', 'entered', { name }),
    ];
    await read();
    await madeHere('1', 'Europe/Berlin');
    await madeHere('2', 'Europe/Berlin');
    await setDriftSettings(app, company, instanceId, {
      provisioning: { on: true, values: { permission: 'Team Access', timeZone: 'America/New_York' } },
    });
    const report = await read();
    expect(report.counts).toMatchObject({ timeZone: { count: 1 }, matched: { count: 2 } });
    const [wrong] = await findings(report);
    expect([wrong?.account, wrong?.before, wrong?.after]).toEqual(['moved', 'Asia/Tokyo', 'Europe/Berlin']);
    await sweepStanding(app.operator());
    expect(await app.runtime.db('deliveries').where({ instance_id: instanceId, act: 'update' })).toEqual([]);
  });

  it('hints once at what new links change, and at nothing where none were made', async () => {
    const hints = async () =>
      (await app.runtime.db('pgboss.job').where({ name: hintQueue }).select('data')).flatMap(({ data }) =>
        data.instanceIds?.[0] === instanceId ? [data] : [],
      );
    await app.runtime.db('pgboss.job').where({ name: hintQueue }).delete();
    scim.users = [account('1', 'linked'), account('2', 'known', { externalId: (await person('known')).user.id })];
    await read();
    const [hint] = await hints();
    // By our own name for the person, which the module keeps.
    expect(hint).toMatchObject({ companyId: company.id, userIds: null, cause: 'linked by reading Workplace' });
    await app.runtime.db('pgboss.job').where({ name: hintQueue }).delete();
    await read();
    expect(await hints()).toEqual([]);
    const { user } = await person('linked');
    await app.runtime.db('pgboss.job').where({ name: hintQueue }).delete();
    await read();
    expect((await accounts())[0].user_id).toBe(user.id);
    expect(await hints()).toHaveLength(1);
  });

  it('says what is new since the last report, and what is gone', async () => {
    scim.users = [account('1', 'x'), account('2', 'y')];
    const first = await read();
    expect(first.counts.orphan).toEqual({ count: 2, fresh: 0, gone: 0 });
    scim.users = [account('2', 'y'), account('3', 'z')];
    const second = await read();
    expect(second.counts.orphan).toEqual({ count: 2, fresh: 1, gone: 1 });
    expect((await findings(second, { onlyNew: true })).map(({ externalId }) => externalId)).toEqual(['3']);
    expect((await accounts()).map(({ external_id }) => external_id)).toEqual(['2', '3']);
  });

  it('an account of somebody that is missing from the list is asked for before it is forgotten', async () => {
    await person('ada');
    await person('ben');
    scim.users = [account('1', 'ada'), account('2', 'ben'), account('3', 'x')];
    await read();
    const [one, two, three] = scim.users;
    // The list leaves 2 out, which is there; 1 is gone.
    scim.users = [two, three] as ScimUser[];
    scim.answer = (request, response) =>
      request.url?.includes('startIndex') ? sendJson(response, listOf([three], 1)) : false;
    await read();
    expect((await accounts()).map(({ external_id }) => external_id)).toEqual(['2', '3']);
    // A module that cannot be asked for one account forgets nobody.
    scim.answer = (request, response) =>
      request.url?.includes('startIndex') ? sendJson(response, listOf([three], 1)) : sendJson(response, {}, 404);
    await read();
    expect((await accounts()).map(({ external_id }) => external_id)).toEqual(['2', '3']);
    expect(one).toBeDefined();
  });

  it('half an answer forgets nobody, and says that it is half', async () => {
    await person('ada');
    scim.users = [account('1', 'ada'), account('2', 'x'), account('3', 'y')];
    await read();
    scim.answer = (_, response) => sendJson(response, listOf([scim.users[0]], 3));
    const report = await read();
    expect(report).toMatchObject({
      state: 'done',
      isWhole: false,
      problem: expect.stringMatching(/announced 3 accounts, and sent 1/),
    });
    expect(await accounts()).toHaveLength(3);
  });

  it('one by one: a second request joins the first; another page of the same list is kept once', async () => {
    scim.users = scimUsers(60);
    const [one, two] = await Promise.all([
      requestReading(app.operator(), company.id, instanceId),
      requestReading(app.operator(), company.id, instanceId),
    ]);
    expect(two.id).toBe(one.id);
    await Promise.all([runReading(app, company, instanceId, one.id), runReading(app, company, instanceId, one.id)]);
    const report = await app.runtime.store.of(company.id).drift.findById(one.id);
    expect(report).toMatchObject({ state: 'done', read: 60 });
    expect(report?.counts.orphan?.count).toBe(60);
  });

  it('the clock hands on what has lost its reader, and reads each module once a day', async () => {
    scim.users = scimUsers(3);
    const { db, jobs } = app.runtime;
    const queued: object[] = [];
    const work = () => ({
      ...app.runtime.work({ kind: 'system', name: 'jobs' }),
      jobs: {
        ...jobs,
        enqueue: async (_: unknown, name: string, payload: object) => void queued.push({ name, ...payload }),
      },
    });
    const { id } = await requestReading(app.operator(), company.id, instanceId);
    const own = () => queued.filter((one) => 'instanceId' in one && one.instanceId === instanceId);
    await keepReadings(work());
    expect(own()).toEqual([]);
    app.clock.advance(minutes(2));
    await keepReadings(work());
    expect(own()).toEqual([{ name: 'read-accounts', companyId: company.id, instanceId, trigger: 'page', readId: id }]);
    await runReading(app, company, instanceId, id);
    app.clock.advance(days(1));
    await db('module_instances').whereNot({ id: instanceId }).update({ is_enabled: false });
    queued.length = 0;
    await keepReadings(work());
    expect(own()).toMatchObject([{ trigger: 'clock' }]);
    queued.length = 0;
    await keepReadings(work());
    expect(own()).toEqual([]);
  });

  it.each([
    [
      'a wrong token',
      (response: Parameters<typeof sendJson>[0]) => sendJson(response, {}, 401),
      /refused our credential/,
    ],
    [
      'a redirect (API-11)',
      (response: Parameters<typeof sendJson>[0]) =>
        response.writeHead(302, { location: 'http://169.254.169.254/' }).end(),
      /sent us on/,
    ],
    [
      'no list',
      (response: Parameters<typeof sendJson>[0]) => response.writeHead(200, { 'content-type': 'text/html' }).end('<p>'),
      /no list of users/,
    ],
    [
      'an error that stays',
      (response: Parameters<typeof sendJson>[0]) => sendJson(response, {}, 500),
      /error of its own \(500\)/,
    ],
  ])('%s: told, and nothing is forgotten', async (_, answer, problem) => {
    scim.users = [account('1', 'x')];
    await read();
    scim.answer = (_, response) => answer(response);
    expect(await read()).toMatchObject({ state: 'failed', problem: expect.stringMatching(problem) });
    expect(await accounts()).toHaveLength(1);
  });

  it('the same page again and again has an end', async () => {
    scim.answer = (_, response) => sendJson(response, listOf(scimUsers(50), 10_000));
    expect(await read()).toMatchObject({ state: 'done', read: 50, isWhole: false });
    expect(scim.hits).toHaveLength(2);
  });

  it('what was confirmed later than the page was asked for is not overwritten by it', async () => {
    scim.users = [account('1', 'x')];
    await read();
    const later = new Date(app.clock.now().getTime() + 60_000);
    await app.runtime
      .db('module_accounts')
      .where({ instance_id: instanceId })
      .update({ is_active: false, confirmed_at: later });
    await read();
    expect((await accounts())[0]).toMatchObject({ is_active: false, user_name: 'x' });
  });

  it('C28 links by hand, and takes them back: with their events, and never one account for two people', async () => {
    const { user } = await person('ada', { emailVerified: false });
    const ben = await person('ben');
    scim.users = [account('1', 'ada.old'), account('2', 'ben')];
    await read();
    const link = (externalId: string, userId = user.id) =>
      linkAccount(app.operator(), company.id, { instanceId, externalId, userId });
    await expect(link('2')).rejects.toMatchObject({ status: 409 });
    await expect(link('1', ben.user.id)).rejects.toMatchObject({ status: 409 });
    await expect(link('none')).rejects.toMatchObject({ status: 404 });
    await link('1');
    expect((await accounts())[0]).toMatchObject({ user_id: user.id, linked_by: 'hand', life: 'live' });
    await unlinkAccount(app.operator(), company.id, { instanceId, externalId: '1' });
    expect((await accounts())[0]).toMatchObject({ user_id: null, linked_by: null, life: 'free' });
    const told = await app.runtime
      .db('audit_events')
      .where({ company_id: company.id })
      .whereIn('action', ['module.link', 'module.unlink'])
      .orderBy('id');
    expect(told.map(({ action, details }) => [action, details.accountId, details.userId])).toEqual([
      ['module.link', '1', user.id],
      ['module.unlink', '1', user.id],
    ]);
  });

  it('somebody who gets in by a group that was added is missing until the module has an account', async () => {
    const { user } = await makePerson(app, company, {
      username: 'late',
      email: 'late@here.example',
      groups: ['No Module Access'],
    });
    expect((await read()).counts.missing).toBeUndefined();
    const groups = await app.runtime.store.of(company.id).groups.list();
    const all = groups.find(({ name }) => name === 'All Module Access');
    await addMembers(app.operator(), company.id, all?.id as never, [user.id]);
    expect((await read()).counts.missing).toMatchObject({ count: 1, fresh: 1 });
    await setDriftSettings(app, company, instanceId, { provisioning: { on: false, values: {} } });
    expect((await read()).counts.missing).toMatchObject({ count: 0, gone: 1 });
  });
});
