// OAU-24: a person sees what modules may do for them, and takes it back.
import { createServer, type Server } from 'node:http';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { iconAddress } from '../../../src/domain/modules/icon.ts';
import { revokeOwnAccess } from '../../../src/domain/sessions/commands.ts';
import type { ModuleId } from '../../../src/lib/ids.ts';
import { freePort, type TestApp } from '../../support/app.ts';
import { eventsOf, isSignedIn, postRaw } from '../../support/attempts.ts';
import {
  answerOf,
  authorizeAddress,
  makeModule,
  makePerson,
  redeem,
  type TestModule,
  type TestPerson,
  token,
} from '../../support/people.ts';
import { type Page, type Visitor, wordsOf } from '../../support/visitor.ts';
import {
  browserOf,
  claimsOf,
  codeFor,
  introspect,
  startWorld,
  type Tokens,
  tally,
  tokensFor,
  userinfo,
  type World,
} from '../oidc/relying-party.ts';

const access = '/settings/access';

let world: World;
let second: TestApp;
let module: TestModule;
let receiver: Server;
let person: TestPerson;
let visitor: Visitor;
const heard: Record<string, unknown>[] = [];

beforeAll(async () => {
  world = await startWorld({}, { start: true });
  second = await world.app.node();
  const port = await freePort();
  receiver = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      heard.push(claimsOf(new URLSearchParams(Buffer.concat(chunks).toString()).get('logout_token') ?? ''));
      response.writeHead(200).end();
    });
  });
  await new Promise<void>((resolve) => receiver.listen(port, '127.0.0.1', resolve));
  module = await makeModule(world.app, [world.company], { backchannel_logout_uri: `http://127.0.0.1:${port}/logout` });
});
afterAll(async () => {
  await new Promise((resolve) => receiver.close(resolve));
  await world.app.stop();
});

beforeEach(async () => {
  heard.length = 0;
  person = await makePerson(world.app, world.company);
  visitor = await browserOf(world.app, person);
});

const nameOf = (of: TestModule) => of.module.name;
const refresh = (refresh_token: string, app = world.app, of = module) =>
  token(app, of, { grant_type: 'refresh_token', refresh_token });

async function offlineTokens(of: Visitor, scope = 'openid profile offline_access'): Promise<Tokens> {
  const asked = await of.open(authorizeAddress(module, { prompt: 'consent', scope }));
  const code = answerOf(await of.submit(asked, {}, '/consent')).get('code') ?? '';
  return (await redeem(world.app, module, code)).body as unknown as Tokens;
}

/** Names of the modules on the page, each with the words beside it. */
async function listed(of = visitor): Promise<Map<string, string>> {
  const page = await of.open(access);
  expect(page.status).toBe(200);
  const items = page.body.split('<li class="access">').slice(1);
  return new Map(
    items.map((item) => {
      const body = item.split('<a class="btn')[0] ?? '';
      return [
        wordsOf({ ...page, body: /<h2[^>]*>([\s\S]*?)<\/h2>/.exec(body)?.[1] ?? '' }),
        wordsOf({ ...page, body: /<dl[\s\S]*<\/dl>/.exec(body)?.[0] ?? '' }),
      ];
    }),
  );
}

/** As a person without scripts: the list, the page that asks, the button. */
async function revoke(of: Visitor, what: TestModule): Promise<Page> {
  const list = await of.open(access);
  expect(list.body).toContain(`href="${access}/${what.module.id}"`);
  return of.submit(await of.open(`${access}/${what.module.id}`), {}, `${access}/revoke`);
}

async function expectDead({ access_token, refresh_token }: Tokens): Promise<void> {
  for (const node of [second, world.app]) {
    expect((await userinfo(node, access_token)).status).toBe(401);
    for (const value of [access_token, refresh_token])
      expect((await introspect(node, module, value)).body).toEqual({ active: false });
    expect(await refresh(refresh_token, node)).toMatchObject({ status: 400, body: { error: 'invalid_grant' } });
  }
}

async function expectAlive({ access_token, refresh_token }: Tokens, of = module): Promise<void> {
  expect((await userinfo(second, access_token)).status).toBe(200);
  expect((await introspect(second, of, refresh_token)).body).toMatchObject({ active: true });
}

/** Which modules the list of sessions names. */
const modulesOfSession = async (): Promise<string> =>
  /Modules<\/dt><dd>([^<]*)/.exec((await visitor.open('/settings/sessions')).body)?.[1] ?? '';

const grantsOf = async (of: TestPerson, what = module): Promise<string[]> =>
  (
    await world.app.runtime.db('oidc_records').where({
      kind: 'Grant',
      account_id: of.user.id,
      client_id: what.clientId,
    })
  ).map(({ id }: { id: string }) => id);

describe('the list of module access', () => {
  it('OAU-24 is empty until a module is entered, and our own pages are no module', async () => {
    const page = await visitor.open(access);
    expect(wordsOf(page)).toContain('No module has access');
    expect(await listed()).toEqual(new Map());
  });

  it('OAU-24 says of each module what it may read, in the words of the consent page, and since when', async () => {
    await tokensFor(world.app, visitor, world.module);
    const consent = await visitor.open(
      authorizeAddress(module, { prompt: 'consent', scope: 'openid profile email phone' }),
    );
    const sentences = [...consent.body.matchAll(/<li>([^<]+)<\/li>/g)].map(([, words = '']) => words);
    expect(sentences).toHaveLength(4);
    await redeem(world.app, module, answerOf(await visitor.submit(consent, {}, '/consent')).get('code') ?? '');
    const words = await listed();
    expect([...words.keys()].sort()).toEqual([nameOf(world.module), nameOf(module)].sort());
    expect(words.get(nameOf(module))).toBe(`May read ${sentences.join(' ')} Since just now At logout Its access ends`);
    expect(words.get(nameOf(world.module))).not.toContain('Your phone number');
  });

  it('OAU-24 names claims that were asked for one by one, unless a scope covers them', async () => {
    const claims = JSON.stringify({ userinfo: { phone_number: null, given_name: null, email: null }, id_token: {} });
    await tokensFor(world.app, visitor, module, { scope: 'openid email', claims });
    expect((await listed()).get(nameOf(module))).toMatch(
      /^May read That it is you who logs in Your e-mail address Your name Your phone number Since/,
    );
  });

  it('OAU-24 shows the icon of a module', async () => {
    const icon = iconAddress(Buffer.from('<svg xmlns="http://www.w3.org/2000/svg"/>'));
    const other = await makeModule(world.app, [world.company]);
    await world.app.runtime.db('modules').where({ id: other.module.id }).update({ icon });
    await tokensFor(world.app, visitor, other);
    expect((await visitor.open(access)).body).toContain(`src="${icon}"`);
    expect((await visitor.open(`${access}/${other.module.id}`)).body).toContain(`src="${icon}"`);
  });

  it('OAU-24 after a logout holds what outlives it, and nothing else', async () => {
    const offline = await offlineTokens(visitor);
    await tokensFor(world.app, visitor, world.module);
    expect((await listed()).get(nameOf(module))).toContain('It keeps access while you are not logged in');
    await visitor.submit(await visitor.open('/'), {}, '/sign-out');
    const later = await browserOf(world.app, person);
    const words = await listed(later);
    expect([...words.keys()]).toEqual([nameOf(module)]);
    expect(words.get(nameOf(module))).toContain('It keeps access while you are not logged in');
    // One module is one line, however many grants it holds; rotation changes nothing.
    const renewed = await refresh(offline.refresh_token);
    await tokensFor(world.app, later, module);
    expect([...(await listed(later)).keys()]).toEqual([nameOf(module)]);
    await revoke(later, module);
    await expectDead(renewed.body as unknown as Tokens);
    expect(await listed(later)).toEqual(new Map());
  });

  it('OAU-24 holds nothing of a session whose time has run out', async () => {
    await tokensFor(world.app, visitor, module);
    await world.app.runtime
      .db('sessions')
      .where({ user_id: person.user.id })
      .update({ idle_ends_at: new Date(world.app.clock.now().getTime() - 1000) });
    expect(await listed(await browserOf(world.app, person))).toEqual(new Map());
  });
});

describe('revoking the access of a module', () => {
  it('OAU-24 asks first, on a page that names the module and what stops, and changes nothing by being visited', async () => {
    const tokens = await offlineTokens(visitor);
    const page = await visitor.open(`${access}/${module.module.id}`);
    const words = wordsOf(page);
    expect(words).toContain(`Revoke the access of ${nameOf(module)}?`);
    expect(words).toContain('Its access while you are not logged in ends.');
    expect(words).toContain(`You are logged out of ${nameOf(module)} on every device.`);
    await tokensFor(world.app, visitor, world.module);
    const mute = wordsOf(await visitor.open(`${access}/${world.module.module.id}`));
    expect(mute).toContain(`${nameOf(world.module)} cannot be told to log you out`);
    expect(mute).not.toContain('while you are not logged in');
    await expectAlive(tokens);
  });

  it('OAU-24, OAU-18 ends its codes and tokens in all sessions at once on both nodes, offline ones too', async () => {
    const elsewhere = await browserOf(world.app, person);
    const all = [
      await tokensFor(world.app, visitor, module),
      await tokensFor(world.app, elsewhere, module),
      await offlineTokens(elsewhere),
    ];
    const code = await codeFor(visitor, module);
    for (const tokens of all) await expectAlive(tokens);
    const done = await revoke(visitor, module);
    expect(wordsOf(done)).toContain(`${nameOf(module)} has no access to your account any more.`);
    for (const tokens of all) await expectDead(tokens);
    expect((await redeem(second, module, code)).status).toBe(400);
    expect(await grantsOf(person)).toEqual([]);
  });

  it('OAU-24 leaves the session, other modules and other people alone', async () => {
    const colleague = await makePerson(world.app, world.company);
    const theirs = await tokensFor(world.app, await browserOf(world.app, colleague), module);
    const other = await tokensFor(world.app, visitor, world.module);
    await tokensFor(world.app, visitor, module);
    expect(await modulesOfSession()).toContain(nameOf(module));
    await revoke(visitor, module);
    expect(await isSignedIn(visitor)).toBe(true);
    await expectAlive(other, world.module);
    await expectAlive(theirs);
    expect([...(await listed()).keys()]).toEqual([nameOf(world.module)]);
    expect(await modulesOfSession()).toBe(nameOf(world.module));
  });

  it('OAU-24 a later entry needs no login and makes a new grant with a sid of its own; what is dead stays dead', async () => {
    const before = await tokensFor(world.app, visitor, module);
    const [grantBefore] = await grantsOf(person);
    await revoke(visitor, module);
    const after = await tokensFor(world.app, visitor, module);
    const [grantAfter] = await grantsOf(person);
    expect(grantAfter).toBeDefined();
    expect(grantAfter).not.toBe(grantBefore);
    expect(claimsOf(after.id_token).sid).not.toBe(claimsOf(before.id_token).sid);
    await expectAlive(after);
    // The last of it: a second use of the old refresh token must not end the new family either.
    await expectDead(before);
    await expectAlive(after);
    await revoke(visitor, module);
    await expectDead(after);
    await tokensFor(world.app, visitor, module);
    expect([grantBefore, grantAfter]).not.toContain((await grantsOf(person))[0]);
  });

  it('OAU-24 tells the module of each session that entered it, no other module, and logs what was done', async () => {
    const elsewhere = await browserOf(world.app, person);
    const sids = [
      claimsOf((await tokensFor(world.app, visitor, module)).id_token).sid,
      claimsOf((await tokensFor(world.app, elsewhere, module)).id_token).sid,
    ];
    await tokensFor(world.app, visitor, world.module);
    await revoke(visitor, module);
    await vi.waitFor(() => expect(heard).toHaveLength(2), { timeout: 8000, interval: 50 });
    expect(heard.map(({ sid }) => sid).sort()).toEqual(sids.sort());
    for (const claims of heard) expect(claims).toMatchObject({ aud: module.clientId, sub: person.user.id });
    expect(await eventsOf(world.app, person, 'grant.revoke')).toMatchObject([
      {
        actor: { kind: 'user', id: person.user.id },
        company_id: world.company.id,
        details: { module: nameOf(module), clientId: module.clientId, sessions: 2 },
      },
    ]);
    // A logout afterwards has nothing to tell it any more.
    await visitor.submit(await visitor.open('/'), {}, '/sign-out');
    await elsewhere.submit(await elsewhere.send('/session/end'), { logout: 'yes' }, '/session/end/confirm');
    await new Promise((resolve) => setTimeout(resolve, 500));
    expect(heard).toHaveLength(2);
  });

  it('OAU-24 twenty times at once, at two nodes: done once, told once, noted once', async () => {
    await tokensFor(world.app, visitor, module);
    await offlineTokens(visitor);
    const csrf = /name="csrf" value="([^"]+)"/.exec((await visitor.open(access)).body)?.[1] ?? '';
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, i) =>
        visitor
          .at(i % 2 ? second.port : world.app.port)
          .send(`${access}/revoke`, { form: { csrf, module: module.module.id } }),
      ),
    );
    expect(tally(answers)).toEqual({ 303: 1, 404: 19 });
    for (const page of answers.filter(({ status }) => status === 404))
      expect(wordsOf(page)).toContain('It may have been revoked already.');
    expect(await eventsOf(world.app, person, 'grant.revoke')).toHaveLength(1);
    await vi.waitFor(() => expect(heard).toHaveLength(1), { timeout: 8000, interval: 50 });
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(heard).toHaveLength(1);
  });

  it('OAU-24 while the module refreshes: whatever it was given is worth nothing', async () => {
    const tokens = await offlineTokens(visitor);
    const asks = await visitor.open(`${access}/${module.module.id}`);
    const racing = Promise.all([refresh(tokens.refresh_token), refresh(tokens.refresh_token, second)]);
    // One token used twice ends the grant, too (OAU-17): the module is left all the same.
    expect((await visitor.submit(asks, {}, `${access}/revoke`)).status).toBe(200);
    const given = (await racing).flatMap(({ status, body }) => (status === 200 ? [body as unknown as Tokens] : []));
    for (const each of [tokens, ...given]) await expectDead(each);
    await tokensFor(world.app, visitor, module);
    for (const each of [tokens, ...given]) await expectDead(each);
  });
});

describe('what is not one’s own', () => {
  it('OAU-24 a module that only somebody else has entered, another person’s grant, and nonsense: 404, and nothing changes', async () => {
    const other = await makePerson(world.app, world.company);
    const theirs = await tokensFor(world.app, await browserOf(world.app, other), module);
    const [grant = ''] = await grantsOf(other);
    const { id: home } = await world.app.runtime.db('modules').where({ is_built_in: true }).first();
    for (const id of [module.module.id, grant, home, other.user.id, 'nonsense', '']) {
      expect((await postRaw(visitor, `${access}/revoke`, { module: id })).status, id).toBe(404);
      if (id !== '') expect((await visitor.send(`${access}/${id}`)).status, id).toBe(404);
    }
    await expectAlive(theirs);
    expect(await eventsOf(world.app, person, 'grant.revoke')).toEqual([]);
    expect(await isSignedIn(visitor)).toBe(true);
  });

  it('OAU-24 a command in the name of somebody else is refused, whoever asks', async () => {
    const tokens = await tokensFor(world.app, visitor, module);
    const other = await makePerson(world.app, world.company, { role: 'Admin' });
    const of = { companyId: world.company.id, userId: person.user.id };
    const { id } = module.module;
    for (const work of [
      world.app.runtime.work({ kind: 'user', id: other.user.id, name: other.user.username }),
      world.app.operator(),
    ])
      await expect(revokeOwnAccess(work, of, id as ModuleId)).rejects.toMatchObject({ status: 403 });
    await expectAlive(tokens);
  });

  it('OAU-24, WEB-06 a post without this browser’s token, from elsewhere, or without a session changes nothing', async () => {
    const tokens = await tokensFor(world.app, visitor, module);
    const form = { module: module.module.id };
    const csrf = /name="csrf" value="([^"]+)"/.exec((await visitor.open(access)).body)?.[1] ?? '';
    const tries = [
      await visitor.send(`${access}/revoke`, { form }),
      await visitor.send(`${access}/revoke`, { form: { ...form, csrf: 'forged' } }),
      await visitor.send(`${access}/revoke`, { form: { ...form, csrf }, headers: { origin: 'https://evil.example' } }),
      await postRaw(world.app.visitor(), `${access}/revoke`, form),
    ];
    expect(tries.map(({ status }) => status)).toEqual([403, 403, 403, 403]);
    await visitor.send(`${access}/revoke?${new URLSearchParams({ ...form, csrf })}`);
    await expectAlive(tokens);
    for (const path of [access, `${access}/${module.module.id}`]) {
      const stranger = await world.app.visitor().send(path);
      expect(stranger.status).toBe(303);
      expect(stranger.headers.location).toContain('/auth?');
    }
  });
});
