// B.5, C25-C27: an Admin who never did it sets up single sign-on in an empty console, by clicking alone: connects, tests, mends, enables,
// proves a domain, writes rules, keeps a way in, and enforces it by a trial.
import type { Page as Tab } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Company } from '../../src/domain/companies/company.ts';
import type { TxtRecords } from '../../src/lib/txt-records.ts';
import { oidcRedirectUri } from '../../src/web/sso/oidc-connector.ts';
import { startApp, type TestApp } from '../support/app.ts';
import { violationsOn } from '../support/axe.ts';
import { useBrowser } from '../support/browser.ts';
import { type IdpSite, startIdpSite } from '../support/idp-site.ts';
import { makeCompany, makePerson, type TestPerson } from '../support/people.ts';
import { TestIdp, type UpstreamPerson } from '../support/saml-idp.ts';
import { logIn, sayWho } from '../support/steps.ts';
import { type ProviderUpstream, startProvider } from '../support/upstream-oidc.ts';

describe('an Admin sets up single sign-on', { timeout: 120_000 }, () => {
  const browser = useBrowser();
  const idp = new TestIdp();
  const zone = new Map<string, TxtRecords>();
  const directory = new Map<string, () => UpstreamPerson>();
  let app: TestApp;
  let company: Company;
  let site: IdpSite;
  let ada: TestPerson;

  beforeAll(async () => {
    app = await startApp({ start: true, txtRecords: async (host) => zone.get(host) ?? { outcome: 'none' } });
    company = await makeCompany(app, 'Northwind IT');
    // With one company alone nobody would be asked for its name.
    await makeCompany(app, 'Contoso');
    await makePerson(app, company, { username: 'root', role: 'Root Admin', email: 'root@northwind.example' });
    ada = await makePerson(app, company, { username: 'ada', role: 'Admin', email: 'ada@northwind.example' });
    await makePerson(app, company, { username: 'glen', role: 'Admin', email: 'glen@northwind.example' });
    site = await startIdpSite(app, idp, directory);
    directory.set('ada', () => upstream('ada', ['Everybody']));
    directory.set('mia', () => upstream('mia', ['Everybody', 'Finance']));
  });
  afterAll(async () => {
    site?.stop();
    await app?.stop();
  });

  /** It calls the address "mail", which nobody here has been told. */
  const upstream = (name: string, groups: string[]): UpstreamPerson => ({
    nameId: `id-of-${name}`,
    attributes: {
      mail: `${name}@northwind.example`,
      Username: name,
      FirstName: name,
      LastName: 'Upstream',
      memberOf: groups,
    },
  });

  const comeBackAs = async (tab: Tab, name: string) => {
    await tab.getByRole('heading', { name: 'Contoso asks who you are' }).waitFor();
    await tab.getByRole('link', { name, exact: true }).click();
  };

  const heading = (tab: Tab, name: string) => tab.getByRole('heading', { name, exact: true }).waitFor();
  const follow = (tab: Tab, name: string) => tab.getByRole('link', { name, exact: true }).click();
  const press = (tab: Tab, name: string) => tab.getByRole('button', { name, exact: true }).click();
  const told = (tab: Tab, words: string) => tab.getByRole('status').getByText(words).first().waitFor();

  async function atConsole(person: TestPerson): Promise<Tab> {
    const tab = await browser.open({ reducedMotion: 'reduce' });
    await tab.goto(app.url);
    await logIn(tab, app, person);
    await tab.getByRole('link', { name: 'Admin Settings' }).first().click();
    await follow(tab, 'Single Sign-On');
    return tab;
  }

  it('B.5 with SAML, from the first click to Enforce', async () => {
    const tab = await atConsole(ada);
    await connects(tab);
    await testsAndMends(tab);
    await enables(tab);
    await provesADomain(tab);
    await writesRules(tab);
    await keepsAWayIn(tab);
    await enforces(tab);
  });

  async function connects(tab: Tab): Promise<void> {
    await tab.getByText('No connection yet').waitFor();
    await follow(tab, 'Add connection');
    await tab.getByRole('link', { name: /^Other SAML 2\.0/ }).click();
    await tab.getByText(`${app.url}/sso/saml/callback`, { exact: true }).waitFor();
    await tab.getByText(company.identifier, { exact: true }).waitFor();
    expect(await violationsOn(tab)).toEqual([]);
    const name = tab.getByLabel('Name', { exact: true });
    const asked: string[] = [];
    tab.on('dialog', async (dialog) => {
      asked.push(dialog.type());
      await dialog.accept();
    });
    await name.fill('Contoso IdP');
    await tab.getByLabel('Metadata URL').fill(`${site.metadataUrl}/nowhere`);
    await press(tab, 'Read the address');
    await tab.getByRole('alert').waitFor();
    expect(await name.inputValue()).toBe('Contoso IdP');
    await name.fill('');
    await tab.getByLabel('Metadata URL').fill(site.metadataUrl);
    await press(tab, 'Read the address');
    await tab.getByText('The metadata is read, with 1 certificate.').waitFor();
    expect(await tab.getByLabel('Identity Provider Single Sign-On URL').inputValue()).toBe(site.ssoUrl);
    expect(await name.evaluate((field) => field === field.ownerDocument.activeElement)).toBe(true);
    expect(await violationsOn(tab)).toEqual([]);
    await name.fill('Contoso IdP');
    expect(asked).toEqual([]);
    await tab.getByText('Names of the attributes').click();
    await tab.getByLabel('Groups').fill('memberOf');
    await press(tab, 'Add connection');
    await told(tab, 'Test it next');
  }

  async function testsAndMends(tab: Tab): Promise<void> {
    await press(tab, 'Test Contoso IdP');
    await comeBackAs(tab, 'ada');
    await heading(tab, 'Something is missing');
    await tab.getByText('No e-mail came: the attribute "Email" was missing.').waitFor();
    const claim = tab.getByRole('row', { name: /^mail / });
    await claim.getByText('ada@northwind.example').waitFor();
    await claim.getByText('Nothing, but rules can read it').waitFor();
    expect(await violationsOn(tab)).toEqual([]);
    await follow(tab, 'write that name into the settings');
    await tab.getByLabel('E-mail').fill('mail');
    await press(tab, 'Save');
    await told(tab, 'The settings of Contoso IdP are saved.');
    await press(tab, 'Test Contoso IdP');
    await comeBackAs(tab, 'ada');
    await heading(tab, 'The test passed');
    await tab.getByText('Would be let in').waitFor();
    await tab.getByRole('row', { name: /^memberOf Everybody Groups/ }).waitFor();
  }

  async function enables(tab: Tab): Promise<void> {
    await follow(tab, 'Enable Contoso IdP');
    await press(tab, 'Enable Contoso IdP');
    await told(tab, 'Contoso IdP is enabled.');
    await heading(tab, 'What you can do next');
    expect(await violationsOn(tab)).toEqual([]);
  }

  async function provesADomain(tab: Tab): Promise<void> {
    await follow(tab, 'Prove an e-mail domain');
    await tab.getByRole('textbox', { name: 'Domain' }).fill('northwind.example');
    await press(tab, 'Add');
    await told(tab, 'Put the record into the DNS of northwind.example');
    await press(tab, 'Verify northwind.example');
    await tab.getByText(/^There is no TXT record at/).waitFor();
    const [host, record] = await tab.locator('.sso-domains code').allTextContents();
    zone.set(host ?? '', { outcome: 'found', records: [[record ?? '']] });
    await press(tab, 'Verify northwind.example');
    await told(tab, 'northwind.example is proved to be yours.');
    await follow(tab, 'Contoso IdP');
    await tab.getByText('1 of 5 done').waitFor();
  }

  async function writesRules(tab: Tab): Promise<void> {
    await follow(tab, 'Write mapping rules');
    await press(tab, 'Add a rule');
    await tab.getByLabel('Rule 1: value').fill('Finance');
    await tab.getByLabel('Rule 1: role').selectOption('Billing and Purchasing');
    await press(tab, 'Make the plan');
    await heading(tab, 'Plan');
    await follow(tab, 'Save the rules');
    await press(tab, 'Save the rules');
    await told(tab, 'The rules are saved.');
    await follow(tab, 'Overview');
    await tab.getByText('2 of 5 done').waitFor();
  }

  async function keepsAWayIn(tab: Tab): Promise<void> {
    await follow(tab, 'Open Enforce');
    await tab.getByText(/^Only .* could log in without single sign-on\./).waitFor();
    await follow(tab, 'Choose break-glass people');
    await tab.getByLabel('Search people by name, username and e-mail').fill('glen');
    await tab.getByRole('link', { name: /^Add/ }).click();
    await tab.getByLabel('Reason').fill('Nights and weekends');
    await tab.getByLabel('No end').check();
    await tab.getByRole('button', { name: /^Add/ }).click();
    await tab.getByRole('row', { name: /glen/ }).getByText('Way in').waitFor();
    await follow(tab, 'Contoso IdP');
    await tab.getByText('3 of 5 done').waitFor();
  }

  async function enforces(tab: Tab): Promise<void> {
    await follow(tab, 'Open Enforce');
    await tab.getByText('You have not logged in through Contoso IdP in the last 10 minutes.').waitFor();
    const address = (await tab.locator('a.address').first().textContent()) ?? '';
    await comesIn(address);
    await follow(tab, 'Look again');
    await press(tab, 'Start the trial of 30 minutes');
    await heading(tab, 'The trial runs: 30 minutes left');
    expect(await violationsOn(tab)).toEqual([]);
    // The password is refused now, and an address leads straight to the identity provider.
    const locked = await browser.open();
    await locked.goto(`${app.url}/login`);
    await sayWho(locked, 'ada', company.name);
    await heading(locked, 'Contoso asks who you are');
    // Tokens count in whole seconds: the login that confirms is a later one.
    app.clock.advance(1000);
    await comesIn(address);
    await follow(tab, 'Look again');
    await heading(tab, 'Log In with SSO is enforced');
    await follow(tab, 'Overview');
    await tab.getByText('4 of 5 done').waitFor();
  }

  /** In a private window, as the page says. */
  async function comesIn(address: string): Promise<void> {
    const tab = await browser.open();
    await tab.goto(address);
    await tab.getByRole('link', { name: 'Log in with Contoso IdP' }).click();
    await comeBackAs(tab, 'ada');
    await tab.getByRole('heading', { name: 'Welcome, Pat' }).waitFor();
  }

  it('B.5 with OpenID Connect, by its own guide', async () => {
    const admin = await makePerson(app, await makeCompany(app, 'Fabrikam'), {
      role: 'Admin',
      email: 'eva@fabrikam.example',
    });
    const redirectUri = oidcRedirectUri(app.url, admin.company.id);
    const claims = { email: 'eva@fabrikam.example', email_verified: true, given_name: 'Eva', family_name: 'Fabrikam' };
    const provider: ProviderUpstream = await startProvider([redirectUri], { eva: { ...claims, groups: ['Owners'] } });
    try {
      const tab = await atConsole(admin);
      await follow(tab, 'Add connection');
      await tab.getByRole('link', { name: /^OpenID Connect/ }).click();
      await tab.getByText(redirectUri, { exact: true }).waitFor();
      await tab.getByLabel('Name', { exact: true }).fill('Fabrikam ID');
      await tab.getByLabel('Issuer').fill(provider.issuer);
      await tab.getByLabel('Client ID').fill(provider.clientId);
      await tab.getByLabel('Client secret').fill('not the right one');
      await press(tab, 'Add connection');
      await press(tab, 'Test Fabrikam ID');
      await heading(tab, 'The test did not pass');
      await follow(tab, 'the settings here');
      await tab.getByLabel('Client secret').fill(provider.clientSecret);
      await press(tab, 'Save');
      await press(tab, 'Test Fabrikam ID');
      await heading(tab, 'The test passed');
      await tab.getByRole('row', { name: /^groups Owners Groups/ }).waitFor();
      await follow(tab, 'Enable Fabrikam ID');
      await press(tab, 'Enable Fabrikam ID');
      await told(tab, 'Fabrikam ID is enabled.');
      await heading(tab, 'What you can do next');
    } finally {
      await provider.stop();
    }
  });
});
