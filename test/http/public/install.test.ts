// A1.6, AUT-11: the first company of an empty server. No account and no secret is there by default.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createCompany, install, offerInstallation } from '../../../src/domain/users/company-commands.ts';
import { tokenHash } from '../../../src/lib/secrets.ts';
import { days, seconds } from '../../../src/lib/time.ts';
import { startApp, type TestApp } from '../../support/app.ts';
import { atCode, isHome, mailsTo, postRaw, stepOf, until } from '../../support/attempts.ts';
import { codeOf, type TestPerson } from '../../support/people.ts';
import { type Page, wordsOf } from '../../support/visitor.ts';

const fields = {
  company: 'Northwind IT',
  firstName: 'Ada',
  lastName: 'Root',
  email: 'ada@example.com',
  username: 'ada',
};

const offer = async (app: TestApp): Promise<string> => {
  const address = await offerInstallation(app.operator());
  if (!address) throw new Error('there is a company already');
  expect(address.startsWith(`${app.url}/install/`)).toBe(true);
  return new URL(address).pathname;
};

const post = (app: TestApp, path: string, changes: Partial<typeof fields> = {}): Promise<Page> =>
  postRaw(app.visitor(), path, { ...fields, ...changes });

const count = async (app: TestApp, table: string): Promise<number> =>
  Number((await app.runtime.db(table).count('* as n').first())?.n);

describe('an empty server', () => {
  let app: TestApp;
  beforeAll(async () => {
    app = await startApp();
  });
  afterAll(() => app.stop());

  it('AUT-11 has no account, no password, no company, and no module but our own pages, which has no secret', async () => {
    for (const table of ['companies', 'users', 'credentials', 'factors', 'links', 'sessions'])
      expect(await count(app, table), table).toBe(0);
    expect(await app.runtime.db('modules').select('is_built_in', 'secret_hash')).toEqual([
      { is_built_in: true, secret_hash: null },
    ]);
  });

  it('AUT-11 refuses every set-up address but the one it made: none, made up, of another kind', async () => {
    for (const token of ['A'.repeat(43), 'admin', '%00', 'undefined']) {
      expect((await app.visitor().send(`/install/${token}`)).status, token).toBeGreaterThanOrEqual(400);
      expect((await post(app, `/install/${token}`)).status, token).toBeGreaterThanOrEqual(400);
    }
    expect((await post(app, '/install')).status).toBe(404);
    expect(await count(app, 'companies')).toBe(0);
  });

  it('AUT-11 makes a link of 256 random bits, kept as a hash; a newer one voids it; it ends after a day', async () => {
    const old = await offer(app);
    const fresh = await offer(app);
    const token = fresh.split('/').at(-1) ?? '';
    expect(Buffer.from(token, 'base64url').length).toBe(32);
    const rows = await app.runtime.db('links').where({ kind: 'installation' });
    expect(rows.map((row) => row.token_hash)).toContain(tokenHash(token));
    expect(JSON.stringify(rows)).not.toContain(token);
    expect((await app.visitor().send(old)).status).toBe(410);
    expect((await post(app, old)).status).toBe(410);
    expect((await app.visitor().send(fresh)).status).toBe(200);
    app.clock.advance(days(1) + seconds(1));
    expect((await app.visitor().send(fresh)).status).toBe(410);
    expect((await post(app, fresh)).status).toBe(410);
    expect(await count(app, 'companies')).toBe(0);
  });

  it('A1.6, A3.2-A3.4 a mistake in the form leaves the link usable, and nothing half made', async () => {
    const link = await offer(app);
    for (const changes of [
      { company: '' },
      { firstName: '<b>' },
      { lastName: '' },
      { email: 'no address' },
      { username: 'a/b' },
      { username: 'u'.repeat(51) },
    ]) {
      const page = await post(app, link, changes);
      expect(page.status, JSON.stringify(changes)).toBe(422);
    }
    expect([await count(app, 'companies'), await count(app, 'users'), await count(app, 'mails')]).toEqual([0, 0, 0]);
    expect((await app.visitor().send(link)).status).toBe(200);
  });
});

describe('the first company', () => {
  let app: TestApp;
  beforeAll(async () => {
    // Listening, as a server does: it remembers that there is no company until it hears of one.
    app = await startApp({ start: true });
  });
  afterAll(() => app.stop());

  it('A1.6, AUT-11 is made once of ten in parallel; its Root Admin goes on to the password without any mail, and in', async () => {
    const link = await offer(app);
    const visitors = Array.from({ length: 10 }, () => app.visitor());
    const answers = await Promise.all(
      visitors.map((visitor, i) =>
        postRaw(visitor, link, { ...fields, company: `Northwind ${i}`, username: `ada${i}` }),
      ),
    );
    const made = answers.filter(({ status }) => status === 303);
    expect(made).toHaveLength(1);
    for (const { status } of answers) expect([303, 410, 422]).toContain(status);
    expect([await count(app, 'companies'), await count(app, 'users')]).toEqual([1, 1]);
    expect((await app.visitor().send(link)).status).toBe(410);

    const invitation = made[0]?.headers.location ?? '';
    expect(invitation).toMatch(/^\/invitation\//);
    const visitor = app.visitor();
    const set = await visitor.submit(await visitor.open(invitation), { password: 'Amber-Lantern-77' });
    expect(wordsOf(set)).toContain('Your password is set');
    const company = await app.runtime.store.companies.findOnly();
    const user = company?.rootUserId ? await app.runtime.store.of(company.id).users.findById(company.rootUserId) : null;
    if (!company || !user) throw new Error('no root');
    expect(user).toMatchObject({ role: 'Root Admin', baseStatus: 'Invited', source: 'setup' });
    expect(await mailsTo(app, fields.email, 'invitation')).toHaveLength(1);

    // A server of one company asks for no company name.
    const person: TestPerson = { user, company, password: 'Amber-Lantern-77', totpSecret: null };
    expect(await until(async () => !(await visitor.open('/login')).body.includes('name="company"'))).toBe(true);
    const place = await atCode(app, person, visitor);
    expect(stepOf(place.page)).toBe('enrol');
    const totpSecret = /data-copy="([A-Z2-7]{32})"/.exec(place.page.body)?.[1] ?? '';
    const codes = await visitor.submit(place.page, { code: codeOf(app, { ...person, totpSecret }) }, '/enrol');
    expect(isHome(await visitor.submit(codes, {}, '/recovery-codes'))).toBe(true);
  });

  it('AUT-11 closes the door behind it: no new link, and an old one opens nothing', async () => {
    expect(await offerInstallation(app.operator())).toBeNull();
    const token = 'A'.repeat(43);
    await expect(install(app.operator(), token, fields)).rejects.toMatchObject({ code: 'conflict' });
    await expect(createCompany(app.operator(), { name: 'ada’s <b>' })).rejects.toMatchObject({ code: 'invalid' });
    expect(await count(app, 'companies')).toBe(1);
  });
});
