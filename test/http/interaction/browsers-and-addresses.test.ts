// AUT-07 to AUT-09, AUT-26: whose failures hold whom: strangers, browsers that signed in before, network addresses, nodes.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Company } from '../../../src/domain/companies/company.ts';
import { tokenHash } from '../../../src/lib/secrets.ts';
import { minutes, seconds } from '../../../src/lib/time.ts';
import { startApp, type TestApp } from '../../support/app.ts';
import {
  atCode,
  atPassword,
  giveCode,
  isHome,
  knownBrowsers,
  namesOf,
  reload,
  signedInVisitor,
  tryCode,
  tryPassword,
  tryWrong,
  VisitorFrom,
  wrongPassword,
} from '../../support/attempts.ts';
import { freshCode, makeCompany, makePerson, type TestPerson } from '../../support/people.ts';
import type { Page, Visitor } from '../../support/visitor.ts';

/** A browser that has signed in before as this person, and is signed out now. */
async function knownVisitor(app: TestApp, person: TestPerson, visitor?: Visitor): Promise<Visitor> {
  const known = await signedInVisitor(app, person, visitor);
  await known.submit(await known.open('/'), {}, '/sign-out');
  return known;
}

const getsIn = async (app: TestApp, person: TestPerson, visitor?: Visitor): Promise<boolean> => {
  const place = await atPassword(app, namesOf(person), visitor);
  const page = await place.visitor.follow(await tryPassword(place, person.password));
  if (page.status !== 200) return false;
  return isHome(await giveCode(app, { visitor: place.visitor, page }, person));
};

describe('a browser that has signed in before', () => {
  let app: TestApp;
  let company: Company;

  beforeAll(async () => {
    app = await startApp({ environment: { FAILURES_PER_ADDRESS: '100000' } });
    company = await makeCompany(app, 'Northwind IT');
    await makeCompany(app, 'Another Company');
  });
  afterAll(() => app.stop());

  it('AUT-07 gets in while strangers keep the account locked', async () => {
    const person = await makePerson(app, company);
    const known = await knownVisitor(app, person);
    await tryWrong(app, namesOf(person), 5);
    expect(await getsIn(app, person)).toBe(false);
    expect(await getsIn(app, person, known)).toBe(true);
  });

  it('AUT-07 has a count of its own, which strangers’ failures do not fill', async () => {
    const person = await makePerson(app, company);
    const known = await knownVisitor(app, person);
    await tryWrong(app, namesOf(person), 4);
    await tryWrong(app, namesOf(person), 4, known);
    expect((await reload(app, person)).failures).toBe(4);
    expect((await knownBrowsers(app, person)).map(({ failures }) => failures)).toEqual([4]);
    expect(await getsIn(app, person, known)).toBe(true);
    expect((await knownBrowsers(app, person)).map(({ failures }) => failures)).toEqual([0]);
  });

  it('AUT-07 is held by its own fifth failure, and that locks the account for strangers, but no other known browser', async () => {
    const person = await makePerson(app, company);
    const [stolen, kept] = [await knownVisitor(app, person), await knownVisitor(app, person)];
    await tryWrong(app, namesOf(person), 5, stolen);
    expect(await getsIn(app, person, stolen)).toBe(false);
    expect(await getsIn(app, person)).toBe(false);
    const inTenMinutes = new Date(app.clock.now().getTime() + minutes(10));
    // A stranger's try that began before the lock and is counted after it must not lift it.
    await app.runtime.store.signIns.fail({
      userId: person.user.id,
      companyId: company.id,
      browserHash: null,
      counts: true,
      threshold: 5,
      lockEndsAt: inTenMinutes,
      address: '192.0.2.1',
      windowEndsAt: inTenMinutes,
      details: {},
      code: '',
      by: app.operator(),
    });
    expect(await getsIn(app, person)).toBe(false);
    expect(await getsIn(app, person, kept)).toBe(true);
    expect(await getsIn(app, person, stolen)).toBe(false);
    app.clock.advance(minutes(10) + seconds(1));
    expect(await getsIn(app, person, stolen)).toBe(true);
  });

  it('AUT-07 counts fifty parallel failures exactly, too', async () => {
    const patient = await makeCompany(app, 'Patient Ltd', { lock: { threshold: 100, minutes: 10 } });
    const person = await makePerson(app, patient);
    const known = await knownVisitor(app, person);
    const place = await atPassword(app, namesOf(person), known);
    await Promise.all(Array.from({ length: 50 }, (_, i) => tryPassword(place, `${wrongPassword}-${i}`)));
    expect((await knownBrowsers(app, person)).map(({ failures }) => failures)).toEqual([50]);
    expect((await reload(app, person)).failures).toBe(0);
  });

  it('AUT-26 is known for the person who signed in there, and for nobody else', async () => {
    const [person, other] = [await makePerson(app, company), await makePerson(app, company)];
    const known = await knownVisitor(app, person);
    await tryWrong(app, namesOf(other), 5, known);
    expect((await reload(app, other)).failures).toBe(5);
    expect(await getsIn(app, other, known)).toBe(false);
    expect(await getsIn(app, person, known)).toBe(true);
  });

  it('AUT-26 is remembered as a hash, and a made-up or changed value is a strange browser', async () => {
    const person = await makePerson(app, company);
    const known = await knownVisitor(app, person);
    const cookie = known.cookie('ul_browser');
    expect((await knownBrowsers(app, person)).map((row) => row.browser_hash)).toEqual([tokenHash(cookie?.value ?? '')]);
    expect(Buffer.from(cookie?.value ?? '', 'base64url').length).toBeGreaterThanOrEqual(16);
    await tryWrong(app, namesOf(person), 5);
    const thief = app.visitor();
    await thief.open('/login');
    const [row] = await knownBrowsers(app, person);
    for (const value of [row?.browser_hash ?? '', 'A'.repeat(43)]) {
      for (const other of thief.jar) if (other.name === 'ul_browser') other.value = value;
      expect(await getsIn(app, person, thief)).toBe(false);
    }
  });

  it('AUT-26 never replaces password or code', async () => {
    const person = await makePerson(app, company);
    const known = await knownVisitor(app, person);
    const place = await atPassword(app, namesOf(person), known);
    expect(place.page.body).toContain('name="password"');
    expect((await tryPassword(place, wrongPassword)).status).toBe(422);
    expect((await atCode(app, person, known)).page.body).toContain('name="code"');
  });

  it('AUT-26 becomes a stranger when the second factor is reset', async () => {
    const person = await makePerson(app, company);
    const known = await signedInVisitor(app, person);
    const confirm = await known.submit(await known.open('/settings/security'), {}, '/second-factor/reset');
    const fields = { password: person.password, code: await freshCode(app, person) };
    await known.submit(confirm, fields, '/second-factor/reset');
    expect(await knownBrowsers(app, person)).toEqual([]);
  });
});

describe('a network address', () => {
  let app: TestApp;
  let company: Company;
  let people: TestPerson[];
  let block = 0;
  const limit = 10;
  const from = (address: string) => new VisitorFrom(app, address);
  /** An address that no other test has used. */
  const newAddress = () => `198.51.100.${++block}`;

  beforeAll(async () => {
    app = await startApp({ environment: { FAILURES_PER_ADDRESS: String(limit), TRUSTED_PROXIES: '1' } });
    company = await makeCompany(app, 'Northwind IT');
    await makeCompany(app, 'Another Company');
    people = await Promise.all(Array.from({ length: limit }, () => makePerson(app, company)));
  });
  afterAll(() => app.stop());

  /** One wrong password for each of many people. */
  async function spray(addressOf: (i: number) => string): Promise<Page[]> {
    const pages: Page[] = [];
    for (const [i, person] of people.entries())
      pages.push(...(await tryWrong(app, namesOf(person), 1, from(addressOf(i)))));
    return pages;
  }

  const isHeld = async (address: string, person = people[0] as TestPerson): Promise<boolean> => {
    const page = await tryPassword(await atPassword(app, namesOf(person), from(address)), person.password);
    if (page.status === 429) expect(Number(page.headers['retry-after'])).toBeGreaterThan(0);
    else expect(page.status).toBe(303);
    return page.status === 429;
  };

  it('AUT-08 waits after failures across accounts, whoever is named then; other addresses go on; the wait ends', async () => {
    const address = newAddress();
    for (const page of await spray(() => address)) expect(page.status).toBe(422);
    expect(await isHeld(address)).toBe(true);
    for (const names of [
      { username: 'nobody-here', company: company.name },
      { username: 'nobody-here', company: 'No Such Company' },
    ])
      expect((await tryWrong(app, names, 1, from(address)))[0]?.status).toBe(429);
    expect(await isHeld(newAddress())).toBe(false);
    app.clock.advance(minutes(10));
    expect(await isHeld(address)).toBe(false);
  });

  it('AUT-08 counts tries at people who do not exist, and wrong codes', async () => {
    const address = newAddress();
    const person = people[1] as TestPerson;
    await tryWrong(app, { username: 'nobody-here', company: 'No Such Company' }, limit - 1, from(address));
    expect(await isHeld(address)).toBe(false);
    expect((await tryCode(await atCode(app, person, from(address)), '000000')).status).toBe(422);
    expect(await isHeld(address)).toBe(true);
  });

  it('AUT-08 counts parallel tries exactly', async () => {
    const address = newAddress();
    const place = await atPassword(app, { username: 'nobody-here', company: company.name }, from(address));
    await Promise.all(Array.from({ length: 15 }, (_, i) => tryPassword(place, `${wrongPassword}-${i}`)));
    const row = await app.runtime.db('address_failures').where({ address }).first();
    expect(row?.failures).toBe(15);
  });

  it('AUT-08 is a /64 in IPv6', async () => {
    await spray((i) => `2001:db8:aa:bb:${(i + 1).toString(16)}::${i + 1}`);
    expect(await isHeld('2001:db8:aa:bb:ffff:ffff:ffff:ffff')).toBe(true);
    expect(await isHeld('2001:db8:aa:bc::1')).toBe(false);
  });

  it('AUT-08 is what the one trusted proxy wrote, not what stood before it', async () => {
    const address = newAddress();
    await spray((i) => `203.0.113.${i + 1}, ${address}`);
    expect(await isHeld(`203.0.113.99, ${address}`)).toBe(true);
    expect(await isHeld('203.0.113.1')).toBe(false);
  });

  it('AUT-07, AUT-08 does not hold a browser that has signed in before as this person', async () => {
    const address = newAddress();
    const person = people[2] as TestPerson;
    const known = await knownVisitor(app, person, from(address));
    await spray(() => address);
    expect(await isHeld(address, person)).toBe(true);
    expect(await getsIn(app, person, known)).toBe(true);
  });

  it('AUT-09 keeps its count when somebody signs in from it', async () => {
    const address = newAddress();
    await tryWrong(app, { username: 'nobody-here', company: company.name }, 7, from(address));
    expect(await getsIn(app, people[3] as TestPerson, from(address))).toBe(true);
    const row = await app.runtime.db('address_failures').where({ address }).first();
    expect(row?.failures).toBe(7);
  });
});

describe('counters of several nodes', () => {
  let app: TestApp;
  let company: Company;

  beforeAll(async () => {
    app = await startApp({ environment: { FAILURES_PER_ADDRESS: '10' } });
    company = await makeCompany(app, 'Northwind IT');
    await makeCompany(app, 'Another Company');
  });
  afterAll(() => app.stop());

  it('AUT-09 the account’s are shared by nodes, and survive a new one', async () => {
    const second = await app.node();
    const person = await makePerson(app, company);
    await tryWrong(app, namesOf(person), 3);
    await tryWrong(second, namesOf(person), 1);
    expect((await reload(second, person)).failures).toBe(4);
    await tryWrong(second, namesOf(person), 1);
    const third = await app.node();
    for (const node of [app, second, third]) expect(await getsIn(node, person)).toBe(false);
  });

  it('AUT-08, AUT-09 the address’s, too; and a forged X-Forwarded-For changes nothing where no proxy is trusted', async () => {
    const second = await app.node();
    for (let i = 0; i < 10; i += 1) {
      const node = i % 2 === 0 ? app : second;
      await tryWrong(
        node,
        { username: `nobody-${i}`, company: company.name },
        1,
        new VisitorFrom(node, `198.51.100.${i}`),
      );
    }
    const third = await app.node();
    for (const node of [app, second, third]) {
      const [page] = await tryWrong(
        node,
        { username: 'nobody', company: company.name },
        1,
        new VisitorFrom(node, '203.0.113.9'),
      );
      expect(page?.status).toBe(429);
    }
  });
});
