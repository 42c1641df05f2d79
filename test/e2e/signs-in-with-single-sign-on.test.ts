// B.5, C22, C26: people come through their company's identity provider, which nobody here wrote and which lives on another site; the
// groups that it says open and close the way into a module, and a typo in a rule is seen before it counts.
import type { Page as Tab } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { StoredConnection } from '../../src/domain/federation/connection-repository.ts';
import { violationsOn } from '../support/axe.ts';
import { useBrowser } from '../support/browser.ts';
import { arrive, claimsOf, groupsOf, makeConnection, samlInput } from '../support/federation.ts';
import { type IdpSite, startIdpSite } from '../support/idp-site.ts';
import { makePerson } from '../support/people.ts';
import { TestIdp, type UpstreamPerson, upstreamPerson } from '../support/saml-idp.ts';
import { emailOf, type Stage, setStage, workplaceTeam } from '../support/stage.ts';
import { chooseKaseyaOne, expectThrownOut, isInside, logIn, sayWho } from '../support/steps.ts';

const usernames = ['mia', 'leo', 'noor'];
const everybody = 'Contoso-Everybody';
const finance = 'Contoso-Finance';
const sales = 'Contoso-Sales';

describe('Single Sign-On through the identity provider of the company', { timeout: 60_000 }, () => {
  const browser = useBrowser();
  const idp = new TestIdp();
  /** What the identity provider's directory says, by username. */
  const directory = new Map<string, () => UpstreamPerson>();
  let stage: Stage;
  let site: IdpSite;
  let connection: StoredConnection;

  beforeAll(async () => {
    stage = await setStage(usernames);
    const { app, company } = stage;
    site = await startIdpSite(app, idp, directory);
    const team = (await app.runtime.store.of(company.id).groups.list()).find(({ name }) => name === workplaceTeam);
    if (!team) throw new Error('the group is not there');
    connection = await makeConnection(app, company, {
      ...samlInput({ name: 'Contoso IdP' }),
      settings: { kind: 'saml', entityId: idp.entityId, ssoUrl: site.ssoUrl, certificates: [idp.cert] },
      attributes: { ...samlInput().attributes, groups: 'groups' },
      mapping: true,
      rules: [
        { when: { kind: 'group', value: finance }, role: 'Billing and Purchasing', groupIds: [team.id] },
        { when: { kind: 'group', value: sales }, role: 'User', groupIds: [team.id] },
      ],
    });
  });
  afterAll(async () => {
    site?.stop();
    await stage?.stop();
  });

  /** What its directory says of somebody from now on. */
  const is = (name: string, groups: string[]) => directory.set(name, () => upstreamPerson(name, { groups }));

  /** From the module's page over ours to the identity provider, and back to wherever that leads. */
  async function comeThroughUpstream(tab: Tab, username: string): Promise<void> {
    await chooseKaseyaOne(tab, stage.workplace);
    await sayWho(tab, username, stage.company.name);
    await tab.getByRole('link', { name: 'Log in with Contoso IdP' }).click();
    await tab.getByRole('heading', { name: 'Contoso asks who you are' }).waitFor();
    await tab.getByRole('link', { name: username, exact: true }).click();
  }

  async function comeIn(tab: Tab, username: string): Promise<void> {
    await comeThroughUpstream(tab, username);
    await tab.getByRole('heading', { level: 1, name: `Welcome, Account of ${username}` }).waitFor();
    expect(new URL(tab.url()).origin).toBe(stage.workplace.url);
  }

  async function beRefused(tab: Tab, username: string): Promise<void> {
    await comeThroughUpstream(tab, username);
    await tab.getByText('Ask your administrator for access.').waitFor();
    expect(new URL(tab.url()).origin).toBe(stage.app.url);
  }

  /** As the company knows somebody; null: it does not. */
  async function known(username: string) {
    const { rows } = await stage.app.runtime.db.raw(
      `select id, role, base_status as status, deactivated_reason as reason, source,
         array(select g.name from group_members m join access_groups g on g.id = m.group_id where m.user_id = u.id order by 1) as groups
       from users u where company_id = ? and username_key = ?`,
      [stage.company.id, username],
    );
    return rows[0] ?? null;
  }

  it('T3 C26 the first login creates the person with the role and groups of the rules, and opens the module', async () => {
    is('mia', [everybody, finance]);
    expect(await known('mia')).toBeNull();
    const tab = await browser.open();
    await comeIn(tab, 'mia');
    expect(await known('mia')).toEqual({
      id: expect.any(String),
      role: 'Billing and Purchasing',
      status: 'Active',
      reason: null,
      source: 'sso',
      groups: [workplaceTeam],
    });
    await tab.goto(stage.app.url);
    await tab.getByRole('heading', { name: 'Welcome, Mia' }).waitFor();
  });

  it('T15 who has left the group is refused at the next login, and is out of the module within five seconds', async () => {
    is('leo', [everybody, sales]);
    is('noor', [everybody, sales]);
    const [inside, colleague, elsewhere] = [await browser.open(), await browser.open(), await browser.open()];
    await comeIn(inside, 'leo');
    await comeIn(colleague, 'noor');
    is('leo', [everybody]);
    // What the directory says is heard at the next login, not before it.
    expect(await isInside(inside, stage.workplace)).toBe(true);
    await beRefused(elsewhere, 'leo');
    await expectThrownOut(inside, stage.workplace);
    expect(await known('leo')).toMatchObject({ status: 'Deactivated', reason: 'mapping' });
    expect(await isInside(colleague, stage.workplace)).toBe(true);
  });

  it('T18 who returns to the group is let in again by the next login, and is the same person', async () => {
    is('noor', [everybody, sales]);
    await comeIn(await browser.open(), 'noor');
    is('noor', [everybody]);
    const tab = await browser.open();
    await beRefused(tab, 'noor');
    const before = await known('noor');
    expect(before).toMatchObject({ status: 'Deactivated', reason: 'mapping' });
    is('noor', [everybody, finance]);
    await comeIn(tab, 'noor');
    expect(await known('noor')).toEqual({
      ...before,
      role: 'Billing and Purchasing',
      status: 'Active',
      reason: null,
      groups: [workplaceTeam],
    });
  });

  it('C23 an Admin sees in the plan that a typo would deactivate 412 people, and nothing has happened to them', async () => {
    const { app, company } = stage;
    await crowd('seller', 412, sales);
    await crowd('clerk', 20, finance);
    const ada = await makePerson(app, company, { username: 'ada', role: 'Admin', email: emailOf('ada') });
    const tab = await browser.open({ reducedMotion: 'reduce' });
    await tab.goto(app.url);
    await logIn(tab, app, ada);
    await tab.getByRole('heading', { level: 1, name: 'Welcome, Pat' }).waitFor();
    await tab.goto(`${app.url}/admin/sso`);
    await tab.getByRole('link', { name: 'Contoso IdP', exact: true }).click();
    await tab.getByRole('link', { name: 'Mapping rules', exact: true }).click();
    await tab.getByLabel('Rule 2: value').fill('Contoso-Slaes');
    await tab.getByRole('button', { name: 'Make the plan' }).click();

    await tab.getByRole('heading', { name: 'Plan', exact: true }).waitFor();
    expect(await countOf(tab, 'Deactivated')).toBe('412');
    for (const word of ['Reactivated', 'Changed']) expect(await countOf(tab, word)).toBe('0');
    await tab.getByText(/It deactivates 412 of \d+ active people\./).waitFor();
    expect(await tab.getByRole('link', { name: /^Apply/ }).count()).toBe(0);
    await tab.getByRole('link', { name: 'Ask for a second administrator' }).waitFor();
    expect(await violationsOn(tab)).toEqual([]);
    await tab.getByLabel('Search people').fill('seller411');
    await tab.getByText('1 person', { exact: true }).waitFor();
    const row = tab.getByRole('row', { name: /seller411/ });
    await row.getByText('In no mapped group: Enable Mapping Rules deactivates.').waitFor();
    await row.getByText('Deactivated by mapping').waitFor();

    await tab.getByRole('button', { name: 'Drop the plan' }).click();
    await tab.getByRole('status').getByText('The plan was dropped. Nothing has been changed.').waitFor();
    for (const username of ['seller0', 'seller411'])
      expect(await known(username)).toMatchObject({ status: 'Active', reason: null, groups: [workplaceTeam] });
    await tab.getByRole('link', { name: 'Mapping rules', exact: true }).click();
    expect(await tab.getByLabel('Rule 2: value').inputValue()).toBe(sales);
  });

  const countOf = (tab: Tab, word: string) =>
    tab.locator('dl.plan-counts > div').filter({ hasText: word }).getByRole('definition').textContent();

  /** Many who have come through the connection with this group, as the callback lets them in. */
  async function crowd(name: string, many: number, group: string): Promise<void> {
    const come = async (n: number) => {
      const username = `${name}${n}`;
      const claims = claimsOf(emailOf(username), { username, groups: groupsOf(everybody, group) });
      expect(await arrive(stage.app, connection, claims, idp.entityId)).toMatchObject({ outcome: 'accepted' });
    };
    const atOnce = 8;
    for (let n = 0; n < many; n += atOnce)
      await Promise.all(Array.from({ length: Math.min(atOnce, many - n) }, (_, more) => come(n + more)));
  }
});
