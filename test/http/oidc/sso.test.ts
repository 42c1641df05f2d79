// Single sign-on with many tabs: whatever is opened at the same moment, each module gets tokens that work.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { TestApp } from '../../support/app.ts';
import { answerOf, authorizeAddress, makeModule, redeem, type TestModule } from '../../support/people.ts';
import type { Page } from '../../support/visitor.ts';
import {
  claimsOf,
  introspect,
  revoke,
  startWorld,
  type Tokens,
  tally,
  tokensFor,
  userinfo,
  type World,
} from './relying-party.ts';

let world: World;
let second: TestApp;
const modules: TestModule[] = [];
beforeAll(async () => {
  world = await startWorld();
  for (let i = 0; i < 6; i += 1) modules.push(await makeModule(world.app, [world.company]));
  second = await world.app.node();
});
afterAll(() => world.app.stop());

/** Opens all addresses at once in the one browser, by turns at both nodes, and redeems what comes back at once, too. */
async function openAll(tabs: TestModule[]): Promise<{ status: number; body: Record<string, unknown> }[]> {
  const nodes = [world.app, second];
  const pages = await Promise.all(
    tabs.map((module, i) => world.visitor.at(nodes[i % 2]?.port ?? 0).send(authorizeAddress(module))),
  );
  return Promise.all(
    tabs.map((module, i) =>
      redeem(nodes[(i + 1) % 2] ?? world.app, module, answerOf(pages[i] as Page).get('code') ?? ''),
    ),
  );
}

async function expectAllWork(answers: { body: Record<string, unknown> }[]): Promise<void> {
  for (const { body } of answers) expect((await userinfo(world.app, String(body.access_token))).status).toBe(200);
}

describe('one browser, one session', () => {
  it('different modules at the same moment: all are entered, and all tokens work', async () => {
    const answers = await openAll(modules);
    expect(tally(answers)).toEqual({ 200: modules.length });
    await expectAllWork(answers);
  });

  it('the same module in several tabs at the same moment, for the first time: no tab has lost', async () => {
    for (let round = 0; round < 3; round += 1) {
      const fresh = await makeModule(world.app, [world.company], {
        backchannel_logout_uri: 'https://module.example/logout',
      });
      second.runtime.clients.invalidate();
      const answers = await openAll([fresh, fresh, fresh, fresh]);
      expect(tally(answers)).toEqual({ 200: 4 });
      await expectAllWork(answers);
      // One session at the module, so that one logout token ends it for all tabs.
      expect(new Set(answers.map(({ body }) => claimsOf(String(body.id_token)).sid)).size).toBe(1);
    }
  });

  it('the same module again and again: earlier tokens go on', async () => {
    const [module] = modules as [TestModule];
    const tokens: Tokens[] = [];
    for (let i = 0; i < 3; i += 1) tokens.push(await tokensFor(world.app, world.visitor, module));
    for (const { access_token } of tokens) expect((await userinfo(world.app, access_token)).status).toBe(200);
  });

  it('what was revoked stays so when the person enters the module again', async () => {
    const [, module] = modules as [TestModule, TestModule];
    const revoked = await tokensFor(world.app, world.visitor, module);
    await revoke(world.app, module, revoked.refresh_token);
    const grants = () =>
      world.app.runtime.db('oidc_records').where({ kind: 'Grant', client_id: module.clientId }).pluck('id');
    const before = await grants();
    const again = await tokensFor(world.app, world.visitor, module);
    expect((await userinfo(world.app, again.access_token)).status).toBe(200);
    expect((await introspect(world.app, module, revoked.access_token)).body).toEqual({ active: false });
    // A new grant, not the old one under its old name, so that nothing that was bound to it can come back.
    for (const id of await grants()) expect(before).not.toContain(id);
    expect(await grants()).toHaveLength(1);
  });
});
