// The dashboard: its numbers are those of the database, and reading them is cheap.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sealEvents } from '../../../src/domain/audit/sealing.ts';
import type { Company } from '../../../src/domain/companies/company.ts';
import { inviteUser } from '../../../src/domain/users/commands.ts';
import { days } from '../../../src/lib/time.ts';
import { startApp, type TestApp } from '../../support/app.ts';
import { type AtDesk, atDesk, refusesOthers } from '../../support/console.ts';
import { givePassword, makeCompany, makePerson, signIn } from '../../support/people.ts';
import { type Page, unescapeHtml, wordsOf } from '../../support/visitor.ts';

let app: TestApp;
let company: Company;
let other: Company;
let desk: AtDesk;

beforeAll(async () => {
  app = await startApp();
  company = await makeCompany(app, 'Northwind');
  other = await makeCompany(app, 'Contoso');
  desk = await atDesk(app, company, { username: 'ada' });
});
afterAll(() => app.stop());

/** The table of a chart, row by row. */
function tableOf(page: Page, id: string): { label: string; values: number[] }[] {
  const part = page.body.slice(page.body.indexOf(`id="${id}-numbers"`));
  const body = part.slice(part.indexOf('<tbody>'), part.indexOf('</tbody>'));
  return [...body.matchAll(/<tr>([\s\S]*?)<\/tr>/g)].map(([, row = '']) => ({
    label: unescapeHtml((/<th scope="row">([\s\S]*?)<\/th>/.exec(row)?.[1] ?? '').replace(/<[^>]*>/g, '')),
    values: [...row.matchAll(/data-value="(\d+)"/g)].map(([, value]) => Number(value)),
  }));
}

const totals = (page: Page) =>
  tableOf(page, 'sign-ins').reduce(
    (sum, { values: [ok = 0, bad = 0] }) => [sum[0] + ok, sum[1] + bad] as [number, number],
    [0, 0] as [number, number],
  );

async function open(query = ''): Promise<Page> {
  while ((await sealEvents(app.operator())) > 0);
  const page = await desk.visitor.send(`/admin${query}`);
  expect(page.status).toBe(200);
  return page;
}

describe('who may see it', () => {
  refusesOthers(() => ({ app, company }), ['/admin']);

  it('API-02 another company has its own numbers, and none of ours', async () => {
    const theirs = await atDesk(app, other);
    const lou = await makePerson(app, company, { username: 'lou.locked' });
    await app.runtime
      .db('users')
      .where({ id: lou.user.id })
      .update({ locked_until: new Date(app.clock.now().getTime() + 600_000) });
    const page = await theirs.visitor.send('/admin');
    expect(page.body).not.toContain('lou.locked');
    expect(tableOf(page, 'people').map(({ values }) => values[0])).toEqual([1, 0, 0, 0]);
    expect((await open()).body).toContain('lou.locked');
    await app.runtime.db('users').where({ id: lou.user.id }).update({ locked_until: null });
  });
});

describe('the numbers', () => {
  it('logins and refused ones by day, each counted once, other things not', async () => {
    const [ok, bad] = totals(await open());
    const person = await makePerson(app, company);
    for (let n = 0; n < 3; n += 1) {
      const visitor = app.visitor();
      await givePassword(visitor, await visitor.open('/login'), person, 'wrong');
    }
    await signIn(app, app.visitor(), person, '/login');
    expect(totals(await open())).toEqual([ok + 1, bad + 3]);
    expect(totals(await open()), 'looking changes nothing').toEqual([ok + 1, bad + 3]);
    const today = tableOf(await open(), 'sign-ins').at(-1);
    expect(today?.values).toEqual([ok + 1, bad + 3]);
    const { rows }: { rows: { ok: number; bad: number }[] } = await app.runtime.db.raw(
      `select (count(*) filter (where action = 'login.ok'))::int as ok, (count(*) filter (where action = 'login.fail'))::int as bad from audit_events where company_id = ?`,
      [company.id],
    );
    expect(rows[0]).toEqual({ ok: ok + 1, bad: bad + 3 });
  });

  it.each(['UTC', 'Asia/Kathmandu', 'Pacific/Kiritimati', 'America/St_Johns', 'Europe/Berlin'])(
    'days begin at midnight of the viewer: %s',
    async (zone) => {
      const twin = await makeCompany(app);
      const viewer = await atDesk(app, twin, {});
      await app.runtime.db('users').where({ id: viewer.person.user.id }).update({ time_zone: zone });
      // One login each 15 minutes for 40 days, so each whole day has 96; days of another length are another number.
      await app.runtime.db.raw(
        `insert into audit_events (at, company_id, action, actor, details)
         select date_bin('15 minutes', ?::timestamptz, '2000-01-01 00:00+00') - n * interval '15 minutes' + interval '1 minute', ?::uuid, 'login.fail', '{}', '{}' from generate_series(1, 3840) n`,
        [app.clock.now(), twin.id],
      );
      await sealEvents(app.operator());
      const local = new Intl.DateTimeFormat('en', { day: 'numeric', month: 'short', timeZone: zone });
      const expected = new Map<string, number>();
      const { rows }: { rows: { at: Date }[] } = await app.runtime.db.raw(
        `select at from audit_events where company_id = ? and action = 'login.fail'`,
        [twin.id],
      );
      for (const { at } of rows) expected.set(local.format(at), (expected.get(local.format(at)) ?? 0) + 1);
      for (const length of [7, 30, 90]) {
        const table = tableOf(await viewer.visitor.send(`/admin?days=${length}`), 'sign-ins');
        expect(table).toHaveLength(length);
        expect(table.at(-1)?.label).toBe(local.format(app.clock.now()));
        for (const { label, values } of table) expect(values[1], label).toBe(expected.get(label) ?? 0);
      }
    },
  );

  it('people by status and by 2FA; deleted ones are nobody', async () => {
    const firm = await makeCompany(app);
    const admin = await atDesk(app, firm);
    const person = async (change: object, options = {}) => {
      const made = await makePerson(app, firm, options);
      await app.runtime.db('users').where({ id: made.user.id }).update(change);
    };
    const now = app.clock.now().getTime();
    await person({ locked_until: new Date(now + 60_000) });
    await person({ locked_until: new Date(now - 60_000) });
    await person({ base_status: 'Deactivated', deactivated_reason: 'admin' }, { totpSecret: null });
    await person({ base_status: 'Deactivated', deactivated_reason: 'admin' });
    await inviteUser(app.operator(), firm.id, {
      firstName: 'I',
      lastName: 'Invited',
      email: 'i@example.com',
      username: 'i',
      role: 'User',
    });
    const page = await admin.visitor.send('/admin');
    expect(tableOf(page, 'people')).toEqual([
      { label: 'Active', values: [2] },
      { label: 'Invited', values: [1] },
      { label: 'LockedOut', values: [1] },
      { label: 'Deactivated', values: [2] },
    ]);
    expect(tableOf(page, 'second-factor')).toEqual([
      { label: 'Enrolled', values: [4] },
      { label: 'Not Enrolled', values: [2] },
    ]);
  });

  it('A2.6, T12 who is locked out, with Unlock; invitations that run out within three days, with Resend', async () => {
    const firm = await makeCompany(app);
    const admin = await atDesk(app, firm);
    const invite = async (username: string, left: number) => {
      const { user } = await inviteUser(app.operator(), firm.id, {
        firstName: 'Ida',
        lastName: 'Invited',
        email: `${username}@example.com`,
        username,
        role: 'User',
      });
      await app.runtime
        .db('links')
        .where({ user_id: user.id })
        .update({ expires_at: new Date(app.clock.now().getTime() + left) });
      return user.id;
    };
    const soon = await invite('soon', days(2));
    await invite('later', days(4));
    await invite('over', -days(1));
    const locked = await makePerson(app, firm, { username: 'lou' });
    await app.runtime
      .db('users')
      .where({ id: locked.user.id })
      .update({ locked_until: new Date(app.clock.now().getTime() + 540_000) });
    const page = await admin.visitor.send('/admin');
    expect(page.body).toContain(`href="/admin/users/${locked.user.id}/unlock"`);
    expect(page.body).toContain(`href="/admin/users/${soon}/resend"`);
    for (const username of ['later', 'over']) expect(wordsOf(page)).not.toContain(username);
    expect(wordsOf(page)).toContain('Lock ends in 9 minutes');
    expect(wordsOf(page)).toContain('Runs out in 2 days');
  });

  it('says that mails are kept where no mail server is set, not that they went out', async () => {
    const here = await makeCompany(app);
    const page = wordsOf(await (await atDesk(app, here)).visitor.send('/admin'));
    expect(app.runtime.config.smtpUrl).toBeUndefined();
    expect(page).toContain('No mail server is set, so mails are kept and not sent.');
    expect(page).toContain('kept: no mail server is set');
    expect(page).not.toContain('went out');
  });

  it('A3.9 mails that did not arrive, of the last 30 days, with what the server said', async () => {
    const firm = await makeCompany(app);
    const admin = await atDesk(app, firm);
    const mail = (recipient: string, state: string, ago: number, companyId = firm.id) => ({
      id: crypto.randomUUID(),
      company_id: companyId,
      kind: 'passwordReset',
      recipient,
      state,
      error: state === 'bounced' ? '550 5.1.1 <b>no such user</b>' : null,
      created_at: new Date(app.clock.now().getTime() - ago),
    });
    await app.runtime
      .db('mails')
      .insert([
        mail('gone@example.com', 'bounced', days(1)),
        mail('old@example.com', 'bounced', days(31)),
        mail('fine@example.com', 'sent', 0),
        mail('theirs@example.com', 'bounced', 0, other.id),
      ]);
    const page = await admin.visitor.send('/admin');
    const words = wordsOf(page);
    expect(words).toContain('gone@example.com Password reset 550 5.1.1 <b>no such user</b>');
    expect(page.body).not.toContain('<b>no such user</b>');
    for (const address of ['old@', 'fine@', 'theirs@']) expect(words).not.toContain(address);
  });

  it.each(['days=0', 'days=-7', 'days=90000', 'days=x', 'days=%00'])('nonsense is left out: %s', async (query) => {
    expect(tableOf(await open(`?${query}`), 'sign-ins')).toHaveLength(30);
  });

  it('lists are short, with the way to all of them', async () => {
    const firm = await makeCompany(app);
    const admin = await atDesk(app, firm);
    await app.runtime.db.raw(
      `insert into users (id, company_id, username, username_key, email, email_key, first_name, last_name, role, base_status, locked_until, must_set_password, must_enrol_2fa, source, created_at)
       select gen_random_uuid(), ?, 'many' || n, 'many' || n, 'many' || n || '@example.com', 'many' || n || '@example.com', 'Many', 'People', 'User', 'Active', ?, false, false, 'api', now()
       from generate_series(1, 1500) n`,
      [firm.id, new Date(app.clock.now().getTime() + 600_000)],
    );
    const page = await admin.visitor.send('/admin');
    expect(page.body.match(/\/unlock"/g)).toHaveLength(8);
    expect(wordsOf(page)).toContain('All more than 1,000 people');
  });
});
