// "Can't log in?" (B.1, D.8, T20): one answer for hit and miss, few mails, and links that name our own address.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Company } from '../../../src/domain/companies/company.ts';
import { deactivateUser, inviteUser } from '../../../src/domain/users/commands.ts';
import { requestForgottenPassword } from '../../../src/domain/users/password-commands.ts';
import { minutes, seconds } from '../../../src/lib/time.ts';
import { transaction } from '../../../src/work.ts';
import { startApp, type TestApp } from '../../support/app.ts';
import { eventsOf, linkIn, mailsTo, namesOf, tryWrong, until } from '../../support/attempts.ts';
import { makeCompany, makePerson } from '../../support/people.ts';
import { formsOf, type Page, type Visitor, wordsOf } from '../../support/visitor.ts';

let app: TestApp;
let company: Company;

beforeAll(async () => {
  app = await startApp({ start: true });
  company = await makeCompany(app, 'Northwind IT');
  await makeCompany(app, 'Another Company');
});
afterAll(() => app.stop());

const ask = async (username: string, companyName: string, visitor: Visitor = app.visitor()): Promise<Page> =>
  visitor.submit(await visitor.open('/forgot/password'), { username, company: companyName });

const askCompany = async (email: string, visitor: Visitor = app.visitor()): Promise<Page> =>
  visitor.submit(await visitor.open('/forgot/company'), { email });

/** All that was asked has been looked up: jobs of this queue are done. */
const jobsDone = () =>
  until(async () => {
    const { rows } = await app.runtime.db.raw(
      `select count(*)::int as open from pgboss.job where name = 'forgotten' and state in ('created', 'active', 'retry')`,
    );
    return rows[0].open === 0;
  }, 60_000);

const bare = (page: Page) => {
  const { date: _date, 'set-cookie': cookies = [], ...headers } = page.headers;
  return {
    status: page.status,
    headers,
    cookies: cookies.length,
    body: page.body.replaceAll(/name="csrf" value="[^"]+"/g, 'CSRF'),
  };
};

describe('forgotten password', () => {
  it('AUT-05, D.8 answers the same for known, unknown, deactivated, locked, invited people and unknown companies', async () => {
    const known = await makePerson(app, company);
    const gone = await makePerson(app, company);
    await deactivateUser(app.operator(), company.id, gone.user.id);
    const locked = await makePerson(app, company);
    await tryWrong(app, namesOf(locked), 5);
    const invited = {
      firstName: 'In',
      lastName: 'Vited',
      email: 'in@example.com',
      username: 'in',
      role: 'User',
    } as const;
    await inviteUser(app.operator(), company.id, invited);
    // The invitation itself was a mail to that address.
    app.clock.advance(minutes(1) + seconds(1));
    const asked: [string, string][] = [
      [known.user.username, company.name],
      [gone.user.username, company.name],
      [locked.user.username, company.name],
      ['in', company.name],
      ['nobody-here', company.name],
      [known.user.username, 'No Such Company'],
      ["' or 1=1 --", '%'],
    ];
    const answers: ReturnType<typeof bare>[] = [];
    for (const [username, name] of asked) answers.push(bare(await ask(username, name)));
    expect(answers[0]?.status).toBe(200);
    for (const answer of answers) expect(answer).toEqual(answers[0]);
    await jobsDone();
    expect(await mailsTo(app, known.user.email)).toHaveLength(1);
    expect((await mailsTo(app, locked.user.email)).map(({ kind }) => kind).sort()).toEqual(['locked', 'passwordReset']);
    expect((await mailsTo(app, gone.user.email)).map(({ kind }) => kind)).toEqual(['deactivated']);
    // T20: on an invited person it is the invitation again, and the older link is void.
    expect(await mailsTo(app, 'in@example.com', 'invitation')).toHaveLength(2);
    expect(await mailsTo(app, 'in@example.com', 'passwordReset')).toEqual([]);
  });

  it('AUT-05 takes as long for a hit as for a miss', { timeout: 90_000 }, async () => {
    const person = await makePerson(app, company);
    const visitor = app.visitor();
    const page = await visitor.open('/forgot/password');
    const times = { hit: [] as number[], miss: [] as number[] };
    for (let i = 0; i < 30; i += 1)
      for (const [kind, username] of [
        ['hit', person.user.username],
        ['miss', 'nobody-here'],
      ] as const) {
        const startedAt = performance.now();
        await visitor.submitOnce(page, { username, company: company.name });
        times[kind].push(performance.now() - startedAt);
      }
    const median = (list: number[]) => list.sort((a, b) => a - b)[15] ?? 0;
    // Generous: a look-up of the person would show in the hit alone, and machines are noisy.
    expect(Math.abs(median(times.hit) - median(times.miss))).toBeLessThan(15);
    await jobsDone();
    expect(await mailsTo(app, person.user.email)).toHaveLength(1);
  });

  it('DOS-07 a crowd of requests for strangers does not hold back the mail of who asks after them', async () => {
    const person = await makePerson(app, company);
    // In one transaction, so that the workers are woken once, as often when many ask at the same moment.
    await transaction(app.operator(), async (work) => {
      for (let i = 0; i < 60; i += 1)
        await work.jobs.enqueue(work, 'forgotten', { kind: 'password', ...namesOf(person), username: `x${i}`, ip: '' });
    });
    await ask(person.user.username, company.name);
    await until(async () => (await mailsTo(app, person.user.email, 'passwordReset')).length === 1, 6000);
  });

  it('B.1 finds the person whatever the case of both names', async () => {
    const person = await makePerson(app, company, { username: 'Grete' });
    await ask(' GRETE ', 'northwind  it');
    await jobsDone();
    expect(await mailsTo(app, person.user.email, 'passwordReset')).toHaveLength(1);
    expect(await eventsOf(app, person, 'user.passwordReset.request')).toHaveLength(1);
  });

  it('AUT-16, DOS-06 mails an address once a minute and five times an hour, however often it is asked', async () => {
    const person = await makePerson(app, company);
    const count = async () => (await mailsTo(app, person.user.email, 'passwordReset')).length;
    const request = () => requestForgottenPassword(app.operator(), namesOf(person));
    const counts: number[] = [];
    for (let minute = 0; minute < 8; minute += 1) {
      await request();
      await request();
      counts.push(await count());
      app.clock.advance(minutes(1) + seconds(1));
    }
    expect(counts).toEqual([1, 2, 3, 4, 5, 5, 5, 5]);
    app.clock.advance(minutes(55));
    await request();
    expect(await count()).toBe(6);
  });

  it('AUT-16 mails once when it is asked ten times at the same moment, on two nodes', async () => {
    const second = await app.node();
    const person = await makePerson(app, company);
    const nodes = [app, second];
    await Promise.all(
      Array.from({ length: 10 }, (_, i) =>
        requestForgottenPassword((nodes[i % 2] as TestApp).operator(), namesOf(person)),
      ),
    );
    expect(await mailsTo(app, person.user.email, 'passwordReset')).toHaveLength(1);
  });

  it('DOS-02 asks for both names, and takes long ones for strangers', async () => {
    for (const [username, name] of [
      ['', company.name],
      ['somebody', ''],
    ] as const)
      expect((await ask(username, name)).status).toBe(422);
    expect((await ask('u'.repeat(5000), 'c'.repeat(5000))).status).toBe(200);
  });
});

describe('forgotten company name', () => {
  it('AUT-05, D.8 answers the same for hit and miss, and mails the companies to the address alone', async () => {
    const other = await makeCompany(app, 'Third Company');
    const email = 'both@example.com';
    await makePerson(app, company, { email });
    await makePerson(app, other, { email: email.toUpperCase() });
    const [hit, miss] = [await askCompany(email), await askCompany('nobody@example.com')];
    expect(bare(hit)).toEqual(bare(miss));
    expect(wordsOf(hit)).not.toContain('Third Company');
    await jobsDone();
    const [mail] = await mailsTo(app, email, 'forgotCompany');
    expect(mail?.data.companies).toEqual(['Northwind IT', 'Third Company']);
    expect(await mailsTo(app, 'nobody@example.com')).toEqual([]);
  });

  it('AUT-16 mails an address once a minute, also when asked at the same moment', async () => {
    const email = 'often@example.com';
    await makePerson(app, company, { email });
    await Promise.all(Array.from({ length: 6 }, () => askCompany(email)));
    await jobsDone();
    expect(await mailsTo(app, email, 'forgotCompany')).toHaveLength(1);
  });

  it.each(['', 'no address', 'a@b.example\r\nBcc: c@d.example'])('AUT-16 refuses %j', async (email) => {
    expect((await askCompany(email)).status).toBe(422);
  });
});

describe('the link in the mail', () => {
  it('AUT-15 names the public address, whatever the request said about hosts', async () => {
    const person = await makePerson(app, company);
    const visitor = app.visitor();
    const form = formsOf(await visitor.open('/forgot/password'))[0];
    const forged = {
      'x-forwarded-host': 'evil.example',
      'x-forwarded-proto': 'https',
      'x-forwarded-port': '666',
      forwarded: 'for=1.2.3.4;host=evil.example;proto=https',
      'x-original-host': 'evil.example',
      'content-type': 'application/x-www-form-urlencoded',
    };
    const names = { username: person.user.username, company: company.name };
    const answer = await visitor.send('/forgot/password', { form: { ...form?.values, ...names }, headers: forged });
    expect(answer.status).toBe(200);
    await jobsDone();
    const [mail] = await mailsTo(app, person.user.email, 'passwordReset');
    expect(String(mail?.data.link).startsWith(`${app.url}/reset-password/`)).toBe(true);
    expect(`${mail?.text}${mail?.html}${answer.body}`).not.toContain('evil');
  });

  it('AUT-15 is not made at all for a request under another host name', async () => {
    const person = await makePerson(app, company);
    const visitor = app.visitor();
    const form = formsOf(await visitor.open('/forgot/password'))[0];
    const names = { username: person.user.username, company: company.name };
    const answer = await visitor.send('/forgot/password', {
      form: { ...form?.values, ...names },
      headers: { host: 'evil.example' },
    });
    expect(answer.status).toBe(421);
    expect(await mailsTo(app, person.user.email)).toEqual([]);
  });

  it('AUT-15 leads to a page that tells nobody of it: no referrer, nothing from elsewhere, not kept', async () => {
    const person = await makePerson(app, company);
    await requestForgottenPassword(app.operator(), namesOf(person));
    const page = await app.visitor().send(await linkIn(app, person.user.email, 'passwordReset'));
    expect(page.headers).toMatchObject({ 'referrer-policy': 'no-referrer', 'cache-control': 'no-store' });
    for (const [, address = ''] of page.body.matchAll(/(?:src|href|action)="([^"]*)"/g))
      expect(address).toMatch(/^(?:\/(?!\/)|#|data:)/);
  });
});
