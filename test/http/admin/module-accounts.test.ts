// The accounts of a module in the console: report, plans, links (B.7, C13, C28). Doors of all routes: doors.test.ts.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Company } from '../../../src/domain/companies/company.ts';
import { deactivateUser } from '../../../src/domain/users/commands.ts';
import type { InstanceId } from '../../../src/lib/ids.ts';
import { startApp, type TestApp } from '../../support/app.ts';
import { but, filled, post } from '../../support/connected.ts';
import { type AtDesk, atDesk, refusesOthers } from '../../support/console.ts';
import { connectForDrift, readNow, runReading, setDriftSettings } from '../../support/drift.ts';
import { makeCompany, makePerson, type TestPerson } from '../../support/people.ts';
import { ScimServer, type ScimUser, scimUser, sendJson } from '../../support/scim-server.ts';
import type { Page } from '../../support/visitor.ts';

describe('accounts of a module in the console', () => {
  let app: TestApp;
  let company: Company;
  let doors: Company;
  let instanceId: InstanceId;
  let admin: AtDesk;
  let ben: TestPerson;
  const scim = new ScimServer();
  let base: string;

  const account = (id: string, username: string, more: ScimUser = {}): ScimUser =>
    scimUser(id, {
      userName: username,
      emails: [{ value: `${username}@here.example` }],
      roles: [{ value: 'Team Access' }],
      ...more,
    });

  beforeAll(async () => {
    app = await startApp();
    await scim.start();
    company = await makeCompany(app);
    doors = await makeCompany(app);
    admin = await atDesk(app, company, { groups: ['No Module Access'] });
    instanceId = await connectForDrift(app, company, scim);
    base = `/admin/modules/${instanceId}/accounts`;
    await setDriftSettings(app, company, instanceId);
    ben = await makePerson(app, company, { username: 'ben', email: 'ben@here.example', groups: ['All Module Access'] });
  });
  afterAll(async () => {
    await scim.stop();
    await app?.stop();
  });

  refusesOthers(() => ({ app, company: doors }), ['/admin/modules/00000000-0000-7000-8000-000000000000/accounts']);

  const open = (path = ''): Promise<Page> => admin.visitor.open(`${base}${path}`);
  const send = (path: string, form: Record<string, string> = {}) =>
    post(admin.visitor, `${base}${path}`, Object.entries(form));
  const words = ({ body }: Page) =>
    body
      .replace(/<(script|style|head)[\s\S]*?<\/\1>/g, '')
      .replace(/<[^>]+>/g, ' ')
      .replace(/&#39;/g, "'")
      .replace(/\s+/g, ' ');
  const linesOf = (page: Page) =>
    [...page.body.matchAll(/<tr>\s*<td[\s\S]*?<\/tr>/g)].map(([row]) => words({ ...page, body: row }).trim());

  it('before the first reading it says what a reading does, and offers one', async () => {
    const page = await open();
    expect(page.status).toBe(200);
    expect(words(page)).toMatch(/have not been read yet.*changes nothing/);
    expect(page.body).toContain(`action="${base}/read"`);
  });

  it('a reading begins by a button, shows how far it is, and survives that one leaves', async () => {
    scim.users = [
      account('1', 'ben'),
      account('2', 'stray', { displayName: '=cmd()' }),
      account('3', '=HYPERLINK("x")', { roles: [{ value: 'Administrator' }] }),
    ];
    expect(await send('/read')).toMatchObject({ status: 303, headers: { location: base } });
    const under = await open();
    expect(under.body).toMatch(/id="progress"[^>]* hx-get="[^"]*\/accounts" hx-trigger="every 1s"/);
    expect(words(under)).toMatch(/Asking for the list/);
    expect(under.body).not.toContain(`action="${base}/read"`);
    // Pressed twice, it is the same reading.
    expect((await send('/read')).status).toBe(303);
    const open_ = await app.runtime.store.of(company.id).drift.findOpen(instanceId);
    await runReading(app, company, instanceId, open_?.id);
    const last = await admin.visitor.send(base, { headers: { 'hx-request': 'true', 'hx-target': 'progress' } });
    expect(last).toMatchObject({ status: 200, body: '', headers: { 'hx-refresh': 'true' } });
    const page = await open();
    expect(page.body).not.toContain('every 1s');
    expect(words(page)).toMatch(/3 accounts, read/);
    expect(words(page)).toMatch(/1 Matched 2 Orphan in the module/);
    expect(linesOf(page)).toHaveLength(2);
    expect(linesOf(page)[1]).toMatch(/stray Nobody Orphan in the module/);
  });

  it('filters by class, by word, and by what is new', async () => {
    expect(linesOf(await open('?class=matched'))).toEqual([expect.stringMatching(/^ben Pat Example Matched/)]);
    expect(linesOf(await open('?q=STRAY'))).toHaveLength(1);
    expect(words(await open('?q=nothing-like-it'))).toMatch(/Nothing matches/);
    expect(words(await open('?new=yes'))).toMatch(/Nothing matches/);
    expect((await open('?class=%00&q=%00&page=x&size=y')).status).toBe(200);
    scim.users.push(account('9', 'newcomer'));
    await readNow(app, company, instanceId);
    const page = await open('?new=yes');
    expect(linesOf(page)).toEqual([expect.stringMatching(/^newcomer Nobody Orphan in the module New/)]);
    expect(words(page)).toMatch(/3 Orphan in the module 1 new/);
  });

  it('API-09 the export has what the filter means, and no cell that a spreadsheet would run', async () => {
    const page = await open('?class=orphan');
    const href = /href="([^"]*\/export[^"]*)"/.exec(page.body)?.[1]?.replaceAll('&amp;', '&') ?? '';
    const file = await admin.visitor.open(href);
    expect(file.headers['content-type']).toMatch(/^text\/csv/);
    expect(file.headers['content-disposition']).toMatch(/attachment; filename="accounts-\d{4}-\d\d-\d\d\.csv"/);
    const lines = file.body.replace(/\r\n$/, '').split('\r\n');
    expect(lines[0]).toBe('\ufeffAccount,Person,Class,New,Administrator,Is,Should be,Why');
    expect(lines).toHaveLength(4);
    expect(lines[1]).toMatch(/^"'=HYPERLINK\(""x""\)",,Orphan in the module,,yes,/);
  });

  it('older reports stay readable in the history, without acts', async () => {
    const history = await open('/history');
    const links = [...history.body.matchAll(/href="([^"]*\/reports\/[^"]*)"/g)].map(([, href]) => href ?? '');
    expect(links).toHaveLength(2);
    const older = await admin.visitor.open(links[1] ?? '');
    expect(words(older)).toMatch(/This is an older report/);
    expect(linesOf(older)).toHaveLength(2);
    expect(older.body).not.toMatch(/accounts\/(link|plans\/new)/);
  });

  it('C28 an account is linked to a person by hand, and unlinked after a question', async () => {
    const cai = await makePerson(app, company, {
      username: 'cai',
      email: 'cai@here.example',
      emailVerified: false,
      groups: ['No Module Access'],
    });
    const ask = await open('/link?account=2&q=cai');
    expect(words(ask)).toMatch(/Whose account is stray\?/);
    expect(words(ask)).toContain('cai, cai@here.example, Active');
    const refused = await post(admin.visitor, `${base}/link`, but(filled(ask, `${base}/link`), {}));
    expect(refused.status).toBe(422);
    expect(words(refused)).toMatch(/Choose the person/);
    expect(words(refused)).toContain('cai, cai@here.example, Active');
    expect((await send('/link', { account: '2', person: ben.user.id })).status).toBe(409);
    expect((await send('/link', { account: '2', person: cai.user.id })).status).toBe(303);
    expect(words(await open())).toMatch(/The account is linked/);
    await readNow(app, company, instanceId);
    expect(linesOf(await open('?class=matched&q=stray'))).toHaveLength(0);
    const question = await open('/unlink?account=2');
    expect(words(question)).toMatch(/belongs to Pat Example now/);
    expect((await send('/unlink', { account: '2' })).status).toBe(303);
    expect((await send('/unlink', { account: '2' })).status).toBe(409);
    for (const path of ['/link', '/unlink'])
      for (const id of ['none', '', 'x'.repeat(300), '%00'])
        expect((await open(`${path}?account=${id}`)).status, id).toBe(404);
    expect((await send('/link', { account: '2', person: 'nobody' })).status).toBe(422);
    expect((await send('/link', { account: '2', person: company.id })).status).toBe(404);
  });

  it('API-02, API-01 what belongs to another company is not there, and no form is taken without its token', async () => {
    const other = await makeCompany(app);
    const theirs = await connectForDrift(app, other, scim);
    const stranger = await makePerson(app, other);
    await readNow(app, other, theirs);
    for (const path of ['', '/history', '/plans/new', '/link?account=1', '/unlink?account=1'])
      expect((await admin.visitor.open(`/admin/modules/${theirs}/accounts${path}`)).status, path).toBe(404);
    for (const path of ['/read', '/plans', '/link', '/unlink'])
      expect(
        (
          await post(admin.visitor, `/admin/modules/${theirs}/accounts${path}`, [
            ['account', '1'],
            ['person', ben.user.id],
            ['class', 'orphan'],
          ])
        ).status,
        path,
      ).toBe(404);
    expect((await send('/link', { account: '2', person: stranger.user.id })).status).toBe(404);
    const [report] = await app.runtime.store.of(other.id).drift.listDone(theirs, 1);
    // A report of theirs under a module of ours.
    expect((await open(`/reports/${report?.id}`)).status).toBe(404);
    expect((await open(`/reports/${report?.id}/export`)).status).toBe(404);
    for (const path of ['/read', '/plans', '/link', '/unlink'])
      expect((await admin.visitor.send(`${base}${path}`, { form: { account: '2' } })).status, path).toBe(403);
  });

  it('a plan is made of chosen classes, looked through, downloaded, applied as it stands', async () => {
    await deactivateUser(app.operator(), company.id, ben.user.id);
    await readNow(app, company, instanceId);
    const none = await post(admin.visitor, `${base}/plans`, [['orphans', 'suspend']]);
    expect(none.status).toBe(422);
    expect(words(none)).toMatch(/Choose what the plan is about/);
    expect(none.body).toMatch(/value="suspend" checked/);
    const made = await post(admin.visitor, `${base}/plans`, [
      ['class', 'status'],
      ['class', 'orphan'],
      ['orphans', 'ignore'],
    ]);
    expect(made.status).toBe(303);
    const here = made.headers.location ?? '';
    const page = await admin.visitor.open(here);
    expect(words(page)).toMatch(/Create 0 Change 0 Suspend 1 Give back 0 Leave alone 3/);
    expect(words(page)).toMatch(/Its inputs have the hash [0-9a-f]{12}/);
    expect(linesOf(await admin.visitor.open(`${here}?act=suspend`))).toEqual([
      expect.stringMatching(
        /^ben Pat Example Suspend Active · Team Access → then Suspended · Team Access Has no access any more/,
      ),
    ]);
    expect(linesOf(await admin.visitor.open(`${here}?q=newcomer`))).toHaveLength(1);
    const file = await admin.visitor.open(`${here}/export`);
    expect(file.body.split('\r\n')[0]).toBe('\ufeffAccount,Person,Act,Administrator,Before,After,Rule');
    expect(file.body.trim().split('\r\n')).toHaveLength(5);
    expect(await app.runtime.db('deliveries').where({ instance_id: instanceId, external_id: '2' })).toEqual([]);
    const applied = await post(admin.visitor, `${here}/apply`, []);
    expect(applied.headers.location).toMatch(/^\/admin\/tasks\//);
    const task = await admin.visitor.open(applied.headers.location ?? '');
    expect(words(task)).toMatch(/Apply a plan to 1 account/);
    expect(task.body).toContain('href="/admin/modules" aria-current="page"');
    expect(words(await admin.visitor.open(here))).toMatch(/Plan Applied/);
    expect((await open('/history')).body).toContain(here);
  });

  it('what has changed is shown, and a plan that is refused says so', async () => {
    const made = await post(admin.visitor, `${base}/plans`, [
      ['class', 'orphan'],
      ['orphans', 'suspend'],
    ]);
    const here = made.headers.location ?? '';
    await app.runtime
      .db('module_accounts')
      .where({ instance_id: instanceId, external_id: '9' })
      .update({ is_active: false });
    const page = await admin.visitor.open(here);
    expect(words(page)).toMatch(/1 line is not as they were|1 line is not as/);
    expect(words(page)).toMatch(
      /newcomer Was: Active · Team Access to Suspended · Team Access Now: Suspended · Team Access: left alone/,
    );
    expect(page.body).not.toContain(`action="${here}/apply"`);
    const refused = await post(admin.visitor, `${here}/apply`, []);
    expect(refused.status).toBe(409);
    expect(words(refused)).toMatch(/can’t be applied any more: make a new one/);
    expect((await post(admin.visitor, `${here}/drop`, [])).status).toBe(303);
    expect(words(await admin.visitor.open(here))).toMatch(/Plan Dropped/);
  });

  it('a plan that takes an administrator away is asked for by one, and applied by another', async () => {
    const made = await post(admin.visitor, `${base}/plans`, [
      ['class', 'orphan'],
      ['orphans', 'suspend'],
    ]);
    const here = made.headers.location ?? '';
    expect(words(await admin.visitor.open(here))).toMatch(
      /It takes an administrator of the module away\. So another administrator has to apply it/,
    );
    expect((await post(admin.visitor, `${here}/apply`, [])).headers.location).toBe(here);
    const waiting = await admin.visitor.open(here);
    expect(words(waiting)).toMatch(/Waits for a second administrator/);
    expect(waiting.body).not.toContain(`action="${here}/apply"`);
    expect((await post(admin.visitor, `${here}/apply`, [])).status).toBe(409);
    const second = await atDesk(app, company);
    expect(words(await second.visitor.open(here))).toMatch(/by applying it you confirm it as the second administrator/);
    expect((await post(second.visitor, `${here}/apply`, [])).headers.location).toMatch(/^\/admin\/tasks\//);
  });

  it('a reading that fails is told beside the last report', async () => {
    scim.answer = (_, response) => sendJson(response, {}, 401);
    await readNow(app, company, instanceId);
    const page = await open();
    expect(words(page)).toMatch(/The accounts could not be read\. It refused our credential/);
    expect(linesOf(page).length).toBeGreaterThan(0);
    expect(words(await open('/history'))).toMatch(/Failed It refused our credential/);
  });

  it('a module without an address for its accounts offers nothing that could not work', async () => {
    await app.runtime
      .db('module_instances')
      .where({ id: instanceId })
      .update({ scim_url: null, sealed_scim_token: null });
    expect((await open()).body).not.toContain(`action="${base}/read"`);
    expect((await send('/read')).status).toBe(409);
  });
});
