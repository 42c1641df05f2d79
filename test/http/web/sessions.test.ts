// Sessions end: by time, by logging out, by their owner, by an operator; at once and on every node.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { endEverything } from '../../../src/domain/sessions/commands.ts';
import { deactivateUser } from '../../../src/domain/users/commands.ts';
import { hours, minutes } from '../../../src/lib/time.ts';
import { startApp, type TestApp } from '../../support/app.ts';
import {
  answerOf,
  authorizeAddress,
  givePassword,
  makeCompany,
  makeModule,
  makePerson,
  redeem,
  signIn,
  type TestModule,
  type TestPerson,
} from '../../support/people.ts';
import { isSignedIn, thief } from '../../support/sessions.ts';
import { type Page, type Visitor, wordsOf } from '../../support/visitor.ts';

describe('sessions', () => {
  let app: TestApp;
  let other: TestApp;
  let person: TestPerson;
  let second: TestPerson;
  let module: TestModule;

  beforeAll(async () => {
    app = await startApp();
    const company = await makeCompany(app, 'Northwind IT');
    await makeCompany(app);
    person = await makePerson(app, company, { username: 'pat' });
    second = await makePerson(app, company, { username: 'sam' });
    module = await makeModule(app, [company]);
    other = await app.node();
  });
  afterAll(() => app.stop());

  const signedIn = async (who = person): Promise<Visitor> => {
    const visitor = app.visitor();
    await signIn(app, visitor, who, '/');
    expect(await isSignedIn(visitor)).toBe(true);
    return visitor;
  };

  /** The domain's clock stands ahead meanwhile; the engine's own does not follow it. */
  async function later(act: (advance: (milliseconds: number) => void) => Promise<void>): Promise<void> {
    let ahead = 0;
    try {
      await act((milliseconds) => {
        app.clock.advance(milliseconds);
        ahead += milliseconds;
      });
    } finally {
      app.clock.advance(-ahead);
    }
  }

  it('WEB-03 an idle session ends on the server, whatever the cookie says', async () => {
    const visitor = await signedIn();
    await later(async (advance) => {
      advance(minutes(20));
      expect(await isSignedIn(visitor)).toBe(true);
      advance(minutes(29));
      expect(await isSignedIn(visitor), 'use prolongs it').toBe(true);
      advance(minutes(31));
      expect(await isSignedIn(visitor)).toBe(false);
      expect(await isSignedIn(visitor.at(other.port))).toBe(false);
    });
  });

  it('WEB-03 a session that is used all day ends at its absolute end', async () => {
    const visitor = await signedIn();
    await later(async (advance) => {
      for (let i = 1; i < 36; i += 1) {
        advance(minutes(20));
        expect(await isSignedIn(visitor), `after ${i * 20} minutes`).toBe(true);
      }
      advance(minutes(21));
      expect(await isSignedIn(visitor), 'after 12 hours').toBe(false);
    });
  });

  it('WEB-03 the engine knows no session whose time is over', async () => {
    const visitor = await signedIn();
    const silently = () => visitor.send(authorizeAddress(module, { prompt: 'none' }));
    expect(answerOf(await silently()).get('code')).toBeTruthy();
    const { rowCount }: { rowCount: number } = await app.runtime.db.raw(
      `update oidc_records set expires_at = now() - interval '1 second' where kind = 'Session' and session_uid in (
         select uid from sessions where user_id = ? and ended_at is null)`,
      [person.user.id],
    );
    expect(rowCount).toBeGreaterThan(0);
    expect(answerOf(await silently()).get('error')).toBe('login_required');
    expect(await isSignedIn(visitor)).toBe(false);
  });

  it('WEB-03 logging out ends the session on the server: the old cookie is worth nothing, on no node', async () => {
    const visitor = await signedIn();
    const kept = thief(app, visitor);
    const page = await visitor.submit(await visitor.open('/'), {}, '/sign-out');
    expect(page.url).toContain('/signed-out');
    expect(visitor.cookie('ul_session')).toBeUndefined();
    for (const browser of [kept, kept.at(other.port)]) {
      expect(await isSignedIn(browser)).toBe(false);
      expect(answerOf(await browser.send(authorizeAddress(module, { prompt: 'none' }))).get('error')).toBe(
        'login_required',
      );
    }
  });

  it('WEB-03 two people on one browser never mix', async () => {
    const visitor = await signedIn(person);
    const first = thief(app, visitor);
    const page = await visitor.open(authorizeAddress(module, { prompt: 'login' }));
    const restarted = await visitor.submit(page, {}, '/restart');
    let next = await signIn(app, visitor, second, restarted.url);
    // The engine logs the first one out, by a form that sends itself; this browser has no scripts.
    if (next.status === 200) next = await visitor.submit(next, {});
    const { body } = await redeem(app, module, answerOf(next).get('code') ?? '');
    const claims = JSON.parse(Buffer.from(String(body.id_token).split('.')[1] ?? '', 'base64url').toString());
    expect(claims.sub).toBe(second.user.id);
    const home = await visitor.open('/settings/profile');
    expect(wordsOf(home)).toContain(second.user.username);
    expect(wordsOf(home)).not.toContain(person.user.username);
    expect(await isSignedIn(first), 'the first session is over').toBe(false);
  });

  it('WEB-04 a person sees the own sessions, ends one, ends all others; at once and on both nodes', async () => {
    const owner = await makePerson(app, person.company);
    const here = await signedIn(owner);
    const there = await signedIn(owner);
    const elsewhere = await signedIn(owner);
    const stranger = await signedIn(second);
    const list = await here.open('/settings/sessions');
    const items = list.body.split('<li class="session">').slice(1);
    expect(items).toHaveLength(3);
    expect(items.filter((item) => item.includes('This session'))).toHaveLength(1);
    const ids = items
      .filter((item) => !item.includes('This session'))
      .map((item) => /name="session" value="([^"]+)"/.exec(item)?.[1] ?? '');
    expect(wordsOf(list)).toContain('Chrome on Windows');
    const { rows }: { rows: { uid: string }[] } = await app.runtime.db.raw(
      `select uid from sessions where user_id = ? and ended_at is null order by created_at desc, uid`,
      [owner.user.id],
    );
    for (const id of ids) expect(rows.map(({ uid }) => uid)).toContain(id);

    const csrf = /name="csrf" value="([^"]+)"/.exec(list.body)?.[1] ?? '';
    const end = (session: string) => here.send('/settings/sessions/end', { form: { csrf, session } });
    for (const id of ids.slice(0, 1)) expect((await end(id)).status).toBe(303);
    const alive = async () => [await isSignedIn(there.at(other.port)), await isSignedIn(elsewhere.at(other.port))];
    expect((await alive()).filter(Boolean)).toHaveLength(1);

    // Somebody else's session is not one's own to end.
    const { rows: theirs }: { rows: { uid: string }[] } = await app.runtime.db.raw(
      'select uid from sessions where user_id = ? and ended_at is null',
      [second.user.id],
    );
    for (const { uid } of theirs) await end(uid);
    expect(await isSignedIn(stranger)).toBe(true);

    await here.send('/settings/sessions/end-others', { form: { csrf } });
    expect(await alive()).toEqual([false, false]);
    expect(await isSignedIn(here)).toBe(true);
    expect(await isSignedIn(stranger)).toBe(true);
  });

  it('WEB-04 an operator ends all sessions of a person, and a deactivation does; at once and on both nodes', async () => {
    const leaver = await makePerson(app, person.company);
    const first = await signedIn(leaver);
    await endEverything(app.operator(), { companyId: leaver.company.id, userId: leaver.user.id }, 'ended-by-user');
    expect([await isSignedIn(first), await isSignedIn(first.at(other.port))]).toEqual([false, false]);
    const again = await signedIn(leaver);
    await deactivateUser(other.operator(), leaver.company.id, leaver.user.id);
    expect([await isSignedIn(again), await isSignedIn(again.at(other.port))]).toEqual([false, false]);
    const refused: Page = await givePassword(again, await again.open('/login'), leaver);
    expect(refused.status).toBe(422);
  });

  it('WEB-03 a waiting sign-in runs out within an hour', async () => {
    const visitor = app.visitor();
    await visitor.open('/login');
    const ticket = visitor.jar.find(({ name }) => name === 'ul_ticket');
    const expires = Date.parse(/expires=([^;]+)/i.exec(ticket?.attributes ?? '')?.[1] ?? '');
    expect(expires - Date.now()).toBeLessThanOrEqual(hours(1));
    const { rows }: { rows: { left: number }[] } = await app.runtime.db.raw(
      `select max(extract(epoch from expires_at - now()))::float8 as left from oidc_records where kind = 'Interaction'`,
    );
    expect(rows[0]?.left).toBeLessThanOrEqual(3600);
  });
});
