// AUT-19, C26: who signs in with single sign-on alone has no password to prove themselves with; a fresh login there does it.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Company } from '../../../src/domain/companies/company.ts';
import type { StoredConnection } from '../../../src/domain/federation/connection-repository.ts';
import { ensureSamlKey } from '../../../src/domain/keys/saml-key.ts';
import { minutes } from '../../../src/lib/time.ts';
import { startApp, type TestApp } from '../../support/app.ts';
import { makeCompany } from '../../support/people.ts';
import { connectIdp, enforced, postAnswer, TestIdp, toUpstream, upstreamPerson } from '../../support/saml-idp.ts';
import { type Page, type Visitor, wordsOf } from '../../support/visitor.ts';

let app: TestApp;
let company: Company;
let connection: StoredConnection;
const idp = new TestIdp();

beforeAll(async () => {
  app = await startApp();
  company = await makeCompany(app, 'Northwind IT');
  await makeCompany(app);
  connection = await connectIdp(app, company, idp);
}, 60_000);
afterAll(() => app.stop());

/** From a page of the login over the identity provider to wherever that leads. @returns also whether it was asked for a fresh login */
async function throughUpstream(visitor: Visitor, page: Page, name: string) {
  const { address } = await toUpstream(visitor, page);
  const { certificate } = await ensureSamlKey(app.operator());
  const { id, forceAuthn } = await idp.readRequest(address, certificate);
  const relayState = new URL(address).searchParams.get('RelayState') ?? '';
  const answer = await idp.answer(app, upstreamPerson(name), { inResponseTo: id });
  const posted = await postAnswer(app, answer, relayState);
  return { page: await visitor.open(posted.headers.location ?? ''), isFresh: forceAuthn };
}

/** A person who was made by their first login, and has neither password nor factor here. */
async function newcomer(name: string) {
  const visitor = app.visitor();
  const who = { username: name, company: company.name };
  const { page } = await throughUpstream(visitor, await visitor.submit(await visitor.open('/login'), who), name);
  expect(page.status, page.body).toBe(200);
  return visitor;
}

const changeEmail = async (visitor: Visitor, email: string) =>
  visitor.submit(await visitor.open('/settings/profile'), { email }, '/settings/email');

const pendingOf = async (name: string) =>
  (await app.runtime.db('users').where({ company_id: company.id, username: name }).first('pending_email'))
    ?.pending_email;

describe('a person without a password here', () => {
  it('AUT-19 is sent to a fresh login instead of being asked for a password that does not exist', async () => {
    // A login by which the identity provider may have asked nothing is none.
    const visitor = await newcomer('olaf');
    const asked = await changeEmail(visitor, 'olaf@new.example');
    expect(wordsOf(asked)).toContain('there is no password to ask for');
    expect(asked.body).not.toContain('type="password"');
    expect(await pendingOf('olaf')).toBeNull();
    const again = await visitor.submit(asked, {}, '/settings/prove');
    const { page, isFresh } = await throughUpstream(visitor, again, 'olaf');
    expect(isFresh).toBe('true');
    expect(page.url).toMatch(/\/settings\/profile$/);
    expect(wordsOf(await changeEmail(visitor, 'olaf@new.example'))).toContain('A link went to olaf@new.example');
    expect(await pendingOf('olaf')).toBe('olaf@new.example');
    await visitor.submit(await visitor.open('/settings/profile'), {}, '/settings/email/cancel');
    app.clock.advance(minutes(5) + 1000);
    expect(wordsOf(await changeEmail(visitor, 'late@new.example'))).toContain('Log in again');
    app.clock.advance(-minutes(5) - 1000);
  });

  it('AUT-19 a forged password proves nothing, and nobody else’s fresh login does', async () => {
    const visitor = await newcomer('pia');
    const asked = await changeEmail(visitor, 'pia@new.example');
    const forged = await visitor.submit(
      await visitor.open('/settings/profile'),
      { email: 'pia@new.example', password: '', code: '000000', confirmed: 'yes' },
      '/settings/email',
    );
    expect(wordsOf(forged)).toContain('Log in again');
    const again = await visitor.submit(asked, {}, '/settings/prove');
    await throughUpstream(visitor, again, 'rhea');
    await changeEmail(visitor, 'pia@new.example');
    expect(await pendingOf('pia')).toBeNull();
  });

  it('A10.13 a password that is not taken any more (Enforce) is not asked for either', async () => {
    const visitor = await newcomer('quinn');
    await app.runtime.store.of(company.id).connections.setEnforce(connection.id, enforced);
    const asked = await changeEmail(visitor, 'quinn@new.example');
    expect(asked.body).toContain('action="/settings/prove"');
    await app.runtime.store.of(company.id).connections.setEnforce(connection.id, { ...enforced, state: 'off' });
  });
});
