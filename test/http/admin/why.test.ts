// "Why can or can't this person get in?": the page says what happens at /auth, for people in every state, at every kind of module.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { addIpEntry, changePolicy, switchIpList } from '../../../src/domain/companies/commands.ts';
import type { Company } from '../../../src/domain/companies/company.ts';
import { createGroup } from '../../../src/domain/groups/commands.ts';
import { addMembers } from '../../../src/domain/groups/member-commands.ts';
import type { Why } from '../../../src/domain/provisioning/why.ts';
import { explainWhy } from '../../../src/domain/provisioning/why-queries.ts';
import { deactivateUser, inviteUser } from '../../../src/domain/users/commands.ts';
import { type GroupId, newId } from '../../../src/lib/ids.ts';
import { after, minutes } from '../../../src/lib/time.ts';
import { type ConnectedModule, makeConnected } from '../../support/api.ts';
import { startApp, type TestApp } from '../../support/app.ts';
import { eventsOf, stepOf, VisitorFrom } from '../../support/attempts.ts';
import { change, tellAccount, tellReading, mainWords as wordsOf } from '../../support/connected.ts';
import { type AtDesk, atDesk, refusesOthers } from '../../support/console.ts';
import { makeConnection } from '../../support/federation.ts';
import {
  authorizeAddress,
  freshCode,
  givePassword,
  makeCompany,
  makePerson,
  type PersonOptions,
  signIn,
  type TestPerson,
} from '../../support/people.ts';

const invitation = { firstName: 'Gus', lastName: 'Guest', role: 'User' } as const;

const team = 'Workplace Team';
const others = 'Other Team';
const asleep = 'Sleeping Team';
const workplace = { product: 'workplace' };

let app: TestApp;
let company: Company;
let admin: AtDesk;
let root: TestPerson;
let modules: Record<'plain' | 'ruled' | 'off', ConnectedModule>;

/** In each state that the rules tell apart. */
const states: Record<string, () => Promise<TestPerson>> = {
  'in the group': () => person({}),
  'in all modules': () => person({ groups: ['All Module Access'] }),
  'in no group': () => person({ groups: [] }),
  'in a group without a rule': () => person({ groups: [others] }),
  'in an inactive group only': () => person({ groups: [asleep] }),
  'with a password to replace': () => person({ mustChangePassword: true }),
  'without a second factor': () => person({ totpSecret: null }),
  'with an address that is not verified': () => person({ emailVerified: false }),
  locked: async () => {
    const one = await person({});
    await app.runtime
      .db('users')
      .where({ id: one.user.id })
      .update({ failures: 5, locked_until: after(app.clock.now(), minutes(20)) });
    return one;
  },
  'locked until a while ago': async () => {
    const one = await person({});
    await app.runtime
      .db('users')
      .where({ id: one.user.id })
      .update({ failures: 5, locked_until: after(app.clock.now(), -minutes(1)) });
    return one;
  },
  deactivated: async () => {
    const one = await person({});
    await deactivateUser(app.operator(), company.id, one.user.id);
    return one;
  },
  invited: async () => {
    const username = `invited-${Math.random().toString(36).slice(2)}`;
    const fields = { firstName: 'Gus', lastName: 'Guest', email: `${username}@example.com`, username };
    const { user } = await inviteUser(app.operator(), company.id, { ...fields, role: 'User', groups: [team] });
    return { user, company, password: 'Violet-Harbour-42', totpSecret: null };
  },
};

const person = (options: PersonOptions) => makePerson(app, company, { groups: [team], ...options });

const explained = async (one: TestPerson, module: ConnectedModule | null, from: string | null = null): Promise<Why> => {
  const asked = { instanceId: module?.instanceId ?? null, at: app.clock.now(), from };
  return (await explainWhy(app.operator(), company.id, one.user.id, asked)).why;
};

/** What happens when they come, from a browser that nobody knows: let in, out, or a step on the way. */
async function reality(one: TestPerson, module: ConnectedModule, visitor = app.visitor()): Promise<string> {
  const page = await givePassword(visitor, await visitor.open(authorizeAddress(module)), one);
  const step = stepOf(page);
  if (step === 'set-password' || step === 'enrol') return step;
  if (step !== 'code') return 'out';
  const end = await visitor.submit(page, { code: await freshCode(app, one) }, '/code');
  return end.headers.location?.startsWith(module.redirectUri) ? 'in' : 'out';
}

const verdict = ({ passesDoor, refusal, step }: Why): string =>
  step !== null && refusal === null ? step : passesDoor ? 'in' : 'out';

beforeAll(async () => {
  app = await startApp({ environment: { FAILURES_PER_ADDRESS: '100000', TRUSTED_PROXIES: '1' } });
  company = await makeCompany(app, 'Northwind IT');
  await makeCompany(app, 'Another Company');
  for (const [name, isActive] of [
    [team, true],
    [others, true],
    [asleep, false],
  ] as const)
    await createGroup(app.operator(), company.id, { name, isActive });
  const groups = [team, others, asleep];
  const connect = (name: string) => makeConnected(app, company, { product: workplace, instance: { name, groups } });
  modules = { plain: await connect('Plain'), ruled: await connect('Ruled'), off: await connect('Off') };
  const [row] = await app.runtime.db('access_groups').where({ company_id: company.id, name: team });
  await change(app, company, modules.ruled.instanceId, {
    accessGroups: { on: true, rules: [{ groupId: row.id, permission: 'Team Access' }] },
  });
  await change(app, company, modules.off.instanceId, { enabled: false });
  app.runtime.clients.invalidate();
  root = await makePerson(app, company, { role: 'Root Admin' });
  admin = await atDesk(app, company);
}, 60_000);
afterAll(() => app.stop());

const path = (one: TestPerson, query = '') => `/admin/users/${one.user.id}/why${query}`;

describe('the verdict is what happens at /auth (D.2, D.5)', () => {
  describe.each(Object.keys(states))('somebody %s', (state) => {
    it.each(['plain', 'ruled', 'off'] as const)('at the module %s', { timeout: 40_000 }, async (name) => {
      const one = await (states[state] as () => Promise<TestPerson>)();
      const why = await explained(one, modules[name]);
      expect(verdict(why)).toBe(await reality(one, modules[name]));
      // The trace tells no other story than the verdict.
      const atDoor = why.lines.filter(({ name }) => name !== 'link');
      if (!why.passesDoor) expect(why.decisive?.sentence).not.toBe('');
      expect(atDoor.some(({ outcome }) => outcome === 'fail')).toBe(!why.passesDoor);
    });
  });

  it('from an address that the list does not have (B.3)', { timeout: 40_000 }, async () => {
    const strict = await makeCompany(app, 'Strict Ltd');
    await addIpEntry(app.operator(), strict.id, { network: '198.51.100.0/24', note: 'Office' });
    await app.runtime.store.companies.setPolicy(strict.id, { ...strict.policy, ipList: { enabled: true } });
    const module = await makeConnected(app, strict, { product: workplace });
    for (const [from, expected] of [
      ['198.51.100.7', 'in'],
      ['203.0.113.9', 'out'],
    ] as const) {
      const one = await makePerson(app, strict);
      const asked = { instanceId: module.instanceId, at: app.clock.now(), from };
      const { why } = await explainWhy(app.operator(), strict.id, one.user.id, asked);
      expect(verdict(why)).toBe(expected);
      const visitor = new VisitorFrom(app, from);
      expect(await reality(one, module, visitor)).toBe(expected);
      if (expected === 'out') {
        expect(why.decisive?.name).toBe('addresses');
        expect(why.decisive?.flip?.words).toBe('Add 203.0.113.9 to the IP access list');
      }
    }
  });
});

describe('the trace', () => {
  it('names the smallest change that would let them in', async () => {
    const expected: [string, 'plain' | 'ruled' | 'off', string, string | null][] = [
      ['in no group', 'plain', 'groups', `Add Pat Example to ${others}`],
      ['in a group without a rule', 'ruled', 'permission', `Add Pat Example to ${team}`],
      ['in an inactive group only', 'plain', 'groups', `Activate ${asleep}`],
      ['in the group', 'off', 'module', 'Turn it on in Off'],
      ['locked', 'plain', 'lock', 'Unlock Pat Example'],
      ['deactivated', 'plain', 'account', 'Activate Pat Example'],
      ['invited', 'plain', 'account', 'Send Gus Guest the invitation again'],
    ];
    for (const [state, module, name, flip] of expected) {
      const one = await (states[state] as () => Promise<TestPerson>)();
      const { decisive } = await explained(one, modules[module]);
      expect({ state, name: decisive?.name, flip: decisive?.flip?.words }).toEqual({ state, name, flip });
    }
  });

  it('the change that it names lets them in', { timeout: 40_000 }, async () => {
    const one = await person({ groups: [others] });
    const why = await explained(one, modules.ruled);
    expect(why.decisive?.flip?.place).toMatchObject({ page: 'group', tab: 'add' });
    const place = why.decisive?.flip?.place;
    const groupId = (place?.page === 'group' ? place.id : '') as GroupId;
    await addMembers(app.operator(), company.id, groupId, [one.user.id]);
    expect(verdict(await explained(one, modules.ruled))).toBe('in');
    expect(await reality(one, modules.ruled)).toBe('in');
    const page = await admin.visitor.open(path(one, `?module=${modules.ruled.instanceId}`));
    expect(wordsOf(page)).toContain(`${team}: active. Added by The operator just now`);
  });

  it('C28, C32 says what the module will make of their accounts', async () => {
    const one = await person({});
    const link = async () => {
      const { lines, isTaken } = await explained(one, modules.plain);
      const found = lines.find(({ name }) => name === 'link');
      // The person's own page says the same in short.
      const overview = wordsOf(await admin.visitor.open(`/admin/users/${one.user.id}`));
      const [, status] = /Plain Connected \d+ Through .*?\. (Can enter|Cannot enter) Why\?/.exec(overview) ?? [];
      expect(status).toBe(isTaken === false ? 'Cannot enter' : 'Can enter');
      return { outcome: found?.outcome, sentence: found?.sentence, isTaken };
    };
    expect(await link()).toMatchObject({ outcome: 'note', isTaken: null });
    await tellReading(app, company, modules.plain.instanceId);
    expect(await link()).toMatchObject({ outcome: 'fail', isTaken: false });
    await tellAccount(app, company, modules.plain.instanceId, { id: `${one.user.id}-1`, userName: one.user.email });
    expect(await link()).toEqual({
      outcome: 'pass',
      sentence: `${one.user.email} is linked at the first entry.`,
      isTaken: true,
    });
    await tellAccount(app, company, modules.plain.instanceId, { id: `${one.user.id}-2`, userName: one.user.email });
    expect(await link()).toMatchObject({ outcome: 'fail', isTaken: false });
    await app.runtime
      .db('module_accounts')
      .where({ external_id: `${one.user.id}-1` })
      .update({ user_id: one.user.id, linked_by: 'hand', linked_at: app.clock.now(), life: 'live' });
    expect(await link()).toMatchObject({ outcome: 'pass', isTaken: true });
    await app.runtime
      .db('module_accounts')
      .where({ external_id: `${one.user.id}-1` })
      .update({ is_active: false });
    expect(await link()).toMatchObject({ outcome: 'fail', isTaken: false });
  });

  it.each([
    ['locked, which is of the password alone (C9)', {}, {}, true, null, true],
    ['locked, where our own code is asked as well', { asks_second_factor: true }, {}, false, null, true],
    ['with a password to replace', {}, { mustChangePassword: true }, true, null, false],
    [
      'the same, where our own code is asked',
      { asks_second_factor: true },
      { mustChangePassword: true },
      true,
      null,
      false,
    ],
    ['without a factor', {}, { totpSecret: null }, true, null, false],
    ['the same, where our own code is asked', { asks_second_factor: true }, { totpSecret: null }, true, 'enrol', false],
    ['invited (T9)', {}, 'invited', true, null, false],
  ] as const)('with single sign-on enforced: %s', async (_title, connection, options, passes, step, isLocked) => {
    const here = await makeCompany(app);
    const desk = await atDesk(app, here, { role: 'Root Admin' });
    const { id } = await makeConnection(app, here);
    await app.runtime
      .db('idp_connections')
      .where({ id })
      .update({ enforce_state: 'on', ...connection });
    const module = await makeConnected(app, here, { product: workplace, instance: { name: 'Plain' } });
    await tellReading(app, here, module.instanceId);
    const groups = ['All Module Access'];
    const email = `${newId()}@example.com`;
    const { user } =
      options === 'invited'
        ? await inviteUser(app.operator(), here.id, { ...invitation, email, username: newId(), groups })
        : await makePerson(app, here, { groups, email, ...options });
    if (isLocked)
      await app.runtime
        .db('users')
        .where({ id: user.id })
        .update({ failures: 5, locked_until: new Date(app.clock.now().getTime() + minutes(20)) });
    await tellAccount(app, here, module.instanceId, { id: newId(), userName: email });
    const asked = { instanceId: module.instanceId, at: app.clock.now(), from: null };
    const { why } = await explainWhy(app.operator(), here.id, user.id, asked);
    expect({ passes: why.passesDoor && why.isTaken, step: why.step }).toEqual({ passes, step });
    expect(why.decisive === null).toBe(passes);
    const overview = wordsOf(await desk.visitor.open(`/admin/users/${user.id}`));
    expect(overview).toMatch(passes ? / Can enter Why/ : / Cannot enter Why/);
  });

  it('judges another time: a lock is over by then', async () => {
    const one = await (states.locked as () => Promise<TestPerson>)();
    const at = after(app.clock.now(), minutes(30)).toISOString();
    const now = await admin.visitor.open(path(one, `?module=${modules.plain.instanceId}`));
    expect(wordsOf(now)).toContain('Pat Example cannot enter Plain');
    const later = await admin.visitor.open(path(one, `?module=${modules.plain.instanceId}&at=${at}`));
    expect(wordsOf(later)).not.toContain('cannot enter');
  });

  it('tells who changed what decided, and when', async () => {
    const one = await (states.deactivated as () => Promise<TestPerson>)();
    const page = await admin.visitor.open(path(one, `?module=${modules.plain.instanceId}`));
    expect(wordsOf(page)).toContain('The operator deactivated Pat Example.');
    await changePolicy(app.operator(), company.id, { session: { idleMinutes: 45 } });
    expect(wordsOf(await admin.visitor.open(path(one)))).toContain('A session ends after 45 idle minutes');
  });

  it('credits a change only where it changed what decided that line', async () => {
    const here = await makeCompany(app);
    const one = await makePerson(app, here);
    const connected = await makeConnected(app, here, { product: workplace });
    const credits = async () => {
      const asked = { instanceId: connected.instanceId, at: app.clock.now(), from: '203.0.113.9' };
      const { changes } = await explainWhy(app.operator(), here.id, one.user.id, asked);
      return Object.fromEntries([...changes].map(([{ name }, { details }]) => [name, details.after ?? details.added]));
    };
    await changePolicy(app.operator(), here.id, { session: { idleMinutes: 45 } });
    await changePolicy(app.operator(), here.id, { password: { minLength: 14 } });
    await addIpEntry(app.operator(), here.id, { network: '203.0.113.0/24', note: 'Office' });
    await change(app, here, connected.instanceId, { deprovisioning: { on: false, graceDays: 3, removal: 'disable' } });
    const idle = { 'session.idleMinutes': 45 };
    const before = await credits();
    expect(before).toMatchObject({ sessions: idle });
    for (const name of ['upstream', 'addresses', 'module', 'permission', 'requirement'])
      expect(before, name).not.toHaveProperty(name);
    await switchIpList(app.operator(), here.id, true);
    expect(await credits()).toMatchObject({ addresses: { enabled: true } });
    await switchIpList(app.operator(), here.id, false);
    await addIpEntry(app.operator(), here.id, { network: '198.51.100.0/24', note: 'Home' });
    await change(app, here, connected.instanceId, { enabled: false });
    expect(await credits()).toMatchObject({
      sessions: idle,
      addresses: { enabled: false },
      module: { login: false },
    });
  });
});

describe('its page', () => {
  it('asks the database as often for many groups as for one', async () => {
    const asked: number[] = [];
    for (const count of [1, 12]) {
      const names = Array.from({ length: count }, (_, n) => `Crew ${count}-${n}`);
      for (const name of names)
        await createGroup(app.operator(), company.id, {
          name,
          isActive: true,
          instanceIds: [modules.plain.instanceId],
        });
      const one = await person({ groups: names });
      let statements = 0;
      const counting = () => {
        statements += 1;
      };
      app.runtime.db.on('query', counting);
      await explained(one, modules.plain);
      app.runtime.db.removeListener('query', counting);
      asked.push(statements);
    }
    expect(asked[1]).toBe(asked[0]);
    expect(asked[0]).toBeLessThan(25);
  });

  it('opens from the person', async () => {
    const one = await person({});
    const page = await admin.visitor.open(`/admin/users/${one.user.id}`);
    expect(page.body).toContain(`/admin/users/${one.user.id}/why?module=${modules.plain.instanceId}`);
  });

  it('API-03 says what it did not understand with 422, and answers the rest', async () => {
    const at = `module=${modules.plain.instanceId}`;
    for (const query of [`?${at}&from=nowhere`, `?${at}&at=yesterday`, `?${at}&at=1999-01-01T00:00`]) {
      const page = await admin.visitor.send(path(root, query));
      expect(page.status, query).toBe(422);
      expect(page.body, query).toContain('aria-invalid="true"');
      expect(wordsOf(page), query).toContain('Pat Example is let through');
    }
    expect((await admin.visitor.send(path(root, '?module=none'))).status).toBe(404);
  });

  it('API-02 of another company there is neither person nor module', async () => {
    const other = await makeCompany(app);
    const stranger = await makePerson(app, other);
    const theirs = await makeConnected(app, other, { product: workplace });
    expect((await admin.visitor.send(path(stranger))).status).toBe(404);
    expect((await admin.visitor.send(path(root, `?module=${theirs.instanceId}`))).status).toBe(404);
  });

  describe('its doors', () =>
    refusesOthers(
      () => ({ app, company }),
      // Whoever may not look is refused before anything is looked up.
      ['/admin/users/0199a000-0000-7000-8000-000000000000/why', '/admin/why?code=ABCD-EFGH'],
    ));
});

describe('the code from the person’s page', () => {
  const follow = (code: string) => admin.visitor.send(`/admin/why?${new URLSearchParams({ code })}`);

  it('of a refused entry leads to person and module, however it is typed', { timeout: 40_000 }, async () => {
    const one = await person({ groups: [others] });
    await signIn(app, app.visitor(), one, authorizeAddress(modules.ruled));
    const [event] = await eventsOf(app, one, 'entry.refuse');
    const code = String(event?.code);
    for (const typed of [code, code.toLowerCase().replace('-', ' '), ` ${code.replace('-', '')} `]) {
      const { status, headers } = await follow(typed);
      expect(status).toBe(303);
      expect(headers.location).toContain(`/admin/users/${one.user.id}/why?module=${modules.ruled.instanceId}`);
    }
    const shown = await admin.visitor.open(`/admin/audit/${event?.id}`);
    expect(shown.body).toContain(`/admin/why?code=${code}`);
    const page = await admin.visitor.open(`/admin/why?code=${code}`);
    expect(wordsOf(page)).toContain('Pat Example cannot enter Ruled');
    expect(wordsOf(page)).toContain(`Add Pat Example to ${team}`);
  });

  it('of a refused login leads to the person', async () => {
    const one = await (states.deactivated as () => Promise<TestPerson>)();
    await givePassword(app.visitor(), await app.visitor().open('/login'), one).catch(() => null);
    const visitor = app.visitor();
    await givePassword(visitor, await visitor.open(authorizeAddress(modules.plain)), one);
    const events = await eventsOf(app, one, 'login.fail');
    const { headers } = await follow(String(events[0]?.code));
    expect(headers.location).toContain(`/admin/users/${one.user.id}/why`);
  });

  it('begins with what it stands for, in the words of the log, before what is true now', async () => {
    const one = await person({});
    const visitor = app.visitor();
    const page = await givePassword(visitor, await visitor.open(authorizeAddress(modules.plain)), one);
    await visitor.submit(page, { code: '000000' }, '/code');
    const [event] = await eventsOf(app, one, 'login.fail');
    const code = String(event?.code);
    const words = wordsOf(await admin.visitor.open(`/admin/why?code=${code}`));
    const said = `A login as “${one.user.username}” was refused: the code was wrong.`;
    expect(words).toContain(`Code ${code}`);
    expect(words).toContain(said);
    expect(words.indexOf(said)).toBeLessThan(words.indexOf('Pat Example can log in'));
    // The code of one says nothing of another.
    expect(wordsOf(await admin.visitor.open(path(root, `?code=${code}`)))).not.toContain(code);
  });

  it('of another company, and one that nobody was shown, leads nowhere', async () => {
    const other = await makeCompany(app);
    const stranger = await makePerson(app, other, { groups: [] });
    const theirs = await makeConnected(app, other, { product: workplace });
    await signIn(app, app.visitor(), stranger, authorizeAddress(theirs));
    const [event] = await eventsOf(app, stranger, 'entry.refuse');
    for (const code of [String(event?.code), 'ABCD-EFGH', '', '%00', 'x'.repeat(500)]) {
      const page = await admin.visitor.open(`/admin/why?${new URLSearchParams({ code })}`);
      expect(new URL(page.url).pathname).toBe('/admin/audit');
      expect(wordsOf(page)).toContain('No login or entry of anybody here was refused with this code');
    }
  });
});

describe('where single sign-on decides', () => {
  it('C9, C26 is not held up by what belongs to the password, and says who asks instead', async () => {
    const here = await makeCompany(app);
    const { id } = await makeConnection(app, here);
    await app.runtime.db('idp_connections').where({ id }).update({ enforce_state: 'on' });
    const one = await makePerson(app, here, { groups: ['All Module Access'] });
    const look = async () => {
      const asked = { instanceId: null, at: app.clock.now(), from: null };
      const { why } = await explainWhy(app.operator(), here.id, one.user.id, asked);
      const told = why.lines.filter(({ name }) => name === 'upstream' || name === 'lock');
      return { passes: why.passesDoor, told: told.map(({ outcome, sentence }) => [outcome, sentence]) };
    };
    const enforced = ['pass', 'Logs in with single sign-on alone: it is enforced.'];
    expect(await look()).toEqual({ passes: true, told: [['pass', 'Not locked.'], enforced] });
    const until = after(app.clock.now(), minutes(20));
    await app.runtime.db('users').where({ id: one.user.id }).update({ failures: 5, locked_until: until });
    const lock = ['note', 'Locked for the password; single sign-on is not held up by it.'];
    expect(await look()).toEqual({ passes: true, told: [lock, enforced] });
    await deactivateUser(app.operator(), here.id, one.user.id);
    expect((await look()).passes).toBe(false);
  });
});
