// WEB-04, AUT-12: the list of own sessions, and ending one or all others.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Company } from '../../../src/domain/companies/company.ts';
import { startApp, type TestApp } from '../../support/app.ts';
import { eventsOf, isSignedIn, postRaw, signedInVisitor } from '../../support/attempts.ts';
import { authorizeAddress, makeCompany, makeModule, makePerson, type TestPerson } from '../../support/people.ts';
import { type Visitor, wordsOf } from '../../support/visitor.ts';

let app: TestApp;
let company: Company;

beforeAll(async () => {
  app = await startApp();
  company = await makeCompany(app, 'Northwind IT');
  await makeCompany(app, 'Another Company');
});
afterAll(() => app.stop());

const page = (visitor: Visitor) => visitor.open('/settings/sessions');
const uidsOn = async (visitor: Visitor): Promise<string[]> =>
  [...(await page(visitor)).body.matchAll(/name="session" value="([^"]+)"/g)].map(([, uid]) => uid ?? '');

/** Uid of this very browser's session. */
async function ownUid(visitor: Visitor): Promise<string> {
  const item = (await page(visitor)).body.split('<li class="session">').find((part) => part.includes('This session'));
  return /name="session" value="([^"]+)"/.exec(item ?? '')?.[1] ?? '';
}

const browsers = async (person: TestPerson, count: number): Promise<Visitor[]> => {
  const visitors: Visitor[] = [];
  for (let i = 0; i < count; i += 1) visitors.push(await signedInVisitor(app, person));
  return visitors;
};

describe('own sessions', () => {
  it('WEB-04 are listed with device, address and modules, this one marked', async () => {
    const person = await makePerson(app, company);
    const module = await makeModule(app, [company]);
    const [here, there] = (await browsers(person, 2)) as [Visitor, Visitor];
    await there.open(authorizeAddress(module));
    const words = wordsOf(await page(here));
    expect(words.match(/This session/g)).toHaveLength(1);
    expect(words).toContain('Chrome on Windows');
    expect(words).toContain('127.0.0.1');
    expect(words).toContain(module.module.name);
    expect(await uidsOn(here)).toHaveLength(2);
  });

  it('WEB-04 end one by one, on both nodes at once', async () => {
    const second = await app.node();
    const person = await makePerson(app, company);
    const [here, there] = (await browsers(person, 2)) as [Visitor, Visitor];
    await here.submit(await page(here), { session: await ownUid(there) }, '/sessions/end');
    expect(await isSignedIn(here)).toBe(true);
    for (const node of [app, second]) expect(await isSignedIn(there.at(node.port))).toBe(false);
    expect(await eventsOf(app, person, 'session.end')).toMatchObject([{ details: { reason: 'ended-by-user' } }]);
  });

  it('WEB-04, AUT-12 end all but this one', async () => {
    const person = await makePerson(app, company);
    const [here, ...others] = (await browsers(person, 3)) as [Visitor, ...Visitor[]];
    const after = await here.submit(await page(here), {}, '/sessions/end-others');
    expect(wordsOf(after)).toContain('2 other sessions have ended.');
    expect(await Promise.all([here, ...others].map(isSignedIn))).toEqual([true, false, false]);
  });

  it('WEB-04 do not end for a post that names none of them: empty, unknown, or somebody else’s', async () => {
    const [person, other] = [await makePerson(app, company), await makePerson(app, company)];
    const [here, there] = (await browsers(person, 2)) as [Visitor, Visitor];
    const [stranger] = (await browsers(other, 1)) as [Visitor];
    for (const session of ['', 'unknown', await ownUid(stranger)])
      expect(wordsOf(await here.follow(await postRaw(here, '/settings/sessions/end', { session })))).toContain(
        'That session had ended already.',
      );
    await postRaw(here, '/settings/sessions/end', {});
    expect(await Promise.all([here, there, stranger].map(isSignedIn))).toEqual([true, true, true]);
  });

  it('WEB-04 are nobody’s business without a session', async () => {
    const person = await makePerson(app, company);
    const [here] = (await browsers(person, 1)) as [Visitor];
    const uid = await ownUid(here);
    expect((await app.visitor().send('/settings/sessions')).status).toBe(303);
    for (const path of ['/settings/sessions/end', '/settings/sessions/end-others'])
      expect((await postRaw(app.visitor(), path, { session: uid })).status).toBe(403);
    expect(await isSignedIn(here)).toBe(true);
  });
});
