// SCIM of the kit (RFC 7643, RFC 7644): lists, pages, filters, errors, writes, and nobody without the token.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import {
  type AccountChanges,
  type AccountQuery,
  AccountRefusal,
  type Accounts,
  createScimUsers,
  type ModuleAccount,
} from '../../../src/sdk/module.ts';

const token = 'a-token-of-twenty-letters-and-more';
const everybody: ModuleAccount[] = Array.from({ length: 450 }, (_, i) => ({
  id: `id/${i + 1}`,
  userName: `Person${i + 1}`,
  givenName: 'Grace',
  familyName: `N${i + 1}`,
  email: `person${i + 1}@module.example`,
  active: i !== 1,
}));

const asked: AccountQuery[] = [];
const scim = createScimUsers({
  url: 'https://module.example/scim/v2/',
  token: [token, 'the-token-that-comes-after-it'],
  accounts: {
    list(query) {
      asked.push(query);
      const { skip, count, filter } = query;
      const found = everybody.filter(
        (person) => filter === null || person[filter.by]?.toLowerCase() === filter.value.toLowerCase(),
      );
      return { total: found.length, accounts: found.slice(skip, skip + count) };
    },
    find: async (id) => everybody.find((person) => person.id === id),
  },
});

async function ask(path: string, { method = 'GET', authorization = `Bearer ${token}` } = {}) {
  const answer = await scim({ method, url: path, headers: { authorization } });
  if (!answer) throw new Error(`${path} is nobody's`);
  return { ...answer, json: JSON.parse(answer.body) };
}

describe('SCIM of the module kit', () => {
  it('RFC 7644 3.4.2 answers a ListResponse in SCIM’s own type, never cached', async () => {
    const { status, headers, json } = await ask('/scim/v2/Users?count=2');
    expect(status).toBe(200);
    expect(headers).toMatchObject({
      'content-type': 'application/scim+json; charset=utf-8',
      'cache-control': 'no-store',
    });
    expect(json).toMatchObject({
      schemas: ['urn:ietf:params:scim:api:messages:2.0:ListResponse'],
      totalResults: 450,
      startIndex: 1,
      itemsPerPage: 2,
    });
    expect(json.Resources[0]).toEqual({
      schemas: ['urn:ietf:params:scim:schemas:core:2.0:User'],
      id: 'id/1',
      userName: 'Person1',
      name: { givenName: 'Grace', familyName: 'N1' },
      emails: [{ value: 'person1@module.example', type: 'work', primary: true }],
      active: true,
      meta: {
        resourceType: 'User',
        location: 'https://module.example/scim/v2/Users/id%2F1',
        version: expect.stringMatching(/^"[\w-]{22}"$/),
      },
    });
    expect(json.Resources[1].active).toBe(false);
  });

  it('RFC 7644 3.4.2.4 leads through all of them page by page, each once', async () => {
    const ids: string[] = [];
    for (let startIndex = 1; ; ) {
      const { json } = await ask(`/scim/v2/Users?startIndex=${startIndex}&count=1000`);
      ids.push(...json.Resources.map(({ id }: { id: string }) => id));
      startIndex += json.itemsPerPage;
      expect(json.itemsPerPage).toBeLessThanOrEqual(200);
      if (startIndex > json.totalResults) break;
    }
    expect(ids).toEqual(everybody.map(({ id }) => id));
  });

  it.each([
    ['startIndex=0&count=-5', { skip: 0, count: 0 }],
    ['startIndex=-9', { skip: 0, count: 200 }],
    ['startIndex=many&count=1e9', { skip: 0, count: 200 }],
    ['startIndex=99999999999&count=1', { skip: 0, count: 1 }],
    ['startIndex=451', { skip: 450, count: 200 }],
  ])('RFC 7644 3.4.2.4 %s is read for what it can mean', async (query, expected) => {
    const { status, json } = await ask(`/scim/v2/Users?${query}`);
    expect(status).toBe(200);
    expect(asked.at(-1)).toMatchObject(expected);
    expect(json.totalResults).toBe(450);
  });

  it.each([
    ['userName eq "person7"', 1],
    ['USERNAME EQ "PERSON7"', 1],
    ['urn:ietf:params:scim:schemas:core:2.0:User:userName eq "Person7"', 1],
    ['emails.value eq "PERSON7@module.example"', 1],
    ['id eq "id/7"', 1],
    ['externalId eq "x"', 0],
    ['userName eq "nobody"', 0],
    ['userName eq "a\\"b"', 0],
  ])('RFC 7644 3.4.2.2 filter %s', async (filter, total) => {
    expect((await ask(`/scim/v2/Users?filter=${encodeURIComponent(filter)}`)).json.totalResults).toBe(total);
  });

  it.each([
    'userName sw "p"',
    'displayName eq "x"',
    'constructor eq "x"',
    'userName eq person7',
    'userName eq "a" or active eq true',
    'userName eq 7',
  ])('RFC 7644 3.12 refuses the filter %s instead of answering everybody', async (filter) => {
    const { status, json } = await ask(`/scim/v2/Users?filter=${encodeURIComponent(filter)}`);
    expect(status).toBe(400);
    expect(json).toMatchObject({
      schemas: ['urn:ietf:params:scim:api:messages:2.0:Error'],
      status: '400',
      scimType: 'invalidFilter',
    });
  });

  it('one user by id, and the service by its configuration', async () => {
    expect((await ask('/scim/v2/Users/id%2F7')).json.userName).toBe('Person7');
    expect((await ask('/scim/v2/Users/nobody')).status).toBe(404);
    expect((await ask('/scim/v2/Users/%ff')).status).toBe(404);
    expect((await ask('/scim/v2/ServiceProviderConfig')).json).toMatchObject({
      patch: { supported: false },
      filter: { supported: true, maxResults: 200 },
    });
    for (const path of ['/scim/v2', '/scim/v2/', '/scim/v2/Groups', '/scim/v2/Users/a/b', '/scim/v2/users'])
      expect((await ask(path)).status, path).toBe(404);
  });

  it.each([
    '',
    'Bearer',
    'Bearer x',
    `Basic ${token}`,
    `Bearer ${token}x`,
    `Bearer ${token} x`,
    `Bearer ${token.slice(1)}`,
  ])('RFC 6750 3 tells nothing to "%s"', async (authorization) => {
    const before = asked.length;
    for (const path of ['/scim/v2/Users', '/scim/v2/ServiceProviderConfig', '/scim/v2/Groups']) {
      const { status, headers, body } = await ask(path, { authorization });
      expect(status).toBe(401);
      expect(headers['www-authenticate']).toBe('Bearer');
      expect(body).not.toContain('Person');
    }
    expect(asked.length).toBe(before);
  });

  it('each token of a list is good, and short ones are refused at the start', async () => {
    expect((await ask('/scim/v2/Users', { authorization: 'bearer the-token-that-comes-after-it' })).status).toBe(200);
    const accounts = { list: () => ({ total: 0, accounts: [] }), find: () => undefined };
    const more = { url: 'https://m.example/scim', accounts };
    expect(() => createScimUsers({ ...more, token: 'short' })).toThrow(/20 characters/);
    expect(() => createScimUsers({ ...more, token: [] })).toThrow(/20 characters/);
  });

  it('is read only, and leaves other addresses to the module', async () => {
    for (const method of ['POST', 'PUT', 'PATCH', 'DELETE'])
      expect((await ask('/scim/v2/Users', { method })).status).toBe(405);
    for (const url of ['/', '//', 'http://[', '/scim/v22/Users', '/login', 'https://module.example/scim'])
      expect(await scim({ method: 'GET', url, headers: {} })).toBeNull();
  });

  it('is read only without the hooks that write, and says so (RFC 7643 5)', async () => {
    const { status, headers } = await ask('/scim/v2/Users', { method: 'POST' });
    expect([status, headers.allow]).toEqual([405, 'GET']);
    expect((await ask('/scim/v2/ServiceProviderConfig', { method: 'PUT' })).status).toBe(405);
  });
});

describe('the kit', () => {
  it('is one file that needs nothing but Node itself', () => {
    // No limit of lines since the Integration Center is in it: what counts is that it can be copied as it is.
    expect(readdirSync(join(import.meta.dirname, '../../../src/sdk'))).toEqual(['module.ts']);
    const source = readFileSync(join(import.meta.dirname, '../../../src/sdk/module.ts'), 'utf8');
    const imported = [...source.matchAll(/^import .* from '(.*)';$/gm)].map(([, from]) => from);
    expect(imported).toEqual(['node:crypto', 'node:fs/promises', 'node:path']);
    expect([...source.matchAll(/\b(import|require)\(/g)]).toEqual([]);
  });
});

describe('SCIM of the module kit, writing (section 4)', () => {
  const EXTENSION = 'urn:unifiedlogin:scim:2.0:Account';
  let table: Map<string, ModuleAccount>;
  let ended: string[];

  const ada: ModuleAccount = {
    id: '1',
    userName: 'ada@n.example',
    email: 'ada@n.example',
    displayName: 'Ada Root',
    givenName: 'Ada',
    familyName: 'Root',
    active: true,
    permissions: ['Full Access'],
    timeZone: 'Europe/Berlin',
    localLogin: true,
    administrator: true,
    values: {},
  };
  const ben: ModuleAccount = {
    ...ada,
    id: '2',
    userName: 'ben@n.example',
    email: 'ben@n.example',
    displayName: 'Ben User',
    permissions: ['Team Access'],
    administrator: false,
  };

  const administers = (permissions: readonly string[]) => permissions.includes('Full Access');
  const accounts: Accounts = {
    list: () => ({ total: table.size, accounts: [...table.values()] }),
    find: (id) => table.get(id),
    matching: () => [],
    provision(account) {
      if ([...table.values()].some(({ userName }) => userName === account.userName))
        throw new AccountRefusal('taken', 'The user name is taken.');
      const made = { ...account, id: String(table.size + 1), administrator: administers(account.permissions ?? []) };
      table.set(made.id, made);
      return made;
    },
    change(id, changes, before) {
      const account = table.get(id);
      if (account !== before) throw new AccountRefusal('changed', 'It was changed in the meantime.');
      const permissions = changes.permissions ?? before.permissions ?? [];
      const made = { ...before, ...changes, administrator: administers(permissions) };
      table.set(id, made);
      return made;
    },
    link: () => false,
    endSessions: (id) => void ended.push(id),
    administers,
    isLastAdministrator: (id) =>
      ![...table.values()].some((it) => it.id !== id && it.active && it.administrator === true),
    remove: (id) => void table.delete(id),
  };
  const service = createScimUsers({ url: 'https://module.example/scim/v2', token, accounts });

  beforeEach(() => {
    table = new Map([
      ['1', ada],
      ['2', ben],
    ]);
    ended = [];
  });

  async function send(method: string, path: string, body?: unknown, headers: Record<string, string> = {}) {
    const given = { authorization: `Bearer ${token}`, ...headers };
    const text = body === undefined ? '' : typeof body === 'string' ? body : JSON.stringify(body);
    const answer = await service({ method, url: `/scim/v2${path}`, headers: given, body: text });
    if (!answer) throw new Error(`${path} is nobody's`);
    return { ...answer, json: answer.body === '' ? null : JSON.parse(answer.body) };
  }
  const replace = (path: string, value: unknown, op = 'replace') => ({ Operations: [{ op, path, value }] });

  it('POST makes a person without a password, and answers 201 with address and version', async () => {
    const { status, headers, json } = await send('POST', '/Users', {
      schemas: ['urn:ietf:params:scim:schemas:core:2.0:User', EXTENSION],
      id: 'chosen by the caller',
      userName: 'zoë@n.example',
      externalId: 'sub-9',
      name: { givenName: 'Zoë', familyName: 'Ångström' },
      emails: [{ value: 'second@n.example' }, { value: 'zoë@n.example', primary: true }],
      roles: [{ value: 'Read only' }, { value: 'Team Access', primary: true }],
      timezone: 'Asia/Kolkata',
      password: 'hunter2',
      [EXTENSION]: { values: { department: 'Sales' }, administrator: true, localLogin: true },
    });
    expect([status, headers.location, headers.etag]).toEqual([
      201,
      'https://module.example/scim/v2/Users/3',
      json.meta.version,
    ]);
    expect(table.get('3')).toMatchObject({
      userName: 'zoë@n.example',
      email: 'zoë@n.example',
      externalId: 'sub-9',
      permissions: ['Team Access', 'Read only'],
      timeZone: 'Asia/Kolkata',
      values: { department: 'Sales' },
      administrator: false,
      localLogin: false,
      active: true,
    });
    expect(JSON.stringify(table.get('3'))).not.toContain('hunter2');
    expect(json.roles).toEqual([
      { value: 'Team Access', primary: true },
      { value: 'Read only', primary: false },
    ]);
    const again = await send('POST', '/Users', { userName: 'zoë@n.example' });
    expect([again.status, again.json.scimType]).toEqual([409, 'uniqueness']);
  });

  it.each<[string, unknown, AccountChanges]>([
    ['active', false, { active: false, suspendedBy: 'provider' }],
    ['userName', 'x@n.example', { userName: 'x@n.example' }],
    ['name.givenName', 'Бен', { givenName: 'Бен' }],
    ['urn:ietf:params:scim:schemas:core:2.0:User:name.familyName', 'Ünal', { familyName: 'Ünal' }],
    ['displayName', '', { displayName: '' }],
    ['emails', [{ value: 'x@n.example' }], { email: 'x@n.example' }],
    ['emails[type eq "work"].value', 'y@n.example', { email: 'y@n.example' }],
    ['emails', [], { email: null }],
    ['roles', [{ value: 'Read only', primary: true }], { permissions: ['Read only'] }],
    ['TIMEZONE', 'UTC', { timeZone: 'UTC' }],
    ['externalId', 'sub-2', { externalId: 'sub-2' }],
    [`${EXTENSION}:localLogin`, false, { localLogin: false }],
    [`${EXTENSION}:values`, { location: 'Oslo' }, { values: { location: 'Oslo' } }],
    [`${EXTENSION}:values.jobTitle`, 'Lead', { values: { jobTitle: 'Lead' } }],
  ])('PATCH replaces %s by %j', async (path, value, changes) => {
    const { status, json } = await send('PATCH', '/Users/2', replace(path, value));
    expect(status).toBe(200);
    expect(json.id).toBe('2');
    expect(table.get('2')).toEqual({ ...ben, ...changes });
    expect(ended).toEqual(path === 'active' ? ['2'] : []);
  });

  it('PATCH without a path takes a whole object, add joins roles, and all of it happens or nothing', async () => {
    const whole = { displayName: 'B', active: true, nonsense: 1, [EXTENSION]: { values: { a: 'b' } } };
    await send('PATCH', '/Users/2', { Operations: [{ op: 'Replace', value: whole }] });
    await send('PATCH', '/Users/2', replace('roles', [{ value: 'Read only' }], 'add'));
    const now = table.get('2');
    expect(now).toMatchObject({ displayName: 'B', values: { a: 'b' }, permissions: ['Team Access', 'Read only'] });
    const half = {
      Operations: [
        { op: 'replace', path: 'displayName', value: 'C' },
        { op: 'replace', path: 'x' },
      ],
    };
    expect((await send('PATCH', '/Users/2', half)).status).toBe(400);
    expect(table.get('2')).toBe(now);
  });

  it.each<[string, unknown, string]>([
    ['an unknown path', replace('password', 'x'), 'invalidPath'],
    ['a name of every object', replace('constructor', 'x'), 'invalidPath'],
    ['the prototype', replace('__proto__', {}), 'invalidPath'],
    ['the id', replace('id', '9'), 'mutability'],
    ['the administrator', replace(`${EXTENSION}:administrator`, true), 'mutability'],
    ['a text as active', replace('active', 'false'), 'invalidValue'],
    ['an empty name', replace('userName', ''), 'invalidValue'],
    ['a line end', replace('displayName', 'a\nb'), 'invalidValue'],
    ['a list of nothing', replace('roles', 'Full Access'), 'invalidValue'],
    ['remove', { Operations: [{ op: 'remove', path: 'active' }] }, 'invalidSyntax'],
    ['no operations', {}, 'invalidSyntax'],
    [
      '101 operations',
      { Operations: Array(101).fill({ op: 'replace', path: 'active', value: true }) },
      'invalidSyntax',
    ],
    ['no JSON', '{', 'invalidSyntax'],
    ['a list', '[]', 'invalidSyntax'],
  ])('API-08 PATCH refuses %s with 400', async (_, body, scimType) => {
    const { status, json } = await send('PATCH', '/Users/2', body);
    expect([status, json.scimType]).toEqual([400, scimType]);
    expect(table.get('2')).toBe(ben);
  });

  it('If-Match: 412 when it is another by now, for PATCH and DELETE alike', async () => {
    const { json } = await send('GET', '/Users/2');
    const old = { 'if-match': json.meta.version };
    expect((await send('PATCH', '/Users/2', replace('displayName', 'B'), old)).status).toBe(200);
    expect((await send('PATCH', '/Users/2', replace('displayName', 'C'), old)).status).toBe(412);
    expect((await send('DELETE', '/Users/2', undefined, old)).status).toBe(412);
    expect(table.get('2')?.displayName).toBe('B');
  });

  it('twenty changes of the same version at the same moment: one wins', async () => {
    const { json } = await send('GET', '/Users/2');
    const changes = Array.from({ length: 20 }, (_, i) =>
      send('PATCH', '/Users/2', replace('displayName', `B${i}`), { 'if-match': json.meta.version }),
    );
    const statuses = (await Promise.all(changes)).map(({ status }) => status);
    expect(statuses.sort()).toEqual([200, ...Array(19).fill(412)]);
  });

  it.each([
    ['PATCH', replace('active', false)],
    ['PATCH', replace('roles', [{ value: 'Read only' }])],
    ['DELETE', undefined],
  ])('C36 %s %j never takes the last administrator: 409 names them', async (method, body) => {
    const { status, json } = await send(method, '/Users/1', body);
    expect(status).toBe(409);
    expect(json.detail).toBe('Ada Root is the last active administrator of this module.');
    expect([table.get('1'), ended]).toEqual([ada, []]);
    table.set('3', { ...ada, id: '3' });
    expect((await send(method, '/Users/1', body)).status).toBeLessThan(300);
  });

  it('C36 two administrators suspended at the same moment: one stays', async () => {
    table.set('3', { ...ada, id: '3' });
    const answers = await Promise.all(['1', '3'].map((id) => send('PATCH', `/Users/${id}`, replace('active', false))));
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 409]);
  });

  it('DELETE ends sessions and removes: 204; 404 the second time; 405 where accounts can only be disabled', async () => {
    const gone = await send('DELETE', '/Users/2');
    expect([gone.status, gone.body, ended, table.has('2')]).toEqual([204, '', ['2'], false]);
    expect((await send('DELETE', '/Users/2')).status).toBe(404);
    const { remove: _, ...lasting } = accounts;
    const other = createScimUsers({ url: 'https://module.example/scim/v2', token, accounts: lasting });
    const headers = { authorization: `Bearer ${token}` };
    const answer = await other({ method: 'DELETE', url: '/scim/v2/Users/1', headers });
    expect([answer?.status, answer?.headers.allow]).toEqual([405, 'GET, PATCH']);
  });

  it('who was suspended by the module stays theirs; who is turned on again is nobody’s', async () => {
    table.set('2', { ...ben, active: false, suspendedBy: 'module' });
    await send('PATCH', '/Users/2', replace('active', false));
    expect(table.get('2')?.suspendedBy).toBe('module');
    await send('PATCH', '/Users/2', replace('active', true));
    expect(table.get('2')).toMatchObject({ active: true, suspendedBy: null });
  });

  it('too much at once is 429 with Retry-After, and what the module refuses as busy as well', async () => {
    const many = Array.from({ length: 260 }, () => send('PATCH', '/Users/2', replace('displayName', 'B')));
    const answers = await Promise.all(many);
    const tired = answers.filter(({ status }) => status === 429);
    expect(tired).toHaveLength(60);
    expect(tired[0]?.headers['retry-after']).toBe('1');
  });

  it('a body of more than a megabyte is 413', async () => {
    expect((await send('PATCH', '/Users/2', `{"a":"${'x'.repeat(1_100_000)}"}`)).status).toBe(413);
  });
});
