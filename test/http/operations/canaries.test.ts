// API-14, API-15: every secret of a whole day is known here by its value, and then looked for where it must not be.
import { generateSync } from 'otplib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { rotateSigningKeys } from '../../../src/domain/keys/commands.ts';
import { inviteUser } from '../../../src/domain/users/commands.ts';
import { sendPasswordReset } from '../../../src/domain/users/password-commands.ts';
import { minutes } from '../../../src/lib/time.ts';
import { startApp, type TestApp } from '../../support/app.ts';
import { Canaries } from '../../support/canaries.ts';
import { dumpTables } from '../../support/dump.ts';
import { testKey } from '../../support/keys.ts';
import { type CapturedLog, captureLog } from '../../support/log.ts';
import {
  answerOf,
  authorizeAddress,
  codeOf,
  givePassword,
  makeCompany,
  makeModule,
  makePerson,
  pkce,
  redeem,
  signIn,
  type TestModule,
  type TestPerson,
  token,
} from '../../support/people.ts';
import { startStubbornSmtp } from '../../support/smtp.ts';
import { wordsOf } from '../../support/visitor.ts';

const metricsToken = 'canary-metrics-token-5b1f';
const smtpPassword = 'canary-smtp-password-9c2e';
const passwords = {
  right: 'Canary-Harbour-71!',
  wrong: 'Canary-Wrong-Guess-72!',
  next: 'Canary-Next-73!',
  byLink: 'Canary-Link-74!',
  fresh: 'Canary-Fresh-75!',
};
const totpSecret = 'MNQW4YLSPFRWC3TBOJ4WGYLOMFZHSY3B';

describe('canaries', () => {
  let app: TestApp;
  let captured: CapturedLog;
  let smtp: Awaited<ReturnType<typeof startStubbornSmtp>>;
  const canaries = new Canaries();
  const { errorPages } = canaries;
  const known = canaries.add.bind(canaries);
  const hits = canaries.foundIn.bind(canaries);
  const watched = () => canaries.watch(app.visitor());
  let mailLinks: string[] = [];

  const linksIn = async (): Promise<string[]> => {
    const mails = await app.runtime.store.mails.listRecent(100);
    return mails.flatMap((mail) => {
      if (mail.sealedData === null) return [];
      const { text } = app.runtime.composeMail(mail, JSON.parse(app.runtime.keyring.open('mail', mail.sealedData)));
      return [...text.matchAll(/https?:\/\/\S+\/(?:invitation|reset-password|set-up)\/\S+/g)].map(([link]) => link);
    });
  };

  beforeAll(async () => {
    smtp = await startStubbornSmtp();
    captured = captureLog('trace');
    app = await startApp({
      start: true,
      log: captured.log,
      environment: { METRICS_TOKEN: metricsToken, SMTP_URL: `smtp://mailer:${smtpPassword}@127.0.0.1:${smtp.port}` },
    });
    known('metrics token', metricsToken);
    known('SMTP password', smtpPassword);
    known('password', ...Object.values(passwords));
    known('TOTP secret', totpSecret);
    known('encryption key', testKey.toString('base64'), testKey.toString('hex'));
    known('password of the database', new URL(app.databaseUrl).password);
    const company = await makeCompany(app, 'Northwind IT');
    await makeCompany(app);
    const person = await makePerson(app, company, { password: passwords.right, totpSecret });
    const module = await makeModule(app, [company], {
      grant_types: ['authorization_code', 'refresh_token', 'client_credentials'],
    });
    known('client secret', module.clientSecret);
    known('Authorization header', Buffer.from(`${module.clientId}:${module.clientSecret}`).toString('base64'));
    await aDay(person, module);
    await failures(person, module);
    for (const key of await app.runtime.store.keys.listLive(app.clock.now())) {
      const jwk: Record<string, string> = JSON.parse(app.runtime.keyring.open('signing-key', key.sealedPrivateJwk));
      known('private key', jwk.d, jwk.p, jwk.q);
    }
    mailLinks = await linksIn();
    known('token of a link', ...mailLinks.map((link) => link.split('/').at(-1)));
  }, 60_000);
  afterAll(async () => {
    await app?.stop();
    await smtp?.stop();
  });

  /** Signing in, tokens, settings, enrolling, inviting, resetting, logging out. */
  async function aDay(person: TestPerson, module: TestModule): Promise<void> {
    const visitor = watched();
    const wrong = await givePassword(visitor, await visitor.open(authorizeAddress(module)), person, passwords.wrong);
    expect(wrong.status).toBe(422);
    const half = await visitor.submit(wrong, { password: passwords.right });
    app.clock.advance(minutes(1));
    const code = codeOf(app, person);
    known('one-time code', code);
    const back = await visitor.submit(half, { code }, '/code');
    await tokensOf(module, answerOf(back).get('code') ?? '');

    const security = await visitor.open('/settings/security');
    const changed = await visitor.submit(
      security,
      { currentPassword: passwords.right, password: passwords.next },
      '/settings/password',
    );
    expect(wordsOf(changed)).toContain('Your password is changed');
    const asked = await visitor.submit(changed, {}, '/settings/recovery-codes');
    const codes = await visitor.submit(asked, {}, '/settings/recovery-codes');
    known('recovery code', ...[...codes.body.matchAll(/(?:[a-z0-9]{6}-){3}[a-z0-9]{6}/g)].map(([found]) => found));
    expect(canaries.of('recovery code').length).toBe(10);
    await visitor.submit(await visitor.open('/'), {}, '/sign-out');

    const { invitation } = await inviteUser(app.operator(), person.company.id, {
      firstName: 'New',
      lastName: 'Comer',
      email: 'new@example.com',
      username: 'newcomer',
      role: 'User',
    });
    known('token of a link', invitation.split('/').at(-1));
    const newcomer = watched();
    await newcomer.submit(await newcomer.open(invitation), { password: passwords.byLink });
    let page = await newcomer.open('/login');
    page = await newcomer.submit(page, { username: 'newcomer', company: 'Northwind IT' });
    page = await newcomer.submit(page, { password: passwords.byLink });
    const secret = /(?:[A-Z2-7]{4}\s?){8}/.exec(wordsOf(page))?.[0]?.replace(/\s/g, '') ?? '';
    known('TOTP secret', secret);
    page = await newcomer.submit(
      page,
      { code: generateSync({ secret, epoch: Math.floor(app.clock.now().getTime() / 1000) }) },
      '/enrol',
    );
    known('recovery code', ...[...page.body.matchAll(/(?:[a-z0-9]{6}-){3}[a-z0-9]{6}/g)].map(([found]) => found));
    expect(canaries.of('recovery code').length).toBe(20);

    await sendPasswordReset(app.operator(), person.company, person.user);
    const ask = await newcomer.open('/forgot/password');
    await newcomer.submit(ask, { username: 'newcomer', company: 'Northwind IT' });
    app.clock.advance(minutes(20));
    await rotateSigningKeys(app.operator());
  }

  async function tokensOf(module: TestModule, code: string): Promise<void> {
    known('authorization code', code);
    known('PKCE verifier', pkce.verifier);
    const { body } = await redeem(app, module, code);
    const visitor = watched();
    const access = String(body.access_token);
    const basic = Buffer.from(`${module.clientId}:${module.clientSecret}`).toString('base64');
    known('access token', access);
    known('refresh token', String(body.refresh_token));
    known('id token', String(body.id_token));
    await visitor.send('/userinfo', { headers: { authorization: `Bearer ${access}` } });
    await visitor.send('/token/introspection', {
      form: { token: access },
      headers: { authorization: `Basic ${basic}` },
    });
    const refreshed = await token(app, module, {
      grant_type: 'refresh_token',
      refresh_token: String(body.refresh_token),
    });
    known('access token', String(refreshed.body.access_token));
    known('refresh token', String(refreshed.body.refresh_token));
    const own = await token(app, module, { grant_type: 'client_credentials' });
    known('access token', String(own.body.access_token));
    const pushed = await visitor.send('/request', {
      form: {
        client_id: module.clientId,
        response_type: 'code',
        redirect_uri: module.redirectUri,
        scope: 'openid',
        code_challenge: pkce.challenge,
        code_challenge_method: 'S256',
        login_hint: 'pat',
      },
      headers: { authorization: `Basic ${basic}`, accept: 'application/json' },
    });
    known('pushed request', String(JSON.parse(pushed.body).request_uri).split(':').at(-1));
    // Used again, and by somebody without the secret.
    await redeem(app, module, code);
    await token(app, module, { grant_type: 'refresh_token', refresh_token: String(body.refresh_token) });
    await visitor.send('/token', {
      form: { grant_type: 'authorization_code', code, client_id: module.clientId, client_secret: module.clientSecret },
    });
    await visitor.send('/token/revocation', {
      form: { token: access, client_id: module.clientId, client_secret: module.clientSecret },
    });
  }

  /** Bugs and outages while secrets are on the way. */
  async function failures(person: TestPerson, module: TestModule): Promise<void> {
    const visitor = watched();
    const { db } = app.runtime;
    const whileBroken = async (column: [string, string], act: () => Promise<unknown>) => {
      await db.raw('alter table ?? rename column ?? to gone', column);
      try {
        await act();
      } finally {
        await db.raw('alter table ?? rename column gone to ??', column);
      }
    };
    const asked = await visitor.submit(await visitor.open('/login'), {
      username: person.user.username,
      company: person.company.name,
    });
    await whileBroken(['address_failures', 'failures'], () => visitor.submit(asked, { password: passwords.wrong }));
    const basic = Buffer.from(`${module.clientId}:${module.clientSecret}`).toString('base64');
    await whileBroken(['oidc_records', 'payload'], () =>
      visitor.send('/token', {
        form: {
          grant_type: 'authorization_code',
          code: canaries.of('authorization code')[0] ?? '',
          redirect_uri: module.redirectUri,
          code_verifier: pkce.verifier,
        },
        headers: { authorization: `Basic ${basic}` },
      }),
    );
    const reset = (await linksIn()).find((link) => link.includes('/reset-password/')) ?? '';
    known('token of a link', reset.split('/').at(-1));
    const form = await visitor.open(reset);
    await whileBroken(['credentials', 'hash'], () => visitor.submit(form, { password: passwords.fresh }));
    await visitor.submit(form, { password: 'short' });
    await visitor.open(`${reset}x`);
    expect(errorPages.filter(({ status }) => status === 500).length).toBeGreaterThanOrEqual(3);
    await signIn(app, visitor, { ...person, password: passwords.next }, '/');
  }

  const dump = (where: string) => dumpTables(app.runtime.db, where);

  it('the day has left canaries of every kind, and this test would find them', async () => {
    const kinds = canaries.kinds();
    for (const kind of [
      'password',
      'TOTP secret',
      'one-time code',
      'recovery code',
      'authorization code',
      'access token',
      'refresh token',
      'id token',
      'client secret',
      'token of a link',
      'cookie ul_session',
      'cookie ul_browser',
      'cookie ul_ticket',
      'cookie ul_proof',
      'signature of a cookie',
      'private key',
      'Authorization header',
      'pushed request',
      'SMTP password',
      'metrics token',
      'encryption key',
      'password of the database',
    ])
      expect(kinds, kind).toContain(kind);
    for (const what of kinds) {
      const [value = ''] = canaries.of(what);
      expect(hits(`before ${value} after`), what).toContain(`${what}: ${value}`);
    }
    expect(mailLinks.length).toBeGreaterThan(1);
  });

  it('API-14 none stands in the log, at its most talkative', async () => {
    expect(captured.lines().length).toBeGreaterThan(40);
    expect(captured.text()).toContain('request failed');
    expect(hits(captured.text())).toEqual([]);
  });

  it('API-14 none stands in the audit events', async () => {
    const text = await dump('public\\.audit_events');
    expect(text).toContain('login.ok');
    expect(hits(text)).toEqual([]);
  });

  it('API-14 none stands in mails or jobs, not even in why a mail has not gone out', async () => {
    for (const until = Date.now() + 8000; Date.now() < until; await new Promise((resolve) => setTimeout(resolve, 100)))
      if ((await dump('public\\.mail')).includes('535')) break;
    const mails = await dump('public\\.mail');
    expect(mails).toContain('new@example.com');
    expect(mails, 'the mail server has refused').toContain('535');
    expect(hits(mails)).toEqual([]);
    const jobs = await dump('pgboss\\.');
    expect(jobs).toContain('mailId');
    expect(hits(jobs)).toEqual([]);
  });

  it('API-14 none stands in the numbers or on error pages', async () => {
    const page = await app.visitor().send('/metrics', { headers: { authorization: `Bearer ${metricsToken}` } });
    expect(page.status).toBe(200);
    expect(hits(page.body)).toEqual([]);
    expect(errorPages.length).toBeGreaterThan(4);
    for (const { body, status, url } of errorPages)
      expect(hits(body), `${status} ${url.replace(/[\w-]{30,}/g, '…')}`).toEqual([]);
  });

  it('API-15 a copy of the whole database opens nothing: no seed, secret, token, cookie, code, link or private key', async () => {
    const text = await dump('.');
    expect(text.length).toBeGreaterThan(20_000);
    expect(text).toContain('newcomer');
    expect(hits(text)).toEqual([]);
    // Where one of them lives, it lives as a hash or in a sealed box.
    expect(text).toMatch(/\$argon2id\$v=19\$m=19456/);
  });
});
