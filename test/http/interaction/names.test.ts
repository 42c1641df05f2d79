// B.1, D.5 step 1, D.10 no. 20: who is meant by company and username.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Company } from '../../../src/domain/companies/company.ts';
import { startApp, type TestApp } from '../../support/app.ts';
import {
  atCode,
  atPassword,
  giveCode,
  isHome,
  postRaw,
  reload,
  stepOf,
  tryPassword,
  tryWrong,
} from '../../support/attempts.ts';
import {
  answerOf,
  authorizeAddress,
  freshCode,
  makeCompany,
  makeModule,
  makePerson,
  redeem,
  signIn,
  type TestPerson,
} from '../../support/people.ts';
import { formsOf, wordsOf } from '../../support/visitor.ts';

let app: TestApp;
let north: Company;
let south: Company;
let inNorth: TestPerson;
let inSouth: TestPerson;

beforeAll(async () => {
  app = await startApp();
  north = await makeCompany(app, 'Northwind IT');
  south = await makeCompany(app, 'Südwind GmbH');
  inNorth = await makePerson(app, north, {
    username: 'Zoë.Example',
    email: 'zoe@example.com',
    password: 'Northern-Star-11',
  });
  inSouth = await makePerson(app, south, {
    username: 'zoë.example',
    email: 'zoe@example.com',
    password: 'Southern-Cross-22',
  });
});
afterAll(() => app.stop());

describe('company and username', () => {
  it('D.10 no. 20 the same username, the same e-mail, two companies: each logs into the right one', async () => {
    const module = await makeModule(app, [north, south]);
    for (const person of [inNorth, inSouth]) {
      const back = await signIn(app, app.visitor(), person, authorizeAddress(module));
      const { body } = await redeem(app, module, answerOf(back).get('code') ?? '');
      const claims = JSON.parse(Buffer.from(String(body.id_token).split('.')[1] ?? '', 'base64url').toString());
      expect(claims).toMatchObject({
        sub: person.user.id,
        company_id: person.company.id,
        company: person.company.name,
      });
    }
  });

  it('D.10 no. 20 the password of one is wrong in the other, and counts there alone', async () => {
    const names = { username: 'zoë.example', company: north.name };
    expect((await tryPassword(await atPassword(app, names), inSouth.password)).status).toBe(422);
    expect([(await reload(app, inNorth)).failures, (await reload(app, inSouth)).failures]).toEqual([1, 0]);
    await tryWrong(app, names, 4);
    expect((await tryPassword(await atPassword(app, names), inNorth.password)).status).toBe(422);
    expect((await tryPassword(await atPassword(app, { ...names, company: south.name }), inSouth.password)).status).toBe(
      303,
    );
  });

  it.each([
    ['other case', 'ZOË.EXAMPLE', 'SÜDWIND gmbh'],
    ['spaces around and between', '  zoë.example ', '  Südwind   GmbH '],
    ['another Unicode form', 'zoe\u0308.example', 'Su\u0308dwind GmbH'],
    ['full-width letters', 'ｚoë.example', 'Ｓüdwind GmbH'],
  ])('B.1 are found in %s', async (_what, username, company) => {
    const place = await atPassword(app, { username, company });
    const page = await place.visitor.follow(await tryPassword(place, inSouth.password));
    expect(isHome(await giveCode(app, { visitor: place.visitor, page }, inSouth))).toBe(true);
  });

  it('B.1, D.5 are asked for, and kept when one is missing', async () => {
    const visitor = app.visitor();
    const page = await visitor.open('/login');
    const missing = await visitor.submit(page, { username: 'zoë.example', company: '' });
    expect([missing.status, wordsOf(missing).includes('Enter your company name.')]).toEqual([422, true]);
    expect(formsOf(missing)[0]?.values.username).toBe('zoë.example');
    expect((await visitor.submit(page, { username: ' ', company: 'x' })).status).toBe(422);
    expect((await visitor.submit(page, { username: 'u'.repeat(321), company: 'x' })).status).toBe(422);
  });
});

describe('the Company Login URL', () => {
  it.each(['sudwind-gmbh', 'SUDWIND-GmbH'])('B.1 /login/%s drops the company field', async (slug) => {
    const visitor = app.visitor();
    const first = await visitor.open(`/login/${slug}`);
    expect(formsOf(first)[0]?.fields).toEqual(['username']);
    expect(wordsOf(first)).toContain('Südwind GmbH');
    const page = await visitor.submit(await visitor.submit(first, { username: 'zoë.example' }), {
      password: inSouth.password,
    });
    expect(stepOf(page)).toBe('code');
    expect(isHome(await visitor.submit(page, { code: await freshCode(app, inSouth) }, '/code'))).toBe(true);
  });

  it('B.1 holds the company that it names, whatever the form says', async () => {
    const visitor = app.visitor();
    const first = await visitor.open('/login/sudwind-gmbh');
    const page = await visitor.submit(first, { username: 'zoë.example', company: north.name }, '/identify');
    expect((await tryPassword({ visitor, page }, inNorth.password)).status).toBe(422);
    expect((await tryPassword({ visitor, page }, inSouth.password)).status).toBe(303);
  });

  it('B.1 lets go of the company when it was the wrong one, for this sign-in and the next ones', async () => {
    const visitor = app.visitor();
    const first = await visitor.open('/login/northwind-it');
    expect(wordsOf(first)).toContain('Not Northwind IT? Use another company');
    const open = await visitor.submit(first, {}, '/other-company');
    expect(stepOf(open)).toBe('identify');
    expect(new URL(open.url).pathname).toBe(new URL(first.url).pathname);
    expect(formsOf(open)[0]?.fields).toEqual(['username', 'company']);
    expect(formsOf(open)[0]?.values).toMatchObject({ company: '' });
    expect(open.body).not.toContain('Northwind IT');
    expect(wordsOf(open)).not.toContain('another company');
    const person = await makePerson(app, south);
    const other = app.visitor();
    other.jar = visitor.jar.map((cookie) => ({ ...cookie }));
    expect(formsOf(await other.open('/login'))[0]?.fields, 'also a sign-in that is begun later').toContain('company');
    expect(isHome(await giveCode(app, await atCode(app, person, visitor, first.url), person))).toBe(true);
    await visitor.submit(await visitor.open('/'), {}, '/sign-out');
    expect(formsOf(await visitor.open('/login'))[0]?.values).toMatchObject({ company: 'Südwind GmbH' });
  });

  it('B.1 lets go of it after "Not you?", too; and nowhere but on the first screen', async () => {
    const visitor = app.visitor();
    const first = await visitor.open('/login/northwind-it');
    const page = await visitor.submit(first, { username: 'zoë.example' });
    const path = new URL(first.url).pathname;
    expect(stepOf(await visitor.follow(await postRaw(visitor, `${path}/other-company`, {})))).toBe('password');
    const again = await visitor.submit(page, {}, '/restart');
    expect(wordsOf(again)).toContain('Not Northwind IT? Use another company');
    expect(formsOf(await visitor.submit(again, {}, '/other-company'))[0]?.fields).toContain('company');
  });

  it('B.1 a wrong username leaves the way out where it was', async () => {
    const visitor = app.visitor();
    const page = await visitor.submit(await visitor.open('/login/northwind-it'), { username: ' ' });
    expect([page.status, wordsOf(page).includes('Use another company')]).toEqual([422, true]);
  });

  it('B.1 a server that holds one company offers no other', async () => {
    const small = await startApp();
    try {
      const only = await makeCompany(small, 'Only Ltd');
      for (const start of ['/login', `/login/${only.loginSlug}`]) {
        const visitor = small.visitor();
        const page = await visitor.open(start);
        expect(formsOf(page)[0]?.fields).toEqual(['username']);
        expect(wordsOf(page)).not.toContain('another company');
        const path = new URL(page.url).pathname;
        const posted = await visitor.follow(await postRaw(visitor, `${path}/other-company`, {}));
        expect(formsOf(posted)[0]?.fields).toEqual(['username']);
      }
    } finally {
      await small.stop();
    }
  });

  it('B.1 the general address remembers the company of the last login, and lets it be changed', async () => {
    const visitor = app.visitor();
    const person = await makePerson(app, south);
    await giveCode(app, await atCode(app, person, visitor), person);
    await visitor.submit(await visitor.open('/'), {}, '/sign-out');
    const again = await visitor.open('/login');
    expect(formsOf(again)[0]?.values).toMatchObject({ company: 'Südwind GmbH', username: '' });
  });
});
