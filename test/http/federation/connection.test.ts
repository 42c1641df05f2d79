import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Company } from '../../../src/domain/companies/company.ts';
import type { ConnectionId } from '../../../src/domain/federation/connection.ts';
import {
  type ConnectionInput,
  createConnection,
  deleteConnection,
  editConnection,
} from '../../../src/domain/federation/connection-commands.ts';
import { clientSecretPurpose } from '../../../src/domain/federation/connection-repository.ts';
import { makePlan } from '../../../src/domain/federation/plan-commands.ts';
import {
  createRequest,
  fetchResult,
  findRequest,
  newRequestId,
  takeAnswer,
} from '../../../src/domain/federation/request-commands.ts';
import { listRules, listSeenGroups } from '../../../src/domain/federation/rule-queries.ts';
import { switchConnection } from '../../../src/domain/federation/switch-commands.ts';
import { testedHashOf } from '../../../src/domain/federation/tested.ts';
import { newId } from '../../../src/lib/ids.ts';
import { startApp, type TestApp } from '../../support/app.ts';
import {
  arrive,
  claimsOf,
  getConnection,
  groupsOf,
  makeConnection,
  samlInput,
  upstreamIssuer,
  workAs,
} from '../../support/federation.ts';
import { makeCompany, makePerson } from '../../support/people.ts';

let app: TestApp;

beforeAll(async () => {
  app = await startApp();
});
afterAll(() => app.stop());

const db = () => app.runtime.db;

const oidcInput = (input: Partial<ConnectionInput> = {}): ConnectionInput =>
  samlInput({
    name: 'Okta',
    settings: { kind: 'oidc', issuer: 'https://okta.contoso.example', clientId: 'unified' },
    clientSecret: 'a-secret-of-okta',
    ...input,
  });

const eventsOf = (company: Company) =>
  db()('audit_events').where({ company_id: company.id }).where('action', 'like', 'sso.%').orderBy('id');

describe('setting up a connection', () => {
  it('is made off, with its secret sealed; neither secret nor certificate stands in the audit log', async () => {
    const company = await makeCompany(app);
    const ada = await makePerson(app, company, { role: 'Admin' });
    const { id } = await createConnection(workAs(app, ada), company.id, oidcInput());
    const connection = await getConnection(app, company, id);
    expect(connection).toMatchObject({ enabled: false, mapping: false, version: 1, creation: { on: false } });
    const sealed = connection.sealedSecret ?? '';
    expect(sealed).not.toContain('a-secret-of-okta');
    expect(app.operator().keyring.open(clientSecretPurpose, sealed)).toBe('a-secret-of-okta');
    await createConnection(workAs(app, ada), company.id, samlInput());
    const events = await eventsOf(company);
    expect(events.map(({ action, details }) => `${action} ${details.change}`)).toEqual([
      'sso.config created',
      'sso.config created',
    ]);
    expect(JSON.stringify(events)).not.toMatch(/a-secret-of-okta|BEGIN CERTIFICATE/);
  });

  it.each<[string, Partial<ConnectionInput>, string]>([
    ['without a name', { name: ' ' }, 'name'],
    ['with an address that is none', { settings: { kind: 'oidc', issuer: 'okta', clientId: 'c' } }, 'settings'],
    ['without a secret', { clientSecret: '' }, 'clientSecret'],
    ['with a group of nobody', { creation: { on: true, role: 'User', groupIds: [newId()] } }, 'groups'],
  ])('is refused %s', async (_title, input, field) => {
    const company = await makeCompany(app);
    const refused = createConnection(app.operator(), company.id, oidcInput(input));
    await expect(refused).rejects.toMatchObject({ status: 422 });
    const error = await refused.catch((e: unknown) => e as { fields: Record<string, string> });
    expect(Object.keys((error as { fields: Record<string, string> }).fields).join()).toContain(field);
  });

  it('the Root Admin’s role is not to be chosen for new people', async () => {
    const company = await makeCompany(app);
    const input = { ...oidcInput(), creation: { on: true, role: 'Root Admin', groupIds: [] } };
    // What a forged form sends.
    const forged = createConnection(app.operator(), company.id, input as unknown as ConnectionInput);
    await expect(forged).rejects.toMatchObject({ status: 422 });
  });

  it('API-06: another issuer or client never gets the stored secret; the same one keeps it', async () => {
    const company = await makeCompany(app);
    const { id } = await createConnection(app.operator(), company.id, oidcInput());
    const edit = (input: Partial<ConnectionInput>, version: number) =>
      editConnection(app.operator(), company.id, id, { version, ...input });
    expect(await edit({ name: 'Okta EU' }, 1)).toEqual({ outcome: 'saved' });
    const sealed = (await getConnection(app, company, id)).sealedSecret;
    expect(app.operator().keyring.open(clientSecretPurpose, sealed ?? '')).toBe('a-secret-of-okta');
    for (const settings of [
      { kind: 'oidc' as const, issuer: 'https://evil.example', clientId: 'unified' },
      { kind: 'oidc' as const, issuer: 'https://okta.contoso.example', clientId: 'other' },
    ]) {
      await expect(edit({ settings }, 2)).rejects.toMatchObject({
        status: 422,
        fields: { clientSecret: expect.any(String) },
      });
      await expect(edit({ settings, clientSecret: '' }, 2)).rejects.toMatchObject({ status: 422 });
    }
    const moved = { kind: 'oidc' as const, issuer: 'https://evil.example', clientId: 'unified' };
    expect(await edit({ settings: moved, clientSecret: 'its own' }, 2)).toEqual({ outcome: 'saved' });
    const now = await getConnection(app, company, id);
    expect(app.operator().keyring.open(clientSecretPurpose, now.sealedSecret ?? '')).toBe('its own');
  });

  it('C27: with another issuer, all bindings to the old one end', async () => {
    const company = await makeCompany(app);
    const connection = await makeConnection(app, company);
    const ada = await makePerson(app, company);
    await arrive(app, connection, claimsOf(ada.user.email));
    const { settings, version } = await getConnection(app, company, connection.id);
    const other = { ...settings, entityId: 'https://new.example/saml' } as ConnectionInput['settings'];
    await editConnection(app.operator(), company.id, connection.id, { version, settings: other });
    expect(await db()('idp_identities').where({ connection_id: connection.id })).toEqual([]);
    const now = await getConnection(app, company, connection.id);
    const anew = await arrive(app, now, claimsOf(ada.user.email, { subject: 'new' }), 'https://new.example/saml');
    expect(anew).toMatchObject({ outcome: 'accepted', userId: ada.user.id });
  });

  it('who is on the way when the upstream is set up anew does not come in by what counted before; a new name stops nobody', async () => {
    const company = await makeCompany(app);
    const connection = await makeConnection(app, company);
    const work = app.operator();
    /** An answer that was believed, and waits for its browser. */
    const answered = async (uid: string) => {
      const requestId = newRequestId();
      await createRequest(
        work,
        connection,
        requestId,
        { purpose: 'sign-in', interactionUid: uid, startedBy: null },
        {},
      );
      const request = await findRequest(work, requestId);
      const result = {
        outcome: 'arrived' as const,
        issuer: upstreamIssuer,
        claims: claimsOf('p@x.example'),
        session: null,
        logout: null,
      };
      return (request && (await takeAnswer(work, request, null, result))) ?? '';
    };
    const [one, other] = [await answered('uid-1'), await answered('uid-2')];
    const edit = async (input: Partial<ConnectionInput>) => {
      const { version } = await getConnection(app, company, connection.id);
      await editConnection(work, company.id, connection.id, { version, ...input });
    };
    await edit({ name: 'Entra ID of Contoso' });
    expect(await fetchResult(work, one, 'uid-1')).toMatchObject({ result: { outcome: 'arrived' } });
    const certificates = ['-----BEGIN CERTIFICATE-----\nanother\n-----END CERTIFICATE-----'];
    await edit({ settings: { ...connection.settings, certificates } as ConnectionInput['settings'] });
    expect(await fetchResult(work, other, 'uid-2')).toBeNull();
  });

  it('T15: while mapping deactivates people, no other claim takes the place of the groups without a plan', async () => {
    const company = await makeCompany(app);
    const groupIds = [(await app.runtime.store.of(company.id).groups.getSystem('system-all')).id as string];
    const when = { kind: 'group', value: 'Staff' } as const;
    const rules = [{ when, role: null, groupIds, stops: false }];
    const { id, version } = await makeConnection(app, company, { rules, mapping: true });
    const attributes = { ...samlInput().attributes, groups: 'Departments' };
    await expect(editConnection(app.operator(), company.id, id, { version, attributes })).rejects.toMatchObject({
      code: 'invalid',
    });
    const edited = await editConnection(app.operator(), company.id, id, { version, name: 'Another name' });
    expect(edited.outcome).toBe('saved');
  });

  it('two who edit at once: the second is told, and nothing is lost', async () => {
    const company = await makeCompany(app);
    const { id } = await createConnection(app.operator(), company.id, oidcInput());
    const outcomes = await Promise.all(
      ['One', 'Two'].map((name) => editConnection(app.operator(), company.id, id, { version: 1, name })),
    );
    expect(outcomes.map(({ outcome }) => outcome).sort()).toEqual(['saved', 'stale']);
  });

  it('is enabled after a test with the settings of now, or with a reason why not', async () => {
    const company = await makeCompany(app);
    const { id } = await createConnection(app.operator(), company.id, oidcInput());
    const turn = (override?: string) =>
      switchConnection(app.operator(), company.id, id, { enabled: true, ...(override ? { override } : {}) });
    await expect(turn()).rejects.toMatchObject({ status: 409 });
    const connection = await getConnection(app, company, id);
    await app.runtime.store.of(company.id).connections.setTested(id, testedHashOf(connection), app.clock.now());
    expect(await turn()).toEqual({ outcome: 'done' });
    const after = await getConnection(app, company, id);
    expect(after).toMatchObject({ enabled: true, version: 2 });
    await expect(makePlan(app.operator(), company.id, id, { mapping: true })).rejects.toMatchObject({ status: 422 });
  });

  it('enabled with rules, it leaves a plan only where somebody is touched', async () => {
    const company = await makeCompany(app);
    const rule = { when: { kind: 'group' as const, value: 'Sales' }, role: 'Admin' as const };
    const { id } = await makeConnection(app, company, { rules: [rule] });
    await arrive(app, await getConnection(app, company, id), claimsOf('mia@contoso.example', { groups: groupsOf() }));
    const before = await db()('sso_plans').where({ connection_id: id }).pluck('id');
    const turn = (enabled: boolean) =>
      switchConnection(app.operator(), company.id, id, { enabled, override: 'a test' });
    expect([await turn(false), await turn(true)]).toEqual([{ outcome: 'done' }, { outcome: 'done' }]);
    expect(await db()('sso_plans').where({ connection_id: id }).pluck('id')).toEqual(before);
    await turn(false);
    await db()('idp_identities')
      .where({ connection_id: id })
      .update({ groups: ['Sales'] });
    const switched = await turn(true);
    expect(switched).toEqual({ outcome: 'plan', planId: expect.any(String) });
    expect(await getConnection(app, company, id)).toMatchObject({ enabled: false });
  });

  it('deleted, it leaves people, their groups and their standing', async () => {
    const company = await makeCompany(app);
    const all = await app.runtime.store.of(company.id).groups.getSystem('system-all');
    const connection = await makeConnection(app, company, {
      rules: [{ when: { kind: 'group', value: 'S' }, groupIds: [all.id] }],
    });
    const { userId } = await arrive(app, connection, claimsOf('x@contoso.example', { groups: groupsOf('S') }));
    await expect(deleteConnection(app.operator(), company.id, connection.id)).rejects.toMatchObject({ status: 409 });
    await switchConnection(app.operator(), company.id, connection.id, { enabled: false });
    await deleteConnection(app.operator(), company.id, connection.id);
    expect(await app.runtime.store.of(company.id).users.findById(userId as never)).toMatchObject({
      baseStatus: 'Active',
    });
    expect(await db()('group_members').where({ user_id: userId })).toHaveLength(1);
    for (const table of ['idp_identities', 'mapping_rules', 'membership_sources', 'sso_plans'])
      expect(await db()(table).where({ connection_id: connection.id }), table).toEqual([]);
    await expect(deleteConnection(app.operator(), company.id, connection.id)).rejects.toMatchObject({ status: 404 });
  });

  it('API-01: other roles may nothing, and another company’s connection is not there', async () => {
    const company = await makeCompany(app);
    const connection = await makeConnection(app, company);
    const other = await makeCompany(app);
    const foreign = await makePerson(app, other, { role: 'Admin' });
    const acts = (who: Parameters<typeof workAs>[1], companyId: Company['id'], id: ConnectionId) => [
      () => editConnection(workAs(app, who), companyId, id, { version: 1, name: 'x' }),
      () => deleteConnection(workAs(app, who), companyId, id),
      () => switchConnection(workAs(app, who), companyId, id, { enabled: false }),
      () => listRules(workAs(app, who), companyId, id),
    ];
    for (const role of ['Billing and Purchasing', 'User', 'Co-Managed User'] as const) {
      const who = await makePerson(app, company, { role });
      await expect(createConnection(workAs(app, who), company.id, oidcInput())).rejects.toMatchObject({ status: 403 });
      for (const act of acts(who, company.id, connection.id))
        await expect(act()).rejects.toMatchObject({ status: 403 });
    }
    for (const act of acts(foreign, company.id, connection.id))
      await expect(act()).rejects.toMatchObject({ status: 403 });
    for (const act of acts(foreign, other.id, connection.id))
      await expect(act()).rejects.toMatchObject({ status: 404 });
    expect(await listSeenGroups(workAs(app, foreign), other.id, connection.id, 10)).toEqual([]);
  });
});

describe('mapping rules as they are written', () => {
  it('keep their order and ids, and refuse what names nothing, by rule and field', async () => {
    const company = await makeCompany(app);
    const all = await app.runtime.store.of(company.id).groups.getSystem('system-all');
    const connection = await makeConnection(app, company, {
      rules: [
        { when: { kind: 'group', value: ' A ' }, groupIds: [all.id] },
        { when: { kind: 'claim', name: 'dept', test: 'one-of', values: ['x', 'y'] }, role: 'User', stops: true },
      ],
    });
    const rules = await listRules(app.operator(), company.id, connection.id);
    expect(rules).toMatchObject([
      { position: 1, when: { kind: 'group', value: 'A' }, role: null, stops: false },
      { position: 2, when: { kind: 'claim', test: 'one-of' }, role: 'User', stops: true },
    ]);
    const propose = (inputs: unknown) =>
      // What a forged form sends.
      makePlan(app.operator(), company.id, connection.id, { rules: inputs as never });
    for (const [input, field] of [
      [[{ when: { kind: 'group', value: '' }, groupIds: [all.id] }], 'rules.0.when.value'],
      [[{ when: { kind: 'group', value: 'A' }, groupIds: [] }], 'rules.0.role'],
      [[{ when: { kind: 'group', value: 'A' }, role: 'Root Admin' }], 'rules.0.role'],
      [[{ when: { kind: 'group', value: 'A' }, groupIds: [newId()] }], 'rules.0.groupIds'],
      [
        [{ when: { kind: 'claim', name: 'd', test: 'equals', values: ['x', 'y'] }, role: 'User' }],
        'rules.0.when.values',
      ],
      [Array.from({ length: 201 }, () => ({ when: { kind: 'group', value: 'A' }, role: 'User' })), 'rules'],
    ] as const)
      await expect(propose(input)).rejects.toMatchObject({ status: 422, fields: { [field]: expect.any(String) } });
  });

  it('the groups that were seen are offered, the most frequent first', async () => {
    const company = await makeCompany(app);
    const connection = await makeConnection(app, company);
    await arrive(app, connection, claimsOf('a@contoso.example', { groups: groupsOf('B', 'A') }));
    await arrive(app, connection, claimsOf('b@contoso.example', { groups: groupsOf('A') }));
    expect(await listSeenGroups(app.operator(), company.id, connection.id, 10)).toEqual([
      { name: 'A', people: 2 },
      { name: 'B', people: 1 },
    ]);
  });
});
