// My Settings, My Modules (B.6): each person renames, reorders and points their own tiles, and nobody else's.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Company } from '../../../src/domain/companies/company.ts';
import { arrangeOwnTiles } from '../../../src/domain/modules/tile-commands.ts';
import { startApp, type TestApp } from '../../support/app.ts';
import { type AtDesk, atDesk } from '../../support/console.ts';
import { makeCompany, makeModule } from '../../support/people.ts';
import type { Page, Visitor } from '../../support/visitor.ts';

const address = '/settings/modules';

describe('My Modules', () => {
  let app: TestApp;
  let company: Company;
  let ben: AtDesk;
  let ids: string[];

  beforeAll(async () => {
    app = await startApp();
    company = await makeCompany(app);
    for (const name of ['Alpha', 'Beta', 'Gamma'])
      await makeModule(
        app,
        [company],
        { initiate_login_uri: `https://${name.toLowerCase()}.example/initiate-login` },
        { name, ...(name === 'Gamma' ? { landingUrl: 'https://gamma.example/start' } : {}) },
      );
    ben = await atDesk(app, company, { role: 'User' });
    ids = tilesOn(await ben.visitor.open(address));
  });
  afterAll(() => app.stop());

  const tilesOn = (page: Page) => [...page.body.matchAll(/name="id" value="([^"]+)"/g)].map(([, id = '']) => id);
  const namesOnHome = (page: Page) => [...page.body.matchAll(/class="tile-name">([^<]*)</g)].map(([, name]) => name);
  const launcherOn = (page: Page) => {
    const launcher = /launcher-tiles([\s\S]*?)<\/ul>/.exec(page.body)?.[1] ?? '';
    return [...launcher.matchAll(/<span>([^<]*)<\/span><\/a>/g)].map(([, name]) => name);
  };

  async function save(
    tiles: [id: string, name: string, landing: string][],
    more: [string, string][] = [],
    visitor: Visitor = ben.visitor,
  ): Promise<Page> {
    const csrf = /name="csrf" value="([^"]+)"/.exec((await visitor.open(address)).body)?.[1] ?? '';
    const fields = tiles.flatMap(([id, name, landing]) => [
      ['id', id],
      ['name', name],
      ['landing', landing],
    ]);
    return visitor.send(address, {
      body: new URLSearchParams([['csrf', csrf], ...fields, ...more] as [string, string][]).toString(),
      headers: { 'content-type': 'application/x-www-form-urlencoded', origin: app.url },
    });
  }
  const [plainA, plainB, plainC] = [0, 1, 2].map((i) => (): [string, string, string] => [ids[i] ?? '', '', '']) as [
    () => [string, string, string],
    () => [string, string, string],
    () => [string, string, string],
  ];

  it('B.6 shows the tiles as they come', async () => {
    expect(ids).toHaveLength(3);
    expect(namesOnHome(await ben.visitor.open('/'))).toEqual(['Alpha', 'Beta', 'Gamma']);
  });

  it('B.6 a new order and new names show on Home and in the App Launcher, for this person alone', async () => {
    const sent = await save([[ids[2] ?? '', 'Time & <b>money</b>', ''], plainA(), [ids[1] ?? '', '  ', '']]);
    expect(sent.status).toBe(303);
    const home = await ben.visitor.open('/');
    expect(namesOnHome(home)).toEqual(['Time &#38; &#60;b&#62;money&#60;/b&#62;', 'Alpha', 'Beta']);
    expect(launcherOn(home)).toEqual(namesOnHome(home));
    const other = await atDesk(app, company, { role: 'User' });
    expect(namesOnHome(await other.visitor.open('/'))).toEqual(['Alpha', 'Beta', 'Gamma']);
  });

  it('B.6 the arrows move a tile by one place, and keep what was typed', async () => {
    await save([plainA(), plainB(), plainC()]);
    await save([plainA(), [ids[1] ?? '', 'Middle', ''], plainC()], [['move', `${ids[2]}:up`]]);
    expect(namesOnHome(await ben.visitor.open('/'))).toEqual(['Alpha', 'Gamma', 'Middle']);
    await save([plainA(), plainC(), plainB()], [['move', `${ids[0]}:up`]]);
    expect(namesOnHome(await ben.visitor.open('/'))).toEqual(['Alpha', 'Gamma', 'Beta']);
    await save([plainA(), plainC(), plainB()], [['move', `${ids[0]}:down`]]);
    expect(namesOnHome(await ben.visitor.open('/'))).toEqual(['Gamma', 'Alpha', 'Beta']);
  });

  it('B.6 a landing URL is where the module is asked to land; empty is the usual one', async () => {
    await save([[ids[0] ?? '', '', 'https://alpha.example/reports?week=7'], plainB(), plainC()]);
    const target = async (id: string | undefined) => {
      const { location = '' } = (await ben.visitor.send(`/launch/${id}`)).headers;
      return new URL(location).searchParams.get('target_link_uri');
    };
    expect(await target(ids[0])).toBe('https://alpha.example/reports?week=7');
    expect(await target(ids[1])).toBeNull();
    expect(await target(ids[2])).toBe('https://gamma.example/start');
  });

  it.each(['https://evil.example/', 'https://beta.example/', 'javascript:alert(1)', '//alpha.example/', '/reports'])(
    'OAU-11 a tile cannot be made to lead to %s; what was typed stays, in its order',
    async (landing) => {
      const refused = await save([plainC(), [ids[0] ?? '', 'My Alpha', landing], plainB()]);
      expect(refused.status).toBe(422);
      expect(refused.body).toContain('Enter an address that begins with https://alpha.example/.');
      expect(refused.body).toContain('value="My Alpha"');
      expect(tilesOn(refused)).toEqual([ids[2], ids[0], ids[1]]);
      expect(refused.body.match(/aria-invalid="true"/g)).toHaveLength(1);
    },
  );

  it('OAU-11 a choice that was right once is nothing where the instance has moved', async () => {
    await save([[ids[0] ?? '', '', 'https://alpha.example/reports'], plainB(), plainC()]);
    const moved = (uri: string) =>
      app.runtime.db('module_instances').where({ id: ids[0] }).update({ initiate_login_uri: uri });
    await moved('https://new.example/initiate-login');
    const { location = '' } = (await ben.visitor.send(`/launch/${ids[0]}`)).headers;
    expect(location).toMatch(/^https:\/\/new\.example\//);
    expect(location).not.toContain('reports');
    await moved('https://alpha.example/initiate-login');
  });

  it('names have 60 characters at most', async () => {
    expect((await save([[ids[0] ?? '', 'x'.repeat(61), ''], plainB(), plainC()])).status).toBe(422);
    expect((await save([[ids[0] ?? '', 'a\nb', ''], plainB(), plainC()])).status).toBe(422);
    expect((await save([[ids[0] ?? '', '字'.repeat(60), ''], plainB(), plainC()])).status).toBe(303);
  });

  it('tiles of others, tiles twice and fields that are missing change nothing else', async () => {
    const foreign = await makeCompany(app);
    await makeModule(app, [foreign], { initiate_login_uri: 'https://foreign.example/start' });
    const [instance] = await app.runtime.db('module_instances').where({ company_id: foreign.id });
    expect(
      (await save([[instance.id, 'Stolen', 'https://foreign.example/x'], plainB(), plainA(), plainB()])).status,
    ).toBe(303);
    expect(namesOnHome(await ben.visitor.open('/'))).toEqual(['Beta', 'Alpha', 'Gamma']);
    expect((await save([], [['id', ids[1] ?? '']])).status).toBe(303);
    expect((await save([])).status).toBe(303);
    expect(namesOnHome(await ben.visitor.open('/'))).toHaveLength(3);
  });

  it('the way back to how they come', async () => {
    await save([plainC(), [ids[0] ?? '', 'Mine', ''], plainB()]);
    const page = await ben.visitor.open(address);
    await ben.visitor.submit(page, {}, '/reset');
    expect(namesOnHome(await ben.visitor.open('/'))).toEqual(['Alpha', 'Beta', 'Gamma']);
    expect((await ben.visitor.open(address)).body).not.toContain('/settings/modules/reset');
  });

  it('API-03, WEB-06 one’s own alone, and only with the form’s token', async () => {
    const other = await atDesk(app, company, { role: 'User' });
    const work = app.runtime.work({ kind: 'user', id: other.person.user.id, name: 'other' });
    const mine = { companyId: company.id, userId: ben.person.user.id };
    await expect(arrangeOwnTiles(work, mine, [])).rejects.toMatchObject({ status: 403 });
    expect((await ben.visitor.send(address, { form: { id: ids[0] ?? '', name: 'x' } })).status).toBe(403);
    expect((await app.visitor().send(address)).status).toBe(303);
  });
});
