// A6.4, C14: a person changes their own e-mail; the new one counts when its link is opened.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Company } from '../../../src/domain/companies/company.ts';
import { minutes } from '../../../src/lib/time.ts';
import { startApp, type TestApp } from '../../support/app.ts';
import { eventsOf, linkIn, mailsTo, reload, signedInVisitor } from '../../support/attempts.ts';
import { freshCode, makeCompany, makePerson, type TestPerson } from '../../support/people.ts';
import { wordsOf } from '../../support/visitor.ts';

let app: TestApp;
let company: Company;

beforeAll(async () => {
  app = await startApp();
  company = await makeCompany(app, 'Northwind IT');
});
afterAll(() => app.stop());

const ask = async (person: TestPerson, email: string) => {
  const visitor = await signedInVisitor(app, person);
  const page = await visitor.submit(await visitor.open('/settings/profile'), { email }, '/settings/email');
  return { visitor, page };
};

describe('one’s own e-mail', () => {
  it('A6.4 goes on with the old address until the link at the new one is opened', async () => {
    const person = await makePerson(app, company, { email: 'before@example.com' });
    const { visitor, page } = await ask(person, ' after@example.com ');
    expect(wordsOf(page)).toContain('A link went to after@example.com.');
    expect(wordsOf(page)).toContain('after@example.com waits for you');
    expect(await reload(app, person)).toMatchObject({ email: 'before@example.com', pendingEmail: 'after@example.com' });
    expect((await mailsTo(app, 'before@example.com')).map(({ kind }) => kind)).toEqual(['emailChangeRequested']);
    const confirm = await visitor.open(await linkIn(app, 'after@example.com', 'confirmEmail'));
    await visitor.submit(confirm, {}, '/confirm-email');
    expect(await reload(app, person)).toMatchObject({ email: 'after@example.com', pendingEmail: null });
    expect(await eventsOf(app, person, 'user.emailChange.request')).toMatchObject([
      { actor: { id: person.user.id }, details: { before: 'before@example.com', after: 'after@example.com' } },
    ]);
  });

  it('AUT-19 asks for password and code when they were not given just now', async () => {
    const person = await makePerson(app, company);
    const visitor = await signedInVisitor(app, person);
    app.clock.advance(minutes(6));
    const form = await visitor.open('/settings/profile');
    const asked = await visitor.submit(form, { email: 'proved@example.com' }, '/settings/email');
    expect(wordsOf(asked)).toContain('Confirm that it is you');
    expect((await reload(app, person)).pendingEmail).toBeNull();
    const wrong = await visitor.submit(asked, { password: 'Wrong-Harbour-43', code: '000000' }, '/settings/email');
    expect(wrong.status).toBe(422);
    expect((await reload(app, person)).pendingEmail).toBeNull();
    const code = await freshCode(app, person);
    const done = await visitor.submit(wrong, { password: person.password, code }, '/settings/email');
    expect(wordsOf(done)).toContain('A link went to proved@example.com.');
  });

  it.each([
    ['no address', 'nothing', 'Enter a valid e-mail address'],
    ['A3.3 more than 100 characters', `${'x'.repeat(100)}@example.com`, '100 characters at most'],
    ['the present one', 'SAME@example.com', 'This is your e-mail already.'],
    ['A3.9 a blocked one', 'bounced@example.com', 'is blocked'],
  ])('refuses %s, keeps it and marks the field', async (_title, email, sentence) => {
    await app.runtime.store.mails.suppress('bounced@example.com', 'test', app.clock.now());
    const person = await makePerson(app, company, { email: 'same@example.com' });
    const { page } = await ask(person, email);
    expect(page.status).toBe(422);
    expect(wordsOf(page)).toContain(sentence);
    expect(page.body).toMatch(/id="email"[^>]*aria-invalid="true"/);
    expect(page.body).toContain(`value="${email}"`);
    expect((await reload(app, person)).pendingEmail).toBeNull();
  });

  it('DOS-06 sends nobody link after link: the second within a minute has to wait', async () => {
    const [one, two] = [await makePerson(app, company), await makePerson(app, company)];
    await ask(one, 'victim@example.com');
    const { page } = await ask(two, 'victim@example.com');
    expect(page.status).toBe(422);
    expect(await mailsTo(app, 'victim@example.com', 'confirmEmail')).toHaveLength(1);
  });

  it('can be taken back; the link is dead', async () => {
    const person = await makePerson(app, company);
    const { visitor, page } = await ask(person, 'regretted@example.com');
    await visitor.submit(page, {}, '/settings/email/cancel');
    const confirm = await visitor.open(await linkIn(app, 'regretted@example.com', 'confirmEmail'));
    await visitor.submit(confirm, {}, '/confirm-email');
    expect(await reload(app, person)).toMatchObject({ email: person.user.email, pendingEmail: null });
  });
});
