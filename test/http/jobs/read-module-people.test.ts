// A5.3: the list of a module's people, read from services as bad as they come (API-11, DOS-03); nothing is read twice, nothing without end.
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Company } from '../../../src/domain/companies/company.ts';
import { allCandidates, type Draft } from '../../../src/domain/imports/draft.ts';
import { readAgain, startDraft } from '../../../src/domain/imports/draft-commands.ts';
import { connectModule, createModule } from '../../../src/domain/modules/commands.ts';
import { scimTokenPurpose } from '../../../src/domain/modules/module.ts';
import { resealScimTokens } from '../../../src/domain/modules/repository.ts';
import {
  keepDrafts,
  type ReadingLimits,
  readingLimits,
  readModulePeopleJob,
} from '../../../src/jobs/read-module-people.ts';
import type { InstanceId } from '../../../src/lib/ids.ts';
import { createOutgoing } from '../../../src/lib/outgoing.ts';
import { minutes } from '../../../src/lib/time.ts';
import type { Work } from '../../../src/work.ts';
import { startApp, type TestApp } from '../../support/app.ts';
import { makeCompany, makePerson } from '../../support/people.ts';
import { listOf, ScimServer, scimUser, scimUsers, sendJson } from '../../support/scim-server.ts';

const quick: ReadingLimits = { ...readingLimits, count: 50, pageTimeoutMs: 400, pauses: [10, 20] };

describe('reading the people of a module', () => {
  let app: TestApp;
  let company: Company;
  let work: Work;
  let instanceId: InstanceId;
  const scim = new ScimServer();

  beforeAll(async () => {
    app = await startApp();
    await scim.start();
    company = await makeCompany(app);
    const { user } = await makePerson(app, company, { role: 'Admin' });
    work = app.runtime.work({ kind: 'user', id: user.id, name: user.username });
    instanceId = await connect(scim.token);
  });
  afterAll(async () => {
    await scim.stop();
    await app?.stop();
  });
  beforeEach(() => scim.reset());

  async function connect(token: string, url = scim.url): Promise<InstanceId> {
    const input = {
      name: 'Workplace',
      capabilities: ['userImport'],
      metadata: { redirect_uris: ['https://module.example/cb'] },
    };
    const { module } = await createModule(app.operator(), input, app.runtime.complaint);
    const connected = { clientId: module.clientId, scim: { url, token } };
    return (await connectModule(app.operator(), company.id, connected)).instanceId;
  }

  const imports = () => app.runtime.store.of(company.id).imports;
  const job = (limits: ReadingLimits, mayReachLoopback = true) =>
    readModulePeopleJob(createOutgoing({ mayReachLoopback }), limits);
  const draftOf = async (id: string): Promise<Draft> => {
    const draft = await imports().findById(id);
    if (!draft) throw new Error('the draft is gone');
    return draft;
  };

  async function read(limits: Partial<ReadingLimits> = {}, from = instanceId): Promise<Draft> {
    const { id } = await startDraft(work, company.id, from);
    await job({ ...quick, ...limits }).handle(app.runtime.work({ kind: 'system', name: 'jobs' }), {
      draftId: id,
      companyId: company.id,
    });
    return draftOf(id);
  }
  const peopleOf = ({ id }: Draft) => imports().listAfter(id, 0, 100_000, allCandidates);

  it('A5.3 reads page by page, as RFC 7644 3.4.2.4 says, with the bearer token', async () => {
    scim.users = scimUsers(120);
    const draft = await read();
    expect(draft).toMatchObject({ state: 'ready', read: 120, announced: 120, problem: null });
    expect(scim.hits.map(({ url }) => new URL(url, 'http://x').searchParams.get('startIndex'))).toEqual([
      '1',
      '51',
      '101',
    ]);
    expect(new Set(scim.hits.map(({ authorization }) => authorization))).toEqual(new Set([`Bearer ${scim.token}`]));
    expect((await peopleOf(draft))[119]).toMatchObject({
      position: 120,
      username: 'person120@module.example',
      isActive: true,
    });
  });

  it('A5.3 reads five thousand, and says of each what an import would do', async () => {
    scim.users = scimUsers(5000);
    await makePerson(app, company, { username: 'person77@module.example', email: 'other@here.example' });
    const draft = await read({ count: 200, pageTimeoutMs: 5000 });
    expect(draft).toMatchObject({ state: 'ready', read: 5000 });
    expect(await imports().count(draft.id, allCandidates)).toEqual({ import: 4999, skip: 1, fail: 0 });
  });

  it('a module without people is read, too', async () => {
    expect(await read()).toMatchObject({ state: 'ready', read: 0, problem: null });
  });

  it('API-15 the token is sealed where it lies', async () => {
    const row = await app.runtime.db('module_instances').where({ id: instanceId }).first();
    expect(row.sealed_scim_token).not.toContain(scim.token);
    expect(JSON.stringify(await app.runtime.db('audit_events').select('details'))).not.toContain(scim.token);
  });

  it('API-15 after a change of keys the token is sealed anew, and still opens the list', async () => {
    const { keyring, db } = app.runtime;
    const box = async () => (await db('module_instances').where({ id: instanceId }).first()).sealed_scim_token;
    const old = await box();
    const reseal = (sealed: string) => keyring.seal(scimTokenPurpose, keyring.open(scimTokenPurpose, sealed));
    expect(await resealScimTokens(db, { keyId: keyring.keyId, limit: 10, reseal })).toBe(0);
    expect(await resealScimTokens(db, { keyId: 'other_', limit: 10, reseal })).toBe(1);
    expect(await box()).not.toBe(old);
    scim.users = scimUsers(1);
    expect(await read()).toMatchObject({ state: 'ready', read: 1 });
  });

  it('a wrong token: told at once, and not tried again', async () => {
    scim.users = scimUsers(3);
    const draft = await read({}, await connect('some-other-token'));
    expect(draft).toMatchObject({ state: 'failed', read: 0, problem: expect.stringMatching(/refused our credential/) });
    expect(scim.hits).toHaveLength(1);
  });

  it('DOS-03 a slow one: tried again, then told', async () => {
    scim.answer = () => undefined;
    expect(await read({ pageTimeoutMs: 100 })).toMatchObject({
      state: 'failed',
      problem: 'It did not answer within 1 seconds.',
    });
    expect(scim.hits).toHaveLength(3);
  });

  it('500 and 429 pass: tried again, and nobody is missing', async () => {
    scim.users = scimUsers(60);
    scim.answer = (_, response, hit) => {
      if (hit === 1) return sendJson(response, {}, 500);
      if (hit === 3) return response.writeHead(429, { 'retry-after': '0' }).end();
      return false;
    };
    expect(await read()).toMatchObject({ state: 'ready', read: 60 });
    expect(scim.hits).toHaveLength(4);
  });

  it('an error that stays is told; what was read before is thrown away with "Try again"', async () => {
    scim.users = scimUsers(60);
    scim.answer = (_, response, hit) => (hit > 1 ? sendJson(response, {}, 500) : false);
    const draft = await read();
    expect(draft).toMatchObject({
      state: 'failed',
      read: 50,
      problem: expect.stringMatching(/error of its own \(500\)/),
    });
    scim.answer = () => false;
    await readAgain(work, company.id, draft.id);
    await job(quick).handle(app.operator(), { draftId: draft.id, companyId: company.id });
    expect(await draftOf(draft.id)).toMatchObject({ state: 'ready', read: 60, problem: null });
  });

  it('endless pages: the same people again are the end', async () => {
    scim.answer = (_, response) => sendJson(response, listOf(scimUsers(50), 1_000_000));
    const draft = await read();
    expect(draft).toMatchObject({ state: 'ready', read: 50, problem: 'It announced 1,000,000 people, and sent 50.' });
    expect(scim.hits).toHaveLength(2);
  });

  it('endless pages: ever new people have an end, too', async () => {
    scim.answer = (_, response, hit) => sendJson(response, listOf(scimUsers(50, `h${hit}x`), hit * 1_000_000));
    const draft = await read({ people: 230 });
    expect(draft).toMatchObject({
      state: 'ready',
      read: 230,
      problem: 'It has more than 230 people. These are the first ones.',
    });
    expect(scim.hits).toHaveLength(5);
  });

  it('a list that takes too long in all is broken off', async () => {
    scim.answer = (_, response, hit) => {
      setTimeout(() => sendJson(response, listOf(scimUsers(5, `h${hit}x`), 1_000_000)), 100);
    };
    expect(await read({ totalMs: 350 })).toMatchObject({ state: 'failed', problem: 'Reading its list took too long.' });
    expect(scim.hits.length).toBeLessThan(8);
  });

  it.each([
    ['too small', 7],
    ['too large', 700],
    ['no number', 'many'],
    ['negative', -1],
    ['huge', 1e300],
  ])('totals that are wrong (%s) lose nobody', async (_, total) => {
    scim.answer = (request, response) => {
      const from = Number(new URL(request.url ?? '', 'http://x').searchParams.get('startIndex'));
      return sendJson(response, listOf(scimUsers(40).slice(from - 1, from + 49), total, from));
    };
    expect(await read()).toMatchObject({ state: 'ready', read: 40 });
  });

  it('the same id twice is one person', async () => {
    scim.users = [...scimUsers(3), scimUser('person2', { userName: 'again@module.example' })];
    const draft = await read();
    expect(draft.read).toBe(3);
    expect((await peopleOf(draft)).map(({ username }) => username)).not.toContain('again@module.example');
  });

  it('DOS-03 a page of 10 MB is not read to its end', async () => {
    scim.answer = (_, response) => {
      response.writeHead(200, { 'content-type': 'application/scim+json' });
      response.end(`{"Resources":[],"junk":"${'x'.repeat(10 * 1024 * 1024)}"}`);
    };
    expect(await read({ pageTimeoutMs: 5000 })).toMatchObject({
      state: 'failed',
      problem: expect.stringMatching(/more than 2 MB/),
    });
    expect(scim.hits).toHaveLength(1);
  });

  it.each(['https://elsewhere.example/scim/v2/Users', '/scim/v2/Elsewhere'])(
    'API-11 a redirect to %s is not followed',
    async (location) => {
      scim.answer = (_, response) => response.writeHead(307, { location }).end();
      expect(await read()).toMatchObject({ state: 'failed', problem: expect.stringMatching(/do not follow/) });
      expect(scim.hits).toHaveLength(1);
    },
  );

  it('API-11 an address of our own network is refused where we are not on this machine ourselves', async () => {
    const { id } = await startDraft(work, company.id, instanceId);
    await job(quick, false).handle(app.operator(), { draftId: id, companyId: company.id });
    expect(await draftOf(id)).toMatchObject({
      state: 'failed',
      problem: expect.stringMatching(/not reached from here/),
    });
    expect(scim.hits).toHaveLength(0);
  });

  it.each([
    ['HTML', 'text/html', '<!doctype html><p>Log in</p>'],
    ['HTML that says it is JSON', 'application/json', '<!doctype html>'],
    ['half a JSON', 'application/scim+json', '{"Resources": ['],
    ['a list of nothing', 'application/json', '[]'],
    ['Resources that are none', 'application/json', '{"Resources": "many"}'],
    ['null', 'application/json', 'null'],
  ])('%s is no list of users', async (_, type, body) => {
    scim.answer = (_request, response) => response.writeHead(200, { 'content-type': type }).end(body);
    expect(await read()).toMatchObject({ state: 'failed', problem: expect.stringMatching(/no list of users/) });
  });

  it('resources of any shape: what is somebody is kept, cut to what can be, and refused by the rules', async () => {
    scim.users = [
      null,
      7,
      {},
      [],
      scimUser('good'),
      scimUser('long', { userName: 'u'.repeat(100_000), emails: [{ value: 'e'.repeat(100_000) }] }),
      scimUser('nul', { userName: 'nul\0byte', name: { givenName: 'half \ud800', familyName: 'x' } }),
      scimUser('bare', { name: null, emails: 'none', displayName: 'Grace Brewster Hopper' }),
      scimUser('second', {
        emails: [{ value: 'other@module.example' }, { value: 'main@module.example', primary: true }],
      }),
      { id: { deep: true }, userName: 'byname', active: 'yes' },
      scimUser('x'.repeat(5000)),
      scimUser(`${'x'.repeat(4999)}y`),
      scimUser('off', { active: false }),
    ] as typeof scim.users;
    const draft = await read();
    expect(draft).toMatchObject({ state: 'ready', read: 9 });
    const people = await peopleOf(draft);
    const by = (externalId: string) => people.find((person) => person.externalId === externalId);
    expect(by('long')).toMatchObject({ username: 'u'.repeat(200), standing: 'fail' });
    expect(by('nul')).toMatchObject({ standing: 'fail' });
    expect(by('bare')).toMatchObject({ firstName: 'Grace Brewster', lastName: 'Hopper', email: '', standing: 'fail' });
    expect(by('second')).toMatchObject({ email: 'main@module.example', standing: 'import' });
    expect(by('byname')).toMatchObject({ username: 'byname', standing: 'fail' });
    expect(by('off')).toMatchObject({ isActive: false, standing: 'skip' });
  });

  it('C13 two of the module with one e-mail are both refused; two without one are not one person', async () => {
    scim.users = [
      scimUser('one', { emails: [{ value: 'Shared@module.example' }] }),
      scimUser('two', { emails: [{ value: 'shared@module.EXAMPLE ' }] }),
      scimUser('three', { emails: [] }),
      scimUser('four', { emails: [] }),
    ];
    const people = await peopleOf(await read());
    expect(people.map(({ isShared }) => isShared)).toEqual([true, true, false, false]);
    expect(people.map(({ standing }) => standing)).toEqual(['fail', 'fail', 'fail', 'fail']);
  });

  it('a reader that was killed is followed by one that goes on where it was, and two at once read nothing twice', async () => {
    scim.users = scimUsers(200);
    const { id } = await startDraft(work, company.id, instanceId);
    const system = () => app.runtime.work({ kind: 'system', name: 'jobs' });
    const payload = { draftId: id, companyId: company.id };
    await app.runtime.db('import_drafts').where({ id }).update({ next_index: 51, people_read: 0 });
    await Promise.all([job(quick).handle(system(), payload), job(quick).handle(system(), payload)]);
    expect(await draftOf(id)).toMatchObject({ state: 'ready', read: 150 });
    expect(await peopleOf(await draftOf(id))).toHaveLength(150);
  });

  it('readings that have gone silent are handed on by the clock, and old drafts go', async () => {
    const { id } = await startDraft(work, company.id, instanceId);
    const queued = async () =>
      Number(
        (await app.runtime.db.raw(`select count(*) from pgboss.job where data->>'draftId' = ?`, [id])).rows[0].count,
      );
    await keepDrafts(work);
    expect(await queued()).toBe(1);
    const late = { ...work, now: new Date(work.now.getTime() + minutes(2)) };
    await keepDrafts(late);
    await keepDrafts(late);
    expect(await queued()).toBe(2);
    await imports().update(id, { state: 'failed' }, work.now);
    await keepDrafts({ ...work, now: new Date(work.now.getTime() + 6 * 24 * minutes(60)) });
    expect(await imports().findById(id)).not.toBeNull();
    await keepDrafts({ ...work, now: new Date(work.now.getTime() + 8 * 24 * minutes(60)) });
    expect(await imports().findById(id)).toBeNull();
  });
});
