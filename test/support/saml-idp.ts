// An identity provider that nobody here wrote (the package samlp), for one company's people: it reads our requests, and says what a test
// wants it to say. Beside it, what a thief could make of its answers.
import { generateKeyPairSync } from 'node:crypto';
import { createRequire } from 'node:module';
import type { Company } from '../../src/domain/companies/company.ts';
import type { ConnectionId } from '../../src/domain/federation/connection.ts';
import type { ConnectionValues, StoredConnection } from '../../src/domain/federation/connection-repository.ts';
import { selfSigned } from '../../src/lib/certificate.ts';
import { newId } from '../../src/lib/ids.ts';
import { days } from '../../src/lib/time.ts';
import type { TestApp } from './app.ts';
import type { Page, Visitor } from './visitor.ts';

interface SamlpOptions {
  [name: string]: unknown;
}

interface Samlp {
  parseRequest(
    request: { method: string; query: Record<string, string>; url?: string },
    options: SamlpOptions,
    done: (error: Error | null, data?: Record<string, string>) => void,
  ): void;
  getSamlResponse(options: SamlpOptions, user: object, done: (error: Error | null, xml?: string) => void): void;
}

// It has no types.
const samlp = createRequire(import.meta.url)('samlp') as Samlp;

export interface UpstreamPerson {
  nameId: string;
  nameIdFormat?: string;
  attributes: Record<string, string | string[]>;
}

export const upstreamPerson = (name: string, more: Record<string, string | string[]> = {}): UpstreamPerson => ({
  nameId: `id-of-${name}`,
  attributes: {
    Email: `${name}@example.com`,
    Username: name,
    FirstName: 'Mia',
    LastName: 'Upstream',
    ...more,
  },
});

const names = {
  email: 'Email',
  username: 'Username',
  firstName: 'FirstName',
  lastName: 'LastName',
  groups: 'groups',
  companyIdentifier: 'CompanyIdentifier',
};

function keyPair(): { key: string; cert: string } {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const now = Date.now();
  const cert = selfSigned(privateKey, {
    name: 'Test IdP',
    from: new Date(now - days(1)),
    until: new Date(now + days(365)),
  });
  return { key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(), cert };
}

export class TestIdp {
  readonly entityId: string;
  ssoUrl: string;
  readonly sloUrl: string;
  key: string;
  cert: string;

  constructor(name = 'idp') {
    this.entityId = `https://${name}.example/metadata`;
    this.ssoUrl = `https://${name}.example/sso`;
    this.sloUrl = `https://${name}.example/slo`;
    ({ key: this.key, cert: this.cert } = keyPair());
  }

  /** A new pair; @returns the certificate. */
  rollOver(): string {
    ({ key: this.key, cert: this.cert } = keyPair());
    return this.cert;
  }

  /** Reads our request as samlp does. @param ourCertificate when given, the signature has to hold */
  readRequest(address: string, ourCertificate?: string): Promise<Record<string, string>> {
    const url = new URL(address);
    const query = Object.fromEntries(url.searchParams);
    const options = ourCertificate
      ? { signingCert: ourCertificate, signature: query.Signature, sigAlg: query.SigAlg, relayState: query.RelayState }
      : {};
    return new Promise((resolve, reject) =>
      samlp.parseRequest({ method: 'GET', query, url: address }, options, (error, data) =>
        error || !data ? reject(error ?? new Error('no request')) : resolve(data),
      ),
    );
  }

  /** @param options of samlp, over a right answer */
  answer(app: TestApp, person: UpstreamPerson, options: SamlpOptions = {}): Promise<string> {
    const acs = `${app.url}/sso/saml/callback`;
    const profileMapper = () => ({
      getClaims: () => person.attributes,
      getNameIdentifier: () => ({
        nameIdentifier: person.nameId,
        nameIdentifierFormat: person.nameIdFormat ?? 'urn:oasis:names:tc:SAML:2.0:nameid-format:persistent',
      }),
    });
    const all: SamlpOptions = {
      issuer: this.entityId,
      key: this.key,
      cert: this.cert,
      signatureAlgorithm: 'rsa-sha256',
      digestAlgorithm: 'sha256',
      audience: app.url,
      recipient: acs,
      destination: acs,
      lifetimeInSeconds: 300,
      sessionIndex: '_session-1',
      authnContextClassRef: 'urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport',
      profileMapper,
      ...options,
    };
    return new Promise((resolve, reject) =>
      samlp.getSamlResponse(all, person, (error, xml) => (error || !xml ? reject(error) : resolve(xml))),
    );
  }
}

export async function connectIdp(
  app: TestApp,
  company: Company,
  idp: TestIdp,
  changes: Partial<Omit<ConnectionValues, 'settings'>> & {
    saml?: Partial<Extract<ConnectionValues['settings'], { kind: 'saml' }>>;
    enabled?: boolean;
    enforce?: StoredConnection['enforce'];
  } = {},
): Promise<StoredConnection> {
  const { saml = {}, enabled = true, enforce, ...values } = changes;
  const { connections } = app.runtime.store.of(company.id);
  const id = newId<ConnectionId>();
  await connections.insert(
    id,
    {
      name: 'Contoso IdP',
      settings: {
        kind: 'saml',
        entityId: idp.entityId,
        ssoUrl: idp.ssoUrl,
        sloUrl: null,
        certificates: [idp.cert],
        metadataUrl: null,
        signRequests: true,
        wantEncrypted: false,
        allowIdpInitiated: false,
        ...saml,
      },
      attributes: names,
      creation: { on: true, role: 'User', groupIds: [] },
      asksSecondFactor: false,
      mapping: false,
      ...values,
    },
    null,
    app.clock.now(),
  );
  if (enabled) await connections.setEnabled(id, true);
  if (enforce) await connections.setEnforce(id, enforce);
  const connection = await connections.find(id);
  if (!connection) throw new Error('the connection is not there');
  return connection;
}

export const enforced: StoredConnection['enforce'] = {
  state: 'on',
  trialBeganAt: null,
  trialEndsAt: null,
  trialBy: null,
};

/** As the identity provider's page lets the browser post it: from another site, and so without our cookies. */
export function postAnswer(app: TestApp, xml: string, relayState = '', port = app.port): Promise<Page> {
  const form = { SAMLResponse: Buffer.from(xml).toString('base64'), ...(relayState ? { RelayState: relayState } : {}) };
  return app
    .visitor()
    .at(port)
    .send('/sso/saml/callback', {
      body: new URLSearchParams(form).toString(),
      headers: {
        'content-type': 'application/x-www-form-urlencoded',
        origin: 'https://idp.example',
        'sec-fetch-site': 'cross-site',
      },
    });
}

/** From the page of the login to the request at the identity provider. */
export async function toUpstream(visitor: Visitor, page: Page): Promise<{ address: string; id: string; page: Page }> {
  const left = page.status >= 300 ? page : await visitor.open(upstreamLink(page));
  const address = left.headers.location ?? '';
  const id = new URL(address).searchParams.get('RelayState') ?? '';
  return { address, id, page: left };
}

export function upstreamLink(page: Page): string {
  const found = /href="(\/interaction\/[^"]+\/sso\/[^"]+)"/.exec(page.body);
  if (!found?.[1]) throw new Error(`no way to an upstream on ${page.url} (${page.status})`);
  return found[1];
}
