// WEB-08, WEB-09: what people and modules write is text, wherever it is shown.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createGroup } from '../../../src/domain/groups/commands.ts';
import { mailPurpose } from '../../../src/domain/mails/mail.ts';
import { createModule } from '../../../src/domain/modules/commands.ts';
import { inviteUser } from '../../../src/domain/users/commands.ts';
import { createCompany } from '../../../src/domain/users/company-commands.ts';
import { editOwnProfile } from '../../../src/domain/users/own-commands.ts';
import { sendPasswordReset } from '../../../src/domain/users/password-commands.ts';
import { startApp, type TestApp } from '../../support/app.ts';
import {
  authorizeAddress,
  makeCompany,
  makeModule,
  makePerson,
  signIn,
  type TestPerson,
} from '../../support/people.ts';
import { type Page, unescapeHtml, type Visitor, wordsOf } from '../../support/visitor.ts';

const markup = `"><img src=x onerror=alert(1)>'\`<svg onload=alert(2)>{{7*7}}\${7*7}<%= 7*7 %>`;

/** No element or attribute of the markup became one, and it is there as text when `shown`. */
function expectText(page: Page, shown?: string): void {
  expect(page.status, page.url).toBeLessThan(500);
  expect(page.body, page.url).not.toMatch(/<img src=x|<svg onload|<script>(?!$)|onerror=alert\(1\)>|<b>bold/);
  // No attribute came out of a value: the values themselves are put aside.
  for (const [tag] of page.body.matchAll(/<[^>]*>/g))
    expect(tag.replace(/"[^"]*"/g, ''), page.url).not.toMatch(/\son(?:error|load|click)\s*=/i);
  if (shown !== undefined) expect(unescapeHtml(page.body), page.url).toContain(shown);
}

describe('markup in what people and modules write', () => {
  let app: TestApp;
  let person: TestPerson;
  let visitor: Visitor;
  // A username may hold anything but # / ? and \.
  const username = `pat"><img src=x onerror=alert(1)>'`;
  const moduleName = `<svg onload=alert(2)>"'&amp;`;

  beforeAll(async () => {
    app = await startApp({ environment: { BRAND_NAME: '<b>bold</b>&"' } });
    const company = await makeCompany(app, `O'Neil & Söhne "IT"`);
    await makeCompany(app);
    person = await makePerson(app, company, { username, email: 'pat@example.com' });
    visitor = app.visitor();
    visitor.send = withAgent(visitor, `Mozilla/5.0 ${markup}`);
    await signIn(app, visitor, person, '/');
  });
  afterAll(() => app.stop());

  function withAgent(browser: Visitor, agent: string): Visitor['send'] {
    const send = browser.send.bind(browser);
    return (address, options = {}) =>
      send(address, { ...options, headers: { 'user-agent': agent, ...options.headers } });
  }

  it('WEB-08 names are refused where markup has no place, and text where it has', async () => {
    const { id } = person.company;
    const draft = { firstName: 'A', lastName: 'B', email: 'a@example.com', username: 'ab', role: 'User' } as const;
    for (const firstName of ['<b>', 'a"b', 'a&b', '=1+1', 'a\nb', '$(7)'])
      await expect(inviteUser(app.operator(), id, { ...draft, firstName }), firstName).rejects.toThrow(
        /letters, digits/,
      );
    await expect(createGroup(app.operator(), id, { name: '<script>', isActive: true })).rejects.toThrow(/< or >/);
    await expect(createCompany(app.operator(), { name: '<script>' })).rejects.toThrow(/< or >/);
    const work = { ...app.operator(), actor: { kind: 'user', id: person.user.id, name: '' } as const };
    const own = { companyId: id, userId: person.user.id };
    const profile = { firstName: 'Zoë-Ann', lastName: "D'Arc", phone: '', timeZone: '' };
    await expect(editOwnProfile(work, own, { ...profile, phone: '<b>1' })).rejects.toThrow(/digits/);
    await expect(editOwnProfile(work, own, { ...profile, timeZone: '"><b>' })).rejects.toThrow(/time zone/);
    await editOwnProfile(work, own, profile);
    expectText(await visitor.open('/settings/profile'), "D'Arc");
  });

  it('WEB-08 username, company, brand and user-agent on every page', async () => {
    await makeModule(app, [person.company], {}, { name: moduleName, landingUrl: 'https://module.example/?a="><b>' });
    for (const path of [
      '/',
      '/support',
      '/settings/profile',
      '/settings/security',
      '/settings/sessions',
      '/settings/access',
      '/session/end',
    ])
      expectText(await visitor.open(path), '<b>bold</b>');
    expectText(await visitor.open('/settings/profile'), username);
    expectText(await visitor.open('/settings/profile'), person.company.name);
    expectText(await visitor.open('/'), moduleName);
  });

  it('WEB-08 what is typed into a form and comes back', async () => {
    const newcomer = app.visitor();
    const start = await newcomer.open(
      authorizeAddress(await makeModule(app, [person.company]), { login_hint: markup.replace(/[#/?\\]/g, '') }),
    );
    expectText(start);
    const second = await newcomer.submit(start, { username: markup, company: markup });
    expectText(second, markup);
    expectText(await newcomer.submit(second, { password: markup }));
    expectText(await newcomer.submit(await newcomer.open('/forgot/company'), { email: markup }), markup.slice(0, 100));
    expectText(
      await newcomer.submit(await newcomer.open('/forgot/password'), { username: markup, company: '' }),
      markup,
    );
    const profile = await visitor.open('/settings/profile');
    expectText(await visitor.submit(profile, { firstName: markup, lastName: markup }, '/settings/profile'), markup);
  });

  it('WEB-08 names of modules while signing in, when entry is refused, and when logging out', async () => {
    const { module } = await createModule(
      app.operator(),
      { name: moduleName, icon: null, metadata: { redirect_uris: ['https://module.example/cb'] } },
      app.runtime.complaint,
    );
    app.runtime.clients.invalidate();
    const refused = await visitor.open(
      authorizeAddress({
        module,
        clientId: module.clientId,
        clientSecret: '',
        redirectUri: 'https://module.example/cb',
      }),
    );
    expect(refused.status).toBe(403);
    expectText(refused, moduleName);
  });

  it('WEB-08 parameters of the protocol that errors speak of', async () => {
    const module = await makeModule(app, [person.company]);
    const addresses = [
      `/auth?${new URLSearchParams({ client_id: markup })}`,
      `/auth?${new URLSearchParams({ client_id: module.clientId, redirect_uri: markup, response_type: markup })}`,
      authorizeAddress(module, { ui_locales: markup }),
      authorizeAddress(module, { claims: markup }),
      authorizeAddress(module, { prompt: markup }),
      `/signed-in?${new URLSearchParams({ error: markup, error_description: markup, state: markup })}`,
      `/session/end?${new URLSearchParams({ id_token_hint: markup, ui_locales: markup, state: markup })}`,
      `/login/${encodeURIComponent(markup)}`,
      `/reset-password/${encodeURIComponent(markup)}`,
      `/interaction/${encodeURIComponent(markup)}`,
      `/${encodeURIComponent(markup)}`,
    ];
    for (const address of addresses) expectText(await app.visitor().open(address));
  });

  it('OAU-27, WEB-08 the form_post page holds state as data, byte for byte', async () => {
    const module = await makeModule(app, [person.company]);
    for (const state of [markup, 'x'.repeat(8192)]) {
      const page = await visitor.open(authorizeAddress(module, { response_mode: 'form_post', state }));
      expect(page.status).toBe(200);
      const value = /name="state" value="([^"]*)"/.exec(page.body)?.[1] ?? '';
      expect(unescapeHtml(value)).toBe(state);
      expect(page.body).not.toContain('<img');
    }
  });

  it('WEB-08 mails', async () => {
    await sendPasswordReset(app.operator(), person.company, person.user);
    const [mail] = await app.runtime.store.mails.listRecent(1);
    if (!mail?.sealedData) throw new Error('no mail');
    const { subject, html, text } = app.runtime.composeMail(
      mail,
      JSON.parse(app.runtime.keyring.open(mailPurpose, mail.sealedData)),
    );
    expect(html).not.toMatch(/<img src=x|<b>bold/);
    expect(unescapeHtml(html)).toContain(username);
    expect(text).toContain(username);
    expect(subject).not.toMatch(/[\r\n]/);
  });

  it('WEB-08 a picture is a picture: SVG and HTML are refused, and what is kept is served as nothing else', async () => {
    const page = await visitor.open('/settings/profile');
    const csrf = /name="csrf" value="([^"]+)"/.exec(page.body)?.[1] ?? '';
    const upload = (content: Buffer | string, type: string) => {
      const boundary = 'x-boundary';
      const head = `--${boundary}\r\ncontent-disposition: form-data; name="csrf"\r\n\r\n${csrf}\r\n--${boundary}\r\ncontent-disposition: form-data; name="picture"; filename="a.png"\r\ncontent-type: ${type}\r\n\r\n`;
      const body = Buffer.concat([Buffer.from(head), Buffer.from(content), Buffer.from(`\r\n--${boundary}--\r\n`)]);
      return visitor.send('/settings/picture', {
        body,
        headers: { 'content-type': `multipart/form-data; boundary=${boundary}` },
      });
    };
    for (const content of [
      '<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>',
      '<html><script>alert(1)</script>',
      'GIF89a<script>',
      '',
    ])
      expect((await upload(content, 'image/png')).status, content).toBe(422);
    // A PNG with HTML behind its signature is served as PNG, in a sandbox, and not sniffed.
    const png = Buffer.concat([Buffer.from('89504e470d0a1a0a', 'hex'), Buffer.from('<script>alert(1)</script>')]);
    expect((await upload(png, 'text/html')).status).toBe(303);
    const served = await visitor.send('/settings/picture');
    expect(served.headers).toMatchObject({
      'content-type': 'image/png',
      'x-content-type-options': 'nosniff',
      'content-security-policy': "default-src 'none'; sandbox",
    });
  });
});

describe('options of the template engine', () => {
  it('WEB-09 never come out of a request', async () => {
    const app = await startApp();
    try {
      const names = [
        'settings[view options][client]',
        'settings[view options][escapeFunction]',
        'settings[view options][outputFunctionName]',
        'view options',
        'client',
        'escape',
        'delimiter',
        'cache',
        'filename',
        '__proto__',
        '__proto__[escape]',
        'constructor[prototype][escape]',
        'page',
        'it',
        'body',
      ];
      const code = `x;process.mainModule.require('child_process').execSync('id');x`;
      const visitor = app.visitor();
      const plain = wordsOf(await visitor.open('/forgot/company'));
      for (const name of names) {
        const page = await visitor.open(`/forgot/company?${new URLSearchParams({ [name]: code })}`);
        expect(wordsOf(page), name).toBe(plain);
        const posted = await visitor.submit(page, { [name]: code, email: 'no address' }, '/forgot/company');
        expect([400, 422], name).toContain(posted.status);
        if (posted.status === 422) expect(wordsOf(posted), name).toContain('Enter a valid e-mail address');
      }
      expect(({} as Record<string, unknown>).escape).toBeUndefined();
      expect(({} as Record<string, unknown>).client).toBeUndefined();
      expect(wordsOf(await app.visitor().open('/forgot/company'))).toBe(plain);
    } finally {
      await app.stop();
    }
  });
});
