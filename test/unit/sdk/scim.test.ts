// The SCIM half of the kit (RFC 7643, RFC 7644): lists, pages, filters, errors, and nobody without the token.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createScimUsers, type ScimPerson, type ScimQuery } from '../../../src/sdk/scim.ts';

const token = 'a-token-of-twenty-letters-and-more';
const everybody: ScimPerson[] = Array.from({ length: 450 }, (_, i) => ({
  id: `id/${i + 1}`,
  userName: `Person${i + 1}`,
  givenName: 'Grace',
  familyName: `N${i + 1}`,
  email: `person${i + 1}@module.example`,
  active: i !== 1,
}));

const asked: ScimQuery[] = [];
const scim = createScimUsers({
  url: 'https://module.example/scim/v2/',
  token: [token, 'the-token-that-comes-after-it'],
  list(query) {
    asked.push(query);
    const found = everybody.filter(
      ({ userName }) => query.userName === null || userName.toLowerCase() === query.userName.toLowerCase(),
    );
    return { total: found.length, people: found.slice(query.skip, query.skip + query.count) };
  },
  find: async (id) => everybody.find((person) => person.id === id),
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
      meta: { resourceType: 'User', location: 'https://module.example/scim/v2/Users/id%2F1' },
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
    ['userName eq "nobody"', 0],
    ['userName eq "a\\"b"', 0],
  ])('RFC 7644 3.4.2.2 filter %s', async (filter, total) => {
    expect((await ask(`/scim/v2/Users?filter=${encodeURIComponent(filter)}`)).json.totalResults).toBe(total);
  });

  it.each([
    'userName sw "p"',
    'emails eq "x"',
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
    const more = { url: 'https://m.example/scim', list: () => ({ total: 0, people: [] }), find: () => undefined };
    expect(() => createScimUsers({ ...more, token: 'short' })).toThrow(/20 characters/);
    expect(() => createScimUsers({ ...more, token: [] })).toThrow(/20 characters/);
  });

  it('is read only, and leaves other addresses to the module', async () => {
    for (const method of ['POST', 'PUT', 'PATCH', 'DELETE'])
      expect((await ask('/scim/v2/Users', { method })).status).toBe(405);
    for (const url of ['/', '/scim/v22/Users', '/login', 'https://module.example/scim'])
      expect(await scim({ method: 'GET', url, headers: {} })).toBeNull();
  });

  it('is one file that needs nothing but node:crypto', () => {
    const source = readFileSync(join(import.meta.dirname, '../../../src/sdk/scim.ts'), 'utf8');
    expect([...source.matchAll(/^import .* from '(.*)';$/gm)].map(([, from]) => from)).toEqual(['node:crypto']);
    expect(source.split('\n').length).toBeLessThan(1000);
  });
});
