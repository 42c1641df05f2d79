// AUT-04, AUT-13, AUT-20, AUT-25, AUT-26: what a thief of the database finds of people's secrets: nothing that opens anything.
import argon2 from 'argon2';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Company } from '../../../src/domain/companies/company.ts';
import { sendPasswordReset } from '../../../src/domain/users/password-commands.ts';
import { startApp, type TestApp } from '../../support/app.ts';
import {
  atCode,
  atPassword,
  giveCode,
  isHome,
  linkIn,
  namesOf,
  signedInVisitor,
  tryPassword,
} from '../../support/attempts.ts';
import {
  answerOf,
  authorizeAddress,
  makeCompany,
  makeModule,
  makePerson,
  redeem,
  signIn,
  type TestPerson,
} from '../../support/people.ts';
import { wordsOf } from '../../support/visitor.ts';

let app: TestApp;
let company: Company;

beforeAll(async () => {
  app = await startApp({ start: true });
  company = await makeCompany(app, 'Northwind IT');
  await makeCompany(app, 'Another Company');
});
afterAll(() => app.stop());

/** Every row of every table, jobs included, as text. */
async function dump(): Promise<string> {
  const { rows: tables } = await app.runtime.db.raw(
    `select format('%I.%I', table_schema, table_name) as name from information_schema.tables
     where table_schema not in ('pg_catalog', 'information_schema') and table_type = 'BASE TABLE'`,
  );
  const parts: string[] = [];
  for (const { name } of tables) {
    const { rows } = await app.runtime.db.raw(`select row_to_json(t)::text as row from ${name} t`);
    parts.push(...rows.map(({ row }: { row: string }) => `${name} ${row}`));
  }
  return parts.join('\n');
}

describe('the database', () => {
  it('AUT-04, AUT-13, AUT-20, AUT-25, AUT-26 holds no password, seed, recovery code, link, cookie, code or token in clear', async () => {
    const person = await makePerson(app, company);
    const module = await makeModule(app, [company], { grant_types: ['authorization_code', 'refresh_token'] });
    const visitor = await signedInVisitor(app, person);
    const made = await visitor.submit(await visitor.open('/settings/security'), {}, '/recovery-codes');
    const codes = [...wordsOf(made).matchAll(/(?:[a-z2-9]{6}-){3}[a-z2-9]{6}/g)].map(([code]) => code);
    await sendPasswordReset(app.operator(), company, person.user);
    const link = (await linkIn(app, person.user.email, 'passwordReset')).split('/').at(-1) ?? '';
    await tryPassword(await atPassword(app, namesOf(person)), 'Wrong-Canary-99');
    const back = await signIn(app, app.visitor(), person, authorizeAddress(module));
    const authorizationCode = answerOf(back).get('code') ?? '';
    const { body } = await redeem(app, module, authorizationCode);
    const secrets = {
      password: person.password,
      'wrong password': 'Wrong-Canary-99',
      seed: person.totpSecret ?? '',
      link,
      'browser cookie': visitor.cookie('ul_browser')?.value ?? '',
      'session cookie': visitor.cookie('ul_session')?.value ?? '',
      code: authorizationCode,
      'access token': String(body.access_token),
      'refresh token': String(body.refresh_token),
      'client secret': module.clientSecret,
      ...Object.fromEntries(
        codes.flatMap((code, i) => [
          [`recovery ${i}`, code],
          [`bare ${i}`, code.replaceAll('-', '')],
        ]),
      ),
    };
    const text = await dump();
    expect(text).toContain(person.user.username);
    for (const [name, secret] of Object.entries(secrets)) {
      expect(secret.length, name).toBeGreaterThanOrEqual(15);
      for (const form of [
        secret,
        Buffer.from(secret).toString('base64').replace(/=+$/, ''),
        Buffer.from(secret).toString('hex'),
      ])
        expect(text.includes(form), name).toBe(false);
    }
  });

  it('AUT-04 keeps passwords as argon2id with 19 MiB, two passes, one lane, each with a salt of its own', async () => {
    const people = [await makePerson(app, company), await makePerson(app, company)];
    const hashes = await Promise.all(people.map(hashOf));
    for (const hash of hashes) {
      const [, kind, version, parameters = '', salt = ''] = (hash ?? '').split('$');
      expect([kind, version, parameters.split(',').sort()]).toEqual(['argon2id', 'v=19', ['m=19456', 'p=1', 't=2']]);
      expect(Buffer.from(salt, 'base64').length).toBeGreaterThanOrEqual(16);
    }
    expect(hashes[0]).not.toBe(hashes[1]);
  });
});

const hashOf = async (person: TestPerson) =>
  (await app.runtime.store.of(company.id).credentials.findPassword(person.user.id))?.hash;

describe('a weaker hash', () => {
  const weaker = (password: string) =>
    argon2.hash(password, { type: argon2.argon2id, memoryCost: 8192, timeCost: 1, parallelism: 1 });

  it('AUT-04 lets its person in and is replaced on the way, without a new date or a line in the history', async () => {
    const person = await makePerson(app, company);
    const { credentials } = app.runtime.store.of(company.id);
    const before = await credentials.findPassword(person.user.id);
    await app.runtime
      .db('credentials')
      .where({ user_id: person.user.id })
      .update({ hash: await weaker(person.password) });
    expect((await tryPassword(await atPassword(app, namesOf(person)), 'Wrong-Harbour-43')).status).toBe(422);
    expect(await hashOf(person)).toContain('m=8192');
    const places = await Promise.all(Array.from({ length: 3 }, () => atCode(app, person)));
    expect(await hashOf(person)).toContain('m=19456');
    expect((await credentials.findPassword(person.user.id))?.setAt).toEqual(before?.setAt);
    expect(await app.runtime.db('credential_history').where({ user_id: person.user.id })).toEqual([]);
    for (const place of places.slice(0, 1)) expect(isHome(await giveCode(app, place, person))).toBe(true);
    expect((await tryPassword(await atPassword(app, namesOf(person)), person.password)).status).toBe(303);
  });
});
