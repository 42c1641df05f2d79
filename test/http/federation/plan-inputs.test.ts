// What a plan was made from, as the database hashes it: each fact that decides counts, and nothing else does.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makePlan } from '../../../src/domain/federation/plan-commands.ts';
import { comparePlan, getPlan, isAsMade } from '../../../src/domain/federation/plan-queries.ts';
import { type GroupId, newId, type UserId } from '../../../src/lib/ids.ts';
import { startApp, type TestApp } from '../../support/app.ts';
import { arrive, claimsOf, groupsOf, makeConnection, upstreamIssuer } from '../../support/federation.ts';
import { makeCompany, makePerson } from '../../support/people.ts';

let app: TestApp;

beforeAll(async () => {
  app = await startApp();
});
afterAll(() => app.stop());

const db = () => app.runtime.db;

describe('a plan', () => {
  it('is as it was made until something changes that decides about somebody who was seen', async () => {
    const company = await makeCompany(app);
    const sales = newId<GroupId>();
    const { groups } = app.runtime.store.of(company.id);
    await groups.insert({ id: sales, name: 'Sales', kind: 'custom', isActive: true });
    const connection = await makeConnection(app, company, {
      rules: [{ when: { kind: 'group', value: 'S' }, role: 'Admin', groupIds: [sales] }],
    });
    const other = await makeConnection(app, company, { name: 'Other' });
    const [mia, kim] = await Promise.all(
      ['mia', 'kim'].map(async (name) => {
        const claims = claimsOf(`${name}@contoso.example`, {
          groups: groupsOf('S', 'T'),
          other: { a: ['1'], b: ['2'] },
        });
        return (await arrive(app, connection, claims)).userId as UserId;
      }),
    );
    const unseen = (await makePerson(app, company)).user.id;
    const of = (table: string, id: UserId | undefined) => db()(table).where({ company_id: company.id, user_id: id });
    const user = (id: UserId | undefined) => db()('users').where({ company_id: company.id, id });
    const glass = { company_id: company.id, reason: 'x', created_at: app.clock.now(), created_by: 'test' };
    const inAMinute = new Date(app.clock.now().getTime() + 60_000);
    const later = () => app.clock.advance(120_000);
    const none = () => Promise.resolve();
    type Step = [what: string, isNew: boolean, change: () => PromiseLike<unknown>, back: () => PromiseLike<unknown>];
    const steps: Step[] = [
      ['a name', false, () => user(mia).update({ first_name: 'X' }), none],
      ['a login', false, () => of('idp_identities', mia).update({ last_seen_at: inAMinute }), none],
      ['somebody unseen', false, () => user(unseen).update({ role: 'Admin', base_status: 'Invited' }), none],
      ['a role', true, () => user(mia).update({ role: 'User' }), () => user(mia).update({ role: 'Admin' })],
      [
        'a status',
        true,
        () => user(mia).update({ base_status: 'Invited' }),
        () => user(mia).update({ base_status: 'Active' }),
      ],
      [
        'a membership',
        true,
        () => of('group_members', mia).where({ group_id: sales }).delete(),
        () => db()('group_members').insert({ company_id: company.id, group_id: sales, user_id: mia }),
      ],
      [
        'a deleted group',
        true,
        () => db()('access_groups').where({ id: sales }).update({ removed_at: inAMinute }),
        () => db()('access_groups').where({ id: sales }).update({ removed_at: null }),
      ],
      [
        'who gave a group',
        true,
        () => of('membership_sources', kim).update({ was_by_hand: true }),
        () => of('membership_sources', kim).update({ was_by_hand: false }),
      ],
      [
        'whose the group is',
        true,
        () => of('membership_sources', kim).update({ connection_id: other.id }),
        () => of('membership_sources', kim).update({ connection_id: connection.id }),
      ],
      [
        'what the role was before',
        true,
        () => of('role_sources', kim).update({ role_before: 'Co-Managed User' }),
        () => of('role_sources', kim).update({ role_before: 'User' }),
      ],
      [
        'groups that were said',
        true,
        () => of('idp_identities', kim).update({ groups: ['S'] }),
        () => of('idp_identities', kim).update({ groups: ['S', 'T'] }),
      ],
      [
        'groups with a comma',
        true,
        () => of('idp_identities', kim).update({ groups: ['S,T'] }),
        () => of('idp_identities', kim).update({ groups: ['S', 'T'] }),
      ],
      [
        'that none were',
        true,
        () => of('idp_identities', kim).update({ groups_state: 'missing' }),
        () => of('idp_identities', kim).update({ groups_state: 'list' }),
      ],
      [
        'a claim',
        true,
        () => of('idp_identities', kim).update({ claims: '{"a": ["1"]}' }),
        () => of('idp_identities', kim).update({ claims: '{"b": ["2"], "a": ["1"]}' }),
      ],
      [
        'the break-glass list',
        true,
        () => db()('break_glass_people').insert({ ...glass, user_id: kim, ends_at: inAMinute }),
        // By itself.
        async () => later(),
      ],
      [
        'somebody more',
        true,
        () =>
          db()('idp_identities').insert({
            company_id: company.id,
            connection_id: connection.id,
            issuer: upstreamIssuer,
            subject: 'more',
            user_id: unseen,
            first_seen_at: inAMinute,
            last_seen_at: inAMinute,
            groups_state: 'missing',
          }),
        () => of('idp_identities', unseen).delete(),
      ],
      [
        'somebody less',
        true,
        () => user(kim).update({ base_status: 'Deleted' }),
        () => user(kim).update({ base_status: 'Active' }),
      ],
    ];
    const { id } = await makePlan(app.operator(), company.id, connection.id, { mapping: true });
    const plan = await getPlan(app.operator(), company.id, connection.id, id);
    const isNew = async () => {
      const asMade = await isAsMade(app.operator(), plan);
      // The short way and the long one agree.
      expect((await comparePlan(app.operator(), plan, 1)).count === 0).toBe(asMade);
      return !asMade;
    };
    expect(await isNew()).toBe(false);
    for (const [what, expected, change, back] of steps) {
      await change();
      expect(await isNew(), what).toBe(expected);
      await back();
      expect(await isNew(), `${what}, and back`).toBe(false);
    }
  });
});
