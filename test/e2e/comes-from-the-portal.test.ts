// B.5: logins that begin on a page of the company's identity provider, and requests that reach it by HTTP-POST. It lives on another site,
// as a real one does, so that the browser's rules about cookies of other sites' forms count.
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Page as Tab } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Company } from '../../src/domain/companies/company.ts';
import { startApp, type TestApp } from '../support/app.ts';
import { violationsOn } from '../support/axe.ts';
import { useBrowser } from '../support/browser.ts';
import { expectGoodLooks, phone } from '../support/look.ts';
import { makeCompany, makePerson, type TestPerson } from '../support/people.ts';
import { connectIdp, TestIdp, upstreamPerson } from '../support/saml-idp.ts';
import { logIn, sayWho } from '../support/steps.ts';

async function textOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

describe('the page of the identity provider', { timeout: 60_000 }, () => {
  const browser = useBrowser();
  const idp = new TestIdp('portal');
  let app: TestApp;
  let company: Company;
  let person: TestPerson;
  let portal: Server;
  let url: string;

  beforeAll(async () => {
    app = await startApp();
    company = await makeCompany(app, 'Northwind IT');
    await makeCompany(app);
    person = await makePerson(app, company);
    portal = createServer((request, response) => {
      const show = (body: string) =>
        response
          .writeHead(200, { 'content-type': 'text/html; charset=utf-8' })
          .end(`<!doctype html><html lang="en"><link rel="icon" href="data:,"><title>Portal</title>${body}`);
      void (async () => {
        if (request.method === 'POST') {
          const form = new URLSearchParams(await textOf(request));
          const xml = Buffer.from(form.get('SAMLRequest') ?? '', 'base64').toString();
          return show(`<h1>${xml.includes('AuthnRequest') ? 'Contoso asks who you are' : 'Nothing was asked'}</h1>`);
        }
        const said = upstreamPerson('mia', { CompanyIdentifier: company.identifier });
        const answer = Buffer.from(await idp.answer(app, said)).toString('base64');
        show(`<h1>My apps</h1><form method="post" action="${app.url}/sso/saml/callback">
          <input type="hidden" name="SAMLResponse" value="${answer}"><button>Unified Login</button></form>`);
      })();
    });
    // We are at localhost: 127.0.0.1 is another site to a browser.
    await new Promise<void>((resolve) => portal.listen(0, '127.0.0.1', resolve));
    url = `http://127.0.0.1:${(portal.address() as AddressInfo).port}`;
    await connectIdp(app, company, idp, { name: 'Northwind Portal', saml: { allowIdpInitiated: true } });
    const posting = new TestIdp('posting');
    posting.ssoUrl = `${url}/sso`;
    await connectIdp(app, company, posting, { name: 'Northwind AD FS', saml: { postsRequests: true } });
  });
  afterAll(async () => {
    portal?.closeAllConnections();
    portal?.close();
    await app?.stop();
  });

  async function chooseTile(tab: Tab): Promise<void> {
    await tab.goto(url);
    await tab.getByRole('button', { name: 'Unified Login' }).click();
  }

  it('WEB-06 whoever is logged in is named, stays by a click, and gives way by another', async () => {
    const tab = await browser.open();
    await tab.goto(`${app.url}/login`);
    await logIn(tab, app, person);
    await tab.getByRole('heading', { name: `Welcome, ${person.user.firstName}` }).waitFor();
    await chooseTile(tab);
    await tab.getByRole('heading', { name: 'Go on as Mia Upstream?' }).waitFor();
    expect(await violationsOn(tab)).toEqual([]);
    await tab.getByRole('link', { name: `Stay as ${person.user.firstName}` }).click();
    await tab.getByRole('heading', { name: `Welcome, ${person.user.firstName}` }).waitFor();
    await chooseTile(tab);
    await tab.getByRole('button', { name: 'Go on as Mia Upstream' }).click();
    await tab.getByRole('heading', { name: 'Welcome, Mia' }).waitFor();
    // The same person again: nothing to ask.
    await chooseTile(tab);
    await tab.getByRole('heading', { name: 'Welcome, Mia' }).waitFor();
    expect(new URL(tab.url()).origin).toBe(app.url);
  });

  it('on a phone, in light and dark, with nobody logged in, and without scripts', async () => {
    const tab = await browser.open(phone);
    await chooseTile(tab);
    await tab.getByRole('heading', { name: 'Go on as Mia Upstream?' }).waitFor();
    await expectGoodLooks(tab, 'go on as');
    const plain = await browser.open({ javaScriptEnabled: false });
    await chooseTile(plain);
    await plain.getByRole('button', { name: 'Go on as Mia Upstream' }).click();
    await plain.getByRole('heading', { name: 'Welcome, Mia' }).waitFor();
  });

  it('our request goes there by a page that sends itself; without scripts, by its button', async () => {
    for (const javaScriptEnabled of [true, false]) {
      const tab = await browser.open({ javaScriptEnabled });
      await tab.goto(`${app.url}/login`);
      await sayWho(tab, 'mia', company.name);
      await tab.getByRole('link', { name: 'Log in with Northwind AD FS' }).click();
      if (!javaScriptEnabled) {
        await tab.getByRole('heading', { name: 'On to Northwind AD FS' }).waitFor();
        await tab.getByRole('button', { name: 'Continue' }).click();
      }
      await tab.getByRole('heading', { name: 'Contoso asks who you are' }).waitFor();
      expect(tab.url()).toBe(`${url}/sso`);
    }
  });
});
