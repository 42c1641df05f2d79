// Section 5: Security Event Tokens at the module's door. What is refused and why, what each event does, and in which order.
import { beforeEach, describe, expect, it } from 'vitest';
import {
  type AccountChanges,
  type Accounts,
  createIntegration,
  createModule,
  type DocumentStore,
  type Integration,
  type ModuleAccount,
} from '../../../src/sdk/module.ts';
import { CLIENT, createIssuer, createKey, ISSUER, type Issuer, type Json, signToken, signWithHmac } from './issuer.ts';

const RISC = 'https://schemas.openid.net/secevent/risc/event-type/';
const REVOKED = 'https://schemas.openid.net/secevent/caep/event-type/session-revoked';
const link = { issuer: ISSUER, sub: 'person-1' };

let issuer: Issuer;
let integration: Integration;
let table: Map<string, ModuleAccount>;
let ended: string[];
let store: DocumentStore & { text: string | null };
let isBroken = false;
let serial = 0;

const ada: ModuleAccount = { id: '1', userName: 'ada', active: true, administrator: true, permissions: ['Full'], link };
const root: ModuleAccount = { id: '2', userName: 'root', active: true, administrator: true, permissions: ['Full'] };

const accounts: Accounts = {
  list: () => ({ total: 0, accounts: [] }),
  find: (id) => table.get(id),
  matching: ({ link: { sub } }) => [...table.values()].filter((it) => it.link?.sub === sub),
  provision: () => Promise.reject(new Error('not here')),
  change(id, changes: AccountChanges, before) {
    if (isBroken) throw new Error('disk full');
    const changed = { ...before, ...changes };
    table.set(id, changed);
    return changed;
  },
  link: () => false,
  endSessions: (id) => void ended.push(id),
  administers: (permissions) => permissions.includes('Full'),
  isLastAdministrator: (id) => ![...table.values()].some((it) => it.id !== id && it.active && it.administrator),
};

async function open(): Promise<Integration> {
  const module = createModule({
    issuer: ISSUER,
    clientId: CLIENT,
    redirectUri: 'https://workplace.example.com/callback',
    secret: 'a secret of more than thirty-two characters',
    fetch: issuer.fetch,
    clock: issuer.clock,
  });
  return createIntegration({
    module,
    tenant: { id: 't', name: 'T' },
    addresses: { landing: 'https://workplace.example.com/', events: 'https://workplace.example.com/events' },
    store,
    accounts,
  });
}

beforeEach(async () => {
  issuer = createIssuer();
  table = new Map([
    ['1', ada],
    ['2', root],
  ]);
  [ended, isBroken] = [[], false];
  store = {
    text: null,
    load: () => store.text,
    save: (text) => {
      store.text = text;
    },
  };
  integration = await open();
  await integration.adopt({ instance: 'instance-1', credential: 'ulm_0123456789' });
});

const claims = (event: string, more: Json = {}): Json => ({
  iss: ISSUER,
  aud: CLIENT,
  iat: Math.floor(issuer.state.now / 1000),
  jti: `jti-${++serial}`,
  instance: 'instance-1',
  sub_id: { format: 'iss_sub', iss: ISSUER, sub: 'person-1' },
  events: { [event]: {} },
  ...more,
});

const token = (given: Json, header: Json = {}) => signToken(issuer.rsa, given, { typ: 'secevent+jwt', ...header });

async function post(body: string, to = integration) {
  const headers = { 'content-type': 'application/secevent+jwt' };
  const answer = await to.handle({ method: 'POST', url: '/events', headers, body });
  return { status: answer?.status, json: answer?.body ? JSON.parse(answer.body) : null, headers: answer?.headers };
}

const tell = (event: string, more: Json = {}) => post(token(claims(event, more)));

describe('a Security Event Token', () => {
  const foreign = createKey('stranger', 'RS256');
  const disabled = `${RISC}account-disabled`;
  const good = (more: Json = {}) => claims(disabled, more);
  it.each<[string, () => string, string]>([
    ['no token at all', () => 'nonsense', 'invalid_request'],
    ['the type of an ID token', () => token(good(), { typ: 'JWT' }), 'invalid_request'],
    ['the type of a logout token', () => token(good(), { typ: 'logout+jwt' }), 'invalid_request'],
    ['no type', () => token(good(), { typ: undefined }), 'invalid_request'],
    ['alg none', () => token(good(), { alg: 'none' }), 'invalid_request'],
    ['HMAC by the public key', () => signWithHmac('x', good(), { typ: 'secevent+jwt' }), 'invalid_request'],
    ['a key of somebody else', () => signToken(foreign, good(), { typ: 'secevent+jwt', kid: 'rsa-1' }), 'invalid_key'],
    ['an unknown key', () => signToken(foreign, good(), { typ: 'secevent+jwt' }), 'invalid_key'],
    ['another issuer', () => token(good({ iss: 'https://evil.example' })), 'invalid_issuer'],
    ['another audience', () => token(good({ aud: 'helpdesk' })), 'invalid_audience'],
    ['a second audience', () => token(good({ aud: [CLIENT, 'helpdesk'] })), 'invalid_audience'],
    ['no iat', () => token(good({ iat: undefined })), 'invalid_request'],
    ['an iat of an hour ago', () => token(good({ iat: issuer.state.now / 1000 - 3601 })), 'invalid_request'],
    ['an iat in 121 s', () => token(good({ iat: issuer.state.now / 1000 + 121 })), 'invalid_request'],
    ['no jti', () => token(good({ jti: undefined })), 'invalid_request'],
    ['two events', () => token(good({ events: { [disabled]: {}, [REVOKED]: {} } })), 'invalid_request'],
    ['no event', () => token(good({ events: {} })), 'invalid_request'],
    ['no subject', () => token(good({ sub_id: undefined })), 'invalid_request'],
    [
      'a subject of another issuer',
      () => token(good({ sub_id: { format: 'iss_sub', iss: 'x', sub: 'person-1' } })),
      'invalid_request',
    ],
  ])('is refused with %s, and changes nothing', async (_, body, err) => {
    const { status, json, headers } = await post(body());
    expect([status, json.err, typeof json.description]).toEqual([400, err, 'string']);
    expect(headers?.['cache-control']).toBe('no-store');
    expect([table.get('1'), ended]).toEqual([ada, []]);
  });

  it.each([-90, 90])('is taken by a clock that is %d s apart', async (apart) => {
    expect((await tell(disabled, { iat: issuer.state.now / 1000 + apart })).status).toBe(202);
    expect(table.get('1')?.active).toBe(false);
  });

  it('is checked with the new key after a rotation', async () => {
    const next = createKey('next', 'ES256');
    issuer.state.keys = [issuer.rsa.jwk, next.jwk];
    expect((await post(signToken(next, good(), { typ: 'secevent+jwt' }))).status).toBe(202);
  });

  it('that comes again is answered like the first, and done once; also ten times at the same moment', async () => {
    const same = token(claims(REVOKED));
    const answers = await Promise.all(Array.from({ length: 10 }, () => post(same)));
    expect(answers.map(({ status }) => status)).toEqual(Array(10).fill(202));
    expect(ended).toEqual(['1']);
  });

  it('that could not be done is 503, and is done when it comes again', async () => {
    isBroken = true;
    const same = token(good());
    expect(await post(same)).toMatchObject({ status: 503, headers: { 'retry-after': '5' } });
    isBroken = false;
    expect((await post(same)).status).toBe(202);
    expect(table.get('1')?.active).toBe(false);
  });

  it('is 503 while the keys cannot be had', async () => {
    issuer.state.isDown = true;
    expect((await tell(disabled)).status).toBe(503);
  });

  it('of another instance, of an earlier connection or of an unknown kind asks nothing of us', async () => {
    for (const more of [{ instance: 'instance-2' }, { instance: undefined }, { events: { 'urn:other': {} } }])
      expect((await tell(disabled, more)).status).toBe(202);
    expect([table.get('1'), ended]).toEqual([ada, []]);
  });

  it('is for its own address and method', async () => {
    expect(await integration.handle({ method: 'POST', url: '/other', headers: {} })).toBeNull();
    expect((await integration.handle({ method: 'GET', url: '/events', headers: {} }))?.status).toBe(405);
  });
});

describe('what an event does', () => {
  it('account-disabled suspends and ends sessions; account-enabled restores', async () => {
    await tell(`${RISC}account-disabled`);
    expect(table.get('1')).toMatchObject({ active: false, suspendedBy: 'provider' });
    expect(ended).toContain('1');
    await tell(`${RISC}account-enabled`);
    expect(table.get('1')).toMatchObject({ active: true, suspendedBy: null });
  });

  it('whom the module has suspended is not restored from outside', async () => {
    table.set('1', { ...ada, active: false, suspendedBy: 'module' });
    await tell(`${RISC}account-disabled`);
    await tell(`${RISC}account-enabled`);
    expect(table.get('1')).toMatchObject({ active: false, suspendedBy: 'module' });
  });

  it('account-purged leaves it disabled: removing is SCIM’s', async () => {
    await tell(`${RISC}account-purged`);
    expect(table.get('1')).toMatchObject({ active: false });
  });

  it('session-revoked ends sessions, and nothing else', async () => {
    await tell(REVOKED);
    expect([table.get('1'), ended]).toEqual([ada, ['1']]);
  });

  it('C36 the last administrator is not turned off; their sessions end all the same', async () => {
    table.delete('2');
    const { status, json } = await tell(`${RISC}account-disabled`);
    expect([status, json.err]).toEqual([400, 'access_denied']);
    expect(json.description).toBe('ada is the last active administrator of this module.');
    expect([table.get('1')?.active, ended]).toEqual([true, ['1']]);
  });

  it('nobody of that link: nothing to do', async () => {
    expect(
      (await tell(`${RISC}account-disabled`, { sub_id: { format: 'iss_sub', iss: ISSUER, sub: 'x' } })).status,
    ).toBe(202);
  });

  it('of two for one person the greater seq is the later one, whichever comes first', async () => {
    await tell(`${RISC}account-enabled`, { seq: 8 });
    await tell(`${RISC}account-disabled`, { seq: 7 });
    expect(table.get('1')).toMatchObject({ active: true, eventSeq: 8 });
    await tell(`${RISC}account-disabled`, { seq: 9 });
    await tell(`${RISC}account-enabled`, { seq: 9 });
    expect(table.get('1')).toMatchObject({ active: false, eventSeq: 9 });
  });

  it('the order holds over a restart, since the account knows its number', async () => {
    await tell(`${RISC}account-disabled`, { seq: 9 });
    const again = await open();
    await post(token(claims(`${RISC}account-enabled`, { seq: 8 })), again);
    expect(table.get('1')).toMatchObject({ active: false });
    await post(token(claims(`${RISC}account-enabled`, { seq: 10 })), again);
    expect(table.get('1')).toMatchObject({ active: true });
  });

  it('disconnected forgets the connection: local login for everybody', async () => {
    expect(integration.state.connected).toBe(true);
    await tell('urn:unifiedlogin:event-type:disconnected', { sub_id: undefined });
    expect(integration.state).toMatchObject({ connected: false, settings: null });
    expect((await open()).state.connected).toBe(false);
  });

  it('settings-changed fetches them', async () => {
    await tell('urn:unifiedlogin:event-type:settings-changed', { sub_id: undefined });
    await expect.poll(() => issuer.count('/api/v1/instance/settings')).toBe(1);
  });
});
