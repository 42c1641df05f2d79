// Admin Settings > Security: B.3, C6, C37, C38, D.2 IpEntry; what a change would mean is shown before it is made.
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { addIpEntry, changePolicy, switchIpList } from '../../../src/domain/companies/commands.ts';
import type { Company } from '../../../src/domain/companies/company.ts';
import { previewPolicy } from '../../../src/domain/users/policy-preview-queries.ts';
import { afterFailure, type Count, noFailures } from '../../../src/domain/users/sign-in.ts';
import { days, minutes } from '../../../src/lib/time.ts';
import { startApp, type TestApp } from '../../support/app.ts';
import {
  atPassword,
  namesOf,
  postRaw,
  reload,
  signedInVisitor,
  tryPassword,
  tryWrong,
  VisitorFrom,
} from '../../support/attempts.ts';
import { refusesOthers } from '../../support/console.ts';
import { makeCompany, makePerson, type TestPerson } from '../../support/people.ts';
import { formsOf, type Page, type Visitor, wordsOf } from '../../support/visitor.ts';

let app: TestApp;
let ruled: Company;
let count = 0;

const office = '203.0.113.7';
const elsewhere = '198.51.100.9';
const session = { idleMinutes: 1440, absoluteMinutes: 1440 };

beforeAll(async () => {
  app = await startApp({ environment: { TRUSTED_PROXIES: '1', FAILURES_PER_ADDRESS: '100000' } });
  // A server that holds one company only does not ask for it.
  await makeCompany(app, 'Northwind IT');
  ruled = await makeCompany(app, 'Southwind IT', { session });
});
afterAll(() => app.stop());

interface Place {
  company: Company;
  admin: TestPerson;
  visitor: Visitor;
}

async function place(policy: object = {}): Promise<Place> {
  count += 1;
  const company = await makeCompany(app, `Secure ${count} Ltd`, { session, ...policy });
  const admin = await makePerson(app, company, { role: 'Admin', username: `admin${count}` });
  return { company, admin, visitor: await signedInVisitor(app, admin, new VisitorFrom(app, office)) };
}

const stored = async ({ company }: Place) => {
  const found = await app.runtime.store.companies.findById(company.id);
  if (!found) throw new Error('the company is gone');
  return found.policy;
};

const security = '/admin/security';
const addresses = '/admin/security/addresses';

/** The form as a browser would send it, checked boxes included. */
async function filled(visitor: Visitor): Promise<{ page: Page; fields: Record<string, string> }> {
  const page = await visitor.open(security);
  expect(page.status).toBe(200);
  const checked = [...page.body.matchAll(/name="([^"]+)" value="([^"]+)" checked/g)].map(([, name, value]) => [
    name,
    value,
  ]);
  return { page, fields: Object.fromEntries(checked) };
}

async function update(visitor: Visitor, changes: Record<string, string>): Promise<Page> {
  const { page, fields } = await filled(visitor);
  return visitor.submitOnce(page, { ...fields, ...changes }, security);
}

describe('who may open it', () => {
  refusesOthers(
    () => ({ app, company: ruled }),
    [
      security,
      `${security}/preview`,
      addresses,
      `${addresses}/switch`,
      `${addresses}/0199aaaa-0000-7000-8000-000000000000/remove`,
    ],
  );

  it('D.3, API-01 refuses other roles the posts, too', async () => {
    const person = await makePerson(app, ruled);
    const visitor = await signedInVisitor(app, person);
    const id = '0199aaaa-0000-7000-8000-000000000000';
    for (const address of [security, addresses, `${addresses}/switch`, `${addresses}/${id}/remove`])
      expect((await postRaw(visitor, address, { on: 'yes', network: office })).status, address).toBe(403);
  });

  it('WEB-06 nothing changes without the token of the form', async () => {
    const here = await place();
    const { fields } = await filled(here.visitor);
    const sent = await here.visitor.send(security, { form: { ...fields, 'lock.threshold': '9' } });
    expect(sent.status).toBe(403);
    const added = await here.visitor.send(addresses, { form: { network: office } });
    expect(added.status).toBe(403);
    expect((await stored(here)).lock.threshold).toBe(5);
    expect(await app.runtime.store.of(here.company.id).ipEntries.list()).toEqual([]);
  });

  it('API-02 an entry of another company is not there', async () => {
    const [here, there] = [await place(), await place()];
    const entry = await addIpEntry(app.operator(), there.company.id, { network: office });
    const address = `${addresses}/${entry.id}/remove`;
    expect((await here.visitor.open(address)).status).toBe(404);
    expect((await postRaw(here.visitor, address, {})).status).toBe(404);
    expect((await here.visitor.open(`${addresses}/nonsense/remove`)).status).toBe(404);
    expect(await app.runtime.store.of(there.company.id).ipEntries.list()).toHaveLength(1);
  });
});

describe('the policy', () => {
  it('B.3 shows what is in force, and Update keeps what was not touched', async () => {
    const here = await place({
      password: { minLength: 12, requireSymbol: false },
      lock: { threshold: 7, minutes: 95 },
    });
    const before = await stored(here);
    const page = await update(here.visitor, {});
    expect([page.status, page.headers.location]).toEqual([303, security]);
    expect(await stored(here)).toEqual(before);
    const again = await here.visitor.follow(page);
    expect(wordsOf(again)).toContain('The security policy is updated.');
    expect(again.body).toMatch(/name="lock.minutes.hours"[^>]*value="1"/);
    expect(again.body).toMatch(/name="lock.minutes"[^>]*value="35"/);
    expect(again.body).toMatch(/>Update<\/button>/);
  });

  it('B.3, C6, C37, C38 saves each setting', async () => {
    const here = await place();
    const { page, fields } = await filled(here.visitor);
    const { 'password.requireSymbol': _, 'notices.deactivated': __, 'mfa.recoveryCodes': ___, ...rest } = fields;
    const sent = await here.visitor.submitOnce(
      page,
      {
        ...rest,
        'password.minLength': '14',
        'password.history': '24',
        'password.maxAgeDays': '365',
        'lock.threshold': '100',
        'lock.minutes.hours': '23',
        'lock.minutes': '59',
        'session.idleMinutes.hours': '',
        'session.idleMinutes': '45',
        'session.absoluteMinutes.hours': '8',
        'session.absoluteMinutes': '',
        reactivate: 'reinvite',
      },
      security,
    );
    expect([sent.status, sent.headers.location]).toEqual([303, security]);
    expect(await stored(here)).toMatchObject({
      password: { minLength: 14, history: 24, maxAgeDays: 365, requireLower: true, requireSymbol: false },
      lock: { threshold: 100, minutes: 1439 },
      session: { idleMinutes: 45, absoluteMinutes: 480 },
      mfa: { recoveryCodes: false },
      notices: { deactivated: false },
      reactivate: 'reinvite',
    });
  });

  const refused: [field: string, value: string, sentence: RegExp][] = [
    ['password.minLength', '7', /from 8 to 64/],
    ['password.minLength', 'abc', /from 8 to 64/],
    ['password.history', '25', /from 0 to 24/],
    ['password.maxAgeDays', '9'.repeat(400), /from 0 to 365/],
    ['lock.threshold', '4', /from 5 to 100/],
    ['lock.threshold', '-5', /from 5 to 100/],
    ['lock.minutes.hours', '24', /from 1 minute to 23 hours and 59 minutes/],
    ['session.absoluteMinutes.hours', '25', /from 5 minutes to 24 hours/],
    ['reactivate', 'never', /Choose how/],
  ];

  it.each(refused)('B.3 refuses %s %s with its limits, and keeps what was typed', async (field, value, sentence) => {
    const { company, admin, visitor } = await place();
    const page = await update(visitor, { 'password.history': '11', [field]: value });
    expect(page.status).toBe(422);
    expect(wordsOf(page)).toMatch(sentence);
    if (field !== 'reactivate')
      expect(formsOf(page).find(({ action }) => action === security)?.values[field]).toBe(value);
    if (field !== 'password.history') expect(page.body).toMatch(/name="password.history"[^>]*value="11"/);
    expect(await stored({ company, admin, visitor })).toEqual(company.policy);
  });

  it('API-03 a preview of what is wrong is the form again, and fields that are none change nothing', async () => {
    const here = await place();
    const page = await here.visitor.open(`${security}/preview?lock.threshold=1&ipList.enabled=yes`);
    expect(page.status).toBe(422);
    await update(here.visitor, { 'ipList.enabled': 'yes', inviteDays: '1', policy: '{}' });
    expect(await stored(here)).toEqual(here.company.policy);
  });
});

describe('a new policy, held against what was', () => {
  it('C38 people whose password has run out are counted, named and shown before the change is made', async () => {
    const here = await place();
    const old = await makePerson(app, here.company, { username: `old${count}` });
    app.clock.advance(minutes(10));
    await app.runtime
      .db('credentials')
      .where({ user_id: old.user.id })
      .update({ set_at: new Date(app.clock.now().getTime() - days(100)) });
    const sent = await update(here.visitor, { 'password.maxAgeDays': '90' });
    expect(sent.headers.location).toMatch(/^\/admin\/security\/preview\?/);
    expect((await stored(here)).password.maxAgeDays).toBe(0);
    const page = await here.visitor.follow(sent);
    expect(wordsOf(page)).toMatch(/1 person would set a new password at the next login/);
    expect(wordsOf(page)).toMatch(/A password runs out after never 90 days/);
    expect(wordsOf(page)).toContain(old.user.username);
    expect(wordsOf(page)).not.toContain(here.admin.user.username.concat(' Admin'));
    const done = await here.visitor.submit(page, {}, security);
    expect(wordsOf(done)).toContain('The security policy is updated.');
    expect((await stored(here)).password.maxAgeDays).toBe(90);
    // Whoever is over it now is not met by the next change.
    const next = await update(here.visitor, { 'password.maxAgeDays': '89', 'lock.minutes': '11' });
    expect(next.headers.location).toBe(security);
  });

  it('C6 people whom a lower threshold would have locked, from the logins that were', async () => {
    const here = await place({ lock: { threshold: 20 } });
    const [clumsy, careful] = [await makePerson(app, here.company), await makePerson(app, here.company)];
    await tryWrong(app, namesOf(clumsy), 6, new VisitorFrom(app, office));
    await tryWrong(app, namesOf(careful), 4, new VisitorFrom(app, office));
    const page = await here.visitor.follow(await update(here.visitor, { 'lock.threshold': '6' }));
    expect(wordsOf(page)).toMatch(/1 person would have been locked/);
    expect(wordsOf(page)).toContain(clumsy.user.username);
    expect(wordsOf(page)).not.toContain(careful.user.username);
    expect((await stored(here)).lock.threshold).toBe(20);
    expect((await update(here.visitor, { 'lock.threshold': '7' })).headers.location).toBe(security);
    // Nothing of this has locked anybody.
    expect((await reload(app, clumsy)).lockedUntil).toBeNull();
    await app.runtime.store.of(here.company.id).users.clearLock(clumsy.user.id);
  });

  it('C37 live sessions that would end are counted', async () => {
    const here = await place();
    const others = await Promise.all([makePerson(app, here.company), makePerson(app, here.company)]);
    for (const person of others) await signedInVisitor(app, person, new VisitorFrom(app, office));
    app.clock.advance(minutes(40));
    const page = await here.visitor.follow(
      await update(here.visitor, { 'session.idleMinutes.hours': '0', 'session.idleMinutes': '30' }),
    );
    // The administrator's own is in use.
    expect(wordsOf(page)).toMatch(/2 live sessions end at once/);
    await here.visitor.submit(page, {}, security);
    expect((await stored(here)).session.idleMinutes).toBe(30);
  });

  it('B.3 the list: who logged in from elsewhere is named before it is turned on, and again when an entry goes', async () => {
    const here = await place();
    const traveller = await makePerson(app, here.company);
    await signedInVisitor(app, traveller, new VisitorFrom(app, elsewhere));
    const first = await here.visitor.open(addresses);
    expect(wordsOf(first)).toContain(`You are at ${office} , which is not on the list`);
    const refusal = await here.visitor.open(`${addresses}/switch`);
    expect(wordsOf(refusal)).toMatch(/You are at 203\.0\.113\.7, which no entry covers/);
    expect(refusal.body).not.toMatch(/<button[^>]*>Turn on/);
    expect((await postRaw(here.visitor, `${addresses}/switch`, { on: 'yes' })).status).toBe(422);
    expect((await stored(here)).ipList.enabled).toBe(false);

    const wrong = await here.visitor.submit(first, { network: '203.0.113.', note: 'Office' }, addresses);
    expect(wrong.status).toBe(422);
    expect(formsOf(wrong).find(({ action }) => action === addresses)?.values).toMatchObject({
      network: '203.0.113.',
      note: 'Office',
    });
    const added = await here.visitor.submit(wrong, { network: '203.0.113.99/24' }, addresses);
    expect(wordsOf(added)).toContain('203.0.113.0/24 is on the list.');
    const twice = await here.visitor.submit(added, { network: '203.0.113.0/24' }, addresses);
    expect([twice.status, wordsOf(twice).includes('is on the list already')]).toEqual([409, true]);

    const ask = await here.visitor.open(`${addresses}/switch`);
    expect(wordsOf(ask)).toMatch(/1 person would have been refused by the IP access list/);
    expect(wordsOf(ask)).toContain(traveller.user.username);
    expect(wordsOf(ask)).toContain(elsewhere);
    const on = await here.visitor.submit(ask, {}, `${addresses}/switch`);
    expect(wordsOf(on)).toContain('The IP access list is on.');
    expect((await stored(here)).ipList.enabled).toBe(true);
    const outside = await tryPassword(
      await atPassword(app, namesOf(traveller), new VisitorFrom(app, elsewhere)),
      traveller.password,
    );
    expect(outside.status).toBe(422);

    const own = /addresses\/([0-9a-f-]{36})\/remove/.exec(on.body)?.[1] ?? '';
    const last = await here.visitor.open(`${addresses}/${own}/remove`);
    expect(wordsOf(last)).toMatch(/which no other entry covers/);
    expect((await postRaw(here.visitor, `${addresses}/${own}/remove`, {})).status).toBe(422);
    await here.visitor.submit(on, { network: office }, addresses);
    const remove = await here.visitor.open(`${addresses}/${own}/remove`);
    const gone = await here.visitor.submit(remove, {}, '/remove');
    expect(wordsOf(gone)).toContain('203.0.113.0/24 is off the list.');
    const off = await here.visitor.submit(await here.visitor.open(`${addresses}/switch`), {}, `${addresses}/switch`);
    expect(wordsOf(off)).toContain('The IP access list is off.');
    expect(await app.runtime.store.of(here.company.id).ipEntries.list()).toHaveLength(1);
  });

  it('what nobody would notice is saved at once; a list of many is paged', async () => {
    const here = await place();
    expect((await update(here.visitor, { 'password.minLength': '20' })).headers.location).toBe(security);
    await app.runtime.db.raw(
      `insert into audit_events (at, company_id, action, actor, target_kind, target_id, ip)
       select ?::timestamptz - n * interval '1 second', u.company_id, 'login.ok', '{}', 'user', u.id, ?
       from users u, generate_series(1, 30) n where u.id = ?`,
      [app.clock.now(), elsewhere, here.admin.user.id],
    );
    const work = app.operator();
    await addIpEntry(work, here.company.id, { network: '192.0.2.0/24' });
    const seen = await previewPolicy(work, here.company.id, { ipList: true }, { kind: null, page: 1, size: 25 });
    expect(seen.people.rows[0]).toMatchObject({ username: here.admin.user.username, times: 31, ip: office });
    const paged = await previewPolicy(work, here.company.id, { ipList: true }, { kind: 'address', page: 2, size: 25 });
    expect([paged.people.total, paged.people.rows]).toEqual([1, []]);
    await switchIpList(work, here.company.id, true);
    const again = await previewPolicy(
      work,
      here.company.id,
      { policy: { lock: { threshold: 5 } } },
      { kind: null, page: 1, size: 25 },
    );
    expect(again.counts).toEqual({ address: 0, locked: 0, password: 0, sessions: 0 });
  });

  it('logins of before 30 days, and of other companies, say nothing', async () => {
    const [here, there] = [await place({ lock: { threshold: 50 } }), await place({ lock: { threshold: 50 } })];
    const ago = (person: TestPerson, span: number) =>
      app.runtime.db.raw(
        `insert into audit_events (at, company_id, action, actor, target_kind, target_id, details, ip)
         select ?::timestamptz - n * interval '1 second', u.company_id, 'login.fail', '{}', 'user', u.id, '{"reason": "wrong-password"}', ?
         from users u, generate_series(1, 9) n where u.id = ?`,
        [new Date(app.clock.now().getTime() - span), office, person.user.id],
      );
    await ago(here.admin, days(31));
    await ago(there.admin, days(1));
    const lower = { policy: { lock: { threshold: 5 } } };
    const look = ({ company }: Place) =>
      previewPolicy(app.operator(), company.id, lower, { kind: null, page: 1, size: 25 }).then(
        ({ counts }) => counts.locked,
      );
    expect([await look(here), await look(there)]).toEqual([0, 1]);
  });
});

describe('preview and enforcement agree', () => {
  it('T10, T11 the statement that counts failures does what the rule says, whatever the order', async () => {
    const here = await place();
    const person = await makePerson(app, here.company);
    const { users } = app.runtime.store.of(here.company.id);
    const steps = fc.array(fc.tuple(fc.integer({ min: 0, max: 25 }), fc.integer({ min: 5, max: 7 })), {
      maxLength: 14,
    });
    await fc.assert(
      fc.asyncProperty(steps, async (given) => {
        await users.clearLock(person.user.id);
        let expected: Count = noFailures;
        let now = new Date(Date.UTC(2026, 10, 22));
        for (const [wait, threshold] of given) {
          now = new Date(now.getTime() + minutes(wait));
          const lock = { threshold, minutes: 10 };
          expected = afterFailure(expected, lock, now);
          await app.runtime.store.signIns.fail({
            userId: person.user.id,
            companyId: here.company.id,
            browserHash: null,
            counts: true,
            threshold,
            lockEndsAt: new Date(now.getTime() + minutes(lock.minutes)),
            address: 'test',
            windowEndsAt: now,
            details: {},
            code: 'TEST-TEST',
            by: { actor: { kind: 'system', name: 'test' }, origin: { requestId: '-', ip: '', agent: '' }, now },
          });
          const { failures, lockedUntil } = await reload(app, person);
          expect({ failures, lockedUntil }).toEqual(expected);
        }
      }),
      { numRuns: 25 },
    );
  });

  it('two nodes: what is updated at one is in force at the other', async () => {
    const here = await place({ lock: { threshold: 50 } });
    const person = await makePerson(app, here.company);
    const second = await app.node();
    const send = { headers: { 'x-forwarded-for': office } };
    await changePolicy(app.operator(), here.company.id, { lock: { threshold: 5 } });
    const visitor = here.visitor.at(second.port);
    const page = await visitor.open(security, send);
    expect(page.body).toMatch(/name="lock.threshold"[^>]*value="5"/);
    await tryWrong(second, namesOf(person), 5, second.visitor());
    expect((await reload(app, person)).lockedUntil).not.toBeNull();
  });
});
