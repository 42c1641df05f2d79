// What the authorization endpoint answers, and by which way.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { answerOf, authorizeAddress, codeOf, givePassword, signIn, token } from '../../support/people.ts';
import { formsOf } from '../../support/visitor.ts';
import { expectErrorPage, startWorld, type World } from './relying-party.ts';

let world: World;
beforeAll(async () => {
  world = await startWorld();
});
afterAll(() => world.app.stop());

describe('answers of the authorization endpoint', () => {
  it('OAU-09 iss is in every answer, good and bad, and equals the issuer', async () => {
    const good = await world.visitor.open(authorizeAddress(world.module));
    expect(answerOf(good).get('code')).not.toBeNull();
    expect(answerOf(good).getAll('iss')).toEqual([world.app.url]);
    for (const bad of [{ prompt: 'none' }, { code_challenge_method: 'plain' }, { claims: 'no JSON' }]) {
      const page = await world.app.visitor().send(authorizeAddress(world.module, bad));
      expect(answerOf(page).get('error')).not.toBeNull();
      expect(answerOf(page).getAll('iss')).toEqual([world.app.url]);
      expect(answerOf(page).get('state')).toBe('state-1');
    }
  });

  it('OAU-09 iss stands in a form_post answer, too', async () => {
    const page = await world.visitor.open(authorizeAddress(world.module, { response_mode: 'form_post' }));
    expect(formsOf(page)[0]?.values.iss).toBe(world.app.url);
  });

  it('OAU-10 an unknown client is an error page, whatever address it names', async () => {
    for (const prompt of [undefined, 'none']) {
      const page = await world.visitor.send(
        authorizeAddress(world.module, { client_id: 'unknown', redirect_uri: 'https://evil.example/', prompt }),
      );
      expectErrorPage(page);
      expect(page.body).not.toContain('evil.example');
    }
  });

  it('OAU-10 nobody is sent anywhere before they have signed in', async () => {
    const page = await world.app.visitor().send(authorizeAddress(world.module));
    expect(page.status).toBe(303);
    expect(new URL(page.headers.location ?? '', world.app.url).origin).toBe(world.app.url);
    expect(new URL(page.headers.location ?? '', world.app.url).pathname).toMatch(/^\/interaction\//);
  });

  it('OAU-11 every post of a sign-in is answered with 303, also the last one on the way to the module', async () => {
    const visitor = world.app.visitor();
    let page = await visitor.open(authorizeAddress(world.module));
    const statuses: number[] = [];
    const step = async (fields: Record<string, string>, action?: string) => {
      const answer = await visitor.submitOnce(page, fields, action);
      statuses.push(answer.status);
      page = await visitor.follow(answer);
    };
    await step({ username: world.person.user.username, company: world.company.name });
    await step({ password: world.person.password });
    world.app.clock.advance(30_000);
    await step({ code: codeOf(world.app, world.person) }, '/code');
    expect(answerOf(page).get('code')).not.toBeNull();
    expect(statuses).toEqual([303, 303, 303]);
    // A refused password is the form again, never a redirect that would carry the post along.
    const other = world.app.visitor();
    const refused = await givePassword(
      other,
      await other.open(authorizeAddress(world.module)),
      world.person,
      'Wrong-1-wrong',
    );
    expect(refused.status).toBe(422);
    expect(refused.headers.location).toBeUndefined();
  });
});

describe('OAU-27 form_post', () => {
  it('OAU-27 brings back a state with markup, quotes and unicode unchanged, as data', async () => {
    for (const state of [
      '"><script>alert(1)</script>',
      `'"\`&amp;<>`,
      'ünïcode ✓ \u2028',
      "--></form><form action='https://evil.example'>",
    ]) {
      const page = await world.visitor.open(authorizeAddress(world.module, { response_mode: 'form_post', state }));
      expect(page.status).toBe(200);
      const [form] = formsOf(page);
      expect(form?.action).toBe(world.module.redirectUri);
      expect(form?.values).toMatchObject({ state, iss: world.app.url });
      expect(form?.values.code).toMatch(/^[\w-]{40,}$/);
      expect(page.body).not.toContain('<script>alert');
      expect(formsOf(page)).toHaveLength(1);
    }
  });

  it('OAU-27 brings back a state of 8 KB, by form and by query, also through a sign-in', async () => {
    const state = 'äx'.repeat(2048).slice(0, 4096);
    expect(Buffer.byteLength(state)).toBeGreaterThan(6000);
    const ascii = 's'.repeat(8192);
    const byForm = await world.visitor.open(
      authorizeAddress(world.module, { response_mode: 'form_post', state: ascii }),
    );
    expect(formsOf(byForm)[0]?.values.state).toBe(ascii);
    const byQuery = await signIn(
      world.app,
      world.app.visitor(),
      world.person,
      authorizeAddress(world.module, { state: ascii }),
    );
    expect(answerOf(byQuery).get('state')).toBe(ascii);
  });

  it('OAU-27 its own script is the only one that the policy lets run, and is let', async () => {
    const page = await world.visitor.open(authorizeAddress(world.module, { response_mode: 'form_post' }));
    const policy = String(page.headers['content-security-policy']);
    expect(policy).toMatch(/script-src 'self' 'sha256-[\w+/=]+'/);
    expect(policy).not.toContain('unsafe-inline');
    expect(policy).not.toContain('form-action');
    expect(page.headers['cache-control']).toContain('no-store');
  });

  it('OAU-27 errors come by form, too', async () => {
    const page = await world.app
      .visitor()
      .send(authorizeAddress(world.module, { response_mode: 'form_post', prompt: 'none', state: '"><b>' }));
    expect(formsOf(page)[0]?.values).toMatchObject({ error: 'login_required', state: '"><b>', iss: world.app.url });
  });

  it('OAU-27 a state that cannot be stored is an error for the client, not for the server', async () => {
    const page = await world.app.visitor().send(`${authorizeAddress(world.module)}`.replace('state-1', '%00'));
    expect(page.status).toBeLessThan(500);
  });

  it('OAU-08 the code of a form_post answer is redeemed like any other', async () => {
    const page = await world.visitor.open(authorizeAddress(world.module, { response_mode: 'form_post' }));
    const { status } = await token(world.app, world.module, {
      grant_type: 'authorization_code',
      code: formsOf(page)[0]?.values.code ?? '',
      redirect_uri: world.module.redirectUri,
      code_verifier: 'a-verifier-that-is-long-enough-for-the-standard-0123',
    });
    expect(status).toBe(200);
  });
});
