import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Company } from '../../../src/domain/companies/company.ts';
import { bindOwnIdentity, releaseIdentity } from '../../../src/domain/federation/binding-commands.ts';
import { acceptEmptiedGroups } from '../../../src/domain/federation/stop-commands.ts';
import { deleteUser } from '../../../src/domain/users/admin-commands.ts';
import { deactivateUser, inviteUser } from '../../../src/domain/users/commands.ts';
import type { GroupId, UserId } from '../../../src/lib/ids.ts';
import { newId } from '../../../src/lib/ids.ts';
import { startApp, type TestApp } from '../../support/app.ts';
import {
  arrive,
  claimsOf,
  getConnection,
  groupsOf,
  makeConnection,
  propose,
  upstreamIssuer,
  workAs,
} from '../../support/federation.ts';
import { authorizeAddress, makeCompany, makeModule, makePerson, signIn } from '../../support/people.ts';

let app: TestApp;

beforeAll(async () => {
  app = await startApp();
});
afterAll(() => app.stop());

const db = () => app.runtime.db;

async function makeGroup(company: Company, name: string): Promise<GroupId> {
  const id = newId<GroupId>();
  await app.runtime.store.of(company.id).groups.insert({ id, name, kind: 'custom', isActive: true });
  return id;
}

const read = async (company: Company, userId: UserId | null) => {
  const repositories = app.runtime.store.of(company.id);
  const user = userId && (await repositories.users.findById(userId));
  if (!user) throw new Error('nobody there');
  return { ...user, groups: (await repositories.groups.listOf(user.id)).map(({ name }) => name) };
};

const actionsOf = async (userId: UserId | null): Promise<string[]> =>
  (await db()('audit_events').where({ target_id: userId }).orderBy('id')).map(({ action }) => action);

const groupRule = (value: string, groupIds: string[], more: { role?: 'Admin' | 'User' } = {}) => ({
  when: { kind: 'group' as const, value },
  groupIds,
  ...more,
});

describe('T3: a first login makes the person', () => {
  it('active at once, with the default role and groups, the address taken as verified, without a password', async () => {
    const company = await makeCompany(app);
    const connection = await makeConnection(app, company);
    const arrival = await arrive(app, connection, claimsOf('new@contoso.example'));
    expect(arrival).toMatchObject({ outcome: 'accepted', became: 'created', because: null, code: null });
    expect(await read(company, arrival.userId)).toMatchObject({
      username: 'new@contoso.example',
      baseStatus: 'Active',
      role: 'User',
      source: 'sso',
      emailVerifiedAt: expect.any(Date),
      groups: ['All Module Access'],
    });
    expect(await app.runtime.store.of(company.id).credentials.findPassword(arrival.userId as UserId)).toBeNull();
    expect(await actionsOf(arrival.userId)).toEqual(['user.create', 'sso.bind']);
    expect(await arrive(app, connection, claimsOf('new@contoso.example'))).toMatchObject({
      became: 'same',
      userId: arrival.userId,
    });
  });

  it('with the mapped role and groups, and who gave them is remembered', async () => {
    const company = await makeCompany(app);
    const sales = await makeGroup(company, 'Sales');
    const connection = await makeConnection(app, company, { rules: [groupRule('S', [sales], { role: 'Admin' })] });
    const arrival = await arrive(app, connection, claimsOf('s@contoso.example', { groups: groupsOf('S', 'T') }));
    expect(await read(company, arrival.userId)).toMatchObject({ role: 'Admin', groups: ['Sales'] });
    expect(await db()('membership_sources').where({ user_id: arrival.userId })).toMatchObject([
      { group_id: sales, was_by_hand: false },
    ]);
    expect(await db()('role_sources').where({ user_id: arrival.userId })).toMatchObject([
      { role: 'Admin', role_before: 'User' },
    ]);
  });

  it('two at once make one person, on two nodes and for one address under two subjects, too', async () => {
    const company = await makeCompany(app);
    const connection = await makeConnection(app, company);
    const other = await app.node();
    const claims = claimsOf('twin@contoso.example');
    const both = await Promise.all(
      [app, other, app, other, app, other].map((node) => arrive(node, connection, claims)),
    );
    expect(new Set(both.map(({ userId }) => userId)).size).toBe(1);
    expect(both.filter(({ became }) => became === 'created')).toHaveLength(1);
    expect(both.every(({ outcome }) => outcome === 'accepted')).toBe(true);

    const subjects = await Promise.all(
      ['a', 'b', 'c', 'd'].map((subject) => arrive(app, connection, claimsOf('two@contoso.example', { subject }))),
    );
    expect(subjects.filter(({ outcome }) => outcome === 'accepted')).toHaveLength(1);
    expect(subjects.filter(({ because }) => because === 'bound-elsewhere')).toHaveLength(3);
    expect(await db()('users').where({ company_id: company.id, email_key: 'two@contoso.example' })).toHaveLength(1);
  });

  it('A3.4: a username of somebody else is refused with a code, and nobody is made or bound', async () => {
    const company = await makeCompany(app);
    await makePerson(app, company, { username: 'taken', email: 'taken@else.example' });
    const connection = await makeConnection(app, company);
    const arrival = await arrive(app, connection, claimsOf('x@contoso.example', { username: 'TAKEN' }));
    expect(arrival).toMatchObject({ outcome: 'refused', because: 'username-taken', userId: null });
    expect(arrival.code).toMatch(/^[A-Z2-9]{4}-[A-Z2-9]{4}$/);
    expect(await db()('audit_events').where({ code: arrival.code })).toMatchObject([
      { action: 'login.fail', company_id: company.id, details: { reason: 'sso-username-taken' } },
    ]);
    expect(await db()('idp_identities').where({ connection_id: connection.id })).toEqual([]);
    expect(await db()('users').where({ company_id: company.id })).toHaveLength(1);
  });
});

describe('C15, T19: who was deleted and comes again', () => {
  it('is somebody new, with nothing of what was', async () => {
    const company = await makeCompany(app);
    const [root, sales] = [await makePerson(app, company, { role: 'Root Admin' }), await makeGroup(company, 'Sales')];
    const connection = await makeConnection(app, company, { rules: [groupRule('S', [sales], { role: 'Admin' })] });
    const first = await arrive(app, connection, claimsOf('x@contoso.example', { groups: groupsOf('S') }));
    await deleteUser(workAs(app, root), company.id, first.userId as UserId);
    for (const table of ['idp_identities', 'membership_sources', 'role_sources'])
      expect(await db()(table).where({ user_id: first.userId }), table).toEqual([]);
    const again = await arrive(app, connection, claimsOf('x@contoso.example', { groups: groupsOf('T') }));
    expect(again).toMatchObject({ outcome: 'accepted', became: 'created' });
    expect(again.userId).not.toBe(first.userId);
    expect(await read(company, again.userId)).toMatchObject({ role: 'User', groups: ['All Module Access'] });
  });
});

describe('C27, C28: the subject binds, an address is looked at once and never over companies', () => {
  it('a verified address binds; from then on the subject counts, and nobody else gets in by the address', async () => {
    const company = await makeCompany(app);
    const ada = await makePerson(app, company, { username: 'ada' });
    const connection = await makeConnection(app, company);
    expect(await arrive(app, connection, claimsOf(ada.user.email))).toMatchObject({
      userId: ada.user.id,
      became: 'same',
    });
    const moved = claimsOf('ada.new@contoso.example', { subject: `sub-${ada.user.email}` });
    expect(await arrive(app, connection, moved)).toMatchObject({ userId: ada.user.id });
    const thief = claimsOf(ada.user.email, { subject: 'another' });
    expect(await arrive(app, connection, thief)).toMatchObject({ outcome: 'refused', because: 'bound-elsewhere' });
    const elsewhere = await arrive(app, connection, claimsOf(ada.user.email), 'https://other.example');
    expect(elsewhere).toMatchObject({ outcome: 'refused', because: 'bound-elsewhere' });
  });

  it('an address in another company is nobody here', async () => {
    const [company, other] = [await makeCompany(app), await makeCompany(app)];
    const there = await makePerson(app, other, { email: 'both@contoso.example' });
    const connection = await makeConnection(app, company);
    const arrival = await arrive(app, connection, claimsOf('both@contoso.example'));
    expect(arrival.became).toBe('created');
    expect(arrival.userId).not.toBe(there.user.id);
  });

  it('an address whose domain another company has proved is not taken as verified', async () => {
    const [company, other] = [await makeCompany(app), await makeCompany(app)];
    await db()('email_domains').insert({
      company_id: other.id,
      domain: 'fabrikam.example',
      proof: 'p',
      verified_at: app.clock.now(),
      created_at: app.clock.now(),
    });
    const connection = await makeConnection(app, company);
    const arrival = await arrive(app, connection, claimsOf('x@fabrikam.example'));
    expect((await read(company, arrival.userId)).emailVerifiedAt).toBeNull();
    const unproved = claimsOf('y@contoso.example', { other: { email_verified: ['false'] } });
    const second = await arrive(app, connection, unproved);
    expect((await read(company, second.userId)).emailVerifiedAt).toBeNull();
  });

  it('C23: the Root Admin is bound by their own act alone, once, and never to what is somebody else’s', async () => {
    const company = await makeCompany(app);
    const root = await makePerson(app, company, { role: 'Root Admin' });
    const ben = await makePerson(app, company);
    const connection = await makeConnection(app, company);
    const claims = claimsOf(root.user.email);
    expect(await arrive(app, connection, claims)).toMatchObject({ outcome: 'refused', because: 'root' });
    await bindOwnIdentity(workAs(app, root), connection, claims, { issuer: upstreamIssuer });
    expect(await arrive(app, connection, claims)).toMatchObject({ outcome: 'accepted', userId: root.user.id });
    const bind = (who: typeof root, subject: string) =>
      bindOwnIdentity(workAs(app, who), connection, { ...claims, subject }, { issuer: upstreamIssuer });
    await expect(bind(ben, claims.subject)).rejects.toMatchObject({ status: 409 });
    await expect(bind(root, 'second')).rejects.toMatchObject({ status: 409 });
    const stranger = await makePerson(app, await makeCompany(app));
    await expect(bind(stranger, 'third')).rejects.toMatchObject({ status: 403 });
  });

  it('a binding is released by an administrator, and the next login finds the person by the address', async () => {
    const company = await makeCompany(app);
    const [admin, ada] = [await makePerson(app, company, { role: 'Admin' }), await makePerson(app, company)];
    const connection = await makeConnection(app, company);
    await arrive(app, connection, claimsOf(ada.user.email));
    await expect(releaseIdentity(workAs(app, ada), company.id, connection.id, ada.user.id)).rejects.toMatchObject({
      status: 403,
    });
    await releaseIdentity(workAs(app, admin), company.id, connection.id, ada.user.id);
    const anew = claimsOf(ada.user.email, { subject: 'replaced' });
    expect(await arrive(app, connection, anew)).toMatchObject({ outcome: 'accepted', userId: ada.user.id });
  });
});

describe('T9: an invited person', () => {
  it('is active after the first login, the address verified and the invitation void', async () => {
    const company = await makeCompany(app);
    const connection = await makeConnection(app, company);
    const fields = {
      firstName: 'In',
      lastName: 'Vited',
      email: 'in@contoso.example',
      username: 'in',
      role: 'User' as const,
    };
    const { user, invitation } = await inviteUser(app.operator(), company.id, fields);
    expect(await arrive(app, connection, claimsOf('in@contoso.example'))).toMatchObject({
      outcome: 'accepted',
      became: 'signed-up',
      userId: user.id,
    });
    expect(await read(company, user.id)).toMatchObject({ baseStatus: 'Active', emailVerifiedAt: expect.any(Date) });
    const page = await app.visitor().open(invitation);
    expect(page.body).not.toContain('name="password"');
    const [link] = await db()('links').where({ user_id: user.id, kind: 'invitation' });
    expect(link.voided_at).toBeInstanceOf(Date);
    expect((await actionsOf(user.id)).slice(-2)).toEqual(['sso.bind', 'user.activate']);
  });
});

describe('T15, T18, T24: mapping puts people out and lets them come back', () => {
  it('everywhere at once: session, grants and module end, with the reason mapping; back with a mapped group', async () => {
    const company = await makeCompany(app);
    const module = await makeModule(app, [company], { backchannel_logout_uri: 'https://module.example/logout' });
    const sales = await makeGroup(company, 'Sales');
    const connection = await makeConnection(app, company, { rules: [groupRule('S', [sales])], mapping: true });
    const ada = await makePerson(app, company);
    const visitor = app.visitor();
    await signIn(app, visitor, ada, authorizeAddress(module));
    const claims = (...groups: string[]) => claimsOf(ada.user.email, { groups: groupsOf(...groups) });
    await arrive(app, connection, claims('S'));
    expect((await read(company, ada.user.id)).groups).toEqual(['All Module Access', 'Sales']);
    expect(await db()('sessions').where({ user_id: ada.user.id })).toHaveLength(1);

    const gone = await arrive(app, connection, claims('Else'));
    expect(gone).toMatchObject({ outcome: 'refused', became: 'deactivated', because: 'unmapped', userId: ada.user.id });
    expect(await read(company, ada.user.id)).toMatchObject({
      baseStatus: 'Deactivated',
      deactivatedReason: 'mapping',
      groups: ['All Module Access', 'Sales'],
    });
    expect(await db()('sessions').where({ user_id: ada.user.id }).whereNull('ended_at')).toEqual([]);
    expect(await db()('oidc_records').where({ account_id: ada.user.id })).toEqual([]);
    expect(await db()('logout_receipts').where({ user_id: ada.user.id })).toHaveLength(1);
    const [event] = await db()('audit_events').where({ target_id: ada.user.id, action: 'user.deactivate' });
    expect(event.details).toMatchObject({ reason: 'mapping', connection: 'Entra ID' });

    expect(await arrive(app, connection, claims('Else'))).toMatchObject({ because: 'unmapped', became: 'same' });
    const back = await arrive(app, connection, claims('S'));
    expect(back).toMatchObject({ outcome: 'accepted', became: 'reactivated' });
    expect(await read(company, ada.user.id)).toMatchObject({ baseStatus: 'Active', deactivatedReason: null });
    expect(await actionsOf(ada.user.id)).toContain('user.activate');
  });

  it('C24: whom an administrator deactivated stays out, in a mapped group or not', async () => {
    const company = await makeCompany(app);
    const [root, ada] = [await makePerson(app, company, { role: 'Root Admin' }), await makePerson(app, company)];
    const sales = await makeGroup(company, 'Sales');
    const connection = await makeConnection(app, company, { rules: [groupRule('S', [sales])], mapping: true });
    const claims = claimsOf(ada.user.email, { groups: groupsOf('S') });
    await arrive(app, connection, claims);
    await deactivateUser(workAs(app, root), company.id, ada.user.id);
    const refused = await arrive(app, connection, claims);
    expect(refused).toMatchObject({ outcome: 'refused', because: 'deactivated' });
    expect(refused.sentence).not.toContain('deactivated');
    expect(await read(company, ada.user.id)).toMatchObject({ deactivatedReason: 'admin' });
  });

  it('C23: neither a break-glass person nor the last administrator is put out', async () => {
    const company = await makeCompany(app);
    const sales = await makeGroup(company, 'Sales');
    const [admin, glass] = [await makePerson(app, company, { role: 'Admin' }), await makePerson(app, company)];
    const connection = await makeConnection(app, company, { rules: [groupRule('S', [sales])], mapping: true });
    await db()('break_glass_people').insert({
      company_id: company.id,
      user_id: glass.user.id,
      reason: 'on call',
      created_at: app.clock.now(),
      created_by: 'test',
    });
    for (const { user } of [admin, glass]) {
      const arrival = await arrive(app, connection, claimsOf(user.email, { groups: groupsOf('Else') }));
      expect(arrival).toMatchObject({ outcome: 'accepted', userId: user.id });
      expect((await read(company, user.id)).baseStatus).toBe('Active');
    }
    // The exemption has an end.
    await db()('break_glass_people').where({ user_id: glass.user.id }).update({ ends_at: app.clock.now() });
    const after = await arrive(app, connection, claimsOf(glass.user.email, { groups: groupsOf('Else') }));
    expect(after.became).toBe('deactivated');
  });

  it('of two administrators who lose it in the same moment, one stays', async () => {
    const company = await makeCompany(app);
    const sales = await makeGroup(company, 'Sales');
    const both = [await makePerson(app, company, { role: 'Admin' }), await makePerson(app, company, { role: 'Admin' })];
    const connection = await makeConnection(app, company, { rules: [groupRule('S', [sales])], mapping: true });
    const arrivals = await Promise.all(
      both.map(({ user }) => arrive(app, connection, claimsOf(user.email, { groups: groupsOf('Else') }))),
    );
    expect(arrivals.map(({ became }) => became).sort()).toEqual(['deactivated', 'same']);
  });
});

describe('C22: groups that are not said', () => {
  it('change nothing, let the person in, make nobody, and are put before the administrators once a day', async () => {
    const company = await makeCompany(app);
    await makePerson(app, company, { role: 'Admin' });
    const ada = await makePerson(app, company);
    const sales = await makeGroup(company, 'Sales');
    const connection = await makeConnection(app, company, { rules: [groupRule('S', [sales])], mapping: true });
    const claims = (groups: Parameters<typeof claimsOf>[1]) => claimsOf(ada.user.email, groups);
    await arrive(app, connection, claims({ groups: groupsOf('S') }));
    const mails = () => db()('mails').where({ company_id: company.id, kind: 'groupsNotSaid' });
    for (const [groups, stop] of [
      [{ state: 'missing' }, 'groups-missing'],
      [{ state: 'overage' }, 'groups-overage'],
      [groupsOf(), 'groups-emptied'],
      // The second empty list is not taken for what it was before.
      [groupsOf(), 'groups-emptied'],
    ] as const) {
      expect(await arrive(app, connection, claims({ groups }))).toMatchObject({
        outcome: 'accepted',
        became: 'same',
        stop,
      });
      expect(await read(company, ada.user.id)).toMatchObject({
        baseStatus: 'Active',
        groups: ['All Module Access', 'Sales'],
      });
    }
    expect((await actionsOf(ada.user.id)).filter((action) => action === 'sso.stop')).toHaveLength(4);
    expect(await mails()).toHaveLength(1);
    app.clock.advance(24 * 3_600_000);
    const nobody = await arrive(app, connection, claimsOf('nobody@contoso.example', { groups: { state: 'missing' } }));
    expect(nobody).toMatchObject({ outcome: 'refused', because: 'groups-unknown', userId: null });
    expect(await mails()).toHaveLength(2);
  });

  it('an empty list counts once an administrator has said that it is right', async () => {
    const company = await makeCompany(app);
    const [admin, ada] = [await makePerson(app, company, { role: 'Admin' }), await makePerson(app, company)];
    const sales = await makeGroup(company, 'Sales');
    const connection = await makeConnection(app, company, { rules: [groupRule('S', [sales])], mapping: true });
    await arrive(app, connection, claimsOf(ada.user.email, { groups: groupsOf('S') }));
    const empty = claimsOf(ada.user.email, { groups: groupsOf() });
    const accept = () => acceptEmptiedGroups(workAs(app, admin), company.id, connection.id, ada.user.id);
    await expect(accept()).rejects.toMatchObject({ status: 409 });
    expect((await arrive(app, connection, empty)).stop).toBe('groups-emptied');
    await accept();
    expect(await arrive(app, connection, empty)).toMatchObject({ became: 'deactivated' });
  });
});

describe('C22: rules at every login', () => {
  it('give and take groups and role; what was by hand stays', async () => {
    const company = await makeCompany(app);
    await makePerson(app, company, { role: 'Admin' });
    const [sales, support] = [await makeGroup(company, 'Sales'), await makeGroup(company, 'Support')];
    const ada = await makePerson(app, company, { groups: ['Support'] });
    const rules = [groupRule('S', [sales, support], { role: 'Admin' })];
    const connection = await makeConnection(app, company, { rules });
    const claims = (...groups: string[]) => claimsOf(ada.user.email, { groups: groupsOf(...groups) });
    await arrive(app, connection, claims('S'));
    expect(await read(company, ada.user.id)).toMatchObject({ role: 'Admin', groups: ['Sales', 'Support'] });
    await arrive(app, connection, claims('Else'));
    expect(await read(company, ada.user.id)).toMatchObject({ role: 'User', groups: ['Support'] });
    const actions = await actionsOf(ada.user.id);
    expect(actions.filter((action) => action === 'user.roleChange')).toHaveLength(2);
    expect(actions.filter((action) => action === 'user.groupChange')).toHaveLength(2);
  });

  it('a login that changes nothing writes nothing but when they were here', async () => {
    const company = await makeCompany(app);
    const sales = await makeGroup(company, 'Sales');
    const ada = await makePerson(app, company);
    const connection = await makeConnection(app, company, { rules: [groupRule('S', [sales])] });
    const claims = claimsOf(ada.user.email, { groups: groupsOf('S') });
    await arrive(app, connection, claims);
    const before = await actionsOf(ada.user.id);
    app.clock.advance(60_000);
    const from = app.clock.now().getTime();
    await arrive(app, connection, claims);
    expect(await actionsOf(ada.user.id)).toEqual(before);
    const [identity] = await db()('idp_identities').where({ user_id: ada.user.id });
    expect(identity.groups).toEqual(['S']);
    for (const at of [identity.last_seen_at, identity.groups_seen_at])
      expect(at.getTime()).toBeGreaterThanOrEqual(from);
  });

  it('a connection that was turned off or deleted lets nobody in, whatever the caller still holds of it', async () => {
    const company = await makeCompany(app);
    const connection = await makeConnection(app, company);
    const ada = await makePerson(app, company);
    await propose(app, company, connection.id, { enabled: false });
    expect(await arrive(app, connection, claimsOf(ada.user.email))).toMatchObject({ because: 'disabled' });
    await app.runtime.store.of(company.id).connections.delete(connection.id);
    expect(await arrive(app, connection, claimsOf(ada.user.email))).toMatchObject({ because: 'disabled' });
    await expect(getConnection(app, company, connection.id)).rejects.toThrow();
  });
});
