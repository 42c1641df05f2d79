// SAML answers by thieves: every known way of wrapping a signature, of XML, and the published advisories of SAML libraries since 2020.
// The connector is asked as the callback asks it; what shows at the address itself stands in saml-callback.test.ts.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Company } from '../../../src/domain/companies/company.ts';
import type { StoredConnection } from '../../../src/domain/federation/connection-repository.ts';
import { ensureSamlKey } from '../../../src/domain/keys/saml-key.ts';
import { minutes, seconds } from '../../../src/lib/time.ts';
import type { Finished } from '../../../src/web/sso/connector.ts';
import { samlConnector } from '../../../src/web/sso/saml-connector.ts';
import { readXml } from '../../../src/web/sso/xml.ts';
import { startApp, type TestApp } from '../../support/app.ts';
import { makeCompany } from '../../support/people.ts';
import {
  assertionWrappings,
  evilInPlace,
  responseWrappings,
  signatureTricks,
  signed,
  unsigned,
  xmlTricks,
} from '../../support/saml-attacks.ts';
import { connectIdp, TestIdp, type UpstreamPerson, upstreamPerson } from '../../support/saml-idp.ts';

let app: TestApp;
let company: Company;
let connection: StoredConnection;
const idp = new TestIdp();
const requestId = '_a-request-of-ours';
const mia = upstreamPerson('mia');

beforeAll(async () => {
  app = await startApp();
  company = await makeCompany(app);
  connection = await connectIdp(app, company, idp);
});
afterAll(() => app.stop());

interface At {
  isAsked?: boolean;
  ahead?: number;
  by?: StoredConnection;
  state?: Record<string, string>;
}

function finish(xml: string, at: At = {}): Promise<Finished> {
  const { isAsked = true, ahead = 0, by = connection, state = {} } = at;
  const present = app.operator();
  const work = { ...present, now: new Date(present.now.getTime() + ahead) };
  const asked = isAsked ? { requestId, at: present.now, state } : null;
  return samlConnector.finish(work, app.runtime, by, { kind: 'saml', xml }, asked);
}

const answer = (options: Record<string, unknown> = {}, person: UpstreamPerson = mia) =>
  idp.answer(app, person, { inResponseTo: requestId, ...options });

async function problemOf(xml: string, at: Parameters<typeof finish>[1] = {}): Promise<string> {
  const finished = await finish(xml, at);
  return finished.outcome === 'problem' ? finished.problem : `arrived: ${finished.claims.subject}`;
}

async function staleOf(xml: string, state: Record<string, string>): Promise<unknown> {
  const finished = await finish(xml, { state });
  return finished.outcome === 'problem' ? finished : finished.stale;
}

const right = 'arrived: id-of-mia';

describe('what is taken: without this the refusals below would prove nothing', () => {
  it.each([
    ['the assertion is signed', {}],
    ['the response is signed', { signAssertion: false, signResponse: true }],
    ['both are signed', { signResponse: true }],
    ['the namespace has a prefix', { signatureNamespacePrefix: 'ds' }],
  ])('%s', async (_, options) => {
    expect(await problemOf(await answer(options))).toBe(right);
  });

  it('what the tests sign themselves', async () => {
    expect(await problemOf(signed(await answer(), { key: idp.key }))).toBe(right);
    expect(await problemOf(signed(await answer(), { key: idp.key, of: 'Response' }))).toBe(right);
    const long = {
      key: idp.key,
      method: 'http://www.w3.org/2001/04/xmldsig-more#rsa-sha512',
      digest: 'http://www.w3.org/2001/04/xmlenc#sha512',
    };
    expect(await problemOf(signed(await answer(), long))).toBe(right);
  });

  it('encrypted for our key, signed within, around, and both', async () => {
    const { certificate } = await ensureSamlKey(app.operator());
    const publicKey = (await import('node:crypto'))
      .createPublicKey(certificate)
      .export({ type: 'spki', format: 'pem' });
    const sealed = { encryptionCert: certificate, encryptionPublicKey: publicKey };
    for (const more of [{}, { signResponse: true }, { signAssertion: false, signResponse: true }])
      expect(await problemOf(await answer({ ...sealed, ...more }))).toBe(right);
  });

  it('what is said: names, groups, and whatever else', async () => {
    const person = upstreamPerson('mia', { groups: ['Admins', 'Users'], department: 'R&D <1>' });
    const finished = await finish(await answer({}, person));
    expect(finished).toMatchObject({
      outcome: 'arrived',
      issuer: idp.entityId,
      claims: {
        subject: 'id-of-mia',
        email: 'mia@example.com',
        username: 'mia',
        firstName: 'Mia',
        lastName: 'Upstream',
        groups: { state: 'list', values: ['Admins', 'Users'] },
        other: { department: ['R&D <1>'] },
      },
    });
  });

  it('C22 groups that were not said are missing, a link instead of them is overage', async () => {
    const groupsOf = async (more: Record<string, string>) => {
      const finished = await finish(await answer({}, upstreamPerson('mia', more)));
      return finished.outcome === 'arrived' ? finished.claims.groups : finished;
    };
    expect(await groupsOf({})).toEqual({ state: 'missing' });
    expect(await groupsOf({ 'http://schemas.microsoft.com/claims/groups.link': 'https://graph.example/' })).toEqual({
      state: 'overage',
    });
    expect(await groupsOf({ groups: '' })).toEqual({ state: 'list', values: [] });
  });
});

describe('signature wrapping', () => {
  it.each(Object.entries(assertionWrappings))('%s', async (_, wrap) => {
    for (const options of [{}, { signResponse: false }])
      expect(await problemOf(wrap(await answer(options)))).toBe('malformed');
  });

  it.each(Object.entries(responseWrappings))('%s', async (_, wrap) => {
    for (const options of [{ signAssertion: false, signResponse: true }])
      expect(await problemOf(wrap(await answer(options)))).toBe('malformed');
  });
});

describe('signatures', () => {
  it.each(Object.entries(signatureTricks))('%s', async (_, [problem, trick]) => {
    expect(await problemOf(trick(await answer()))).toBe(problem);
  });

  it('unsigned, and with the signature taken out', async () => {
    expect(await problemOf(await answer({ signAssertion: false }))).toBe('unsigned');
    expect(await problemOf(unsigned(await answer({ signResponse: true })))).toBe('unsigned');
  });

  it('somebody else is named', async () => {
    expect(await problemOf(evilInPlace(await answer()))).toBe('signature');
    expect(await problemOf(evilInPlace(await answer({ signAssertion: false, signResponse: true })))).toBe('signature');
  });

  it('every signature that is there has to hold: a good one beside a broken one is refused', async () => {
    const both = await answer({ signResponse: true });
    const last = both.lastIndexOf('<SignatureValue>') + '<SignatureValue>'.length;
    const brokenInside = `${both.slice(0, last)}AAAA${both.slice(last + 4)}`;
    expect(await problemOf(brokenInside)).toBe('signature');
    expect(await problemOf(both.replace('<SignatureValue>', '<SignatureValue>AAAA'))).toBe('signature');
  });

  it('CVE-2024-32962 a certificate inside of the answer proves nothing', async () => {
    const thief = new TestIdp('thief');
    const xml = await thief.answer(app, mia, { inResponseTo: requestId, issuer: idp.entityId });
    expect(xml).toContain('X509Certificate');
    expect(await problemOf(xml)).toBe('certificate');
  });

  it('key confusion: HMAC with our public knowledge of the certificate as its secret', async () => {
    for (const method of [
      'http://www.w3.org/2000/09/xmldsig#hmac-sha1',
      'http://www.w3.org/2001/04/xmldsig-more#hmac-sha256',
    ])
      expect(
        await problemOf((await answer()).replace('http://www.w3.org/2001/04/xmldsig-more#rsa-sha256', method)),
      ).toBe('algorithm');
    expect(
      await problemOf(signed(await answer(), { key: idp.cert, method: 'http://www.w3.org/2000/09/xmldsig#hmac-sha1' })),
    ).toBe('algorithm');
  });

  it('SHA-1, in the signature or in the digest', async () => {
    expect(await problemOf(await answer({ signatureAlgorithm: 'rsa-sha1' }))).toBe('algorithm');
    expect(await problemOf(await answer({ digestAlgorithm: 'sha1' }))).toBe('algorithm');
  });

  it('two certificates count during a roll-over, and the old one no longer after it', async () => {
    const own = new TestIdp('rolling');
    const old = { key: own.key, cert: own.cert };
    own.rollOver();
    const say = (pair: { key: string; cert: string }) => own.answer(app, mia, { inResponseTo: requestId, ...pair });
    const both = await connectIdp(app, company, own, { name: 'Both', saml: { certificates: [old.cert, own.cert] } });
    expect(await problemOf(await say(old), { by: both })).toBe(right);
    expect(await problemOf(await say(own), { by: both })).toBe(right);
    const after = await connectIdp(app, company, own, { name: 'After' });
    expect(await problemOf(await say(old), { by: after })).toBe('certificate');
  });
});

describe('XML', () => {
  it.each(Object.entries(xmlTricks))('%s', async (_, trick) => {
    const began = performance.now();
    expect(await problemOf(trick(await answer()))).toBe('malformed');
    expect(performance.now() - began).toBeLessThan(1000);
  });

  it('DOS-03 namespaces without end cost no more than what is read', () => {
    const declare = (i: number) => Array.from({ length: 39 }, (_, j) => `xmlns:a${i}x${j}="y"`).join(' ');
    const opened = Array.from({ length: 38 }, (_, i) => `<a ${declare(i)}>`).join('');
    const xml = `${opened}${'<a/>'.repeat(4900)}${'</a>'.repeat(38)}`;
    const began = performance.now();
    expect(readXml(xml).name).toBe('a');
    expect(performance.now() - began).toBeLessThan(400);
  });

  it('a prefix means what the innermost declaration says, and nothing beside it', () => {
    const [inner, beside] = readXml('<p:a xmlns:p="urn:1"><p:b xmlns:p="urn:2"><p:c/></p:b><p:d/></p:a>').children;
    expect([inner?.ns, inner?.children[0]?.ns, beside?.ns]).toEqual(['urn:2', 'urn:2', 'urn:1']);
    expect(() => readXml('<a><b xmlns:p="urn:1"/><p:c/></a>')).toThrow('a prefix without a namespace');
  });

  it('text that was escaped is the same text afterwards', async () => {
    const name = `a&b<c>"d"'e' é 漢 🙂`;
    const finished = await finish(await answer({}, { ...mia, nameId: name }));
    expect(finished.outcome === 'arrived' && finished.claims.subject).toBe(name);
  });
});

describe('for whom, from whom, to where, when', () => {
  it.each([
    ['another audience', { audience: 'https://other.example' }, 'audience'],
    ['another recipient', { recipient: 'https://other.example/acs' }, 'recipient'],
    ['no recipient', { recipient: undefined }, 'recipient'],
    ['another destination', { destination: 'https://other.example/acs' }, 'recipient'],
    ['another request', { inResponseTo: '_another' }, 'not-asked'],
    ['CVE-2023-41890 another issuer', { issuer: 'https://other.example' }, 'issuer'],
  ] as const)('%s', async (_, options, problem) => {
    expect(await problemOf(await answer(options))).toBe(problem);
  });

  const retold: [string, string, (xml: string) => string][] = [
    ['no audience', 'audience', (xml) => xml.replace(/<saml:AudienceRestriction>.*<\/saml:AudienceRestriction>/s, '')],
    ['no conditions', 'malformed', (xml) => xml.replace(/<saml:Conditions.*<\/saml:Conditions>/s, '')],
    [
      'a condition that is not known',
      'malformed',
      (xml) => xml.replace('</saml:Conditions>', '<saml:Condition/></saml:Conditions>'),
    ],
    [
      'two audience restrictions, one for somebody else',
      'audience',
      (xml) =>
        xml.replace(
          '</saml:Conditions>',
          '<saml:AudienceRestriction><saml:Audience>urn:x</saml:Audience></saml:AudienceRestriction></saml:Conditions>',
        ),
    ],
    [
      'CVE-2020-5268 another confirmation than bearer',
      'recipient',
      (xml) => xml.replace('cm:bearer', 'cm:holder-of-key'),
    ],
    [
      'no end of the confirmation',
      'malformed',
      (xml) => xml.replace(/(SubjectConfirmationData) NotOnOrAfter="[^"]*"/, '$1'),
    ],
    [
      'a confirmation that answers nothing',
      'not-asked',
      (xml) => xml.replace(/(Recipient="[^"]*") InResponseTo="[^"]*"/, '$1'),
    ],
    [
      'no statement of a login',
      'malformed',
      (xml) => xml.replace(/<saml:AuthnStatement.*<\/saml:AuthnStatement>/s, ''),
    ],
    ['no subject', 'malformed', (xml) => xml.replace(/<saml:Subject>.*<\/saml:Subject>/s, '')],
    ['two subjects', 'malformed', (xml) => xml.replace(/(<saml:Subject>.*<\/saml:Subject>)/s, '$1$1')],
    [
      'a subject of another kind',
      'missing-attribute',
      (xml) => xml.replace('nameid-format:persistent', 'nameid-format:transient'),
    ],
    ['an element in NameID', 'missing-attribute', (xml) => xml.replace('>id-of-mia<', '>id-of-mia<b/><')],
    ['times without a zone', 'malformed', (xml) => xml.replace(/(Conditions NotBefore="[^"]*)Z"/, '$1"')],
    [
      'not SAML 2.0',
      'malformed',
      (xml) =>
        xml
          .replace('saml:Assertion" Version="2.0"', 'saml:Assertion" Version="1.1"')
          .replace(/(<saml:Assertion[^>]*) Version="2.0"/, '$1 Version="1.1"'),
    ],
    [
      'a login that is over at the upstream',
      'expired',
      (xml) => xml.replace('SessionIndex=', 'SessionNotOnOrAfter="2020-01-01T00:00:00Z" SessionIndex='),
    ],
  ];
  it.each(retold)('signed by the identity provider itself: %s', async (_, problem, retell) => {
    const xml = retell(await answer());
    expect(xml).not.toBe(await answer());
    expect(await problemOf(signed(xml, { key: idp.key }))).toBe(problem);
  });

  it.each([
    ['within 90 s behind its end', { lifetimeInSeconds: 60 }, seconds(140), right],
    ['expired', { lifetimeInSeconds: 60 }, seconds(160), 'expired'],
    ['within 90 s before its beginning', {}, -seconds(80), right],
    ['the clock of the upstream is ahead', {}, -seconds(120), 'clock-skew'],
  ] as const)('%s', async (_, options, ahead, problem) => {
    expect(await problemOf(await answer(options), { ahead })).toBe(problem);
  });

  it('the clock of the upstream is behind: said as such, not as run out', async () => {
    const xml = signed((await answer()).replace(/IssueInstant="[^"]*"/g, 'IssueInstant="2020-01-01T00:00:00Z"'), {
      key: idp.key,
    });
    expect(await problemOf(xml)).toBe('clock-skew');
  });

  it.each([
    [-20, '20 minutes behind'],
    [20, '20 minutes ahead'],
    [120, '2 hours ahead'],
  ])('by how much the clocks are apart is told in words: %d minutes', async (apart, words) => {
    const issued = new Date(app.operator().now.getTime() + minutes(apart)).toISOString();
    const xml = (await answer()).replace(/IssueInstant="[^"]*"/g, `IssueInstant="${issued}"`);
    expect(await finish(signed(xml, { key: idp.key }))).toMatchObject({
      problem: 'clock-skew',
      details: { clock: words, upstream: issued },
    });
  });

  it('asked to prove somebody anew, an upstream that lets an old session stand is refused (Core 3.4.1, ForceAuthn)', async () => {
    const since = app.clock.now();
    const ask = { requestId, loginHint: null, isAnew: true, isTest: false };
    const { state } = await samlConnector.begin(app.operator(), app.runtime, connection, ask);
    const at = (ago: number) => new Date(since.getTime() - ago).toISOString();
    const said = async (instant: string) => {
      const xml = (await answer()).replace(/AuthnInstant="[^"]*"/, `AuthnInstant="${instant}"`);
      return signed(xml, { key: idp.key });
    };
    expect(await staleOf(await said(at(seconds(600))), state)).toEqual({
      authnInstant: at(seconds(600)),
      asked: since.toISOString(),
    });
    expect(await staleOf(await said(at(seconds(30))), state)).toBeNull();
    // Whoever was not asked to prove themselves anew may have done so this morning.
    expect(await problemOf(await said(at(seconds(600))))).toBe(right);
    const test = await samlConnector.begin(app.operator(), app.runtime, connection, { ...ask, isTest: true });
    expect(await problemOf(await said(at(seconds(600))), { state: test.state })).toBe(right);
  });

  it('an answer to a request does not count where the upstream began, nor the other way round', async () => {
    expect(await problemOf(await answer(), { isAsked: false })).toBe('not-asked');
    expect(await problemOf(await idp.answer(app, mia))).toBe('not-asked');
    const own = { ...mia, attributes: { ...mia.attributes, CompanyIdentifier: company.identifier } };
    expect(await problemOf(await idp.answer(app, own), { isAsked: false })).toBe(right);
  });

  it('a refusal of the upstream is one, with its words for the log', async () => {
    const xml = (await answer()).replace('status:Success', 'status:AuthnFailed');
    expect(await finish(xml)).toMatchObject({ outcome: 'problem', problem: 'upstream-error' });
  });
});

describe('encryption', () => {
  const sealed = async (more: Record<string, unknown>) => {
    const { certificate } = await ensureSamlKey(app.operator());
    const { createPublicKey } = await import('node:crypto');
    return {
      encryptionCert: certificate,
      encryptionPublicKey: createPublicKey(certificate).export({ type: 'spki', format: 'pem' }),
      ...more,
    };
  };

  it('CVE-2024-4985 anybody can encrypt for us: what is not signed is refused', async () => {
    expect(await problemOf(await answer(await sealed({ signAssertion: false })))).toBe('unsigned');
    const thief = new TestIdp('thief2');
    const xml = await thief.answer(app, mia, { inResponseTo: requestId, issuer: idp.entityId, ...(await sealed({})) });
    expect(await problemOf(xml)).toMatch(/signature|certificate/);
  });

  it('a second encrypted part, that another reader would open in place of the assertion, is refused', async () => {
    const xml = await answer(await sealed({}));
    const part = /<xenc:EncryptedData.*<\/xenc:EncryptedData>/s.exec(xml)?.[0] ?? '';
    expect(part).not.toBe('');
    const decoy = (await answer(await sealed({ signResponse: true }))).match(
      /<xenc:EncryptedData.*<\/xenc:EncryptedData>/s,
    );
    for (const other of [part, decoy?.[0] ?? ''])
      expect(
        await problemOf(xml.replace('<samlp:Status>', `<samlp:Extensions>${other}</samlp:Extensions><samlp:Status>`)),
      ).toBe('malformed');
    expect(await problemOf(xml.replace(part, `<x>${part}</x>`))).toBe('malformed');
  });

  it('a connection that wants encryption refuses what is in clear', async () => {
    const { certificates } = connection.settings as Extract<StoredConnection['settings'], { kind: 'saml' }>;
    const own = await connectIdp(app, company, idp, { name: 'Sealed', saml: { wantEncrypted: true, certificates } });
    expect(await problemOf(await answer(), { by: own })).toBe('encrypted');
    expect(await problemOf(await answer(await sealed({})), { by: own })).toBe(right);
  });

  it('one word for everything that cannot be opened (padding oracles)', async () => {
    const xml = await answer(await sealed({}));
    const values = [...xml.matchAll(/CipherValue>([^<]{40,})</g)].map(([, value = '']) => value);
    expect(values.length).toBe(2);
    for (const value of values) {
      const flipped = `${value.slice(0, 20)}${value[20] === 'A' ? 'B' : 'A'}${value.slice(21)}`;
      expect(await problemOf(xml.replace(value, flipped))).toMatch(/^(encrypted|malformed|signature)$/);
      expect(await problemOf(xml.replace(value, value.slice(0, 24)))).toBe('encrypted');
    }
  });

  it('RSA 1.5 and triple DES are refused before anything is opened', async () => {
    const xml = await answer(await sealed({}));
    expect(await problemOf(xml.replace('xmlenc#rsa-oaep-mgf1p', 'xmlenc#rsa-1_5'))).toBe('algorithm');
    expect(await problemOf(xml.replace(/xmlenc#aes256-cbc|xmlenc11#aes256-gcm/, 'xmlenc#tripledes-cbc'))).toBe(
      'algorithm',
    );
  });
});
