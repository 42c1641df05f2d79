// What somebody could try, or a fall could leave behind, to get around the second administrator and the guard of the last way in.
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Company } from '../../../src/domain/companies/company.ts';
import { createGroup } from '../../../src/domain/groups/commands.ts';
import { addMembers, removeMembers } from '../../../src/domain/groups/member-commands.ts';
import { addException } from '../../../src/domain/integrations/exception-commands.ts';
import { saveSettings } from '../../../src/domain/integrations/settings-commands.ts';
import { approveBatch, refuseBatch } from '../../../src/domain/provisioning/batch-commands.ts';
import { unlinkAccount } from '../../../src/domain/provisioning/drift-commands.ts';
import { reportEntry } from '../../../src/domain/provisioning/entry-commands.ts';
import { listReceivers } from '../../../src/domain/provisioning/facts-queries.ts';
import { resendDelivery, resendGivenUp } from '../../../src/domain/provisioning/receipt-commands.ts';
import { foundWords, reconcile, reconcileSome } from '../../../src/domain/provisioning/reconcile-commands.ts';
import { type QueuedHint, standingChanged } from '../../../src/domain/standing/commands.ts';
import { sweepStanding } from '../../../src/jobs/standing-sweep.ts';
import { type GroupId, newId, type UserId } from '../../../src/lib/ids.ts';
import { minutes } from '../../../src/lib/time.ts';
import { transaction } from '../../../src/work.ts';
import { startApp, type TestApp } from '../../support/app.ts';
import { makeCompany, makePerson, type TestPerson } from '../../support/people.ts';
import {
  type Connected,
  connectFake,
  deliveriesOf,
  giveAccount,
  makeCrowd,
  setSettings,
} from '../../support/provisioning.ts';
import { asPerson } from '../../support/requirement.ts';
import { type FakeAccount, fakeAccount, ScimModule } from '../../support/scim-module.ts';

let app: TestApp;
let company: Company;
let ada: TestPerson;
let ben: TestPerson;
let fake: ScimModule;
let connected: Connected;
let people: TestPerson[];
let accounts: FakeAccount[];
let groupId: GroupId;
let counter = 0;

beforeAll(async () => {
  app = await startApp();
  fake = await new ScimModule().start();
});
afterAll(async () => {
  await app.stop();
  await fake.stop();
});

// A company of its own for each: the sweep and the mails look at all that it has.
beforeEach(async () => {
  counter += 1;
  company = await makeCompany(app, `Second ${counter}`);
  ada = await makePerson(app, company, { role: 'Admin', groups: ['No Module Access'] });
  ben = await makePerson(app, company, { role: 'Admin', groups: ['No Module Access'] });
  people = [];
  for (let i = 0; i < 3; i += 1) people.push(await makePerson(app, company, { groups: ['No Module Access'] }));
  connected = await connectFake(app, company, fake, { events: false });
  groupId = (
    await createGroup(app.operator(), company.id, {
      name: 'Sales',
      isActive: true,
      instanceIds: [connected.instanceId],
    })
  ).id;
  await addMembers(app.operator(), company.id, groupId, userIds());
  accounts = [];
  // The first one administers the module, so that two of them wait.
  for (const [i, { user }] of people.entries()) {
    const account = fakeAccount(user.email, { roles: [{ value: i === 0 ? 'Full' : 'Team' }] });
    accounts.push(await giveAccount(app, connected, fake, account, user.id));
  }
});

const userIds = () => people.map(({ user }) => user.id);
const idOf = (at: number): UserId => people[at]?.user.id ?? ('' as UserId);

const hintOf = (more: Partial<QueuedHint> = {}): QueuedHint => ({
  companyId: company.id,
  userIds: userIds(),
  instanceIds: [connected.instanceId],
  cause: 'removed by ada',
  actId: newId(),
  actorId: ada.user.id,
  ...more,
});

const batches = (): Promise<{ id: string; state: string }[]> =>
  app.runtime.db('deprovision_batches').where({ company_id: company.id });
const waiting = () => app.runtime.store.of(company.id).batches.listWaiting(100);
const mails = async () => (await app.runtime.db('mails').where({ kind: 'batchWaits', company_id: company.id })).length;
const states = async () => (await deliveriesOf(app, connected.instanceId)).map(({ state }) => state);

async function waitingBatch(hint = hintOf()): Promise<string> {
  await removeMembers(asPerson(app, ada), company.id, groupId, userIds());
  await reconcile(app.operator(), hint);
  const [batch] = await waiting();
  if (!batch) throw new Error('nothing waits');
  return batch.id;
}

async function sweep(times = 1): Promise<void> {
  for (let i = 0; i < times; i += 1) {
    app.clock.advance(minutes(2));
    await sweepStanding(app.operator());
  }
}

describe('a batch that was refused', () => {
  it('is not asked about again at every sweep', async () => {
    await refuseBatch(asPerson(app, ben), company.id, await waitingBatch());
    const before = await mails();
    await sweep(3);
    expect([await mails(), (await batches()).length]).toEqual([before, 1]);
    expect(new Set(await states())).toEqual(new Set(['given-up']));
  });

  it('is not sent again by whoever caused it, neither all at once nor one by one', async () => {
    await refuseBatch(asPerson(app, ben), company.id, await waitingBatch());
    const [one] = await deliveriesOf(app, connected.instanceId);
    await expect(resendDelivery(asPerson(app, ada), company.id, one?.id ?? '')).rejects.toMatchObject({ status: 409 });
    expect(await resendGivenUp(asPerson(app, ada), company.id, connected.instanceId)).toMatchObject({ queued: 0 });
    expect(new Set(await states())).toEqual(new Set(['given-up']));
  });

  it('stays refused when a fallen node does the same act once more', async () => {
    const hint = hintOf();
    await refuseBatch(asPerson(app, ben), company.id, await waitingBatch(hint));
    await reconcile(app.operator(), hint);
    expect(new Set(await states())).toEqual(new Set(['given-up']));
    // A new act on one of them is a new word.
    await reconcile(app.operator(), hintOf({ userIds: [idOf(1)] }));
    expect(await states()).toContain('queued');
  });
});

describe('an act on a crowd', () => {
  it('is looked at as a whole: what was refused before stays refused, and its receipts say so, once for the last act', async () => {
    await refuseBatch(asPerson(app, ben), company.id, await waitingBatch());
    const words = async () =>
      (await deliveriesOf(app, connected.instanceId)).map(({ state, answer }) => [state, answer?.words]);
    const refused = `Refused by ${ben.user.username}: the account stays as it is.`;
    const all = (text: string) => people.map(() => ['given-up', text]);
    // The sweep, or settings that were saved, say nothing of these people.
    await reconcile(app.operator(), hintOf({ userIds: null }));
    expect(await words()).toEqual(all(refused));
    for (const cause of ['a group was deleted by ada', 'deactivated by ada']) {
      const crowd = Array.from({ length: 501 }, () => newId<UserId>());
      await app.runtime.db('pgboss.job').where({ name: 'reconcile' }).delete();
      await transaction(asPerson(app, ada), (work) =>
        standingChanged(work, { companyId: company.id, userIds: crowd, instanceIds: null, cause }),
      );
      const [{ data }] = await app.runtime.db('pgboss.job').where({ name: 'reconcile' }).select('data');
      await reconcile(app.operator(), data);
      expect(await words()).toEqual(
        all(
          `${refused} Since then: ${cause}, with more than 500 people at once, which is looked at as a whole and leaves what was refused as it is. Act on this person alone to end it.`,
        ),
      );
    }
  });
});

describe('what the sweep finds by itself', () => {
  it('is one crowd, however it comes in pieces: ten go, and then a second administrator is asked', async () => {
    const some = await makeCrowd(app, connected, fake, 24, `piece${counter}-`);
    // Without a hint, and a dozen people at a time.
    await app.runtime.db('group_members').whereIn('user_id', some).delete();
    const receivers = await listReceivers(app.operator(), company.id, [connected.instanceId]);
    for (const from of [0, 8, 16])
      await reconcileSome(
        app.operator(),
        {
          companyId: company.id,
          cause: foundWords,
          actId: newId(),
          actorId: null,
          isExplicit: false,
          isFound: true,
        },
        receivers,
        some.slice(from, from + 8),
      );
    const all = await states();
    expect(all.filter((state) => state === 'queued')).toHaveLength(8);
    expect(all.filter((state) => state === 'waiting')).toHaveLength(16);
    expect((await waiting()).map(({ people }) => people)).toEqual([8, 8]);
  });
});

describe('a module that switches deprovisioning on and off', () => {
  it('DOS-06 fills nobody’s mailbox: five mails an hour, and the batches stand in the list all the same', async () => {
    await removeMembers(asPerson(app, ada), company.id, groupId, userIds());
    const settings = { on: true, graceDays: 14, removal: 'disable' } as const;
    for (let i = 0; i < 8; i += 1) {
      await setSettings(app, company, connected.instanceId, { deprovisioning: settings });
      await reconcile(app.operator(), hintOf({ userIds: null }));
      expect((await states()).filter((state) => state === 'waiting')).toHaveLength(3);
      await setSettings(app, company, connected.instanceId, { deprovisioning: { ...settings, on: false } });
      await reconcile(app.operator(), hintOf({ userIds: null }));
    }
    expect([await mails(), (await batches()).length]).toEqual([5 * 2, 8]);
    app.clock.advance(minutes(61));
    await setSettings(app, company, connected.instanceId, { deprovisioning: settings });
    await reconcile(app.operator(), hintOf({ userIds: null }));
    expect(await mails()).toBe(6 * 2);
  });
});

describe('a batch that was judged, and whose deliveries came late', () => {
  it('waits for the second administrator nevertheless, and can be confirmed', async () => {
    const hint = hintOf({ userIds: null });
    const id = await waitingBatch(hint);
    // The node fell between the two commits, and a sweep saw nobody waiting.
    await app.runtime.db('deliveries').where({ instance_id: connected.instanceId }).delete();
    app.clock.advance(minutes(2));
    await app.runtime.store.of(company.id).batches.voidEmpty(app.clock.now());
    expect((await batches())[0]?.state).toBe('void');
    await reconcile(app.operator(), hint);
    expect(new Set(await states())).toEqual(new Set(['waiting']));
    expect((await waiting()).map((one) => one.id)).toEqual([id]);
    expect(await approveBatch(asPerson(app, ben), company.id, id)).toBe(3);
  });
});

describe('whoever acts in the module', () => {
  it('is the author of the batch, when their session there came through us: they cannot confirm it here', async () => {
    await removeMembers(asPerson(app, ada), company.id, groupId, userIds());
    await setSettings(app, company, connected.instanceId, {
      deprovisioning: { on: false, graceDays: 14, removal: 'disable' },
    });
    const inModule = (sub: string) =>
      app.runtime.work({ kind: 'module', name: 'Ada (in Workplace)', instanceId: connected.instanceId, sub });
    const stranger = await makePerson(app, await makeCompany(app), { role: 'Admin' });
    for (const [sub, author] of [
      [stranger.user.id, null],
      [ada.user.id, ada.user.id],
    ] as const) {
      const settings = await app.runtime.store.of(company.id).integrations.find(connected.instanceId);
      if (!settings) throw new Error('gone');
      const { version, provisioning, accessGroups } = settings;
      await app.runtime.db('pgboss.job').where({ name: 'reconcile' }).delete();
      await saveSettings(inModule(sub), company.id, connected.instanceId, {
        version,
        settings: {
          enabled: true,
          require: false,
          provisioning,
          deprovisioning: { on: true, graceDays: author === null ? 13 : 12, removal: 'disable' },
          accessGroups: { on: accessGroups.on, rules: [] },
        },
      });
      const [{ data }] = await app.runtime.db('pgboss.job').where({ name: 'reconcile' }).select('data');
      expect(data.actorId).toBe(author);
    }
  });
});

describe('sending again', () => {
  it('never takes the last way in away, and does all the others (C36, A8.6)', async () => {
    const [chief, other] = accounts;
    if (!chief || !other) throw new Error('no accounts');
    const given = async (userId: UserId, account: FakeAccount) => {
      const id = newId();
      await transaction(app.operator(), async (work) => {
        await work.store.of(company.id).deliveries.insert(
          [
            {
              id,
              instanceId: connected.instanceId,
              instanceName: 'Workplace',
              userId,
              person: account.userName,
              externalId: account.id,
              channel: 'scim',
              act: 'update',
              reason: 'test',
              batchId: null,
              wanted: { permissions: ['Read only'] },
              state: 'queued',
            },
          ],
          work.now,
        );
        await work.store.db('deliveries').where({ id }).update({ state: 'given-up', next_at: null });
      });
      return id;
    };
    const demotion = await given(idOf(0), chief);
    const plain = await given(idOf(1), other);
    await transaction(app.operator(), async (work) => {
      const require = { state: 'on', trialBeganAt: null, trialEndsAt: null, trialBy: null } as const;
      await work.store.of(company.id).integrations.hold(connected.instanceId);
      await work.store.of(company.id).integrations.setRequire(connected.instanceId, require);
    });
    await addException(app.operator(), company.id, connected.instanceId, {
      accountId: chief.id,
      kind: 'person',
      reason: 'the last way in',
      endsAt: null,
      noEnd: true,
    });
    const again = resendDelivery(asPerson(app, ada), company.id, demotion);
    await expect(again).rejects.toMatchObject({
      code: 'last_way_in',
      message: expect.stringContaining(chief.userName),
    });
    await resendGivenUp(asPerson(app, ada), company.id, connected.instanceId);
    const now = new Map((await deliveriesOf(app, connected.instanceId)).map(({ id, state }) => [id, state]));
    expect([now.get(demotion), now.get(plain)]).toEqual(['given-up', 'queued']);
  });
});

describe('an account that is unlinked', () => {
  it('gets nothing any more that was on its way for the person who had it', async () => {
    const account = accounts[1]?.id ?? '';
    const id = newId();
    await app.runtime.store.of(company.id).deliveries.insert(
      [
        {
          id,
          instanceId: connected.instanceId,
          instanceName: 'Workplace',
          userId: idOf(1),
          person: 'Somebody',
          externalId: account,
          channel: 'scim',
          act: 'update',
          reason: 'test',
          batchId: null,
          wanted: { email: 'old-owner@example.com' },
          state: 'queued',
        },
      ],
      app.clock.now(),
    );
    const at = { instanceId: connected.instanceId, externalId: account };
    await unlinkAccount(asPerson(app, ada), company.id, at);
    const [one] = (await deliveriesOf(app, connected.instanceId)).filter((delivery) => delivery.id === id);
    expect([one?.state, one?.answer?.words]).toEqual(['superseded', 'The account was unlinked from them.']);
  });
});

describe('an account that was removed and comes back to somebody', () => {
  it('is a new link, with its record and its hint', async () => {
    const account = accounts[1]?.id ?? '';
    await app.runtime.store.of(company.id).accounts.endLife(connected.instanceId, account, 'removed', 'over');
    const asModule = app.runtime.work({ kind: 'module', name: 'Workplace', instanceId: connected.instanceId });
    await removeMembers(asPerson(app, ada), company.id, groupId, [idOf(2)]);
    const newcomer = await makePerson(app, company, { groups: ['No Module Access'] });
    const reported = await reportEntry(asModule, company.id, connected.instanceId, {
      sub: newcomer.user.id,
      account: { id: account, userName: newcomer.user.email, isAdministrator: false },
      isCreated: true,
    });
    expect(reported.isNew).toBe(true);
    const found = await app.runtime.store.of(company.id).accounts.findOf(connected.instanceId, newcomer.user.id);
    expect(found).toMatchObject({ externalId: account, linkedBy: 'created', life: 'live', isActive: true });
  });
});
