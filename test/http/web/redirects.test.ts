// WEB-07: where the browser may be sent. Ours, a registered address of a module, or nowhere.
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { localPath } from '../../../src/web/public/sign-in-routes.ts';
import { startApp, type TestApp } from '../../support/app.ts';
import {
  answerOf,
  authorizeAddress,
  codeOf,
  givePassword,
  makeCompany,
  makeModule,
  makePerson,
  redeem,
  signIn,
  type TestModule,
  type TestPerson,
} from '../../support/people.ts';
import type { Visitor } from '../../support/visitor.ts';

const elsewhere = [
  '//evil.example',
  '///evil.example',
  '/\\evil.example',
  '\\\\evil.example',
  '/\t/evil.example',
  '/%09/evil.example',
  'https:evil.example',
  'https://evil.example',
  'HTTPS://evil.example',
  'http:/\\evil.example',
  '%2f%2fevil.example',
  '/%2f%2fevil.example',
  '/%5cevil.example',
  'javascript:alert(1)',
  'java\nscript:alert(1)',
  'data:text/html,hello',
  '/ok\r\nLocation: https://evil.example',
  '/ok%0d%0aset-cookie:%20a=b',
  '/.//evil.example',
  '/..//evil.example',
  '@evil.example',
  '.evil.example',
  '\u2028//evil.example',
];

/** True when a browser at `origin` that is told to go to `address` stays there. */
const stays = (origin: string, address: string) => URL.parse(address, `${origin}/some/page`)?.origin === origin;

describe('a path of ours', () => {
  it.each(elsewhere)('WEB-07 %j is none that leads elsewhere', (candidate) => {
    const path = localPath(candidate);
    expect(path).toMatch(/^\/(?![/\\])/);
    expect(stays('https://login.example', path)).toBe(true);
    expect(path).not.toMatch(/[\r\n\t]/);
  });

  it('WEB-07 ordinary ones stay as they are', () => {
    for (const path of ['/', '/settings/profile', '/launch/a?b=c&d=%2F%2Fe', '/login/northwind-it?username=a%20b'])
      expect(localPath(path)).toBe(path);
    expect(localPath(undefined)).toBe('/');
  });

  it('WEB-07 nothing that anybody could type leads elsewhere', () => {
    const pieces = fc.constantFrom(
      '/',
      '\\',
      '//',
      'evil.example',
      'https:',
      '@',
      '%2f',
      '\t',
      '\n',
      '.',
      '..',
      '?',
      '#',
      'javascript:',
    );
    const candidates = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.webUrl(),
      fc.array(pieces, { maxLength: 8 }).map((all) => all.join('')),
    );
    fc.assert(
      fc.property(candidates, (candidate) => stays('https://login.example', localPath(candidate))),
      { numRuns: 3000 },
    );
  });
});

describe('redirects', () => {
  let app: TestApp;
  let person: TestPerson;
  let module: TestModule;
  let visitor: Visitor;

  beforeAll(async () => {
    app = await startApp();
    const company = await makeCompany(app, 'Northwind IT');
    await makeCompany(app);
    person = await makePerson(app, company);
    module = await makeModule(app, [company], { post_logout_redirect_uris: ['https://module.example/bye'] });
    visitor = app.visitor();
    await signIn(app, visitor, person, '/');
  });
  afterAll(() => app.stop());

  const names = [
    'return_to',
    'returnTo',
    'next',
    'redirect',
    'redirect_uri',
    'url',
    'continue',
    'post_logout_redirect_uri',
    'RelayState',
    'state',
  ];

  it('WEB-07 no parameter of our own pages sends the browser away', async () => {
    for (const path of [
      '/',
      '/login',
      '/login/northwind-it',
      '/signed-in',
      '/signed-out',
      '/settings/profile',
      '/forgot',
      '/support',
    ]) {
      for (const who of [visitor, app.visitor()]) {
        for (const value of elsewhere) {
          const query = new URLSearchParams(names.map((name): [string, string] => [name, value]));
          const page = await who.send(`${path}?${query}`);
          const { location = '' } = page.headers;
          expect([200, 303], path).toContain(page.status);
          expect(stays(app.url, location), `${path} with ${value} leads to ${location}`).toBe(true);
          expect(page.body, path).not.toMatch(/(?:href|action|src|content)="[^"]*evil\.example[^"]*"/);
        }
      }
    }
  });

  it('WEB-07 the way back after signing in is the page that was asked for, on this server', async () => {
    const paths = [
      '/settings/security',
      '//evil.example/',
      '/settings/profile?next=//evil.example',
      '/support?a=https://evil.example',
    ];
    for (const path of paths) {
      const newcomer = app.visitor();
      // By hand, since a URL parser would take //evil.example for a host.
      const first = await newcomer.send(`${app.url}${path}`);
      expect(stays(app.url, first.headers.location ?? ''), path).toBe(true);
      if (path.startsWith('//')) expect(first.status).toBe(404);
      else {
        const page = await givePassword(newcomer, await newcomer.follow(first), person);
        app.clock.advance(60_000);
        const arrived = await newcomer.submit(page, { code: codeOf(app, person) }, '/code');
        expect(arrived.url).toBe(`${app.url}${path}`);
        expect(arrived.status).toBe(200);
      }
    }
  });

  it('WEB-07, OAU-22 a foreign address after logging out is never followed', async () => {
    const back = await signIn(app, app.visitor(), person, authorizeAddress(module));
    const { body } = await redeem(app, module, answerOf(back).get('code') ?? '');
    const hint = String(body.id_token);
    for (const address of [
      ...elsewhere,
      'https://module.example/bye/../evil',
      'https://module.example/bye?x=1',
      'https://module.example.evil.example/bye',
    ]) {
      const query = new URLSearchParams({ id_token_hint: hint, post_logout_redirect_uri: address });
      const page = await visitor.send(`/session/end?${query}`);
      expect(page.status, address).toBe(400);
      expect(page.headers.location, address).toBeUndefined();
      const anonymous = await visitor.send(
        `/session/end?${new URLSearchParams({ post_logout_redirect_uri: address })}`,
      );
      expect(anonymous.headers.location, address).toBeUndefined();
    }
    const query = new URLSearchParams({ id_token_hint: hint, post_logout_redirect_uri: 'https://module.example/bye' });
    expect((await visitor.send(`/session/end?${query}`)).status).toBeLessThan(400);
  });

  it('WEB-07 header injection by CR and LF does not come through', async () => {
    for (const path of [
      '/login/%0d%0aset-cookie:%20a=b',
      '/signed-in?state=%0d%0aset-cookie:%20a=b',
      '/login?username=%0d%0aset-cookie:%20a=b',
    ]) {
      const page = await app.visitor().open(path);
      expect(page.headers['set-cookie']?.filter((line) => line.startsWith('a=')) ?? []).toEqual([]);
      expect(page.status).toBeLessThan(500);
    }
  });
});
