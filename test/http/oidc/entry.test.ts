// Entry to a module (D.5 step 6, D.6): the right person at the wrong door is told so, and gets no token.
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createGroup } from '../../../src/domain/groups/commands.ts';
import {
  answerOf,
  authorizeAddress,
  makeCompany,
  makeModule,
  makePerson,
  redeem,
  signIn,
  type TestModule,
  type TestPerson,
} from '../../support/people.ts';
import type { Visitor } from '../../support/visitor.ts';
import { browserOf, claimsOf, heldAt, startWorld, tokensFor, userinfo, type World } from './relying-party.ts';

let world: World;
let outsider: TestPerson;
let visitor: Visitor;
beforeAll(async () => {
  world = await startWorld();
});
afterAll(() => world.app.stop());

beforeEach(async () => {
  outsider = await makePerson(world.app, world.company, { groups: [] });
  visitor = await browserOf(world.app, outsider);
});

const enter = (module: TestModule = world.module) => visitor.open(authorizeAddress(module));

describe('without an access group', () => {
  it('a page says which module is closed, why, and what to do, with a short code, and no token is made', async () => {
    const page = await enter();
    expect(page.status).toBe(403);
    expect(page.body).toContain(world.module.module.name);
    expect(page.body).toContain('none of your access groups includes it');
    const code = /Code <code>([^<]+)<\/code>/.exec(page.body)?.[1] ?? '';
    expect(code).toMatch(/^[A-Z0-9-]{6,14}$/);
    expect(await heldAt(world.app, world.module, outsider)).toEqual([]);
    // The code leads an administrator to the reason.
    const [event] = await world.app.runtime.db('audit_events').where({ code });
    expect(event).toMatchObject({
      action: 'entry.refuse',
      company_id: world.company.id,
      target_id: outsider.user.id,
      details: { clientId: world.module.clientId, reason: 'no-group' },
    });
  });

  it('prompt=none is answered with access_denied, state and iss', async () => {
    const answer = answerOf(await visitor.send(authorizeAddress(world.module, { prompt: 'none' })));
    expect(await heldAt(world.app, world.module, outsider)).toEqual([]);
    expect(answer.get('error')).toBe('access_denied');
    expect(answer.get('state')).toBe('state-1');
    expect(answer.get('iss')).toBe(world.app.url);
    expect(answer.get('code')).toBeNull();
  });

  it('the same at the end of a login that began at the module: the person is signed in, but not there', async () => {
    const fresh = world.app.visitor();
    const page = await signIn(world.app, fresh, outsider, authorizeAddress(world.module));
    expect(page.status).toBe(403);
    expect(page.body).toContain('none of your access groups includes it');
    expect((await fresh.send('/')).status).toBe(200);
    expect(await heldAt(world.app, world.module, outsider)).toEqual([]);
  });

  it('cannot be walked around: neither by resuming, nor by consent, nor by posting to the steps', async () => {
    const page = await enter();
    const uid = /\/interaction\/([\w-]+)/.exec(page.url)?.[1] ?? '';
    for (const path of [`/auth/${uid}`, `/interaction/${uid}`]) {
      const again = await visitor.open(path);
      expect(again.headers.location ?? '').not.toContain('code=');
    }
    const asked = await visitor.open(authorizeAddress(world.module, { prompt: 'consent' }));
    expect(asked.status).toBe(403);
    expect(await heldAt(world.app, world.module, outsider)).toEqual([]);
  });

  it('our own pages are open all the same', async () => {
    expect((await visitor.send('/')).status).toBe(200);
  });
});

describe('who may enter', () => {
  const { db } = { db: () => world.app.runtime.db };
  const join = async (groupId: string) =>
    db()('group_members').insert({ company_id: world.company.id, group_id: groupId, user_id: outsider.user.id });

  it('a custom group with the module lets in, and the module learns that group alone', async () => {
    const group = await createGroup(world.app.operator(), world.company.id, { name: 'Technicians', isActive: true });
    const idle = await createGroup(world.app.operator(), world.company.id, { name: 'Idle', isActive: true });
    const module = await makeModule(world.app, [world.company], {}, { groups: ['Technicians'] });
    await join(group.id);
    await join(idle.id);
    const { status, body } = await redeem(world.app, module, answerOf(await enter(module)).get('code') ?? '');
    expect(status).toBe(200);
    expect(claimsOf(String(body.id_token)).groups).toEqual(['Technicians']);
    // The group does not hold the other module.
    expect((await enter()).status).toBe(403);
  });

  it('an inactive group, a disabled instance, or the instance of another company do not let in', async () => {
    const group = await createGroup(world.app.operator(), world.company.id, { name: 'Sleeping', isActive: false });
    const asleep = await makeModule(world.app, [world.company], {}, { groups: ['Sleeping'] });
    await join(group.id);
    expect((await enter(asleep)).status).toBe(403);
    const neighbour = await makeCompany(world.app);
    const foreign = await makeModule(world.app, [neighbour]);
    expect((await enter(foreign)).status).toBe(403);
    const insider = await browserOf(world.app, world.person);
    expect((await insider.open(authorizeAddress(foreign))).status).toBe(403);
    const off = await makeModule(world.app, [world.company]);
    const tokens = await tokensFor(world.app, insider, off);
    await db()('module_instances').where({ module_id: off.module.id }).update({ is_enabled: false });
    expect((await insider.open(authorizeAddress(off))).status).toBe(403);
    expect((await userinfo(world.app, tokens.access_token)).status).toBe(401);
  });
});
