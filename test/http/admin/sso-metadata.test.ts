// New metadata for a connection that is there: shown before it is saved; in a roll-over both certificates count (B.5).
import { generateKeyPairSync } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Company } from '../../../src/domain/companies/company.ts';
import { isTested, testedHashOf } from '../../../src/domain/federation/tested.ts';
import { selfSigned } from '../../../src/lib/certificate.ts';
import { days } from '../../../src/lib/time.ts';
import { startApp, type TestApp } from '../../support/app.ts';
import { type AtDesk, atDesk } from '../../support/console.ts';
import { arrive, claimsOf, getConnection } from '../../support/federation.ts';
import { makeCompany, makePerson } from '../../support/people.ts';
import { connectIdp, TestIdp } from '../../support/saml-idp.ts';
import { multipart, multipartType } from '../../support/upload.ts';
import { formsOf, type Page, wordsOf } from '../../support/visitor.ts';

let app: TestApp;
let company: Company;
let admin: AtDesk;

beforeAll(async () => {
  app = await startApp();
  company = await makeCompany(app, 'Northwind IT');
  admin = await atDesk(app, company);
}, 60_000);
afterAll(() => app.stop());

const body = (pem: string) => pem.replace(/-----[A-Z ]+-----|\s/g, '');

function metadataOf(idp: Pick<TestIdp, 'entityId' | 'ssoUrl'>, ...certificates: string[]): string {
  const keys = certificates.map(
    (pem) =>
      `<md:KeyDescriptor use="signing"><ds:KeyInfo xmlns:ds="http://www.w3.org/2000/09/xmldsig#"><ds:X509Data><ds:X509Certificate>${body(pem)}</ds:X509Certificate></ds:X509Data></ds:KeyInfo></md:KeyDescriptor>`,
  );
  return `<md:EntityDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata" entityID="${idp.entityId}"><md:IDPSSODescriptor protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol">${keys.join('')}<md:SingleSignOnService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect" Location="${idp.ssoUrl}"/></md:IDPSSODescriptor></md:EntityDescriptor>`;
}

let names = 0;

/** Enabled and tested with one certificate. */
async function tested(saml: object = {}) {
  names += 1;
  const idp = new TestIdp(`metadata-${names}`);
  const { id } = await connectIdp(app, company, idp, { name: `Contoso ${names}`, saml });
  const { connections } = app.runtime.store.of(company.id);
  await connections.setTested(id, testedHashOf(await getConnection(app, company, id)), app.clock.now());
  const path = `/admin/sso/${id}/metadata`;
  const now = () => getConnection(app, company, id);
  const settings = async () => {
    const { settings } = await now();
    if (settings.kind !== 'saml') throw new Error('not SAML');
    return settings;
  };
  const paste = async (metadata: string): Promise<Page> => {
    const page = await admin.visitor.open(path);
    const form = formsOf(page).find(({ action }) => action === path);
    if (!form) throw new Error('no place to paste');
    return admin.visitor.send(path, {
      body: new URLSearchParams({ csrf: form.values.csrf ?? '', metadata }).toString(),
      headers: { 'content-type': 'application/x-www-form-urlencoded', origin: app.url },
    });
  };
  return { idp, id, path, now, settings, paste };
}

const save = (page: Page, path: string) => admin.visitor.submit(page, {}, `${path}/save`);
const endsOf = (page: Page, word: string) => wordsOf(page).match(new RegExp(`${word} ends`, 'g'))?.length ?? 0;

describe('metadata that is brought to a connection', () => {
  it('B.5 in a roll-over the new certificate comes beside the present one, and what was tested stays tested', async () => {
    const { idp, now, settings, paste, path } = await tested();
    const old = idp.cert;
    const page = await paste(metadataOf(idp, idp.rollOver()));
    expect(page.status).toBe(200);
    expect([endsOf(page, 'Stays'), endsOf(page, 'New'), endsOf(page, 'Goes')]).toEqual([1, 1, 0]);
    expect((await settings()).certificates).toHaveLength(1);
    const done = await save(page, path);
    expect(wordsOf(done)).toContain('is saved');
    expect((await settings()).certificates.map(body)).toEqual([body(old), body(idp.cert)]);
    expect(isTested(await now())).toBe(true);
    expect(wordsOf(await paste(metadataOf(idp, idp.cert)))).toContain('Nothing differs');
  });

  it('C27 another identity provider: addresses and issuer before and after, its own certificates alone, bindings end', async () => {
    const { idp, id, now, settings, paste, path } = await tested({ metadataUrl: 'https://old.example/metadata' });
    const { user } = await makePerson(app, company);
    await arrive(app, await now(), claimsOf(user.email), idp.entityId);
    const next = new TestIdp('another');
    const page = await paste(metadataOf(next, next.cert));
    const words = wordsOf(page);
    for (const part of [idp.entityId, next.entityId, next.ssoUrl, 'It is another identity provider'])
      expect(words).toContain(part);
    expect([endsOf(page, 'New'), endsOf(page, 'Goes')]).toEqual([1, 1]);
    await save(page, path);
    expect(await settings()).toMatchObject({ entityId: next.entityId, ssoUrl: next.ssoUrl, metadataUrl: null });
    expect((await settings()).certificates.map(body)).toEqual([body(next.cert)]);
    expect(isTested(await now())).toBe(false);
    expect(await app.runtime.db('idp_identities').where({ connection_id: id })).toEqual([]);
  });

  it('a certificate that has ended makes room; a fifth finds none', async () => {
    const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    const make = (name: string, until: number) =>
      selfSigned(privateKey, {
        name,
        from: new Date(Date.now() - days(60)),
        until: new Date(Date.now() + days(until)),
      });
    const { idp, settings, paste, path } = await tested({ certificates: [make('Ended', -1), make('Good', 90)] });
    const page = await paste(metadataOf(idp, ...[1, 2, 3, 4].map((n) => make(`New ${n}`, 100 + n))));
    expect([endsOf(page, 'Stays'), endsOf(page, 'New'), endsOf(page, 'Goes')]).toEqual([1, 3, 1]);
    expect(endsOf(page, 'No room')).toBe(1);
    expect(wordsOf(page)).toContain('There is room for four certificates');
    await save(page, path);
    expect((await settings()).certificates).toHaveLength(4);
  });

  it('a connection whose certificates have all ended says when, and that logins still work: they go by the key', async () => {
    const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    const made = (name: string, from: number, until: number) =>
      selfSigned(privateKey, {
        name,
        from: new Date(Date.now() + days(from)),
        until: new Date(Date.now() + days(until)),
      });
    const ended = made('Ended', -60, -1);
    const { idp, id, paste } = await tested({ certificates: [ended] });
    const words = wordsOf(await admin.visitor.open(`/admin/sso/${id}`));
    expect(words).toMatch(
      /The certificate ended on [^.]*20\d\d.*\. Logins still work: we go by its key\. Bring the new one/,
    );
    expect(words).not.toContain('nobody can sign in');
    const brought = (...pems: string[]) => paste(metadataOf({ ...idp, ssoUrl: `${idp.ssoUrl}/new` }, ...pems));
    expect(wordsOf(await brought(ended)).match(/Logins still work/g)).toHaveLength(2);
    expect(wordsOf(await brought(ended, made('Good', -1, 90))).match(/Logins still work/g)).toHaveLength(1);
  });

  it('from a file, at the address that takes files', async () => {
    const { idp, id, settings, path } = await tested();
    const form = formsOf(await admin.visitor.open(path)).find(({ action }) => action === '/admin/sso/metadata');
    const bytes = Buffer.from(metadataOf(idp, idp.cert, idp.rollOver()));
    const csrf = form?.values.csrf ?? '';
    const send = (connection: string) =>
      admin.visitor.send('/admin/sso/metadata', {
        body: multipart({ csrf, connection }, { name: 'idp.xml', bytes }),
        headers: { 'content-type': multipartType, origin: app.url },
      });
    expect(form?.values.connection).toBe(id);
    await save(await send(id), path);
    expect((await settings()).certificates).toHaveLength(2);
    expect((await send('nobody')).status).toBe(404);
    const other = await connectIdp(app, await makeCompany(app), new TestIdp('others'));
    expect((await send(other.id)).status).toBe(404);
  });

  it('what is none stays in the field; what was changed meanwhile saves nothing: 409', async () => {
    const { idp, id, now, settings, paste, path } = await tested();
    const bad = await paste('<no>metadata</no>');
    expect(bad.status).toBe(422);
    expect(bad.body).toContain('&#60;no&#62;metadata');
    expect(bad.body).toMatch(/<details[^>]* open/);
    const page = await paste(metadataOf(idp, idp.rollOver()));
    await app.runtime.store.of(company.id).connections.setEnabled(id, false);
    const stale = await save(page, path);
    expect(stale.status).toBe(409);
    expect(wordsOf(stale)).toContain('changed while you looked');
    expect((await settings()).certificates).toHaveLength(1);
    expect((await now()).enabled).toBe(false);
  });
});

describe('metadata of a new connection', () => {
  const start = '/admin/sso/new/saml';
  const typed = { name: 'Contoso', 'attributes.groups': 'memberOf', 'settings.ssoUrl': 'https://typed.example/sso' };
  const read = async (fields: Record<string, string>) =>
    admin.visitor.submit(await admin.visitor.open(start), fields, '/admin/sso/metadata/saml');
  const byHand = (page: Page) => formsOf(page).find(({ action }) => action === start)?.values;

  it('keeps what was typed by hand, also where an address can’t be read', async () => {
    const refused = await read({ ...typed, 'settings.metadataUrl': 'http://127.0.0.1:1/metadata' });
    expect(refused.status).toBe(422);
    expect(byHand(refused)).toMatchObject(typed);
    const idp = new TestIdp('new');
    const form = formsOf(await admin.visitor.open(start)).find(({ fields }) => fields.includes('file'));
    const { csrf = '' } = form?.values ?? {};
    const file = { name: 'idp.xml', bytes: metadataOf(idp, idp.cert) };
    const page = await admin.visitor.send('/admin/sso/metadata', {
      body: multipart({ csrf, product: 'saml', ...typed }, file),
      headers: { 'content-type': multipartType, origin: app.url },
    });
    expect(page.status).toBe(200);
    expect(byHand(page)).toMatchObject({ ...typed, 'settings.ssoUrl': idp.ssoUrl });
  });

  it('stands first once it is read, and begins at what is still to be typed', async () => {
    const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    const [from, until] = [new Date(Date.now() - days(60)), new Date(Date.now() - days(1))];
    const ended = selfSigned(privateKey, { name: 'Ended', from, until });
    const pasted = async (pem: string, name: string): Promise<Page> => {
      const { csrf = '' } = formsOf(await admin.visitor.open(start))[0]?.values ?? {};
      return admin.visitor.send('/admin/sso/metadata/saml', {
        body: new URLSearchParams({ csrf, name, metadata: metadataOf(new TestIdp('first'), pem) }).toString(),
        headers: { 'content-type': 'application/x-www-form-urlencoded', origin: app.url },
      });
    };
    const page = await pasted(ended, '');
    expect(page.body.match(/<input[^>]* autofocus/g)).toEqual([expect.stringContaining('id="name"')]);
    expect(page.body.indexOf('id="hand-title"')).toBeLessThan(page.body.indexOf('id="guide-title"'));
    expect(wordsOf(page)).toContain('Logins still work: we go by its key. Ask your identity provider for the new one');
    const named = await pasted(new TestIdp('good').cert, 'Contoso');
    expect(named.body).not.toContain('autofocus');
    expect(wordsOf(named)).not.toContain('The certificate ended');
  });
});
