// Every command that changes what somebody may have in modules says so, in its own transaction.
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Company } from '../../../src/domain/companies/company.ts';
import { actOnGroup } from '../../../src/domain/groups/change-commands.ts';
import { createGroup } from '../../../src/domain/groups/commands.ts';
import { addMembers, removeMembers, setGroupsOf } from '../../../src/domain/groups/member-commands.ts';
import { hintQueue, type QueuedHint, standingChanged } from '../../../src/domain/standing/commands.ts';
import { deleteUser, resetSecondFactor } from '../../../src/domain/users/admin-commands.ts';
import { startBulk } from '../../../src/domain/users/bulk-commands.ts';
import { activateUser, deactivateUser, unlockUser } from '../../../src/domain/users/commands.ts';
import { editUser } from '../../../src/domain/users/edit-commands.ts';
import { confirmEmail, editOwnProfile } from '../../../src/domain/users/own-commands.ts';
import { runTaskJob } from '../../../src/jobs/task.ts';
import { taskHandlers } from '../../../src/jobs/task-handlers.ts';
import type { GroupId, InstanceId, UserId } from '../../../src/lib/ids.ts';
import { transaction, type Work } from '../../../src/work.ts';
import { startApp, type TestApp } from '../../support/app.ts';
import { makeCompany, makeModule, makePerson, type TestPerson } from '../../support/people.ts';

let app: TestApp;
let company: Company;
let ada: TestPerson;
let person: TestPerson;
let group: GroupId;
let instance: InstanceId;
let counter = 0;

beforeAll(async () => {
  // Runs no jobs: what was hinted at stays in the queue.
  app = await startApp();
  company = await makeCompany(app);
  ada = await makePerson(app, company, { username: 'ada', role: 'Admin' });
  await makeModule(app, [company]);
  instance = (await app.runtime.db('module_instances').first('id')).id;
});
afterAll(() => app.stop());
beforeEach(async () => {
  person = await makePerson(app, company, { username: `hinted${++counter}`, groups: ['No Module Access'] });
  const made = await createGroup(app.operator(), company.id, {
    name: `Group ${counter}`,
    isActive: true,
    instanceIds: [instance],
  });
  group = made.id;
  await forget();
});

const asAda = (): Work => app.runtime.work({ kind: 'user', id: ada.user.id, name: 'Ada Root' });
const forget = () => app.runtime.db.raw('delete from pgboss.job where name = ?', [hintQueue]);
async function hints(): Promise<QueuedHint[]> {
  const { rows } = await app.runtime.db.raw('select data from pgboss.job where name = ? order by created_on', [
    hintQueue,
  ]);
  return rows.map(({ data }: { data: QueuedHint }) => data);
}

const acts: [string, () => Promise<unknown>, string][] = [
  ['T14 deactivate', () => deactivateUser(asAda(), company.id, person.user.id), 'deactivated by Ada Root'],
  ['T19 delete', () => deleteUser(asAda(), company.id, person.user.id), 'deleted by Ada Root'],
  ['edit of a name', () => editUser(asAda(), company.id, person.user.id, { lastName: 'New' }), 'edited by Ada Root'],
  [
    'edit of the time zone',
    () => editUser(asAda(), company.id, person.user.id, { timeZone: 'Asia/Tokyo' }),
    'edited by Ada Root',
  ],
  [
    'C33 change of role',
    () => editUser(asAda(), company.id, person.user.id, { role: 'Billing and Purchasing' }),
    'given another role by Ada Root',
  ],
  [
    'groups of a person',
    () => setGroupsOf(asAda(), company.id, person.user.id, [group]),
    'access groups changed by Ada Root',
  ],
  [
    'C21 joining a group',
    () => addMembers(asAda(), company.id, group, [person.user.id]),
    'access groups changed by Ada Root',
  ],
];

describe('hints', () => {
  it.each(acts)('%s', async (_, act, cause) => {
    await act();
    const [hint, ...more] = await hints();
    expect(more).toEqual([]);
    expect(hint).toMatchObject({
      companyId: company.id,
      userIds: [person.user.id],
      instanceIds: null,
      cause,
      actorId: ada.user.id,
    });
    expect(hint?.actId).toMatch(/^[0-9a-f-]{36}$/);
  });

  it('T16 activate, C21 leaving a group', async () => {
    await deactivateUser(asAda(), company.id, person.user.id);
    await forget();
    await activateUser(asAda(), company.id, person.user.id);
    expect((await hints()).map(({ cause }) => cause)).toEqual(['activated by Ada Root']);
    await addMembers(asAda(), company.id, group, [person.user.id]);
    await forget();
    await removeMembers(asAda(), company.id, group, [person.user.id]);
    expect((await hints()).map(({ userIds }) => userIds)).toEqual([[person.user.id]]);
  });

  it.each<[Parameters<typeof actOnGroup>[3]['kind'], string]>([
    ['deactivate', 'deactivated'],
    ['delete', 'deleted'],
    ['modules', 'given other modules'],
  ])('B.4 a group: %s', async (kind, word) => {
    await addMembers(asAda(), company.id, group, [person.user.id]);
    await forget();
    await actOnGroup(asAda(), company.id, group, kind === 'modules' ? { kind, open: [], close: [instance] } : { kind });
    const [hint] = await hints();
    expect(hint).toMatchObject({
      userIds: [person.user.id],
      cause: `the access group Group ${counter} was ${word} by Ada Root`,
    });
  });

  it('one’s own name, a confirmed e-mail, a person made by the operator', async () => {
    const self = app.runtime.work({ kind: 'user', id: person.user.id, name: 'pat' });
    const who = { companyId: company.id, userId: person.user.id };
    await editOwnProfile(self, who, { firstName: 'Pat', lastName: 'New', phone: '', timeZone: '' });
    expect((await hints()).map(({ cause }) => cause)).toEqual(['edited by pat']);
    await forget();
    await editUser(asAda(), company.id, person.user.id, { email: `new${counter}@example.com` });
    expect(await hints(), 'it counts when it is confirmed').toEqual([]);
    const mail = await app.runtime.db('mails').where({ kind: 'confirmEmail', user_id: person.user.id }).first();
    const { link } = JSON.parse(app.runtime.keyring.open('mail', mail.sealed_data));
    await confirmEmail(app.operator(), link.split('/').at(-1));
    expect((await hints()).map(({ cause }) => cause)).toEqual(['e-mail confirmed']);
    await forget();
    const other = await makePerson(app, company, { username: `made${counter}` });
    expect((await hints()).map(({ userIds }) => userIds)).toEqual([[other.user.id]]);
  });

  it('what changes nobody’s standing hints at nothing', async () => {
    await unlockUser(asAda(), company.id, person.user.id);
    await resetSecondFactor(asAda(), company.id, person.user.id);
    await editUser(asAda(), company.id, person.user.id, { phone: '+1 555' });
    expect((await hints()).filter(({ cause }) => !cause.startsWith('edited'))).toEqual([]);
  });

  it('a bulk act is one act: hinted at once, when the last row is done', async () => {
    const ids: UserId[] = [person.user.id];
    for (let i = 0; i < 3; i += 1)
      ids.push((await makePerson(app, company, { username: `bulk${counter}-${i}` })).user.id);
    await forget();
    const task = await startBulk(asAda(), company.id, { act: 'deactivate' }, { ids });
    await runTaskJob(taskHandlers, app.clock.now).handle(app.operator(), { taskId: task.id, companyId: company.id });
    expect(await hints()).toMatchObject([
      { userIds: null, instanceIds: null, actorId: ada.user.id, cause: '“Deactivate 4 people” by Ada Root' },
    ]);
  });

  it('is gone with a transaction that fails', async () => {
    await expect(
      transaction(asAda(), async (work) => {
        await standingChanged(work, {
          companyId: company.id,
          userIds: [person.user.id],
          instanceIds: null,
          cause: 'x',
        });
        throw new Error('no');
      }),
    ).rejects.toThrow('no');
    expect(await hints()).toEqual([]);
  });
});
