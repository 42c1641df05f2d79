// The task behind Import from Module (A5.5, A5.6), with what may happen between the press of the button and the last row.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Company } from '../../../src/domain/companies/company.ts';
import { createGroup } from '../../../src/domain/groups/commands.ts';
import { allCandidates } from '../../../src/domain/imports/draft.ts';
import { assignToAll, chooseMatching, startDraft, startImport } from '../../../src/domain/imports/draft-commands.ts';
import { moduleImport } from '../../../src/domain/imports/module-import.ts';
import { connectModule, createModule } from '../../../src/domain/modules/commands.ts';
import type { TaskRow } from '../../../src/domain/tasks/task.ts';
import { inviteUser } from '../../../src/domain/users/commands.ts';
import { readModulePeopleJob } from '../../../src/jobs/read-module-people.ts';
import { runTaskJob } from '../../../src/jobs/task.ts';
import type { InstanceId } from '../../../src/lib/ids.ts';
import { createOutgoing } from '../../../src/lib/outgoing.ts';
import type { Work } from '../../../src/work.ts';
import { startApp, type TestApp } from '../../support/app.ts';
import { makeCompany, makePerson, type TestPerson } from '../../support/people.ts';
import { ScimServer, type ScimUser, scimUser, scimUsers } from '../../support/scim-server.ts';

describe('the import of people of a module', () => {
  let app: TestApp;
  let company: Company;
  let instanceId: InstanceId;
  const scim = new ScimServer();

  beforeAll(async () => {
    app = await startApp();
    await scim.start();
    company = await makeCompany(app);
    const input = {
      name: 'Workplace',
      capabilities: ['userImport'],
      metadata: { redirect_uris: ['https://m.example/cb'] },
    };
    const { module } = await createModule(app.operator(), input, app.runtime.complaint);
    const connected = { clientId: module.clientId, scim: { url: scim.url, token: scim.token } };
    instanceId = (await connectModule(app.operator(), company.id, connected)).instanceId;
  });
  afterAll(async () => {
    await scim.stop();
    await app?.stop();
  });

  const system = () => app.runtime.work({ kind: 'system', name: 'jobs' });
  const workOf = ({ user }: TestPerson): Work => app.runtime.work({ kind: 'user', id: user.id, name: user.username });
  const store = () => app.runtime.store.of(company.id);

  /** Everybody of the module, as far as the press of Import. @returns the id of the task */
  async function press(by: TestPerson, users: ScimUser[], groupNames = ['All Module Access']): Promise<string> {
    scim.users = users;
    const work = workOf(by);
    const { id } = await startDraft(work, company.id, instanceId);
    await readModulePeopleJob(createOutgoing({ mayReachLoopback: true })).handle(system(), {
      draftId: id,
      companyId: company.id,
    });
    await chooseMatching(work, company.id, id, allCandidates, true);
    const groupIds = (await store().groups.findByNames(groupNames)).map((group) => group.id);
    await assignToAll(work, company.id, id, { role: 'User', groupIds });
    return (await startImport(work, company.id, id)).taskId;
  }
  const run = (taskId: string, handler = moduleImport) =>
    runTaskJob({ module: handler }, app.clock.now).handle(system(), { taskId, companyId: company.id });
  const reportOf = async (taskId: string): Promise<{ counts: number[]; rows: TaskRow[] }> => {
    const task = await store().tasks.findById(taskId);
    const rows = await store().tasks.listRows(taskId, ['succeeded', 'skipped', 'failed', 'waiting'], {
      after: 0,
      limit: 1000,
    });
    return { counts: [task?.succeeded ?? 0, task?.skipped ?? 0, task?.failed ?? 0], rows };
  };

  it('A5.6 who came in by another way since is skipped, with the reason', async () => {
    const admin = await makePerson(app, company, { role: 'Admin' });
    const taskId = await press(admin, scimUsers(3, 'since'));
    await inviteUser(app.operator(), company.id, {
      firstName: 'A',
      lastName: 'B',
      username: 'other.name',
      email: 'SINCE2@module.example',
      role: 'User',
    });
    await run(taskId);
    const { counts, rows } = await reportOf(taskId);
    expect(counts).toEqual([2, 1, 0]);
    expect(rows[1]).toMatchObject({
      outcome: 'skipped',
      message: 'Already in KaseyaOne as other.name, with this e-mail.',
    });
  });

  it('A3.4 usernames of the module that differ by case alone are one: the second is skipped', async () => {
    const admin = await makePerson(app, company, { role: 'Admin' });
    const taskId = await press(admin, [
      scimUser('lower', { userName: 'kim' }),
      scimUser('upper', { userName: 'KIM' }),
      scimUser('lean', { userName: 'lean' }),
    ]);
    await run(taskId);
    expect((await reportOf(taskId)).counts).toEqual([2, 1, 0]);
  });

  it('A1.1 an administrator who is none any more imports nobody, and the report says so', async () => {
    const admin = await makePerson(app, company, { role: 'Admin' });
    const taskId = await press(admin, scimUsers(3, 'demoted'));
    await app.runtime.db('users').where({ id: admin.user.id }).update({ role: 'User' });
    await run(taskId);
    const { counts, rows } = await reportOf(taskId);
    expect(counts).toEqual([0, 0, 3]);
    expect(rows[0]?.message).toBe('Only an administrator of this company may do that.');
  });

  it('A5.4 a group that is deleted after the press is a failure with its reason, never an access of another kind', async () => {
    const admin = await makePerson(app, company, { role: 'Admin' });
    const gone = await createGroup(app.operator(), company.id, { name: 'Gone soon', isActive: true });
    const taskId = await press(admin, scimUsers(2, 'groupless'), ['Gone soon', 'All Module Access']);
    await store().groups.markRemoved(gone.id, new Date());
    await run(taskId);
    const { counts, rows } = await reportOf(taskId);
    expect(counts).toEqual([0, 0, 2]);
    expect(rows[0]).toMatchObject({ field: 'groups', message: expect.stringMatching(/has been deleted since/) });
  });

  it('a runner that dies in the middle of a chunk leaves nobody half made; the next one goes on, and nobody is made twice', async () => {
    const admin = await makePerson(app, company, { role: 'Admin' });
    const taskId = await press(admin, scimUsers(250, 'killed'));
    let chunks = 0;
    const dying = {
      ...moduleImport,
      async run(...given: Parameters<typeof moduleImport.run>) {
        chunks += 1;
        const outcomes = await moduleImport.run(...given);
        if (chunks > 1) throw new Error('killed');
        return outcomes;
      },
    };
    await expect(run(taskId, dying)).rejects.toThrow('killed');
    const made = () =>
      app.runtime
        .db('users')
        .whereLike('username', 'killed%')
        .then((rows) => rows.length);
    expect(await made()).toBe(100);
    await run(taskId);
    expect((await reportOf(taskId)).counts).toEqual([250, 0, 0]);
    expect(await made()).toBe(250);
    const invitations = await app.runtime
      .db('links')
      .join('users', 'users.id', 'links.user_id')
      .whereLike('users.username', 'killed%')
      .where('links.kind', 'invitation');
    expect(invitations).toHaveLength(250);
  });

  it('nothing of the module reaches a page or a table as code: a row is data', async () => {
    const admin = await makePerson(app, company, { role: 'Admin' });
    const nasty = `<script>alert("x")</script>`;
    const taskId = await press(admin, [
      scimUser('nasty', { userName: nasty, name: { givenName: nasty, familyName: "'; drop table users; --" } }),
    ]);
    await run(taskId);
    const { counts, rows } = await reportOf(taskId);
    expect(counts).toEqual([0, 0, 1]);
    expect(rows[0]?.label).toBe(nasty);
  });
});
