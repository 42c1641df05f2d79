// A leaver's whole way with real deliveries: an account is made ahead of time, the person enters, leaves, and everything that had to end
// is told with the moment in which it ended (C36).
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Company } from '../../../src/domain/companies/company.ts';
import { createGroup } from '../../../src/domain/groups/commands.ts';
import { addMembers } from '../../../src/domain/groups/member-commands.ts';
import { findProduct } from '../../../src/domain/modules/catalogue.ts';
import { readEndOfAccess } from '../../../src/domain/provisioning/proof-commands.ts';
import { deactivateUser } from '../../../src/domain/users/commands.ts';
import type { InstanceId } from '../../../src/lib/ids.ts';
import { startApp, type TestApp } from '../../support/app.ts';
import { type FakeServer, startFake } from '../../support/contract-fake.ts';
import {
  answerOf,
  authorizeAddress,
  makeCompany,
  makeModule,
  makePerson,
  redeem,
  signIn,
} from '../../support/people.ts';

let app: TestApp;
let company: Company;
let server: FakeServer;
let listener: Server;
let logouts = 0;
let isListening = false;

beforeAll(async () => {
  app = await startApp({ start: true });
  server = await startFake();
  listener = createServer((request, response) => {
    request.resume();
    logouts += 1;
    response.writeHead(isListening ? 200 : 503).end();
  });
  await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve));
  company = await makeCompany(app, 'Northwind IT');
});
afterAll(async () => {
  await app.stop();
  await server.stop();
  await new Promise((resolve) => listener.close(resolve));
});

async function until<T>(look: () => Promise<T | false | undefined | null>): Promise<T> {
  for (let i = 0; i < 200; i++) {
    const found = await look();
    if (found) return found;
    // The domain's clock moves on with ours, so that what is to be done later comes due.
    app.clock.advance(200);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error('it never came');
}

it('C36, A8.8 from the first account to the proof that all access has ended', async () => {
  const address = listener.address() as AddressInfo;
  const module = await makeModule(
    app,
    [company],
    { backchannel_logout_uri: `http://localhost:${address.port}/logout` },
    { scim: { url: server.url, token: server.token } },
  );
  const { db } = app.runtime;
  await db('modules')
    .where({ id: module.module.id })
    .update({ profile: JSON.stringify(findProduct('workplace')?.profile) });
  const [instance]: { id: InstanceId }[] = await db('module_instances').where({ module_id: module.module.id });
  if (!instance) throw new Error('not connected');
  const values = JSON.stringify({ permission: 'Team Access', timeZone: 'Europe/Berlin' });
  await db('integration_settings')
    .insert({ company_id: company.id, instance_id: instance.id })
    .onConflict('instance_id')
    .ignore();
  await db('integration_settings')
    .where({ instance_id: instance.id })
    .update({ provision: true, deprovision: true, provision_values: values });

  const person = await makePerson(app, company, { username: 'ben', groups: ['No Module Access'] });
  const group = await createGroup(app.operator(), company.id, {
    name: 'Technicians',
    isActive: true,
    instanceIds: [instance.id],
  });
  await addMembers(app.operator(), company.id, group.id, [person.user.id]);
  await until(async () => server.fake.accounts.some(({ active }) => active));
  await until(async () =>
    db('deliveries').where({ user_id: person.user.id, act: 'create', state: 'verified' }).first(),
  );

  const visitor = app.visitor();
  const page = await signIn(app, visitor, person, authorizeAddress(module));
  expect((await redeem(app, module, answerOf(page).get('code') ?? '')).status).toBe(200);

  await deactivateUser({ ...app.operator(), now: app.clock.now() }, company.id, person.user.id);
  const report = () => readEndOfAccess(app.operator(), company.id, person.user.id);
  // The module is down for logouts, and suspends all the same.
  const pending = await until(async () => {
    const { end } = await report();
    const logout = end.lines.find(({ name }) => name === 'logout');
    return (
      logouts > 0 &&
      logout?.sentence.includes('Not taken yet') &&
      end.lines.some(({ name, outcome }) => name === 'account' && outcome === 'ended') &&
      end
    );
  });
  expect(pending).toMatchObject({ state: 'pending', at: null });
  expect(server.fake.accounts.every(({ active }) => !active)).toBe(true);

  isListening = true;
  const ended = await until(async () => {
    const { end } = await report();
    return end.state === 'ended' && end;
  });
  expect(ended.at?.getTime()).toBe(Math.max(...ended.lines.map(({ at }) => at?.getTime() ?? 0)));
  expect(ended.lines.map(({ name }) => name)).toEqual(['act', 'sessions', 'tokens', 'logout', 'account']);
  const { facts, events } = await report();
  expect(facts).toMatchObject({ sessionsEnded: 1, sessionsLeft: 0, tokensLeft: 0 });
  expect(events.map(({ action }) => action)).toEqual(
    expect.arrayContaining(['user.deactivate', 'session.end', 'module.deprovision']),
  );
  // Sealed within a moment, so that the proof names their places in the chain.
  const sealed = await until(async () => {
    const { events } = await report();
    return events.every(({ chain }) => chain !== null) && events;
  });
  expect(sealed[0]?.chain?.hash).toMatch(/^[0-9a-f]{64}$/);
}, 60_000);
