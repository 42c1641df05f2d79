// "Can't log in?" in the middle of a login to a module: with the new password the way goes on where it was left (A7.6).
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Company } from '../../../src/domain/companies/company.ts';
import { recordId } from '../../../src/domain/sessions/session.ts';
import { requestForgottenPassword } from '../../../src/domain/users/password-commands.ts';
import { minutes } from '../../../src/lib/time.ts';
import { startApp, type TestApp } from '../../support/app.ts';
import { giveCode, linkIn, namesOf, stepOf } from '../../support/attempts.ts';
import {
  answerOf,
  authorizeAddress,
  givePassword,
  makeCompany,
  makeModule,
  makePerson,
  signIn,
  type TestModule,
  type TestPerson,
} from '../../support/people.ts';
import { formsOf, type Page, unescapeHtml, type Visitor, wordsOf } from '../../support/visitor.ts';

let app: TestApp;
let company: Company;
let module: TestModule;
let person: TestPerson;
const newPassword = 'Amber-Lantern-77';

beforeAll(async () => {
  app = await startApp();
  company = await makeCompany(app, 'Northwind IT');
  await makeCompany(app, 'Another Company');
  module = await makeModule(app, [company]);
});
afterAll(() => app.stop());

beforeEach(async () => {
  person = await makePerson(app, company);
});

/** Where the link with these words leads. */
function linkOn(page: Page, words: string): string {
  for (const [, href = '', text = ''] of page.body.matchAll(/<a\b[^>]*\bhref="([^"]*)"[^>]*>([\s\S]*?)<\/a>/g))
    if (unescapeHtml(text.replace(/<[^>]+>/g, '')).includes(words)) return unescapeHtml(href);
  throw new Error(`no link "${words}" on ${page.url}: ${wordsOf(page)}`);
}

const click = (visitor: Visitor, page: Page, words: string) => visitor.open(linkOn(page, words));
const cantLogIn = (visitor: Visitor, page: Page) => click(visitor, page, "Can't log in?");
const pathOf = (page: Page) => new URL(page.url).pathname;

/** From the page that the person stands at, by the mail, to the page that says that the password is set. */
async function resetFrom(visitor: Visitor, page: Page, opener = visitor): Promise<Page> {
  const forgot = await cantLogIn(visitor, page);
  expect(pathOf(forgot)).toBe('/forgot');
  const form = await click(visitor, forgot, 'I forgot my password');
  expect(wordsOf(await visitor.submit(form, names()))).toContain('we have sent it a mail');
  await requestForgottenPassword(app.operator(), names());
  const link = await opener.open(await linkIn(app, person.user.email, 'passwordReset'));
  const done = await opener.submit(link, { password: newPassword });
  expect(wordsOf(done)).toContain('Your password is set');
  return done;
}

const names = () => ({ ...namesOf(person) });
const ordinary = () => `/login/northwind-it?username=${person.user.username}`;

describe('a password that was forgotten on the way into a module', () => {
  it('A7.6 leads back to the first screen, with the names filled in, and on into the module', async () => {
    const visitor = app.visitor();
    const first = await visitor.open(authorizeAddress(module));
    const done = await resetFrom(visitor, first);
    const again = await click(visitor, done, 'Back to Login');
    expect(pathOf(again)).toBe(pathOf(first));
    expect(formsOf(again)[0]?.values).toMatchObject(names());
    const back = await giveCode(
      app,
      { visitor, page: await givePassword(visitor, again, { ...person, password: newPassword }) },
      person,
    );
    expect(answerOf(back).get('code')).toBeTruthy();
    expect(answerOf(back).get('state')).toBe('state-1');
  });

  it('A7.6 leads back to the password, when that is where it was missed', async () => {
    const visitor = app.visitor();
    const page = await visitor.submit(await visitor.open(authorizeAddress(module)), names());
    const again = await click(visitor, await resetFrom(visitor, page), 'Back to Login');
    expect([pathOf(again), stepOf(again)]).toEqual([pathOf(page), 'password']);
    expect(wordsOf(again)).toContain(person.user.username);
  });

  it('A7.6 voids what was half done: the old password is asked for anew', async () => {
    const visitor = app.visitor();
    const page = await givePassword(visitor, await visitor.open(authorizeAddress(module)), person);
    expect(stepOf(page)).toBe('code');
    const again = await click(visitor, await resetFrom(visitor, page), 'Back to Login');
    expect(stepOf(await giveCode(app, { visitor, page: again }, person))).toBe('password');
  });

  it('A7.6 "Back to Login" goes there without a reset, too', async () => {
    const visitor = app.visitor();
    const page = await visitor.submit(await visitor.open(authorizeAddress(module)), names());
    const forgot = await cantLogIn(visitor, page);
    expect(pathOf(await click(visitor, forgot, 'Back to Login'))).toBe(pathOf(page));
    const form = await click(visitor, forgot, 'I forgot my password');
    const sent = await visitor.submit(form, names());
    expect(pathOf(await click(visitor, sent, 'Back to Login'))).toBe(pathOf(page));
    const company = await visitor.submit(await visitor.open('/forgot/company'), { email: 'nobody@example.com' });
    expect(linkOn(company, 'Back to Login')).toBe(pathOf(page));
  });

  it('B.1 keeps the company that a Company Login URL has given', async () => {
    const visitor = app.visitor();
    const first = await visitor.open('/login/another-company');
    const again = await click(visitor, await resetFrom(visitor, first), 'Back to Login');
    expect(formsOf(again)[0]?.fields).toEqual(['username']);
    expect(wordsOf(again)).toContain('Another Company');
  });
});

describe('the ordinary way in, when', () => {
  it('the link was opened in another browser', async () => {
    const visitor = app.visitor();
    const done = await resetFrom(visitor, await visitor.open(authorizeAddress(module)), app.visitor());
    expect(linkOn(done, 'Back to Login')).toBe(ordinary());
  });

  it('nothing waits', async () => {
    const visitor = app.visitor();
    const forgot = await visitor.open('/forgot');
    expect(linkOn(forgot, 'Back to Login')).toBe('/login');
  });

  it.each([
    ['has run out', `update oidc_records set expires_at = now() - interval '1 second' where id = ?`],
    ['is gone', 'delete from oidc_records where id = ?'],
  ])('the login that waited %s', async (_what, sql) => {
    const visitor = app.visitor();
    const first = await visitor.open(authorizeAddress(module));
    const uid = pathOf(first).split('/').at(-1) ?? '';
    await app.runtime.db.raw(sql, [recordId('Interaction', uid)]);
    expect(linkOn(await resetFrom(visitor, first), 'Back to Login')).toBe(ordinary());
  });

  it('it was finished meanwhile, in another tab', async () => {
    const visitor = app.visitor();
    const first = await visitor.open(authorizeAddress(module));
    const forgot = await cantLogIn(visitor, first);
    expect(linkOn(forgot, 'Back to Login')).toBe(pathOf(first));
    await signIn(app, visitor, person, pathOf(first));
    expect(linkOn(await visitor.open('/forgot'), 'Back to Login')).toBe('/login');
  });

  it('WEB-02 somebody else’s login is named, or the browser’s note of it is made up or too old', async () => {
    const first = await app.visitor().open(authorizeAddress(module));
    const visitor = app.visitor();
    const forgot = await visitor.open(`${pathOf(first)}/forgot`);
    expect([pathOf(forgot), linkOn(forgot, 'Back to Login')]).toEqual(['/forgot', '/login']);
    await cantLogIn(visitor, await visitor.open(authorizeAddress(module)));
    const note = visitor.cookie('ul_waiting');
    expect(note?.attributes).toMatch(/httponly/i);
    const end = Date.parse(/expires=([^;]+)/i.exec(note?.attributes ?? '')?.[1] ?? '');
    expect(end - Date.now()).toBeLessThanOrEqual(minutes(60));
    if (note) note.value = `${note.value.slice(0, -2)}xx`;
    expect(linkOn(await visitor.open('/forgot'), 'Back to Login')).toBe('/login');
  });

  it('WEB-07, WEB-08 names in the address fill the form in, and nothing else', async () => {
    const visitor = app.visitor();
    const first = await visitor.open(authorizeAddress(module));
    const at = (query: Record<string, string>) => visitor.open(`${pathOf(first)}?${new URLSearchParams(query)}`);
    const evil = await at({ username: '"><script>alert(1)</script>', company: '<b>', step: 'code' });
    expect(evil.body).not.toContain('<script>alert');
    expect(formsOf(evil)[0]?.values.company).toBe('<b>');
    expect((await at({ username: 'u'.repeat(5000), company: 'c'.repeat(5000) })).status).toBe(200);
    const page = await visitor.submit(first, names());
    expect(wordsOf(await at({ username: 'somebody-else' })), 'who was chosen stays chosen').not.toContain('somebody');
    expect(stepOf(page)).toBe('password');
  });
});
