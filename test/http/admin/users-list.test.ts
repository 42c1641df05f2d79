// User Management: the list (A1.1, A1.2, A6.1, A6.2, A10.5, A2.6, A2.7).
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Company } from '../../../src/domain/companies/company.ts';
import { createGroup } from '../../../src/domain/groups/commands.ts';
import { deactivateUser, inviteUser } from '../../../src/domain/users/commands.ts';
import { startApp, type TestApp } from '../../support/app.ts';
import { type AtDesk, atDesk, refusesOthers } from '../../support/console.ts';
import { makeCompany, makePerson } from '../../support/people.ts';

const list = '/admin/users';

describe('the list of users', () => {
  let app: TestApp;
  let company: Company;
  let other: Company;
  let admin: AtDesk;
  let groupId: string;

  beforeAll(async () => {
    app = await startApp();
    company = await makeCompany(app);
    other = await makeCompany(app);
    await makePerson(app, other, { username: 'stranger.of.another.company' });
    admin = await atDesk(app, company, { username: 'zoe.admin' });
    const group = await createGroup(app.operator(), company.id, { name: 'Field', isActive: true });
    groupId = group.id;
    const people: [username: string, firstName: string, lastName: string, groups?: string[]][] = [
      ['ada', 'Ada', 'Øst'],
      ['ben_1', 'Ben', 'Zimmer', ['Field']],
      ['ben%2', 'Benedikt', 'Åberg'],
      ['carl', 'Carl', 'Abel'],
    ];
    for (const [username, firstName, lastName, groups] of people)
      await inviteUser(app.operator(), company.id, {
        firstName,
        lastName,
        email: `${username.replace('%', '')}@mail.example`,
        username,
        role: username === 'carl' ? 'Billing and Purchasing' : 'User',
        ...(groups ? { groups } : {}),
      });
    const gone = await makePerson(app, company, { username: 'dora' });
    await deactivateUser(app.operator(), company.id, gone.user.id);
    const locked = await makePerson(app, company, { username: 'lou' });
    await app.runtime
      .db('users')
      .where({ id: locked.user.id })
      .update({ locked_until: new Date(app.clock.now().getTime() + 9 * 60_000) });
  });
  afterAll(() => app.stop());

  const usernames = async (query: string): Promise<string[]> => {
    const page = await admin.visitor.open(`${list}?${query}`);
    expect(page.status).toBe(200);
    return [...page.body.matchAll(/data-label="Username"[^>]*>\s*<a[^>]*>([^<]+)</g)].map((match) => match[1] ?? '');
  };

  refusesOthers(() => ({ app, company: other }), [list, `${list}?q=a`]);

  it('A1.2, API-02 shows everybody of the own company and nobody of another', async () => {
    const all = await usernames('');
    expect(all.sort()).toEqual(['ada', 'ben%2', 'ben_1', 'carl', 'dora', 'lou', 'zoe.admin']);
    expect(await usernames('q=stranger')).toEqual([]);
  });

  it.each([
    ['q=BEN', ['ben%2', 'ben_1']],
    ['q=zim+be', ['ben_1']],
    ['q=_1', ['ben_1']],
    ['q=%25', ['ben%2']],
    ['q=mail.example', ['ben%2', 'carl', 'ada', 'ben_1']],
    ['q=nobody%00here', []],
    ['role=Billing+and+Purchasing', ['carl']],
    ['role=Emperor', ['ben%2', 'carl', 'zoe.admin', 'dora', 'lou', 'ada', 'ben_1']],
    ['status=LockedOut', ['lou']],
    ['status=Active', ['zoe.admin']],
    ['status=Deactivated', ['dora']],
    ['status=Invited&q=ad', ['ada']],
    ['2fa=enrolled', ['zoe.admin', 'dora', 'lou']],
    ['2fa=not-enrolled', ['ben%2', 'carl', 'ada', 'ben_1']],
  ])('A6.2 %s finds %j', async (query, expected) => {
    expect((await usernames(query)).sort()).toEqual([...expected].sort());
  });

  it('A6.2 finds the members of a group; an unknown group is no filter, and one of another company is empty', async () => {
    expect(await usernames(`group=${groupId}`)).toEqual(['ben_1']);
    expect((await usernames('group=no-uuid')).length).toBe(7);
    const theirs = await createGroup(app.operator(), other.id, { name: 'Theirs', isActive: true });
    expect(await usernames(`group=${theirs.id}`)).toEqual([]);
  });

  it.each([
    ['firstName', ['ada', 'ben_1', 'ben%2', 'carl']],
    ['lastName', ['carl', 'ben%2', 'ada', 'ben_1']],
    ['username', ['ada', 'ben%2', 'ben_1', 'carl']],
    ['email', ['ada', 'ben_1', 'ben%2', 'carl']],
  ])('A6.1 orders by %s as people read names, up and down', async (sort, expected) => {
    const ascending = await usernames(`q=mail.example&sort=${sort}`);
    if (sort !== 'email') expect(ascending).toEqual(expected);
    expect(await usernames(`q=mail.example&sort=${sort}&direction=descending`)).toEqual([...ascending].reverse());
  });

  it('A6.1 orders by status with the locked behind the active, and by 2FA', async () => {
    expect(await usernames('sort=status')).toEqual([
      'zoe.admin',
      'lou',
      'dora',
      ...(await usernames('sort=status')).slice(3),
    ]);
    expect((await usernames('sort=secondFactor')).slice(0, 3).sort()).toEqual(['dora', 'lou', 'zoe.admin']);
  });

  it('pages, and keeps all that was chosen in the addresses it offers', async () => {
    const page = await admin.visitor.open(`${list}?size=25&sort=email&q=mail`);
    expect(page.body).toContain('1 to 4 of 4');
    expect(page.body).toContain('/admin/users?size=25&#38;sort=email&#38;q=mail&#38;direction=descending');
    for (const nonsense of [
      'page=-1',
      'page=99999999999',
      'size=7',
      'page=1e3',
      'sort=__proto__',
      'direction=sideways',
    ])
      expect((await admin.visitor.open(`${list}?${nonsense}`)).status, nonsense).toBe(200);
  });

  it('A2.6, A2.7 offers Resend to the invited, Reset to those who are enrolled, Unlock to the locked', async () => {
    const rowOf = async (username: string) => {
      const { body } = await admin.visitor.open(`${list}?q=${encodeURIComponent(username)}`);
      return /<tbody>([\s\S]*?)<\/tr>/.exec(body)?.[1] ?? '';
    };
    const invited = await rowOf('ada');
    expect(invited).toContain('/resend"');
    expect(invited).not.toContain('/reset-2fa"');
    expect(invited).not.toContain('/deactivate"');
    const locked = await rowOf('lou');
    for (const act of ['unlock', 'reset-2fa', 'reset-password', 'deactivate', 'delete'])
      expect(locked).toContain(`/${act}"`);
    expect(locked).toContain('9 minutes left');
    const gone = await rowOf('dora');
    expect(gone).toContain('/activate"');
    expect(gone).not.toContain('/reset-password"');
    // D.10 no. 9: nobody acts on themselves.
    expect(await rowOf('zoe.admin')).not.toMatch(/\/(deactivate|delete)"/);
  });

  it('A10.5 keeps the columns of each person: hidden, shown, in their order', async () => {
    const page = await admin.visitor.open(`${list}?q=ada`);
    const heads = (body: string) =>
      [...body.matchAll(/<th scope="col"[^>]*>(?:<a[^>]*>)?([^<]+)</g)].map((match) => match[1]?.trim());
    const order = /name="order" value="([^"]+)"/.exec(page.body)?.[1]?.split(',') ?? [];
    const shown = Object.fromEntries(order.filter((key) => key !== 'role').map((key) => [`show-${key}`, 'yes']));
    const saved = await admin.visitor.submit(
      page,
      { order: order.join(','), ...shown, move: 'email:up', query: 'q=ada' },
      '/columns',
    );
    expect(saved.url).toContain('q=ada');
    expect(heads(saved.body).slice(0, 4)).toEqual(['First Name', 'Last Name', 'Email', 'Username']);
    expect(heads(saved.body)).not.toContain('Role');
    const colleague = await atDesk(app, company, { username: 'yan.admin' });
    expect(heads((await colleague.visitor.open(list)).body)).toContain('Role');
  });

  it('WEB-06 columns are saved by our own form only', async () => {
    const answer = await admin.visitor.send(`${list}/columns`, { form: { order: 'email' } });
    expect(answer.status).toBe(403);
  });

  it('API-16 markup in names and searches is words', async () => {
    const page = await admin.visitor.open(`${list}?q=${encodeURIComponent('"><script>alert(1)</script>')}`);
    expect(page.body).not.toContain('<script>alert');
    expect(page.body).toContain('Nobody matches');
  });
});
