// AUT-10, AUT-13, AUT-24: a sign-in stands on the very password that was proved. What is set meanwhile, at whatever node and by
// whatever clock, voids its second half, and no clock voids one that is good.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Company } from '../../../src/domain/companies/company.ts';
import { resetOwnSecondFactor } from '../../../src/domain/users/own-commands.ts';
import { sendPasswordReset } from '../../../src/domain/users/password-commands.ts';
import { minutes } from '../../../src/lib/time.ts';
import { startApp, type TestApp } from '../../support/app.ts';
import {
  atCode,
  eventsOf,
  giveCode,
  isHome,
  isSignedIn,
  linkIn,
  type Place,
  reload,
  stepOf,
  tryCode,
} from '../../support/attempts.ts';
import { TestClock } from '../../support/clock.ts';
import { codeOf, freshCode, makeCompany, makePerson, type TestPerson } from '../../support/people.ts';
import type { Page } from '../../support/visitor.ts';

const skew = minutes(3);

let app: TestApp;
let slow: TestApp;
let fast: TestApp;
let company: Company;
const newPassword = 'Amber-Lantern-77';

beforeAll(async () => {
  app = await startApp({ environment: { FAILURES_PER_ADDRESS: '100000' } });
  const clockOf = (ahead: number) => {
    const clock = new TestClock();
    clock.advance(ahead);
    return clock;
  };
  slow = await app.node(clockOf(-skew));
  fast = await app.node(clockOf(skew));
  company = await makeCompany(app, 'Northwind IT');
  await makeCompany(app, 'Another Company');
});
afterAll(() => app.stop());

/** By the mailed link, at a node. */
async function resetPassword(person: TestPerson, node: TestApp): Promise<TestPerson> {
  await sendPasswordReset(node.operator(), company, person.user);
  const visitor = node.visitor();
  const page = await visitor.open(await linkIn(app, person.user.email, 'passwordReset'));
  expect((await visitor.submit(page, { password: newPassword })).body).toContain('Your password is set');
  return { ...person, password: newPassword };
}

async function expectUntouched(person: TestPerson): Promise<void> {
  expect(await eventsOf(app, person, 'login.ok')).toEqual([]);
  expect(await eventsOf(app, person, 'login.fail')).toEqual([]);
  expect((await reload(app, person)).failures).toBe(0);
}

/** Does something with the person's row held, after the code was posted and has read its facts. */
async function meanwhile(place: Place, person: TestPerson, change: (table: TestApp['runtime']['db']) => Promise<void>) {
  const code = await freshCode(app, person);
  let answer: Promise<Page> | undefined;
  await app.runtime.db.transaction(async (trx) => {
    await trx('users').where({ id: person.user.id }).forUpdate().first();
    answer = tryCode(place, code);
    await new Promise((resolve) => setTimeout(resolve, 400));
    await change(trx as unknown as TestApp['runtime']['db']);
  });
  return { code, answer: await place.visitor.follow((await answer) as Page) };
}

describe('a password that is reset between the password and the code', () => {
  it.each([
    ['the same clock', () => app],
    ['a clock three minutes slow', () => slow],
    ['a clock three minutes fast', () => fast],
  ])('AUT-13, AUT-24 voids the sign-in, at another node with %s; the code is not spent', async (_what, node) => {
    const person = await makePerson(app, company);
    const place = await atCode(app, person);
    const changed = await resetPassword(person, node());
    const code = await freshCode(app, person);
    expect(stepOf(await place.visitor.follow(await tryCode(place, code)))).toBe('password');
    expect(await isSignedIn(place.visitor)).toBe(false);
    await expectUntouched(person);
    const own = await atCode(app, changed);
    expect(isHome(await own.visitor.follow(await tryCode(own, code)))).toBe(true);
  });

  it('AUT-13 voids it for a recovery code and for an enrolment, too', async () => {
    const person = await makePerson(app, company);
    const { visitor, page } = await atCode(app, person);
    const recovery = await visitor.submit(page, { method: 'recovery' }, '/code');
    await resetPassword(person, slow);
    expect(
      stepOf(await visitor.follow(await tryCode({ visitor, page: recovery }, 'aaaaaa-aaaaaa-aaaaaa-aaaaaa'))),
    ).toBe('password');
    await expectUntouched(person);

    const guest = await makePerson(app, company, { totpSecret: null });
    const enrolling = await atCode(app, guest);
    const secret = /data-copy="([A-Z2-7]{32})"/.exec(enrolling.page.body)?.[1] ?? '';
    await resetPassword(guest, slow);
    const code = codeOf(app, { ...guest, totpSecret: secret });
    expect(stepOf(await enrolling.visitor.submit(enrolling.page, { code }, '/enrol'))).toBe('password');
    expect(await app.runtime.store.of(company.id).credentials.findTotp(guest.user.id)).toBeNull();
  });

  it('AUT-13 voids it in the very moment in which the code is checked, and the code is not spent', async () => {
    const person = await makePerson(app, company);
    const place = await atCode(app, person);
    const hash = await app.runtime.hasher.hash(newPassword);
    const { code, answer } = await meanwhile(place, person, async (trx) => {
      await trx('credentials').where({ user_id: person.user.id }).update({ hash });
    });
    expect(stepOf(answer)).toBe('password');
    await expectUntouched(person);
    const own = await atCode(app, { ...person, password: newPassword });
    expect(isHome(await own.visitor.follow(await tryCode(own, code)))).toBe(true);
  });

  it.each([
    ['a new password', { must_set_password: true }],
    ['a new second factor', { must_enrol_2fa: true }],
  ])('AUT-24, A7.7 neither is a duty missed that comes up in that moment: %s', async (_what, duty) => {
    const person = await makePerson(app, company);
    const place = await atCode(app, person);
    const { answer } = await meanwhile(place, person, async (trx) => {
      await trx('users').where({ id: person.user.id }).update(duty);
    });
    expect(stepOf(answer)).toBe('password');
    await expectUntouched(person);
  });

  it('AUT-13 a reset and a code at the same moment never wait for each other in a circle', async () => {
    for (let i = 0; i < 4; i += 1) {
      const person = await makePerson(app, company);
      const place = await atCode(app, person);
      const code = await freshCode(app, person);
      await sendPasswordReset(app.operator(), company, person.user);
      const visitor = slow.visitor();
      const page = await visitor.open(await linkIn(app, person.user.email, 'passwordReset'));
      const [answer, set] = await Promise.all([tryCode(place, code), visitor.submit(page, { password: newPassword })]);
      expect([200, 303]).toContain(answer.status);
      expect(set.body).toContain('Your password is set');
      await place.visitor.follow(answer);
      expect(await isSignedIn(place.visitor)).toBe(false);
    }
  });
});

describe('clocks that differ', () => {
  it('AUT-13 a password that was just set at a node whose clock is ahead signs in at once', async () => {
    const changed = await resetPassword(await makePerson(app, company), fast);
    expect(isHome(await giveCode(app, await atCode(app, changed), changed))).toBe(true);
  });

  it('AUT-18 one that had to be chosen at a node whose clock is ahead goes on to the code at another', async () => {
    const person = await makePerson(app, company, { mustChangePassword: true });
    const { visitor, page } = await atCode(app, person);
    const next = await visitor.at(fast.port).submit(page, { password: newPassword }, '/set-password');
    expect(stepOf(next)).toBe('code');
    expect(isHome(await giveCode(app, { visitor, page: next }, person))).toBe(true);
  });

  it('AUT-24 recovery codes finish no sign-in once another factor took the place of its own, by whatever clock', async () => {
    const person = await makePerson(app, company, { totpSecret: null });
    const enrol = async (node: TestApp) => {
      const { visitor, page } = await atCode(app, person, node.visitor());
      const totpSecret = /data-copy="([A-Z2-7]{32})"/.exec(page.body)?.[1] ?? '';
      return { visitor, page: await visitor.submit(page, { code: codeOf(node, { ...person, totpSecret }) }, '/enrol') };
    };
    const first = await enrol(app);
    expect(stepOf(first.page)).toBe('recovery-codes');
    await resetOwnSecondFactor(app.runtime.work({ kind: 'user', id: person.user.id, name: person.user.username }), {
      companyId: company.id,
      userId: person.user.id,
      keepSession: 'none',
    });
    const second = await enrol(slow);
    expect(stepOf(second.page)).toBe('recovery-codes');
    expect(stepOf(await first.visitor.submit(first.page, {}, '/recovery-codes'))).toBe('password');
    expect(await isSignedIn(first.visitor)).toBe(false);
    // And the one who enrolled last goes on, at a node whose clock is behind the one that took the first code.
    expect(isHome(await second.visitor.at(app.port).submit(second.page, {}, '/recovery-codes'))).toBe(true);
  });
});
