// AUT-19: which login through an identity provider proves anything before a sensitive act, and which one proves nothing.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Company } from '../../../src/domain/companies/company.ts';
import { seconds } from '../../../src/lib/time.ts';
import { startApp, type TestApp } from '../../support/app.ts';
import { freshCode, makeCompany, makePerson, type TestPerson } from '../../support/people.ts';
import { signed } from '../../support/saml-attacks.ts';
import { connectIdp, enforced, postAnswer, TestIdp, toUpstream, upstreamPerson } from '../../support/saml-idp.ts';
import { type Page, type Visitor, wordsOf } from '../../support/visitor.ts';

let app: TestApp;
const idp = new TestIdp('proof');

beforeAll(async () => {
  app = await startApp();
  await makeCompany(app);
}, 60_000);
afterAll(() => app.stop());

interface Place {
  company: Company;
  person: TestPerson;
}

async function place(changes: Parameters<typeof connectIdp>[3] = {}): Promise<Place> {
  const company = await makeCompany(app);
  await connectIdp(app, company, idp, { enforce: enforced, ...changes });
  return { company, person: await makePerson(app, company) };
}

/** @param ago seconds since the person gave a password there */
async function back(visitor: Visitor, page: Page, { person }: Place, ago = 0): Promise<Page> {
  const { id } = await toUpstream(visitor, page);
  const { username, email } = person.user;
  const instant = new Date(app.clock.now().getTime() - seconds(ago)).toISOString();
  const xml = await idp.answer(app, upstreamPerson(username, { Email: email }), { inResponseTo: id });
  const dated = xml.replace(/AuthnInstant="[^"]*"/, `AuthnInstant="${instant}"`);
  const posted = await postAnswer(app, signed(dated, { key: idp.key }), id);
  return visitor.open(posted.headers.location ?? '');
}

/** Signs in through the upstream, whose session may be old. */
async function inside(at: Place, ago = 3600, visitor = app.visitor()): Promise<{ visitor: Visitor; page: Page }> {
  const who = { username: at.person.user.username, company: at.company.name };
  return { visitor, page: await back(visitor, await visitor.submit(await visitor.open('/login'), who), at, ago) };
}

const newAddress = ({ person }: Place) => `${person.user.username}@new.example`;

const changeEmail = async (visitor: Visitor, at: Place) =>
  visitor.submit(await visitor.open('/settings/profile'), { email: newAddress(at) }, '/settings/email');

const pendingOf = async ({ person }: Place) =>
  (await app.runtime.db('users').where({ id: person.user.id }).first('pending_email'))?.pending_email;

/** As after five minutes, without the clock: the upstream has one of its own. */
const forget = (visitor: Visitor) => {
  visitor.jar = visitor.jar.filter(({ name }) => !name.endsWith('sso_fresh'));
};

const giveCode = async (visitor: Visitor, page: Page, { person }: Place) =>
  visitor.submit(page, { code: await freshCode(app, person) }, '/code');

describe('what proves nothing', () => {
  it('AUT-19 a login that the upstream began: a tile of its portal, pressed at a browser that was left open', async () => {
    const at = await place({ saml: { allowIdpInitiated: true } });
    const { visitor } = await inside(at);
    const { username, email } = at.person.user;
    const said = upstreamPerson(username, { Email: email, CompanyIdentifier: at.company.identifier });
    const posted = await postAnswer(app, await idp.answer(app, said));
    expect((await visitor.open(posted.headers.location ?? '')).url).toBe(`${app.url}/`);
    expect(wordsOf(await changeEmail(visitor, at))).toContain('Log in again');
    expect(await pendingOf(at)).toBeNull();
  });

  it('C25 the upstream alone, where our own factor is asked for: who stops at the code has proved nothing', async () => {
    const at = await place({ asksSecondFactor: true });
    const { visitor, page } = await inside(at);
    await giveCode(visitor, page, at);
    forget(visitor);
    const asked = await changeEmail(visitor, at);
    const half = await back(visitor, await visitor.submit(asked, {}, '/settings/prove'), at);
    expect(half.body).toContain('name="code"');
    expect(wordsOf(await changeEmail(visitor, at))).toContain('Log in again');
    expect(await pendingOf(at)).toBeNull();
  });

  it('a session that stood at the upstream, for somebody who has a password here: it is asked for', async () => {
    const at = await place({ enforce: { ...enforced, state: 'off' } });
    const { visitor } = await inside(at);
    const asked = await changeEmail(visitor, at);
    expect(asked.body).toContain('type="password"');
    expect(await pendingOf(at)).toBeNull();
  });
});

describe('a proof that has been given', () => {
  it('AUT-19 ends with the log-out: whoever logs in next by the session that stands at the upstream has none', async () => {
    const at = await place();
    const { visitor } = await inside(at);
    const asked = await changeEmail(visitor, at);
    const proved = await back(visitor, await visitor.submit(asked, {}, '/settings/prove'), at);
    await visitor.submit(proved, {}, '/sign-out');
    expect((await inside(at, 3600, visitor)).page.url).toBe(`${app.url}/`);
    expect(wordsOf(await changeEmail(visitor, at))).toContain('Log in again');
    expect(await pendingOf(at)).toBeNull();
  });
});

describe('what proves it', () => {
  it('C25 our own code, given for it, whatever session the upstream lets stand', async () => {
    const at = await place({ asksSecondFactor: true });
    const { visitor, page } = await inside(at);
    await giveCode(visitor, page, at);
    forget(visitor);
    const asked = await changeEmail(visitor, at);
    const half = await back(visitor, await visitor.submit(asked, {}, '/settings/prove'), at, 3600);
    const done = await giveCode(visitor, half, at);
    expect(done.url).toMatch(/\/settings\/profile$/);
    await changeEmail(visitor, at);
    expect(await pendingOf(at)).toBe(newAddress(at));
  });

  it('a fresh login there and our own code', async () => {
    const at = await place({ asksSecondFactor: true });
    const { visitor, page } = await inside(at);
    await giveCode(visitor, page, at);
    forget(visitor);
    const asked = await changeEmail(visitor, at);
    const half = await back(visitor, await visitor.submit(asked, {}, '/settings/prove'), at);
    await giveCode(visitor, half, at);
    await changeEmail(visitor, at);
    expect(await pendingOf(at)).toBe(newAddress(at));
  });
});
