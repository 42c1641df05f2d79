// The Integration Center as forms: who may open it, what is kept of what was typed, and what the provider refuses (A8.5 to A8.9).
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { startModule } from '../../../src/demo/module/server.ts';
import { createLog } from '../../../src/lib/log.ts';
import { makePerson } from '../../support/people.ts';
import { type Stage, setStage, workplaceTeam } from '../../support/stage.ts';
import { Browser, type Page } from '../sdk/browser.ts';
import { enterBy, localPassword, logInLocally, type StoredAccount, saveSettings } from './steps.ts';

const account = (name: string, more: object = {}) => ({
  email: `${name}@example.com`,
  name: `Account of ${name}`,
  role: 'Team Access',
  password: localPassword,
  ...more,
});

/** As B.8 has them: the first user name of several, and a link by the module's own password. */
const profile = {
  capabilities: ['userImport', 'require', 'provision', 'deprovision', 'accessGroups', 'events'],
  fields: [
    {
      name: 'permission',
      label: 'Permissions',
      type: 'permission',
      choices: ['Read only', 'Team Access', 'Full Access'],
    },
    { name: 'timeZone', label: 'Time-zone', type: 'timeZone' },
    { name: 'department', label: 'Department', type: 'text' },
    {
      name: 'employmentType',
      label: 'Employment Type',
      type: 'choice',
      choices: ['Full time', 'Part time'],
      required: false,
    },
  ],
  administrators: ['Full Access'],
  severalMatches: 'firstUsername',
  deletion: 'disable',
};

let stage: Stage;
let browser: Browser;

beforeAll(async () => {
  const users = [
    account('ada', { role: 'Full Access' }),
    account('ben'),
    account('twin', { name: 'First twin' }),
    account('twin', { name: 'Second twin' }),
    account('own'),
  ];
  stage = await setStage([], {}, { MODULE_USERS: JSON.stringify(users) }, { profile });
});
afterAll(() => stage?.stop());
beforeEach(() => {
  browser = new Browser();
});

const center = '/settings/integration-center';
const settings = `${center}/kaseyaone`;
const open = (path: string) => browser.open(stage.workplace.url + path);
const asAda = () => logInLocally(browser, stage.workplace, 'ada@example.com', '/login/local');

async function stored(): Promise<StoredAccount[]> {
  // Written by the module under test.
  return JSON.parse(await readFile(join(stage.workplace.config.dataDir, 'workplace-accounts.json'), 'utf8'));
}

const problemsOf = (page: Page) =>
  [...page.text.matchAll(/class="(?:field-problem|notice problem)"[^>]*>([^<]*)</g)].map(([, words]) => words);
const version = (page: Page) => /name="version" value="(\d+)"/.exec(page.text)?.[1];

describe('the Integration Center', () => {
  const paths = [center, `${center}/active`, `${center}/connect`, settings, `${settings}/disconnect`];

  it.each(paths)('%s is for administrators of the module alone', async (path) => {
    const anonymous = await open(path);
    expect(anonymous.url).toBe(`${stage.workplace.url}/login?return_to=${encodeURIComponent(path)}`);
    await logInLocally(browser, stage.workplace, 'ben@example.com', '/login/local');
    const refused = await open(path);
    expect([refused.status, refused.text.includes('This is for administrators')]).toEqual([403, true]);
    expect((await open('/')).text).not.toContain('>Settings<');
    browser = new Browser();
    await asAda();
    expect((await open(path)).status).toBe(200);
    expect((await open('/')).text).toContain('>Settings<');
  });

  it.each([
    `${center}/connect`,
    settings,
    `${settings}/exceptions`,
    `${settings}/exceptions/remove`,
    `${settings}/disconnect`,
  ])('POST %s wants a form of its own (WEB-06)', async (path) => {
    await asAda();
    const { integration } = stage.workplace.running;
    const before = integration?.state.settings?.version;
    const send = (headers: Record<string, string>, csrf = '') =>
      browser.request(stage.workplace.url + path, {
        method: 'POST',
        body: new URLSearchParams({ enabled: 'on', csrf }),
        headers,
      });
    const csrf = /name="csrf" value="([^"]+)"/.exec((await open(settings)).text)?.[1] ?? '';
    expect((await send({})).status).toBe(403);
    expect((await send({ origin: stage.helpdesk.url }, csrf)).status).toBe(403);
    expect(integration?.state.connected).toBe(true);
    expect(integration?.state.settings?.version).toBe(before);
  });

  it('A8.9 nothing counts before Save; what is refused keeps what was typed, and says why beside it', async () => {
    await asAda();
    const page = await open(settings);
    const refused = await saveSettings(browser, page, { provisioning: 'on', 'value-department': 'Sales & <b>co</b>' });
    expect(refused.status).toBe(422);
    for (const words of [
      'Choose Permissions: automatic',
      'Choose Time-zone: automatic',
      'value="Sales &amp; &lt;b&gt;co&lt;/b&gt;"',
    ])
      expect(refused.text).toContain(words);
    expect(stage.workplace.running.integration?.state.settings?.provisioning.on).toBe(false);
    const values = {
      'value-permission': 'Read only',
      'value-timeZone': 'Asia/Kolkata',
      override: 'The test comes next week',
    };
    const saved = await saveSettings(browser, refused, values);
    expect(saved.url).toBe(`${stage.workplace.url}${settings}?notice=saved`);
    const kept = stage.workplace.running.integration?.state.settings;
    expect(kept?.provisioning).toMatchObject({
      on: true,
      values: { permission: 'Read only', department: 'Sales & <b>co</b>' },
    });
    expect(saved.text).toContain('<option value="Asia/Kolkata" selected>');
  });

  it('C30 enable off: the others are refused while it is off, and kept when it comes back', async () => {
    await asAda();
    const off = await saveSettings(browser, await open(settings), { enabled: null, deprovisioning: 'on' });
    expect([off.status, off.text.includes('Turn on Enable Log In with KaseyaOne first.')]).toEqual([422, true]);
    await saveSettings(browser, off, { enabled: null, provisioning: null, deprovisioning: null });
    expect((await new Browser().open(`${stage.workplace.url}/login`)).text).not.toContain('KaseyaOne');
    const back = await saveSettings(browser, await open(settings), { enabled: 'on' });
    expect(problemsOf(back)).toEqual([]);
    expect(back.text).toContain('value="Sales &amp; &lt;b&gt;co&lt;/b&gt;"');
  });

  it('two administrators at once: the slower one is told, and nothing of theirs is saved', async () => {
    await asAda();
    const first = await open(settings);
    const second = await open(settings);
    await saveSettings(browser, first, { grace_days: '30' });
    const late = await saveSettings(browser, second, { grace_days: '60' });
    expect([late.status, late.text.includes('Somebody else has changed the settings')]).toEqual([409, true]);
    expect(version(late)).not.toBe(version(second));
    expect(stage.workplace.running.integration?.state.settings?.deprovisioning.grace_days).toBe(30);
  });

  it('access groups: rules are added, moved and removed as typed, and saved in their order', async () => {
    await asAda();
    const group = /<option value="([^"]+)">Workplace Team<\/option>/.exec((await open(settings)).text)?.[1] ?? '';
    const all = /<option value="([^"]+)">All Module Access<\/option>/.exec((await open(settings)).text)?.[1] ?? '';
    let page = await saveSettings(browser, await open(settings), {
      rule_group: all,
      rule_permission: 'Read only',
      do: 'add',
    });
    const rules = (from: Page) =>
      [...from.text.matchAll(/<select id="rule-(?:group|permission)-\d+"[^>]*>[\s\S]*?<\/select>/g)].map(
        ([select]) => /<option value="([^"]*)" selected/.exec(select)?.[1],
      );
    expect(rules(page).slice(0, 2)).toEqual([all, 'Read only']);
    const body = { access_groups: 'on', do: 'add' };
    page = await saveSettings(browser, page, body, settings, [
      ['rule_group', all],
      ['rule_permission', 'Read only'],
      ['rule_group', group],
      ['rule_permission', 'Team Access'],
    ]);
    page = await saveSettings(browser, page, { do: 'up.1' });
    expect(rules(page).slice(0, 4)).toEqual([group, 'Team Access', all, 'Read only']);
    expect(stage.workplace.running.integration?.state.settings?.access_groups.rules).toEqual([]);
    page = await saveSettings(browser, page, { do: 'save' });
    expect(problemsOf(page)).toEqual([]);
    expect(stage.workplace.running.integration?.state.settings?.access_groups).toMatchObject({
      on: true,
      rules: [
        { group: workplaceTeam, permission: 'Team Access' },
        { group: 'All Module Access', permission: 'Read only' },
      ],
    });
    page = await saveSettings(browser, await open(settings), { do: 'remove.0' });
    page = await saveSettings(browser, page, { do: 'save', access_groups: null });
    expect(stage.workplace.running.integration?.state.settings?.access_groups.rules).toHaveLength(1);
  });

  it('User Exceptions: found by typing, a reason and an end each; refused ones keep what was typed', async () => {
    await asAda();
    const page = await open(settings);
    const add = (fields: Record<string, string>) => {
      const csrf = /name="csrf" value="([^"]+)"/.exec(page.text)?.[1] ?? '';
      const body = new URLSearchParams({ csrf, ...fields });
      return browser.open(`${stage.workplace.url}${settings}/exceptions`, {
        method: 'POST',
        body,
        headers: { origin: stage.workplace.url },
      });
    };
    const until = new Date(Date.now() + 20 * 86_400_000).toISOString().slice(0, 10);
    for (const [fields, words] of [
      [{ person: 'Nobody', reason: 'x', until }, 'Choose a user from the list.'],
      [{ person: 'twin@example.com', reason: 'x', until }, 'Several users have this name'],
      [{ person: 'ben@example.com', reason: '', until }, 'Say why'],
      [{ person: 'ben@example.com', reason: 'On call' }, 'Choose the last day'],
    ] as const) {
      const refused = await add(fields);
      expect([refused.status, refused.text.includes(words)]).toEqual([422, true]);
      expect(refused.text).toContain(`value="${fields.person}"`);
    }
    const added = await add({ person: 'Account of ben <ben@example.com>', reason: 'On call', until });
    expect(added.text).toContain('The exception is in force.');
    const [exception] = stage.workplace.running.integration?.state.settings?.exceptions ?? [];
    expect(exception).toMatchObject({
      user_name: 'ben@example.com',
      reason: 'On call',
      ends_at: `${until}T23:59:59.000Z`,
    });
    const csrf = /name="csrf" value="([^"]+)"/.exec(added.text)?.[1] ?? '';
    const body = new URLSearchParams({ csrf, id: exception?.id ?? '' });
    await browser.open(`${stage.workplace.url}${settings}/exceptions/remove`, {
      method: 'POST',
      body,
      headers: { origin: stage.workplace.url },
    });
    expect(stage.workplace.running.integration?.state.settings?.exceptions).toEqual([]);
  });

  it('D.6 several matches, where the product takes the first user name (B.8)', async () => {
    const twin = await makePerson(stage.app, stage.company, {
      username: 'twin',
      email: 'twin@example.com',
      groups: [workplaceTeam],
    });
    const home = await enterBy(stage.app, browser, stage.workplace, twin);
    expect(home.text).toContain('Welcome, First twin');
    expect((await stored()).filter(({ link }) => link?.subject === twin.user.id)).toHaveLength(1);
  });

  it('D.6 explicit link: the module’s own login one last time, then linked, and never asked again (B.8)', async () => {
    const { app, company, workplace } = stage;
    await app.runtime.db.raw(
      `update modules set profile = jsonb_set(profile, '{linkMode}', '"explicit"') where client_id = ?`,
      [workplace.clientId],
    );
    await app.runtime.store.of(company.id).integrations.bump(workplace.instanceId);
    await workplace.running.integration?.poll();
    const own = await makePerson(app, company, { username: 'own', email: 'own@example.com', groups: [workplaceTeam] });
    const asked = await enterBy(app, browser, workplace, own);
    expect(asked.url).toBe(`${workplace.url}/login/link`);
    const wrong = await browser.submit(asked, { email: 'own@example.com', password: 'no' }, '/login/link');
    expect([wrong.status, wrong.text.includes('The e-mail address or the password is wrong.')]).toEqual([422, true]);
    const home = await browser.submit(wrong, { email: 'own@example.com', password: localPassword }, '/login/link');
    expect(home.text).toContain('Welcome, Account of own');
    expect(home.text).toContain('App Launcher');
    const again = new Browser();
    expect((await enterBy(app, again, workplace, own)).text).toContain('Welcome, Account of own');
    // A proof is nothing without the browser it was made for.
    expect((await new Browser().open(`${workplace.url}/login/link`)).url).toBe(`${workplace.url}/login`);
  });
});

describe('the module’s accounts', () => {
  it('a file of an earlier version opens: one role, one name, nothing of what came later', async () => {
    const { workplace } = stage;
    const old = [
      {
        id: 'old-1',
        email: 'old@example.com',
        name: 'Old Timer',
        role: 'Team Access',
        status: 'suspended',
        timeZone: 'UTC',
        passwordHash: null,
        link: null,
      },
    ];
    const dataDir = join(workplace.config.dataDir, 'older');
    const config = { ...workplace.config, dataDir, port: 0, url: null, connection: null };
    await (await startModule(config, createLog('silent'))).stop();
    await writeFile(join(dataDir, 'workplace-accounts.json'), JSON.stringify(old));
    const running = await startModule(
      { ...config, scimToken: 'a-token-of-twenty-letters', plainLogin: true },
      createLog('silent'),
    );
    try {
      const answer = await fetch(`${running.url}/scim/v2/Users`, {
        headers: { authorization: 'Bearer a-token-of-twenty-letters' },
      });
      expect(await answer.json()).toMatchObject({
        Resources: [
          {
            id: 'old-1',
            userName: 'old@example.com',
            name: { givenName: 'Old', familyName: 'Timer' },
            active: false,
            roles: [{ value: 'Team Access', primary: true }],
          },
        ],
      });
    } finally {
      await running.stop();
    }
  });
});
