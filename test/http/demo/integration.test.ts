// D.6, D.7, C28 to C36 at the door of a real module, against a real provider: each row of the table is somebody at that door.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { startModule } from '../../../src/demo/module/server.ts';
import type { SettingsInput } from '../../../src/domain/integrations/settings.ts';
import { saveSettings } from '../../../src/domain/integrations/settings-commands.ts';
import { createLog } from '../../../src/lib/log.ts';
import { makePerson, type TestPerson } from '../../support/people.ts';
import { allOff, asPerson } from '../../support/requirement.ts';
import { type Stage, setStage, workplaceTeam } from '../../support/stage.ts';
import { Browser, type Page } from '../sdk/browser.ts';
import { enterBy, localPassword, logInLocally, logInThere, type StoredAccount } from './steps.ts';

const account = (name: string, more: object = {}) => ({
  email: `${name}@example.com`,
  name: `Account of ${name}`,
  role: 'Team Access',
  password: localPassword,
  ...more,
});

let stage: Stage;
let admin: TestPerson;
let browser: Browser;
/** Added to the module's clock. */
let ahead = 0;

beforeAll(async () => {
  const users = [
    account('ada', { role: 'Full Access' }),
    account('alan', { role: 'Full Access' }),
    account('ben'),
    account('linked'),
    account('gone', { status: 'suspended' }),
    account('twin'),
    { ...account('twin'), name: 'Second twin' },
    account('governed', { role: 'Read only' }),
    account('shut'),
  ];
  stage = await setStage([], {}, { MODULE_USERS: JSON.stringify(users) }, { clock: () => Date.now() + ahead });
  admin = await makePerson(stage.app, stage.company, { username: 'ada', role: 'Admin', email: 'ada@example.com' });
});
afterAll(() => stage?.stop());

beforeEach(async () => {
  browser = new Browser();
  ahead = 0;
});

const person = (username: string, more: object = {}) =>
  makePerson(stage.app, stage.company, {
    username,
    email: `${username}@example.com`,
    groups: [workplaceTeam],
    ...more,
  });

/** The settings of Workplace, as an administrator saves them in the console; the module hears of them. */
async function settle(changes: Partial<SettingsInput> = {}, require: 'on' | 'off' | { trialEndsAt: Date } = 'off') {
  const { app, company, workplace } = stage;
  const { integrations } = app.runtime.store.of(company.id);
  await integrations.setRequire(workplace.instanceId, {
    state: 'off',
    trialBeganAt: null,
    trialEndsAt: null,
    trialBy: null,
  });
  const version = (await integrations.find(workplace.instanceId))?.version ?? 0;
  const input = { version, settings: { ...allOff, ...changes }, override: 'It is a test.' };
  const saved = await saveSettings(asPerson(app, admin), company.id, workplace.instanceId, input);
  expect(saved.outcome).toBe('saved');
  const trialEndsAt = typeof require === 'object' ? require.trialEndsAt : null;
  const state = typeof require === 'object' ? 'trial' : require;
  if (require !== 'off')
    await integrations.setRequire(workplace.instanceId, { state, trialBeganAt: null, trialEndsAt, trialBy: null });
  await integrations.bump(workplace.instanceId);
  await workplace.running.integration?.poll();
}

const provisioning = { on: true, values: { permission: 'Read only', timeZone: 'Asia/Kolkata' } };

async function stored(email: string): Promise<StoredAccount | undefined> {
  const text = await readFile(join(stage.workplace.config.dataDir, 'workplace-accounts.json'), 'utf8');
  // Written by the module under test.
  return (JSON.parse(text) as StoredAccount[]).find((it) => it.email === email);
}

/** As the module's own administrator does it. */
async function exempt(email: string, endsAt: Date | null) {
  const given = await stored(email);
  const exception = {
    account_id: given?.id ?? '',
    user_name: email,
    kind: 'person' as const,
    reason: 'Field work',
    ends_at: endsAt?.toISOString() ?? null,
    no_end: endsAt === null,
  };
  await stage.workplace.running.integration?.exempt(exception, { id: 'test', name: 'Ada Root' });
}

const isIn = (page: Page) => page.text.includes('<h1>Welcome, ');
const hasButton = (page: Page) =>
  page.text.includes('Log In with KaseyaOne</a>') && page.text.includes('class="button primary wide"');

describe('D.6 at the door of a module', () => {
  it('enable off, local: in, and no sign of KaseyaOne', async () => {
    await settle({ enabled: false });
    const login = await browser.open(`${stage.workplace.url}/login`);
    expect(hasButton(login)).toBe(false);
    const home = await logInLocally(browser, stage.workplace, 'ben@example.com');
    expect(isIn(home)).toBe(true);
    expect(home.text).not.toContain('KaseyaOne');
  });

  it('enable off, KaseyaOne: no button, and a forged call is refused', async () => {
    await settle({ enabled: false });
    for (const path of ['/login/start', `/initiate-login?iss=${encodeURIComponent(stage.app.url)}`]) {
      const page = await browser.open(stage.workplace.url + path);
      expect(page.url).toBe(`${stage.workplace.url}/login?problem=disabled`);
      expect(page.text).toContain('is not turned on in Workplace');
    }
    // Turned off while somebody is on the way: the answer that comes back opens nothing.
    await settle();
    const late = await person('late');
    const start = await browser.open(`${stage.workplace.url}/login/start`);
    await settle({ enabled: false });
    const back = await logInThere(stage.app, browser, start, late);
    expect(isIn(back)).toBe(false);
    expect(isIn(await browser.open(stage.workplace.url))).toBe(false);
  });

  it('enable on, require off, local: in, with the sign of KaseyaOne (B.6)', async () => {
    await settle();
    expect(hasButton(await browser.open(`${stage.workplace.url}/login`))).toBe(true);
    const home = await logInLocally(browser, stage.workplace, 'ben@example.com');
    expect(isIn(home)).toBe(true);
    expect(home.text).toContain('<span class="tool-words">KaseyaOne</span>');
    expect(home.text).not.toContain('App Launcher');
  });

  it('require on, not exempt, local: the button alone; a right password is pointed to KaseyaOne, a wrong one fails as ever (C31)', async () => {
    await settle({}, 'on');
    const login = await browser.open(`${stage.workplace.url}/login`);
    expect([hasButton(login), login.text.includes('name="password"')]).toEqual([true, false]);
    for (const path of ['/login', '/login/local']) {
      const right = await logInLocally(browser, stage.workplace, 'ben@example.com', path);
      expect(right.status).toBe(403);
      expect(right.text).toContain('Log in with KaseyaOne: Workplace requires it for your account.');
      const wrong = await logInLocally(browser, stage.workplace, 'ben@example.com', path, 'not this one');
      expect([wrong.status, wrong.text.includes('The e-mail address or the password is wrong.')]).toEqual([422, true]);
      expect(wrong.text).not.toContain('requires it for your account');
    }
    expect(isIn(await browser.open(stage.workplace.url))).toBe(false);
  });

  it('require on, exempt, local: in, at an address of its own; not a moment after the exception has ended', async () => {
    await settle({}, 'on');
    await exempt('ada@example.com', new Date(stage.app.clock.now().getTime() + 2 * 3_600_000));
    const elsewhere = await logInLocally(browser, stage.workplace, 'ada@example.com', '/login');
    expect([elsewhere.status, elsewhere.text.includes(`log in at ${stage.workplace.url}/login/local`)]).toEqual([
      403,
      true,
    ]);
    expect(isIn(await logInLocally(browser, stage.workplace, 'ada@example.com', '/login/local'))).toBe(true);
    browser = new Browser();
    ahead = 2 * 3_600_000 + 300_000;
    expect((await logInLocally(browser, stage.workplace, 'ada@example.com', '/login/local')).status).toBe(403);
  });

  it('require on trial: refused until its end, and both ways again after it, without a word from the provider', async () => {
    await settle({}, { trialEndsAt: new Date(stage.app.clock.now().getTime() + 30 * 60_000) });
    const login = await browser.open(`${stage.workplace.url}/login`);
    expect(login.text).toContain('on trial until');
    expect((await logInLocally(browser, stage.workplace, 'ben@example.com', '/login/local')).status).toBe(403);
    ahead = 60 * 60_000;
    expect(isIn(await logInLocally(browser, stage.workplace, 'ben@example.com'))).toBe(true);
  });

  it.each([
    ['off', 'off'],
    ['on', 'on'],
  ] as const)('require %s, KaseyaOne, linked and active: in, with the App Launcher', async (_, require) => {
    await settle({}, require);
    const linked = await person(`linked${require}`, { email: 'linked@example.com' }).catch(() => null);
    // The second row finds the person of the first one, linked by then.
    linkedPerson ??= linked;
    if (!linkedPerson) throw new Error('nobody to come in');
    const home = await enterBy(stage.app, browser, stage.workplace, linkedPerson);
    expect(isIn(home)).toBe(true);
    expect(home.text).toContain('App Launcher');
    expect((await stored('linked@example.com'))?.link?.subject).toBe(linkedPerson.user.id);
  });
  let linkedPerson: TestPerson | null = null;

  it('KaseyaOne, linked, no group: refused there, and nothing reaches the module', async () => {
    await settle();
    const shut = await person('shut', { groups: ['No Module Access'] });
    const page = await enterBy(stage.app, browser, stage.workplace, shut);
    expect(page.url.startsWith(stage.app.url)).toBe(true);
    expect(isIn(await browser.open(stage.workplace.url))).toBe(false);
    expect((await stored('shut@example.com'))?.link).toBeNull();
  });

  it('KaseyaOne, one match by verified e-mail: linked and in, and the provider knows of the link', async () => {
    await settle();
    const ben = await person('ben');
    expect(isIn(await enterBy(stage.app, browser, stage.workplace, ben))).toBe(true);
    const linked = await stored('ben@example.com');
    expect(linked?.link?.subject).toBe(ben.user.id);
    const told = () =>
      stage.app.runtime
        .db('module_accounts')
        .where({ instance_id: stage.workplace.instanceId, external_id: linked?.id ?? '' })
        .first();
    await expect.poll(told, { timeout: 5000 }).toMatchObject({ user_id: ben.user.id });
  });

  it('KaseyaOne, several matches: refused, and nobody is linked', async () => {
    await settle();
    const page = await enterBy(stage.app, browser, stage.workplace, await person('twin'));
    expect(page.url).toBe(`${stage.workplace.url}/login?problem=ambiguous`);
    expect((await stored('twin@example.com'))?.link).toBeNull();
  });

  it.each([
    ['off', { on: false, values: {} }],
    ['on', provisioning],
  ])('KaseyaOne, an inactive match, provisioning %s: refused, and it stays suspended (C32)', async (_, given) => {
    await settle({ provisioning: given });
    gone ??= await person('gone');
    const page = await enterBy(stage.app, browser, stage.workplace, gone);
    expect(page.url).toBe(`${stage.workplace.url}/login?problem=suspended`);
    expect(await stored('gone@example.com')).toMatchObject({ status: 'suspended', link: null });
  });
  let gone: TestPerson | undefined;

  it('KaseyaOne, nobody, provisioning off: refused, ask the administrator', async () => {
    await settle();
    const page = await enterBy(stage.app, browser, stage.workplace, await person('nobody'));
    expect(page.url).toBe(`${stage.workplace.url}/login?problem=no_account`);
    expect(page.text).toContain('Ask the Workplace administrator');
    expect(await stored('nobody@example.com')).toBeUndefined();
  });

  it('KaseyaOne, nobody, provisioning on: made with the default permission and time zone, linked, in; once for two tabs', async () => {
    await settle({ provisioning });
    const fresh = await person('fresh');
    const home = await enterBy(stage.app, browser, stage.workplace, fresh);
    expect(isIn(home)).toBe(true);
    expect(await stored('fresh@example.com')).toMatchObject({
      permissions: ['Read only'],
      timeZone: 'Asia/Kolkata',
      status: 'active',
      link: { subject: fresh.user.id },
    });
    await Promise.all([1, 2, 3].map(() => browser.open(`${stage.workplace.url}/login/start`)));
    const text = await readFile(join(stage.workplace.config.dataDir, 'workplace-accounts.json'), 'utf8');
    // Written by the module under test.
    const all: StoredAccount[] = JSON.parse(text);
    expect(all.filter(({ email }) => email === 'fresh@example.com')).toHaveLength(1);
  });

  it('D.7 access groups decide at each entry; whom no rule fits is refused at KaseyaOne (C34)', async () => {
    const group = await stage.app.runtime
      .db('access_groups')
      .where({ company_id: stage.company.id, name: workplaceTeam })
      .first('id');
    const rules = (permission: string) => [{ groupId: group?.id ?? '', permission }];
    const governed = await person('governed');
    await settle({ accessGroups: { on: true, rules: rules('Team Access') } });
    await enterBy(stage.app, browser, stage.workplace, governed);
    expect((await stored('governed@example.com'))?.permissions).toEqual(['Team Access']);
    await settle({ accessGroups: { on: false, rules: rules('Full Access') } });
    await browser.open(`${stage.workplace.url}/login/start`);
    expect((await stored('governed@example.com'))?.permissions, 'off: never touched').toEqual(['Team Access']);
  });
});

describe('KaseyaOne down while people use the module', () => {
  it('sessions go on, the kept settings hold after a restart, exempt people get in; after a week administrators do', async () => {
    await settle({}, 'on');
    await exempt('alan@example.com', null);
    const { workplace } = stage;
    await workplace.running.stop();
    // The same files, and a provider that nobody can reach.
    const config = { ...workplace.config, issuer: 'http://localhost:9' };
    const alone = await startModule(config, createLog('silent'), () => Date.now() + ahead);
    try {
      expect((await logInLocally(browser, workplace, 'ben@example.com', '/login/local')).status).toBe(403);
      expect(isIn(await logInLocally(browser, workplace, 'alan@example.com', '/login/local'))).toBe(true);
      expect(isIn(await browser.open(workplace.url))).toBe(true);
      const away = await new Browser().open(`${workplace.url}/login/start`);
      expect(away.text).toContain('can&#39;t be reached just now');
      ahead = 8 * 86_400_000;
      const late = new Browser();
      expect(isIn(await logInLocally(late, workplace, 'ada@example.com', '/login/local'))).toBe(true);
      const refused = await logInLocally(new Browser(), workplace, 'ben@example.com', '/login/local');
      expect([refused.status, refused.text.includes('Only administrators can log in here')]).toEqual([403, true]);
    } finally {
      await alone.stop();
      ahead = 0;
      workplace.running = await startModule(workplace.config, createLog('silent'), () => Date.now() + ahead);
    }
  });
});

describe('clocks that are 90 seconds apart', () => {
  it.each([-90_000, 90_000])(
    'the module’s is %d ms ahead: people come in, and settings come through',
    async (apart) => {
      ahead = apart;
      await settle({ provisioning });
      const name = `skew${apart < 0 ? 'behind' : 'ahead'}`;
      expect(isIn(await enterBy(stage.app, browser, stage.workplace, await person(name)))).toBe(true);
      expect(stage.workplace.running.integration?.state.settings?.provisioning.on).toBe(true);
    },
  );
});
