// B.3, D.2 IpEntry, D.5 step 3: from where people may log in, and how nobody locks themselves out.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findCommand } from '../../../src/cli/commands.ts';
import { parseOptions } from '../../../src/cli/options.ts';
import { addIpEntry, removeIpEntry, switchIpList } from '../../../src/domain/companies/commands.ts';
import type { Company } from '../../../src/domain/companies/company.ts';
import { recoverRoot } from '../../../src/domain/users/commands.ts';
import { sendPasswordReset } from '../../../src/domain/users/password-commands.ts';
import type { Work } from '../../../src/work.ts';
import { startApp, type TestApp } from '../../support/app.ts';
import {
  atCode,
  atPassword,
  eventsOf,
  giveCode,
  isHome,
  isSignedIn,
  linkIn,
  namesOf,
  refusedCodeWords,
  refusedWords,
  signedInVisitor,
  stepOf,
  tryCode,
  tryPassword,
  tryWrong,
  VisitorFrom,
} from '../../support/attempts.ts';
import { codeOf, makeCompany, makePerson, type TestPerson } from '../../support/people.ts';
import { wordsOf } from '../../support/visitor.ts';

let app: TestApp;
let count = 0;

beforeAll(async () => {
  app = await startApp({ environment: { TRUSTED_PROXIES: '1', FAILURES_PER_ADDRESS: '1000' } });
  // A server that holds one company only does not ask for it.
  for (const name of ['Northwind IT', 'Southwind IT']) await makeCompany(app, name);
});
afterAll(() => app.stop());

const office = '203.0.113.7';
const elsewhere = '198.51.100.9';

const from = (address: string) => new VisitorFrom(app, address);

interface Place {
  company: Company;
  admin: TestPerson;
}

async function place(): Promise<Place> {
  count += 1;
  const company = await makeCompany(app, `Walled ${count} Ltd`);
  return { company, admin: await makePerson(app, company, { role: 'Root Admin' }) };
}

/** An administrator at work, at an address. */
function at(address: string, { admin }: Place): Work {
  const origin = { requestId: 'test', ip: address, agent: 'test' };
  return app.runtime.work({ kind: 'user', id: admin.user.id, name: admin.user.username }, origin);
}

async function walled(): Promise<Place> {
  const here = await place();
  await addIpEntry(at(office, here), here.company.id, { network: '203.0.113.0/24', note: 'Office' });
  await switchIpList(at(office, here), here.company.id, true);
  return here;
}

const isOn = async ({ company }: Place) =>
  (await app.runtime.store.companies.findById(company.id))?.policy.ipList.enabled === true;

const listOf = async ({ company }: Place) =>
  (await app.runtime.store.of(company.id).ipEntries.list()).map(({ network }) => network);

async function refusal(act: Promise<unknown>): Promise<string> {
  return act.then(
    () => 'done',
    (error: Error) => error.message,
  );
}

describe('logging in while the list is on (B.3, D.5 step 3)', () => {
  it('B.3 goes on from a listed address, and is refused from any other with the words of every refusal', async () => {
    const { admin } = await walled();
    const inside = await tryPassword(await atPassword(app, namesOf(admin), from(office)), admin.password);
    expect(inside.status).toBe(303);
    const outside = await tryPassword(await atPassword(app, namesOf(admin), from(elsewhere)), admin.password);
    const wrong = await tryPassword(await atPassword(app, namesOf(admin), from(office)), 'Wrong-Harbour-43');
    expect([outside.status, wrong.status]).toEqual([422, 422]);
    expect(wordsOf(outside)).toMatch(refusedWords);
    const reasons = (await eventsOf(app, admin, 'login.fail')).map(({ details }) => details.reason);
    expect(reasons).toEqual(['wrong-password', 'address']);
  });

  it('B.3 means an IPv4 address in its IPv6 form, too, and nobody by a forged one', async () => {
    const { admin } = await walled();
    const mapped = await tryPassword(await atPassword(app, namesOf(admin), from(`::ffff:${office}`)), admin.password);
    expect(mapped.status).toBe(303);
    // The proxy adds the true address behind whatever the client claims.
    const forged = from(`${office}, ${elsewhere}`);
    expect((await tryPassword(await atPassword(app, namesOf(admin), forged), admin.password)).status).toBe(422);
  });

  it('C7 a right or wrong password from elsewhere counts nothing on the account', async () => {
    const { admin, company } = await walled();
    await tryWrong(app, namesOf(admin), 6, from(elsewhere));
    const user = await app.runtime.store.of(company.id).users.findById(admin.user.id);
    expect([user?.failures, user?.lockedUntil]).toEqual([0, null]);
  });

  it('AUT-10 the second half is refused elsewhere: a right code brings nobody in and spends nothing', async () => {
    const here = await place();
    const started = await atCode(app, here.admin, from(elsewhere));
    await addIpEntry(at(office, here), here.company.id, { network: office });
    await switchIpList(at(office, here), here.company.id, true);
    const code = codeOf(app, here.admin);
    const page = await tryCode(started, code);
    expect([page.status, refusedCodeWords.test(wordsOf(page))]).toEqual([422, true]);
    expect((await eventsOf(app, here.admin, 'login.fail'))[0]?.details.reason).toBe('address');
    const inside = await atCode(app, here.admin, from(office));
    expect(isHome(await inside.visitor.submit(inside.page, { code }, '/code'))).toBe(true);
  });

  it('AUT-10 enrolling and a forced new password are refused elsewhere, too', async () => {
    const { company } = await walled();
    const enrolling = await makePerson(app, company, { totpSecret: null });
    const forced = await makePerson(app, company, { mustChangePassword: true });
    for (const person of [enrolling, forced]) {
      const visitor = from(office);
      const { page } = await atCode(app, person, visitor);
      expect(['enrol', 'set-password']).toContain(stepOf(page));
      const moved = from(elsewhere);
      moved.jar = visitor.jar;
      const back = await moved.submit(page, { code: '000000', password: 'Amber-Lantern-770' }, `/${stepOf(page)}`);
      expect(stepOf(back)).toBe('password');
    }
  });

  it('B.3 a live session goes on, wherever it is; the next login is refused', async () => {
    const here = await place();
    const visitor = await signedInVisitor(app, here.admin, from(elsewhere));
    await addIpEntry(at(office, here), here.company.id, { network: office });
    await switchIpList(at(office, here), here.company.id, true);
    expect(await isSignedIn(visitor)).toBe(true);
    const again = await tryPassword(await atPassword(app, namesOf(here.admin), from(elsewhere)), here.admin.password);
    expect(again.status).toBe(422);
  });

  it('B.3 is of one company: others are not asked', async () => {
    await walled();
    const other = await place();
    const inside = await tryPassword(
      await atPassword(app, namesOf(other.admin), from(elsewhere)),
      other.admin.password,
    );
    expect(inside.status).toBe(303);
  });

  it('WEB-04 two nodes: what one turns on, the other refuses at once', async () => {
    const here = await place();
    const second = await app.node();
    const visitor = from(elsewhere).at(second.port);
    const send = { headers: { 'x-forwarded-for': elsewhere } };
    await addIpEntry(at(office, here), here.company.id, { network: office });
    await switchIpList(at(office, here), here.company.id, true);
    const first = await visitor.open('/login', send);
    expect(first.status).toBe(200);
    const page = await tryPassword(await atPassword(second, namesOf(here.admin), visitor), here.admin.password);
    expect(page.status).toBe(422);
    expect((await eventsOf(app, here.admin, 'login.fail'))[0]?.details.reason).toBe('address');
  });
});

describe('nobody locks themselves out (D.2)', () => {
  it('D.2 turning on is refused unless the own address is covered', async () => {
    const here = await place();
    expect(await refusal(switchIpList(at(office, here), here.company.id, true))).toMatch(
      /^You are at 203\.0\.113\.7, which no entry covers/,
    );
    await addIpEntry(at(office, here), here.company.id, { network: '198.51.100.0/24' });
    expect(await refusal(switchIpList(at(office, here), here.company.id, true))).toMatch(/which no entry covers/);
    expect(await isOn(here)).toBe(false);
    await addIpEntry(at(office, here), here.company.id, { network: office });
    expect(await refusal(switchIpList(at(`::ffff:${office}`, here), here.company.id, true))).toBe('done');
    expect(await isOn(here)).toBe(true);
  });

  it('D.2 the last entry that covers the own address stays while the list is on', async () => {
    const here = await walled();
    await addIpEntry(at(office, here), here.company.id, { network: '198.51.100.0/24' });
    const entries = await app.runtime.store.of(here.company.id).ipEntries.list();
    const [other, own] = ['198.51.100.0/24', '203.0.113.0/24'].map(
      (network) => entries.find((entry) => entry.network === network)?.id ?? '',
    );
    expect(await refusal(removeIpEntry(at(office, here), here.company.id, own ?? ''))).toMatch(
      /which no other entry covers/,
    );
    expect(await refusal(removeIpEntry(at(office, here), here.company.id, other ?? ''))).toBe('done');
    await switchIpList(at(office, here), here.company.id, false);
    expect(await refusal(removeIpEntry(at(office, here), here.company.id, own ?? ''))).toBe('done');
    expect(await listOf(here)).toEqual([]);
  });

  it('D.2 holds when two are removed at the same moment, and when one is as the list is turned on', async () => {
    for (let round = 0; round < 5; round += 1) {
      const here = await walled();
      await addIpEntry(at(office, here), here.company.id, { network: office });
      const entries = await app.runtime.store.of(here.company.id).ipEntries.list();
      const results = await Promise.all(
        entries.map(({ id }) => refusal(removeIpEntry(at(office, here), here.company.id, id))),
      );
      expect(results.filter((result) => result === 'done')).toHaveLength(1);
      expect(await listOf(here)).toHaveLength(1);

      const off = await place();
      const entry = await addIpEntry(at(office, off), off.company.id, { network: office });
      const both = await Promise.all([
        refusal(switchIpList(at(office, off), off.company.id, true)),
        refusal(removeIpEntry(at(office, off), off.company.id, entry.id)),
      ]);
      expect(both.filter((result) => result === 'done')).toHaveLength(1);
      expect((await isOn(off)) && (await listOf(off)).length === 0).toBe(false);
    }
  });

  it('B.3 entries are networks, each once, in their normal form, and 500 at most', async () => {
    const here = await place();
    const add = (network: string, note = '') =>
      refusal(addIpEntry(at(office, here), here.company.id, { network, note }));
    expect(await add('203.0.113.99/24')).toBe('done');
    expect(await add('203.0.113.0/24')).toBe('203.0.113.0/24 is on the list already.');
    expect(await add('::ffff:203.0.113.1/120')).toBe('203.0.113.0/24 is on the list already.');
    expect(await add('2001:DB8::/32', 'Branch')).toBe('done');
    expect(await add('somewhere')).toMatch(/^Enter an IPv4 or IPv6 address/);
    expect(await add('10.0.0.1', 'x'.repeat(101))).toMatch(/100 characters/);
    expect(await listOf(here)).toEqual(['203.0.113.0/24', '2001:db8::/32']);
    await app.runtime.db.raw(
      `insert into ip_entries (id, company_id, network, created_at)
       select gen_random_uuid(), ?, ('10.0.' || n / 250 || '.' || n % 250)::cidr, now() from generate_series(1, 498) n`,
      [here.company.id],
    );
    expect(await add('192.0.2.1')).toMatch(/500 entries at most/);
  });

  it('API-02, A1.5 only administrators of this company may', async () => {
    const here = await walled();
    const user = await makePerson(app, here.company);
    const stranger = (await place()).admin;
    const [entry] = await app.runtime.store.of(here.company.id).ipEntries.list();
    for (const admin of [user, stranger]) {
      const work = at(office, { ...here, admin });
      expect(await refusal(addIpEntry(work, here.company.id, { network: elsewhere }))).toMatch(/Only an administrator/);
      expect(await refusal(removeIpEntry(work, here.company.id, entry?.id ?? ''))).toMatch(/Only an administrator/);
      expect(await refusal(switchIpList(work, here.company.id, false))).toMatch(/Only an administrator/);
    }
    const next = await place();
    expect(await refusal(removeIpEntry(at(office, next), next.company.id, entry?.id ?? ''))).toBe(
      'There is no such entry.',
    );
    expect([await isOn(here), await listOf(here)]).toEqual([true, ['203.0.113.0/24']]);
  });

  it('D.9 each change is on record, with what it was', async () => {
    const here = await walled();
    await switchIpList(at(office, here), here.company.id, false);
    const events = await app.runtime.store.audit.listRecent(100, { action: 'ip.change' });
    const details = events.filter((event) => event.company_id === here.company.id).map((event) => event.details);
    expect(details).toEqual([
      { before: { enabled: true }, after: { enabled: false }, networks: ['203.0.113.0/24'] },
      { before: { enabled: false }, after: { enabled: true }, networks: ['203.0.113.0/24'] },
      { added: '203.0.113.0/24', note: 'Office' },
    ]);
  });
});

describe('the ways out', () => {
  const command = async (name: string, args: string[]) => {
    const found = findCommand(name);
    if (!found) throw new Error(`no command ${name}`);
    const work = app.operator();
    return found.run({
      runtime: app.runtime,
      work,
      options: parseOptions(found.options, args),
      readStandardInput: async () => '',
      readFile: async () => Buffer.alloc(0),
    });
  };

  it('B.3 the operator turns the list off, and its entries stay', async () => {
    const here = await walled();
    const shown = await command('ip-list', ['--company', here.company.name]);
    expect(shown.json).toMatchObject({ enabled: true, entries: [{ network: '203.0.113.0/24', note: 'Office' }] });
    expect(await isOn(here)).toBe(true);
    const off = await command('ip-list', ['--company', here.company.name, '--off']);
    expect(off.json).toMatchObject({ enabled: false, entries: [{ network: '203.0.113.0/24' }] });
    expect(
      (await tryPassword(await atPassword(app, namesOf(here.admin), from(elsewhere)), here.admin.password)).status,
    ).toBe(303);
  });

  it('C51 recovery brings the Root Admin in from anywhere: it turns the list off, and says so', async () => {
    const here = await walled();
    const recovered = await recoverRoot(app.operator(), here.company.id);
    expect(recovered.ipListWasOn).toBe(true);
    expect([await isOn(here), await listOf(here)]).toEqual([false, ['203.0.113.0/24']]);
    const visitor = from(elsewhere);
    const page = await visitor.open(new URL(recovered.link).pathname);
    expect((await visitor.submit(page, { password: 'Amber-Lantern-770' })).status).toBe(200);
    const place = await atPassword(app, namesOf(here.admin), visitor);
    expect(stepOf(await visitor.follow(await tryPassword(place, 'Amber-Lantern-770')))).toBe('enrol');
    const again = await recoverRoot(app.operator(), here.company.id);
    expect(again.ipListWasOn).toBe(false);
  });

  it('AUT-13 a reset link works elsewhere, and signs nobody in: the login behind it is refused', async () => {
    const here = await walled();
    await sendPasswordReset(app.operator(), here.company, here.admin.user);
    const visitor = from(elsewhere);
    const page = await visitor.open(await linkIn(app, here.admin.user.email, 'passwordReset'));
    const password = 'Amber-Lantern-770';
    expect((await visitor.submit(page, { password })).status).toBe(200);
    expect((await tryPassword(await atPassword(app, namesOf(here.admin), visitor), password)).status).toBe(422);
    expect(await isSignedIn(visitor)).toBe(false);
    const changed = { ...here.admin, password };
    expect(isHome(await giveCode(app, await atCode(app, changed, from(office)), changed))).toBe(true);
  });
});
