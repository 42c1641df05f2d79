// Two people at one browser, both through an upstream with single logout: who logs out is who is logged out there.
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Company } from '../../../src/domain/companies/company.ts';
import { startApp, type TestApp } from '../../support/app.ts';
import { makeCompany } from '../../support/people.ts';
import { connectIdp, postAnswer, TestIdp, toUpstream, upstreamPerson } from '../../support/saml-idp.ts';
import type { Page, Visitor } from '../../support/visitor.ts';

let app: TestApp;
let company: Company;
const idp = new TestIdp('shared');

beforeAll(async () => {
  app = await startApp();
  await makeCompany(app);
  company = await makeCompany(app, 'Northwind IT');
  await connectIdp(app, company, idp, { saml: { sloUrl: idp.sloUrl, allowIdpInitiated: true } });
});
afterAll(() => app.stop());

async function arrive(visitor: Visitor, name: string): Promise<Page> {
  const page = await visitor.submit(await visitor.open('/login'), { username: name, company: company.name });
  const { id } = await toUpstream(visitor, page);
  const xml = await idp.answer(app, upstreamPerson(name), { inResponseTo: id, sessionIndex: `_${name}` });
  return visitor.open((await postAnswer(app, xml, id)).headers.location ?? '');
}

it('OAU-22 the next person at a shared computer goes on to the module, and is logged out at the upstream when they log out', async () => {
  const visitor = app.visitor();
  expect((await arrive(visitor, 'anna')).url).toBe(`${app.url}/`);
  const said = upstreamPerson('bert', { CompanyIdentifier: company.identifier });
  const xml = await idp.answer(app, said, { sessionIndex: '_bert' });
  const asked = await visitor.open((await postAnswer(app, xml)).headers.location ?? '');
  expect(asked.body).toContain('Go on as');
  const change = await visitor.submit(asked, {}, '/sso/arrive');
  const home = await visitor.submit(change, {}, '/session/end/confirm');
  expect([home.status, home.url], home.headers.location).toEqual([200, `${app.url}/`]);
  expect(home.body).toContain('bert');
  const left = await visitor.submitOnce(home, {}, '/sign-out');
  expect(left.headers.location).toContain(`${idp.sloUrl}?SAMLRequest=`);
});
