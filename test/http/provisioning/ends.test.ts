// What is taken back, what is held back, and what a module is told of itself.
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Company } from '../../../src/domain/companies/company.ts';
import { disconnectInstance } from '../../../src/domain/integrations/connect-commands.ts';
import { addException } from '../../../src/domain/integrations/exception-commands.ts';
import { undoSuspension } from '../../../src/domain/provisioning/undo-commands.ts';
import { settingsChanged } from '../../../src/domain/standing/commands.ts';
import { endSessionsOf, resetSecondFactor } from '../../../src/domain/users/admin-commands.ts';
import { activateUser, deactivateUser } from '../../../src/domain/users/commands.ts';
import { sweepStanding } from '../../../src/jobs/standing-sweep.ts';
import { minutes } from '../../../src/lib/time.ts';
import { transaction } from '../../../src/work.ts';
import { startApp, type TestApp } from '../../support/app.ts';
import { until } from '../../support/attempts.ts';
import {
  answerOf,
  authorizeAddress,
  makeCompany,
  makePerson,
  pkce,
  signIn,
  type TestModule,
} from '../../support/people.ts';
import { type Connected, connectFake, deliveriesOf, giveAccount } from '../../support/provisioning.ts';
import { fakeAccount, ScimModule, send } from '../../support/scim-module.ts';

let app: TestApp;
let company: Company;
let fake: ScimModule;
let connected: Connected;
let counter = 0;

beforeAll(async () => {
  app = await startApp({ start: true });
  company = await makeCompany(app);
  fake = await new ScimModule().start();
});
afterAll(async () => {
  await app.stop();
  await fake.stop();
});
beforeEach(async () => {
  fake.accounts.clear();
  fake.events = [];
  fake.answer = () => false;
  connected = await connectFake(app, company, fake);
});

async function personWithAccount(permission = 'Team') {
  const person = await makePerson(app, company, { username: `end${++counter}` });
  const account = fakeAccount(person.user.email, { roles: [{ value: permission }] });
  await giveAccount(app, connected, fake, account, person.user.id);
  return { person, account };
}
const bodyOf = (token = '') => JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString());
const eventTypes = () => fake.events.map((token) => Object.keys(bodyOf(token).events)[0]);
const accounts = () => app.runtime.store.of(company.id).accounts;
const operator = () => app.operator();

describe('taking back', () => {
  it('says what to change first; with the access back it restores, also after it was given up', async () => {
    const { person, account } = await personWithAccount();
    const undo = () => undoSuspension(operator(), company.id, connected.instanceId, person.user.id);
    await expect(undo()).rejects.toThrow(/not held/);
    await deactivateUser(operator(), company.id, person.user.id);
    await until(async () => account.active === false);
    await expect(undo()).rejects.toThrow(
      'They were deactivated. Activate the person: the account is restored with it.',
    );
    let refuses = true;
    fake.answer = ({ method }, response) =>
      refuses && method === 'PATCH' ? send(response, 400, { detail: 'no' }) : false;
    await activateUser(operator(), company.id, person.user.id);
    await until(async () =>
      (await deliveriesOf(app, connected.instanceId, person.user.id)).some(
        ({ act, state, channel }) => act === 'restore' && state === 'given-up' && channel === 'scim',
      ),
    );
    refuses = false;
    await undo();
    await until(async () => account.active === true);
    await until(async () => (await accounts().findOf(connected.instanceId, person.user.id))?.life === 'live');
  });
});

describe('the last way in', () => {
  it('C36, A8.6 is not suspended while the login is required, and goes when there is another', async () => {
    const last = await personWithAccount('Full');
    await transaction(operator(), async (work) => {
      const { integrations } = work.store.of(company.id);
      await integrations.setRequire(connected.instanceId, {
        state: 'on',
        trialBeganAt: null,
        trialEndsAt: null,
        trialBy: null,
      });
    });
    const exempt = (of: typeof last) =>
      addException(operator(), company.id, connected.instanceId, {
        accountId: of.account.id,
        userName: of.account.userName,
        kind: 'person',
        reason: 'the last way in',
        endsAt: null,
        noEnd: true,
      });
    await exempt(last);
    await deactivateUser(operator(), company.id, last.person.user.id);
    const held = await until(async () => {
      const [one] = await deliveriesOf(app, connected.instanceId, last.person.user.id);
      return one ?? null;
    });
    expect(held).toMatchObject({ state: 'waiting', batchId: null });
    expect(held.answer?.words).toContain(last.account.userName);
    app.clock.advance(minutes(2));
    await sweepStanding(operator());
    expect(last.account.active).toBe(true);
    expect((await accounts().findOf(connected.instanceId, last.person.user.id))?.life).toBe('live');
    await exempt(await personWithAccount('Full'));
    app.clock.advance(minutes(2));
    await sweepStanding(operator());
    await until(async () => last.account.active === false);
  });
});

describe('what a module is told of itself', () => {
  it('that its settings have changed: once for what was not told yet', async () => {
    const tell = (cause: string) =>
      transaction(operator(), (work) =>
        settingsChanged(work, { companyId: company.id, instanceId: connected.instanceId, cause }),
      );
    await tell('saved by Ada Root');
    await until(async () => fake.events.length === 1);
    expect(bodyOf(fake.events[0])).toMatchObject({
      aud: connected.clientId,
      instance: connected.instanceId,
      events: { 'urn:unifiedlogin:event-type:settings-changed': {} },
    });
    expect(bodyOf(fake.events[0]).sub_id).toBeUndefined();
    // The module has it a moment before its answer is written down.
    const receipt = await until(async () =>
      (await deliveriesOf(app, connected.instanceId)).find(({ state }) => state === 'accepted'),
    );
    expect(receipt).toMatchObject({ act: 'settings-changed', reason: 'saved by Ada Root' });
    expect(receipt?.endedAt).not.toBeNull();
  });

  it('that all sessions of somebody are at an end, though the account stays (CAEP session-revoked)', async () => {
    const { person, account } = await personWithAccount();
    await resetSecondFactor(operator(), company.id, person.user.id);
    await until(async () =>
      eventTypes().includes('https://schemas.openid.net/secevent/caep/event-type/session-revoked'),
    );
    expect(bodyOf(fake.events[0]).sub_id.sub).toBe(person.user.id);
    app.clock.advance(minutes(2));
    await sweepStanding(operator());
    await endSessionsOf(operator(), company.id, person.user.id, null);
    await until(async () => fake.events.length === 2);
    expect(account.active).toBe(true);
    const states = async () =>
      (await deliveriesOf(app, connected.instanceId, person.user.id)).map(({ state }) => state).join();
    await until(async () => (await states()) === 'accepted,accepted');
  });

  it('that the connection has ended, after it has; nothing else goes there any more, and the receipts stay', async () => {
    const { person, account } = await personWithAccount();
    fake.delayMs = 0;
    fake.answer = ({ path }, response) => (path.startsWith('/scim') ? send(response, 500, {}) : false);
    await deactivateUser(operator(), company.id, person.user.id);
    await until(async () =>
      (await deliveriesOf(app, connected.instanceId, person.user.id)).some(({ state }) => state === 'failed'),
    );
    await disconnectInstance(operator(), company.id, connected.instanceId);
    await until(async () => eventTypes().includes('urn:unifiedlogin:event-type:disconnected'));
    expect(bodyOf(fake.events.at(-1))).toMatchObject({ aud: connected.clientId, instance: connected.instanceId });
    fake.answer = () => false;
    app.clock.advance(minutes(10));
    await until(async () => {
      const all = await deliveriesOf(app, connected.instanceId);
      return all.find(({ act, channel }) => act === 'suspend' && channel === 'scim')?.state === 'superseded';
    });
    expect(account.active).toBe(true);
  });
});

describe('who it is about', () => {
  it('OAU-25 a pairwise module hears the very name that its ID tokens say', async () => {
    const redirectUri = 'https://pairwise.example/callback';
    const own = await connectFake(app, company, fake, {
      metadata: { redirect_uris: [redirectUri], subject_type: 'pairwise', token_endpoint_auth_method: 'none' },
    });
    connected = own;
    const { person } = await personWithAccount();
    app.runtime.clients.invalidate();
    const module = { clientId: own.clientId, clientSecret: '', redirectUri } as TestModule;
    const visitor = app.visitor();
    const page = await signIn(app, visitor, person, authorizeAddress(module));
    const code = answerOf(page).get('code') ?? '';
    const answer = await app.visitor().send('/token', {
      form: {
        grant_type: 'authorization_code',
        code,
        redirect_uri: redirectUri,
        code_verifier: pkce.verifier,
        client_id: own.clientId,
      },
      headers: { accept: 'application/json' },
    });
    const { sub } = bodyOf(JSON.parse(answer.body).id_token);
    expect(sub).not.toBe(person.user.id);
    await deactivateUser(operator(), company.id, person.user.id);
    await until(async () => fake.events.length > 0);
    expect(bodyOf(fake.events[0]).sub_id.sub).toBe(sub);
  });
});
