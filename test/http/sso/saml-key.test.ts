// The roll-over of our own SAML key: shown, then signing, then gone, by the clock of every node; and in one step when it is in wrong hands.
import { createPublicKey, X509Certificate } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { findCommand } from '../../../src/cli/commands.ts';
import { examine } from '../../../src/cli/doctor.ts';
import { parseOptions } from '../../../src/cli/options.ts';
import type { Company } from '../../../src/domain/companies/company.ts';
import { lastingSecretPurpose } from '../../../src/domain/keys/commands.ts';
import { ensureSamlKey, rotateSamlKey } from '../../../src/domain/keys/saml-key.ts';
import { selfSigned } from '../../../src/lib/certificate.ts';
import { days } from '../../../src/lib/time.ts';
import { startApp, type TestApp } from '../../support/app.ts';
import { makeCompany, makePerson, signIn } from '../../support/people.ts';
import { connectIdp, postAnswer, TestIdp, toUpstream, upstreamPerson } from '../../support/saml-idp.ts';

let app: TestApp;
let company: Company;
const idp = new TestIdp();

beforeAll(async () => {
  app = await startApp();
  await makeCompany(app);
  company = await makeCompany(app, 'Northwind IT');
  await connectIdp(app, company, idp);
});
afterAll(() => app.stop());
beforeEach(() => app.runtime.db('lasting_secrets').where({ name: 'saml' }).delete());

const bare = (certificate: string) => certificate.replace(/-----[A-Z ]+-----|\s+/g, '');

/** As an upstream reads it. */
async function shown(of: TestApp = app): Promise<{ signing: string[]; encryption: string[] }> {
  const { body } = await of.visitor().at(of.port).open('/sso/saml/metadata');
  const of_ = (use: string) =>
    [...body.matchAll(new RegExp(`<KeyDescriptor use="${use}">.*?X509Certificate>([^<]+)<`, 'gs'))].map(
      ([, one = '']) => one.replace(/\s+/g, ''),
    );
  return { signing: of_('signing'), encryption: of_('encryption') };
}

async function toIdp() {
  const visitor = app.visitor();
  const page = await visitor.submit(await visitor.open('/login'), { username: 'mia', company: company.name });
  return { visitor, ...(await toUpstream(visitor, page)) };
}

const isSignedWith = async (certificate: string): Promise<boolean> =>
  idp.readRequest((await toIdp()).address, certificate).then(
    () => true,
    () => false,
  );

/** Whether an answer that is encrypted for this certificate lets somebody in. */
async function opens(certificate: string): Promise<boolean> {
  const { visitor, id } = await toIdp();
  const now = app.clock.now();
  const xml = await idp.answer(app, upstreamPerson('mia'), {
    inResponseTo: id,
    encryptionCert: certificate,
    encryptionPublicKey: createPublicKey(certificate).export({ type: 'spki', format: 'pem' }),
    issueInstant: now.toISOString(),
  });
  const posted = await postAnswer(app, xml, id);
  return (await visitor.open(posted.headers.location ?? '')).body.includes('Mia');
}

async function run(...args: string[]) {
  const command = findCommand('rotate-keys');
  if (!command) throw new Error('there is no rotate-keys');
  return command.run({
    runtime: app.runtime,
    work: app.operator(),
    options: parseOptions(command.options, args),
    readStandardInput: async () => '',
    readFile: async () => Buffer.alloc(0),
  });
}

describe('rotate-keys --saml', () => {
  it('once at a time, in parallel, too; in wrong hands the old one is gone at once', async () => {
    const old = (await ensureSamlKey(app.operator())).certificate;
    const tries = await Promise.allSettled([1, 2, 3].map(() => rotateSamlKey(app.operator(), { atOnce: false })));
    expect(tries.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    await expect(run('--saml')).rejects.toThrow('is shown already');
    await run('--saml', '--at-once');
    const { signing } = await shown();
    expect(signing).toHaveLength(1);
    expect(signing).not.toContain(bare(old));
    expect(await isSignedWith(old)).toBe(false);
    expect(await opens(old)).toBe(false);
    await expect(run('--at-once')).rejects.toThrow('--saml');
  });

  it('a key that was kept before there were roll-overs goes on signing, and rolls over like any other', async () => {
    const { privateKey, certificate } = await ensureSamlKey(app.operator());
    const sealed = app.runtime.keyring.seal(lastingSecretPurpose, JSON.stringify({ privateKey, certificate }));
    await app.runtime.db('lasting_secrets').where({ name: 'saml' }).update({ sealed_value: sealed });
    expect(await isSignedWith(certificate)).toBe(true);
    await run('--saml');
    expect((await shown()).signing).toHaveLength(2);
    expect(await isSignedWith(certificate)).toBe(true);
  });

  it('the connection’s page tells of a roll-over, and 30 days before the end; doctor tells in time for a roll-over', async () => {
    const admin = await makePerson(app, company, { role: 'Admin' });
    const visitor = app.visitor();
    await signIn(app, visitor, admin, '/login');
    const [{ id }] = await app.runtime.db('idp_connections').where({ company_id: company.id });
    const page = async () => (await visitor.open(`/admin/sso/${id}`)).body;
    const saml = async () => (await examine(app.runtime, app.operator())).find(({ name }) => name === 'saml');
    expect(await saml()).toMatchObject({ ok: true, found: expect.stringContaining('no SAML key yet') });
    expect(await page()).not.toContain('signed with a new certificate');
    expect(await saml()).toMatchObject({ ok: true });
    const { privateKey } = await ensureSamlKey(app.operator());
    const now = app.clock.now().getTime();
    const of = { name: 'x', from: new Date(now - days(1)), until: new Date(now + days(20)) };
    const ending = { privateKey, certificate: selfSigned(privateKey, of) };
    const sealed = app.runtime.keyring.seal(lastingSecretPurpose, JSON.stringify(ending));
    await app.runtime.db('lasting_secrets').where({ name: 'saml' }).update({ sealed_value: sealed });
    expect(await saml()).toMatchObject({ ok: false, advice: expect.stringContaining('rotate-keys --saml') });
    expect(await page()).toContain('Our own certificate ends in 20 days');
    await run('--saml');
    expect(await saml()).toMatchObject({ ok: true });
    expect(await page()).toContain('our requests are signed with a new certificate');
  });

  it('API-15 shows both at once, signs with the new one after 30 days on every node, and the old one is gone after 60', async () => {
    const node = await app.node();
    const old = (await ensureSamlKey(app.operator())).certificate;
    expect(await shown()).toEqual({ signing: [bare(old)], encryption: [bare(old)] });
    const { json, text } = await run('--saml');
    const [, made] = json as { certificate: string }[];
    const next = made?.certificate ?? '';
    expect(text).toContain('signs now, gone from');
    for (const one of [app, node])
      expect(await shown(one)).toEqual({ signing: [bare(old), bare(next)], encryption: [bare(next)] });
    expect([await isSignedWith(old), await isSignedWith(next)]).toEqual([true, false]);
    expect([await opens(old), await opens(next)]).toEqual([true, true]);
    app.clock.advance(days(30) + 1000);
    expect([await isSignedWith(old), await isSignedWith(next)]).toEqual([false, true]);
    for (const one of [app, node]) expect((await shown(one)).signing).toEqual([bare(next), bare(old)]);
    app.clock.advance(days(30));
    for (const one of [app, node])
      expect(await shown(one)).toEqual({ signing: [bare(next)], encryption: [bare(next)] });
    const [event] = await app.runtime.db('audit_events').where({ action: 'keys.rotate' }).orderBy('at', 'desc');
    expect(event.details).toMatchObject({ of: 'saml', fingerprint: new X509Certificate(next).fingerprint256 });
  });
});
