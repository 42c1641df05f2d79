// Taking a plan back: what it takes away from people is weighed as a plan is, and nothing comes on again that is not ready.
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Company } from '../../../src/domain/companies/company.ts';
import { editConnection } from '../../../src/domain/federation/connection-commands.ts';
import type { StoredConnection } from '../../../src/domain/federation/connection-repository.ts';
import type { Plan } from '../../../src/domain/federation/plan.ts';
import type { Proposal } from '../../../src/domain/federation/plan-commands.ts';
import { getPlan } from '../../../src/domain/federation/plan-queries.ts';
import { readPlanUndo, startPlanUndo, type Undone } from '../../../src/domain/federation/plan-undo-commands.ts';
import type { RuleInput } from '../../../src/domain/federation/rule.ts';
import { testedHashOf } from '../../../src/domain/federation/tested.ts';
import type { UserId } from '../../../src/lib/ids.ts';
import { startApp, type TestApp } from '../../support/app.ts';
import {
  arrive,
  claimsOf,
  getConnection,
  groupsOf,
  makeConnection,
  propose,
  runTask,
  workAs,
} from '../../support/federation.ts';
import { makeCompany, makePerson, type TestPerson } from '../../support/people.ts';

let app: TestApp;
let company: Company;
let [ada, ben]: TestPerson[] = [];

beforeAll(async () => {
  app = await startApp();
});
afterAll(() => app.stop());
beforeEach(async () => {
  company = await makeCompany(app);
  ada = await makePerson(app, company, { role: 'Root Admin' });
  ben = await makePerson(app, company, { role: 'Admin' });
});

const as = (person: TestPerson | undefined) => workAs(app, person as TestPerson);

const rule = (value: string, role: NonNullable<RuleInput['role']> = 'User'): RuleInput => ({
  when: { kind: 'group', value },
  role,
});

/** People who have come through the connection with one group. */
async function came(connection: StoredConnection, many: number, group: string): Promise<UserId[]> {
  const ids: UserId[] = [];
  for (let n = 0; n < many; n += 1) {
    const claims = claimsOf(`p${n}@contoso.example`, { groups: groupsOf(group) });
    const { userId } = await arrive(app, connection, claims);
    if (userId) ids.push(userId);
  }
  expect(ids).toHaveLength(many);
  return ids;
}

const standing = async (ids: UserId[]): Promise<{ role: string; base_status: string }[]> =>
  app.runtime.db('users').whereIn('id', ids).orderBy('id').select('id', 'role', 'base_status');

const planOf = (connection: StoredConnection, id: string): Promise<Plan> =>
  getPlan(app.operator(), company.id, connection.id, id);

const take = (who: TestPerson | undefined, id: string): Promise<Undone> => startPlanUndo(as(who), company.id, id);

async function takeBack(who: TestPerson | undefined, id: string): Promise<string | null> {
  const undone = await take(who, id);
  if (undone.outcome !== 'started') throw new Error(undone.outcome);
  if (undone.taskId) await runTask(app, company, undone.taskId);
  return undone.note;
}

describe('taking a plan back that took nobody in', () => {
  it('of more than 10 people and 5 % who would be deactivated again needs a second administrator, whoever had applied it', async () => {
    const connection = await makeConnection(app, company);
    const people = await came(connection, 11, 'T');
    await propose(app, company, connection.id, { rules: [rule('S')], mapping: true });
    const id = await propose(app, company, connection.id, { rules: [rule('T')] }, as(ada));
    const back = await standing(people);
    expect(new Set(back.map((one) => one.base_status))).toEqual(new Set(['Active']));

    expect(await readPlanUndo(as(ben), company.id, id)).toMatchObject({
      second: 'It deactivates 11 of 13 active people.',
      note: null,
    });
    // Not even the one who has not applied it decides it alone.
    expect(await take(ben, id)).toEqual({ outcome: 'asked' });
    await expect(take(ben, id)).rejects.toMatchObject({ status: 409, message: expect.stringContaining('Another') });
    expect(await standing(people)).toEqual(back);
    expect(await planOf(connection, id)).toMatchObject({ state: 'applied', undoAskedBy: ben?.user.id });
    const present = await app.runtime.store.of(company.id).mappingRules.list(connection.id);
    expect(present.map(({ when }) => when)).toEqual([{ kind: 'group', value: 'T' }]);

    await takeBack(ada, id);
    expect(new Set((await standing(people)).map((one) => one.base_status))).toEqual(new Set(['Deactivated']));
    const events = await app.runtime
      .db('audit_events')
      .where({ company_id: company.id })
      .whereIn('action', ['sso.plan.ask', 'sso.plan.undo'])
      .orderBy('id');
    expect(events.map(({ action, details }) => [action, details.undo === true, details.because ?? null])).toEqual([
      ['sso.plan.ask', true, 'It deactivates 11 of 13 active people.'],
      ['sso.plan.undo', false, null],
    ]);
  });

  it('counts only people for whom the plan was really done', async () => {
    const connection = await makeConnection(app, company);
    const people = await came(connection, 11, 'T');
    await propose(app, company, connection.id, { rules: [rule('S')], mapping: true });
    const id = await propose(app, company, connection.id, { rules: [rule('T')] }, as(ada));
    const { taskId } = await planOf(connection, id);
    await app.runtime
      .db('task_rows')
      .where({ task_id: taskId, user_id: people[0] })
      .update({ outcome: 'skipped', message: 'It has changed.' });
    expect((await take(ada, id)).outcome).toBe('started');
  });

  it('of one who became an administrator by it needs a second one; giving the role back does not', async () => {
    const connection = await makeConnection(app, company, { rules: [rule('T')] });
    const people = await came(connection, 1, 'T');
    const up = await propose(app, company, connection.id, { rules: [rule('T', 'Admin')] }, as(ada));
    expect(await standing(people)).toMatchObject([{ role: 'Admin' }]);
    expect(await take(ada, up)).toEqual({ outcome: 'asked' });
    expect(await standing(people)).toMatchObject([{ role: 'Admin' }]);
    await takeBack(ben, up);
    expect(await standing(people)).toMatchObject([{ role: 'User' }]);

    // After a mistake there may be one left who can mend it.
    await propose(app, company, connection.id, { rules: [rule('T', 'Admin')] });
    const down = await propose(app, company, connection.id, { rules: [rule('T')] });
    expect(await standing(people)).toMatchObject([{ role: 'User' }]);
    await takeBack(ada, down);
    expect(await standing(people)).toMatchObject([{ role: 'Admin' }]);
  });

  it('by two at once: one has asked, the other has done it', async () => {
    const connection = await makeConnection(app, company, { rules: [rule('T')] });
    await came(connection, 1, 'T');
    const id = await propose(app, company, connection.id, { rules: [rule('T', 'Admin')] });
    const both = await Promise.all([take(ada, id), take(ben, id)]);
    expect(both.map(({ outcome }) => outcome).sort()).toEqual(['asked', 'started']);
  });
});

describe('switches that a plan had turned off', () => {
  /** Off by a plan, with other rules. */
  async function off(connection: StoredConnection, proposal: Proposal = {}): Promise<string> {
    return propose(app, company, connection.id, { enabled: false, rules: [rule('S')], ...proposal }, as(ada));
  }
  const now = (connection: StoredConnection) => getConnection(app, company, connection.id);
  const pass = async (connection: StoredConnection) => {
    const { connections } = app.runtime.store.of(company.id);
    await connections.setTested(connection.id, testedHashOf(await now(connection)), app.clock.now());
  };

  it('come on again where a test was passed with the settings of now', async () => {
    const connection = await makeConnection(app, company, { rules: [rule('T')] });
    await pass(connection);
    const id = await off(connection);
    expect((await now(connection)).enabled).toBe(false);
    expect(await takeBack(ada, id)).toBeNull();
    expect((await now(connection)).enabled).toBe(true);
  });

  it('stay off where none was, and it is said before and afterwards; all else is as it was', async () => {
    const connection = await makeConnection(app, company, { rules: [rule('T')] });
    await pass(connection);
    const id = await off(connection);
    const { version, settings } = await now(connection);
    if (settings.kind !== 'saml') throw new Error('not SAML');
    await editConnection(as(ada), company.id, connection.id, {
      version,
      settings: { ...settings, ssoUrl: 'https://idp.contoso.example/other' },
    });
    const note = (await readPlanUndo(as(ada), company.id, id)).note;
    expect(note).toMatch(/^The connection stays off: .* Test it, then enable it\.$/);
    expect(await takeBack(ada, id)).toBe(note);
    expect((await now(connection)).enabled).toBe(false);
    expect(await planOf(connection, id)).toMatchObject({ state: 'undone', undoNote: note });
    const rules = await app.runtime.store.of(company.id).mappingRules.list(connection.id);
    expect(rules.map(({ when }) => when)).toEqual([{ kind: 'group', value: 'T' }]);
    // Twice, it is the same.
    expect(await take(ada, id)).toEqual({ outcome: 'started', taskId: null, note });
  });

  it('Enable Mapping Rules comes on again only while the claims are called as they were', async () => {
    const connection = await makeConnection(app, company, { rules: [rule('T')], mapping: true });
    await pass(connection);
    const id = await propose(app, company, connection.id, { mapping: false }, as(ada));
    const { version, attributes } = await now(connection);
    const named = { version, attributes: { ...attributes, groups: 'Department' } };
    await editConnection(as(ada), company.id, connection.id, named);
    await expect(take(ada, id)).rejects.toMatchObject({ status: 409, message: expect.stringContaining('claims') });
    expect((await now(connection)).mapping).toBe(false);
    await editConnection(as(ada), company.id, connection.id, { version: version + 1, attributes });
    await takeBack(ada, id);
    expect((await now(connection)).mapping).toBe(true);
  });
});
