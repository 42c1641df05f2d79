// Metadata of SAML identity providers and their certificates: read, read again, added beside, and warned of before they end.
import { generateKeyPairSync } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { dueWarning, joined, readCertificate, readCertificates } from '../../../src/domain/federation/certificate.ts';
import type { ConnectionId } from '../../../src/domain/federation/connection.ts';
import { refreshed, withCertificates } from '../../../src/domain/federation/metadata.ts';
import {
  fetchMetadata,
  metadataOf,
  readMetadataAgain,
  refreshMetadata,
  warnOfCertificates,
} from '../../../src/domain/federation/metadata-commands.ts';
import { isTested, testedHashOf } from '../../../src/domain/federation/tested.ts';
import { selfSigned } from '../../../src/lib/certificate.ts';
import { createOutgoing } from '../../../src/lib/outgoing.ts';
import { days, hours, after as later } from '../../../src/lib/time.ts';
import { readMetadata } from '../../../src/web/sso/saml-metadata.ts';
import { freePort, startApp, type TestApp } from '../../support/app.ts';
import { getConnection, makeConnection, workAs } from '../../support/federation.ts';
import { makeCompany, makePerson } from '../../support/people.ts';

let app: TestApp;
let server: Server;
let base: string;
/** What the identity provider's address answers. */
let served: { status: number; body: string } = { status: 200, body: '' };
let asked = 0;

beforeAll(async () => {
  app = await startApp();
  const port = await freePort();
  base = `http://localhost:${port}`;
  server = createServer((_, response) => {
    asked += 1;
    response.writeHead(served.status, { location: 'https://169.254.169.254/', 'content-type': 'application/xml' });
    response.end(served.body);
  });
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
}, 60_000);
afterAll(async () => {
  await new Promise((resolve) => server.close(resolve));
  await app.stop();
});

const privateKey = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey;
const certificate = (name: string, untilDays = 365, fromDays = -1) =>
  selfSigned(privateKey, {
    name,
    from: later(app.clock.now(), days(fromDays)),
    until: later(app.clock.now(), days(untilDays)),
  });
const bodyOf = (pem: string) => pem.replace(/-----[A-Z ]+-----|\n/g, '');

const entityId = 'https://idp.northwind.example/entity';

interface Said {
  id?: string;
  sso?: string;
  slo?: string;
  certificates?: string[];
  before?: string;
  inside?: string;
}

const metadata = ({
  id = entityId,
  sso = 'https://idp.northwind.example/sso',
  slo,
  certificates = [],
  before = '',
  inside = '',
}: Said) =>
  `<?xml version="1.0" encoding="UTF-8"?>${before}
<md:EntityDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata" xmlns:ds="http://www.w3.org/2000/09/xmldsig#" entityID="${id}">
  <!-- written by hand -->${inside}
  <md:IDPSSODescriptor WantAuthnRequestsSigned="true" protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol">
    ${certificates.map((pem) => `<md:KeyDescriptor use="signing"><ds:KeyInfo><ds:X509Data><ds:X509Certificate>\n${bodyOf(pem)}\n</ds:X509Certificate></ds:X509Data></ds:KeyInfo></md:KeyDescriptor>`).join('')}
    <md:KeyDescriptor use="encryption"><ds:KeyInfo><ds:X509Data><ds:X509Certificate>not for signatures</ds:X509Certificate></ds:X509Data></ds:KeyInfo></md:KeyDescriptor>
    ${slo ? `<md:SingleLogoutService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect" Location="${slo}"/>` : ''}
    <md:SingleSignOnService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST" Location="https://idp.northwind.example/post"/>
    <md:SingleSignOnService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect" Location="${sso}"/>
  </md:IDPSSODescriptor>
</md:EntityDescriptor>`;

const read = (said: Said) => metadataOf(metadata({ certificates: [certificate('one')], ...said }), readMetadata);
const problemOf = (said: Said | string): string => {
  const outcome = typeof said === 'string' ? metadataOf(said, readMetadata) : read(said);
  return outcome.outcome === 'refused' ? outcome.problem : 'read';
};

describe('reading metadata', () => {
  it('finds entity id, addresses and signing certificates, the redirect binding before others', () => {
    const outcome = read({
      slo: 'https://idp.northwind.example/slo',
      certificates: [certificate('one'), certificate('two')],
    });
    expect(outcome).toMatchObject({
      outcome: 'read',
      metadata: {
        entityId,
        ssoUrl: 'https://idp.northwind.example/sso',
        sloUrl: 'https://idp.northwind.example/slo',
        certificates: [{ subject: 'CN=one' }, { subject: 'CN=two' }],
        unreadable: 0,
        wantsSignedRequests: true,
        postsRequests: false,
      },
    });
  });

  it.each<[string, Said | string, RegExp]>([
    [
      'a document type',
      { before: '<!DOCTYPE md [<!ENTITY x SYSTEM "file:///etc/passwd">]>' },
      /no XML that is read here/,
    ],
    [
      'an external document type',
      { before: '<!DOCTYPE md SYSTEM "http://169.254.169.254/">' },
      /no XML that is read here/,
    ],
    ['an entity', { inside: '&lol;' }, /no XML that is read here/],
    ['a processing instruction', { inside: '<?php x?>' }, /no XML that is read here/],
    ['CDATA', { inside: '<![CDATA[x]]>' }, /no XML that is read here/],
    ['a comment without an end', { inside: '<!-- ' }, /no XML that is read here/],
    ['a page', '<html><body>Log in</body></html>', /no SAML metadata/],
    ['nothing', '', /no XML that is read here/],
    ['an address that is a script', { sso: 'javascript:alert(1)' }, /^read$/],
    ['an entity id that is none', { id: ' ' }, /names no entity id/],
    ['no certificate', { certificates: [] }, /no certificate/],
  ])('%s', (_, said, problem) => {
    expect(problemOf(said)).toMatch(problem);
  });

  it('never takes an address that is no web page: the next binding counts', () => {
    const outcome = read({ sso: 'javascript:alert(1)' });
    expect(outcome).toMatchObject({ metadata: { ssoUrl: 'https://idp.northwind.example/post', postsRequests: true } });
  });

  it('billion laughs, and depth without end', () => {
    const laughs = `<!DOCTYPE a [<!ENTITY a "ha"><!ENTITY b "${'&a;'.repeat(50)}">]>`;
    expect(problemOf({ before: laughs })).toMatch(/no XML/);
    expect(problemOf('<a>'.repeat(100_000))).toMatch(/no XML/);
    const began = performance.now();
    expect(problemOf('<!--'.repeat(120_000))).toMatch(/no XML/);
    expect(problemOf(`<a>${'<!-- -->'.repeat(60_000)}`)).toMatch(/no XML/);
    expect(performance.now() - began).toBeLessThan(2_000);
  });

  it('several identity providers in one document, or none: nobody guesses', () => {
    const one = metadata({ certificates: [certificate('one')] }).replace(/<\?xml.*?\?>/, '');
    const wrap = (inner: string) =>
      `<md:EntitiesDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata">${inner}</md:EntitiesDescriptor>`;
    expect(problemOf(wrap(one))).toBe('read');
    expect(problemOf(wrap(one + one))).toMatch(/several identity providers/);
    expect(problemOf(wrap(''))).toMatch(/no identity provider/);
  });
});

describe('certificates', () => {
  it('PEM, base64 alone, several in one file; what is none, or too weak, is refused', () => {
    const pem = certificate('CN of one');
    expect(readCertificate(pem)).toMatchObject({ subject: 'CN=CN of one', key: 'RSA 2048' });
    expect(readCertificate(bodyOf(pem))?.pem).toBe(pem);
    expect(readCertificates(pem + certificate('two') + pem)?.map(({ subject }) => subject)).toEqual([
      'CN=CN of one',
      'CN=two',
    ]);
    expect(readCertificates(`${pem}-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----`)).toBeNull();
    for (const text of ['', 'AAAA', 'no base64!', pem.replace('CERTIFICATE', 'PRIVATE KEY'), 'A'.repeat(30_000)])
      expect(readCertificate(text), text.slice(0, 20)).toBeNull();
    const weak = generateKeyPairSync('rsa', { modulusLength: 1024 }).privateKey;
    const now = app.clock.now();
    expect(readCertificate(selfSigned(weak, { name: 'weak', from: now, until: later(now, days(9)) }))).toBeNull();
  });

  it('a private key that was pasted by mistake is not kept', () => {
    const key = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
    expect(readCertificates(key)).toBeNull();
  });

  it.each([
    [31, undefined, null],
    [30, undefined, 30],
    [29, 30, null],
    [7, 30, 7],
    [6, 7, null],
    [-1, 7, 0],
    [-5, 0, null],
    [5, undefined, 7],
  ])('ends in %i days, told %s: %s is due', (left, told, due) => {
    const now = app.clock.now();
    expect(dueWarning({ validTo: later(now, days(left)) }, told, now)).toBe(due);
  });

  it('beside the present ones; an ended one makes room, a living one never', () => {
    const now = app.clock.now();
    const [old, a, b, c, d] = [
      certificate('old', -1, -400),
      ...['a', 'b', 'c', 'd'].map((name) => certificate(name)),
    ].map((pem) => readCertificate(pem) ?? expect.fail('no certificate'));
    if (!old || !a || !b || !c || !d) throw new Error('no certificates');
    const names = (list: { subject: string }[]) => list.map(({ subject }) => subject);
    const full = joined([old, a, b], [c, d, a], { most: 4, now });
    expect(names(full.certificates)).toEqual(['CN=a', 'CN=b', 'CN=c', 'CN=d']);
    expect(names(full.dropped)).toEqual(['CN=old']);
    const none = joined([a, b], [c, d, old], { most: 3, now });
    expect(names(none.certificates)).toEqual(['CN=a', 'CN=b', 'CN=c']);
    expect(names(none.refused)).toEqual(['CN=d']);
  });
});

async function makeStage(certificates = [certificate('present')]) {
  const company = await makeCompany(app);
  const admin = await makePerson(app, company, { role: 'Admin' });
  const settings = {
    kind: 'saml' as const,
    entityId,
    ssoUrl: 'https://idp.northwind.example/sso',
    certificates,
    metadataUrl: `${base}/metadata`,
  };
  const { id } = await makeConnection(app, company, { settings });
  const means = { outgoing: app.runtime.outgoing, readMetadata };
  return {
    company,
    admin,
    id: id as ConnectionId,
    means,
    present: certificates,
    now: () => getConnection(app, company, id),
    work: () => workAs(app, admin),
    refresh: () => refreshMetadata(workAs(app, admin), company.id, id, means),
    subjects: async () => {
      const { settings } = await getConnection(app, company, id);
      return settings.kind === 'saml' ? settings.certificates.map((pem) => readCertificate(pem)?.subject) : [];
    },
    mails: (kind: string) =>
      app.runtime.db('mails').where({ company_id: company.id, kind, recipient: admin.user.email }).pluck('id'),
  };
}

const serve = (said: Said) => {
  served = { status: 200, body: metadata(said) };
};

describe('reading it again', () => {
  it('a new certificate is added beside the present one, told, and on record; what was tested stays tested', async () => {
    const stage = await makeStage();
    const before = await stage.now();
    await app.runtime.store.of(stage.company.id).connections.setTested(stage.id, testedHashOf(before), app.clock.now());
    serve({ certificates: [certificate('next')] });
    expect(await stage.refresh()).toEqual({ outcome: 'read', added: 1, differences: [] });
    expect(await stage.subjects()).toEqual(['CN=present', 'CN=next']);
    const after = await stage.now();
    expect(after.version).toBeGreaterThan(before.version);
    expect(isTested(after)).toBe(true);
    expect(await stage.mails('certificateAdded')).toHaveLength(1);
    const events = await app.runtime.db('audit_events').where({ company_id: stage.company.id, action: 'sso.config' });
    expect(events.map(({ details }) => details)).toContainEqual(
      expect.objectContaining({ of: 'metadata', change: 'certificates', subjects: ['CN=next'] }),
    );
    // Read again, nothing is new.
    expect(await stage.refresh()).toEqual({ outcome: 'read', added: 0, differences: [] });
    expect((await stage.now()).version).toBe(after.version);
    expect(await stage.mails('certificateAdded')).toHaveLength(1);
  });

  it('addresses are never taken over by themselves, and another entity id is refused', async () => {
    const stage = await makeStage();
    serve({ sso: 'https://evil.example/sso', certificates: stage.present });
    const outcome = await stage.refresh();
    expect(outcome.outcome === 'read' && outcome.differences).toEqual([
      'The login address is another one there: https://evil.example/sso',
    ]);
    serve({ id: 'https://evil.example', certificates: [certificate('evil')] });
    expect(await stage.refresh()).toMatchObject({
      outcome: 'failed',
      problem: expect.stringContaining('another identity provider'),
    });
    const { settings, metadata: told } = await stage.now();
    expect(settings).toMatchObject({
      entityId,
      ssoUrl: 'https://idp.northwind.example/sso',
      certificates: stage.present,
    });
    expect(told.problem).toContain('another identity provider');
    expect(told.readAt).toBeNull();
  });

  it('a present certificate never goes, whatever is or is not named there', async () => {
    const stage = await makeStage([certificate('a'), certificate('b')]);
    serve({ certificates: ['c', 'd', 'e', 'f'].map((name) => certificate(name)) });
    const outcome = await stage.refresh();
    expect(outcome.outcome === 'read' && outcome.differences.join()).toContain('no room for 2 more');
    expect(await stage.subjects()).toEqual(['CN=a', 'CN=b', 'CN=c', 'CN=d']);
  });

  it.each<[string, { status: number; body: string }, string]>([
    ['an error', { status: 500, body: '' }, 'status 500'],
    ['a redirect, which nobody follows', { status: 302, body: '' }, 'status 302'],
    ['too much', { status: 200, body: ' '.repeat(600_000) }, 'larger than 512 kB'],
    ['no metadata', { status: 200, body: '<html></html>' }, 'no SAML metadata'],
  ])('%s changes nothing, and is told on the page', async (_, answer, words) => {
    const stage = await makeStage();
    served = answer;
    expect(await stage.refresh()).toMatchObject({ outcome: 'failed', problem: expect.stringContaining(words) });
    expect((await stage.now()).metadata.problem).toContain(words);
    expect(await stage.subjects()).toEqual(['CN=present']);
  });

  it('once a day by itself, on whichever node', async () => {
    const stage = await makeStage();
    serve({ certificates: stage.present });
    await readMetadataAgain(app.operator(), stage.means);
    expect((await stage.now()).metadata.readAt).not.toBeNull();
    asked = 0;
    await readMetadataAgain(app.operator(), stage.means);
    expect(asked).toBe(0);
    app.clock.advance(hours(24));
    await readMetadataAgain(app.operator(), stage.means);
    expect(asked).toBeGreaterThan(0);
  });

  it('API-11 an address inside our network is never asked, and is no oracle', async () => {
    const stage = await makeStage();
    const strict = { outgoing: createOutgoing({ mayReachLoopback: false }), readMetadata };
    for (const address of [
      `${base}/metadata`,
      'http://169.254.169.254/latest',
      'https://[::ffff:10.0.0.1]/',
      'https://2130706433/',
    ])
      expect(await fetchMetadata(stage.work(), stage.company.id, address, strict), address).toEqual({
        outcome: 'refused',
        problem: 'This address lies in a network that is never asked from here.',
      });
    for (const address of ['file:///etc/passwd', 'gopher://x', 'https://user:pass@idp.example/', 'metadata'])
      expect(await fetchMetadata(stage.work(), stage.company.id, address, strict), address).toMatchObject({
        problem: expect.stringContaining('Enter the address'),
      });
  });

  it('is for administrators of the company', async () => {
    const stage = await makeStage();
    const user = await makePerson(app, stage.company);
    const stranger = await makePerson(app, await makeCompany(app), { role: 'Admin' });
    const by = (who: typeof user) => refreshMetadata(workAs(app, who), who.company.id, stage.id, stage.means);
    await expect(by(user)).rejects.toMatchObject({ status: 403 });
    await expect(by(stranger)).rejects.toMatchObject({ status: 404 });
  });
});

describe('certificates that come to their end', () => {
  it('30 and 7 days before, and when it has ended: each once, on two nodes', async () => {
    const stage = await makeStage([certificate('ending', 40)]);
    const turn = async (time: number) => {
      app.clock.advance(time);
      await Promise.all([warnOfCertificates(app.operator()), warnOfCertificates(app.operator())]);
      return (await stage.mails('certificateEnds')).length;
    };
    expect(await turn(0)).toBe(0);
    expect(await turn(days(11))).toBe(1);
    expect(await turn(days(10))).toBe(1);
    expect(await turn(days(13))).toBe(2);
    expect(await turn(days(7))).toBe(3);
    expect(await turn(days(30))).toBe(3);
  });

  it('one that has a successor in place needs no warning', async () => {
    const stage = await makeStage([certificate('ending', 20), certificate('next', 400)]);
    await warnOfCertificates(app.operator());
    expect(await stage.mails('certificateEnds')).toHaveLength(0);
  });
});

describe('the decision alone', () => {
  it('reads certificates as they stand, and counts what cannot be read', () => {
    const said = {
      entityId,
      ssoUrl: 'https://a.example',
      sloUrl: null,
      certificates: [bodyOf(certificate('x')), 'AAAA'],
      wantsSignedRequests: false,
      postsRequests: false,
    };
    const brought = withCertificates(said);
    expect(brought).toMatchObject({ certificates: [{ subject: 'CN=x' }], unreadable: 1 });
    const settings = {
      kind: 'saml' as const,
      entityId: 'other',
      ssoUrl: 'https://a.example',
      sloUrl: null,
      certificates: [certificate('y')],
      metadataUrl: null,
      signRequests: true,
      wantEncrypted: false,
      allowIdpInitiated: false,
    };
    expect(refreshed(settings, brought, app.clock.now())).toHaveProperty('problem');
  });
});
