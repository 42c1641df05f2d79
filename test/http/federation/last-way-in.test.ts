// C26: while single sign-on is enforced, no act takes the last administrator away who can log in without it. Each act of D.4 by its name.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  addBreakGlass,
  changeBreakGlass,
  listBreakGlass,
  removeBreakGlass,
  watchBreakGlass,
} from '../../../src/domain/federation/break-glass-commands.ts';
import {
  copyInvitationLink,
  deleteUser,
  endSessionsOf,
  resendInvitation,
  resetPassword,
  resetSecondFactor,
} from '../../../src/domain/users/admin-commands.ts';
import { startBulk } from '../../../src/domain/users/bulk-commands.ts';
import type { BulkAct } from '../../../src/domain/users/bulk-queries.ts';
import { activateUser, deactivateUser, recoverRoot, unlockUser } from '../../../src/domain/users/commands.ts';
import { editUser } from '../../../src/domain/users/edit-commands.ts';
import { resetOwnSecondFactor } from '../../../src/domain/users/own-commands.ts';
import { mustUseSso } from '../../../src/domain/users/sso-queries.ts';
import { canMend } from '../../../src/domain/users/sso-ways-in.ts';
import { listSsoWaysIn } from '../../../src/domain/users/sso-ways-in-queries.ts';
import type { Transition } from '../../../src/domain/users/user.ts';
import { days, after as later } from '../../../src/lib/time.ts';
import { startApp, type TestApp } from '../../support/app.ts';
import { arrive, claimsOf, groupsOf, makeConnection, propose, runTask, workAs } from '../../support/federation.ts';
import { makeCompany, makePerson } from '../../support/people.ts';
import { enforced } from '../../support/saml-idp.ts';

let app: TestApp;
beforeAll(async () => {
  app = await startApp();
}, 60_000);
afterAll(() => app.stop());

/** Enforced, and one administrator on the break-glass list is all there is: Root has lost the password. */
async function lastOne() {
  const company = await makeCompany(app);
  const root = await makePerson(app, company, { role: 'Root Admin' });
  const admin = await makePerson(app, company, { role: 'Admin' });
  const glass = await makePerson(app, company, { role: 'Admin' });
  const other = await makePerson(app, company);
  const connection = await makeConnection(app, company);
  const by = workAs(app, admin);
  const userId = glass.user.id;
  await addBreakGlass(by, company.id, { userId, reason: 'Nights', endsAt: null, noEnd: true });
  await app.runtime.store.of(company.id).connections.setEnforce(connection.id, enforced);
  await app.runtime.db('credentials').where({ user_id: root.user.id }).delete();
  return { company, companyId: company.id, connection, root, glass, other, by, userId };
}

type Stage = Awaited<ReturnType<typeof lastOne>>;

const ways = async ({ companyId }: Stage) =>
  (await listSsoWaysIn(app.operator(), companyId)).filter(canMend).map(({ userId }) => userId);

const isStillAWayIn = async (stage: Stage) => {
  expect(await ways(stage)).toEqual([stage.userId]);
  expect(await mustUseSso(app.operator(), stage.company, stage.glass.user)).toBe(false);
};

const lastWay = { code: 'last_way_in', message: expect.stringContaining('is the last administrator who can log in') };

describe('one act, on the last administrator who can log in without single sign-on', () => {
  /** `refused` by the rule of the last way in, `done` without taking it away, or refused by D.4 (`not theirs`) whatever is enforced. */
  const acts: Record<Transition, ['refused' | 'done' | 'not theirs', (stage: Stage) => Promise<unknown>]> = {
    deactivate: ['refused', ({ by, companyId, userId }) => deactivateUser(by, companyId, userId)],
    delete: ['refused', ({ by, companyId, userId }) => deleteUser(by, companyId, userId)],
    'change-role': ['refused', ({ by, companyId, userId }) => editUser(by, companyId, userId, { role: 'User' })],
    // The old password goes on until the link is used, and then the new one counts.
    'reset-password': ['done', ({ by, companyId, userId }) => resetPassword(by, companyId, userId)],
    // The password is a way in as before: a new factor is set up behind it.
    'reset-2fa': ['done', ({ by, companyId, userId }) => resetSecondFactor(by, companyId, userId)],
    unlock: ['done', ({ by, companyId, userId }) => unlockUser(by, companyId, userId)],
    'end-sessions': ['done', ({ by, companyId, userId }) => endSessionsOf(by, companyId, userId, null)],
    edit: ['done', ({ by, companyId, userId }) => editUser(by, companyId, userId, { lastName: 'Renamed' })],
    'change-email': [
      'done',
      ({ by, companyId, userId }) => editUser(by, companyId, userId, { email: `new-${userId}@example.com` }),
    ],
    activate: ['not theirs', ({ by, companyId, userId }) => activateUser(by, companyId, userId)],
    resend: ['not theirs', ({ by, companyId, userId }) => resendInvitation(by, companyId, userId)],
    'copy-link': ['not theirs', ({ by, companyId, userId }) => copyInvitationLink(by, companyId, userId)],
    // The operator's, on Root alone: what it hands over is a way in.
    recover: ['done', ({ companyId }) => recoverRoot(app.operator(), companyId)],
  };

  it.each(Object.entries(acts))('C26 %s', async (_, [expected, act]) => {
    const stage = await lastOne();
    if (expected === 'refused') await expect(act(stage)).rejects.toMatchObject({ status: 409, ...lastWay });
    else if (expected === 'not theirs') await expect(act(stage)).rejects.toMatchObject({ status: 409 });
    else await act(stage);
    await isStillAWayIn(stage);
  });

  it('C26 whoever resets their own second factor keeps the password, and sets up a new one', async () => {
    const stage = await lastOne();
    const { companyId, userId, glass } = stage;
    await resetOwnSecondFactor(workAs(app, glass), { companyId, userId, keepSession: 'none' });
    await isStillAWayIn(stage);
  });

  it('C26 of the list: the last place is not taken away, and does not end while it is enforced', async () => {
    const stage = await lastOne();
    const { by, companyId, userId } = stage;
    await expect(removeBreakGlass(by, companyId, userId)).rejects.toMatchObject({ status: 409, ...lastWay });
    const endsAt = later(app.clock.now(), days(1) / 2);
    await changeBreakGlass(by, companyId, userId, { reason: 'Nights', endsAt, noEnd: false });
    await watchBreakGlass(app.operator());
    const [kept] = await listBreakGlass(by, companyId);
    expect(kept?.endsAt?.getTime()).toBeGreaterThan(later(endsAt, days(5)).getTime());
    await isStillAWayIn(stage);
  });

  it('C23 mapping rules: neither a login nor a plan touches who is on the list', async () => {
    const stage = await lastOne();
    const { company, connection, glass } = stage;
    const rules = [{ when: { kind: 'group' as const, value: 'Clerks' }, role: 'User' as const }];
    const claims = claimsOf(glass.user.email, { groups: groupsOf('Clerks') });
    const come = () => arrive(app, connection, claims);
    expect(await come()).toMatchObject({ outcome: 'accepted' });
    await propose(app, company, connection.id, { rules, mapping: true });
    expect(await come()).toMatchObject({ outcome: 'accepted' });
    await isStillAWayIn(stage);
    const { role } = (await app.runtime.store.of(company.id).users.findById(glass.user.id)) ?? {};
    expect(role).toBe('Admin');
  });
});

describe('acts on many people at once', () => {
  it.each<[BulkAct]>([[{ act: 'deactivate' }], [{ act: 'delete' }], [{ act: 'change-role', role: 'User' }]])(
    'C26 $act leaves the last one out, says why, and goes on with the others',
    async (act) => {
      const stage = await lastOne();
      const { by, company, companyId, userId, other } = stage;
      const second = await makePerson(app, company, { role: 'Admin' });
      await addBreakGlass(by, companyId, { userId: second.user.id, reason: 'Days', endsAt: null, noEnd: true });
      const ids = [userId, second.user.id, other.user.id];
      const task = await startBulk(by, companyId, act, { ids });
      await runTask(app, company, task.id);
      const left = await ways(stage);
      expect(left).toHaveLength(1);
      expect(ids).toContain(left[0]);
      const rows = await app.runtime.db('task_rows').where({ task_id: task.id }).orderBy('position');
      const kept = rows.filter(({ user_id }) => user_id === left[0]);
      expect(kept.map(({ message }) => message)).toEqual([expect.stringContaining('is the last administrator')]);
      expect(rows.filter(({ outcome }) => outcome === 'succeeded')).toHaveLength(2);
    },
  );

  it('C26 two who each take another one away at the same moment: one of them is refused', async () => {
    const stage = await lastOne();
    const { by, company, companyId, userId } = stage;
    const second = await makePerson(app, company, { role: 'Admin' });
    await addBreakGlass(by, companyId, { userId: second.user.id, reason: 'Days', endsAt: null, noEnd: true });
    const ended = await Promise.allSettled([
      deactivateUser(by, companyId, userId),
      editUser(by, companyId, second.user.id, { role: 'User' }),
    ]);
    expect(ended.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    expect(ended.find((one) => one.status === 'rejected')?.reason).toMatchObject(lastWay);
    expect(await ways(stage)).toHaveLength(1);
  });
});
