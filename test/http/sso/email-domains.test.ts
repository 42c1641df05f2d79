// E-mail domains: proved by a TXT record, one company's alone from then on, and looked at again every day.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Company } from '../../../src/domain/companies/company.ts';
import { proofHost, proofRecord } from '../../../src/domain/federation/email-domain.ts';
import {
  addEmailDomain,
  checkDomainsAgain,
  listEmailDomains,
  removeEmailDomain,
  verifyEmailDomain,
} from '../../../src/domain/federation/email-domain-commands.ts';
import { findCompanyOfAddress } from '../../../src/domain/federation/routing-queries.ts';
import { days } from '../../../src/lib/time.ts';
import { createTxtResolver, type TxtRecords, type TxtResolver } from '../../../src/lib/txt-records.ts';
import { startApp, type TestApp } from '../../support/app.ts';
import { makeConnection, workAs } from '../../support/federation.ts';
import { makeCompany, makePerson, type TestPerson } from '../../support/people.ts';

let app: TestApp;
beforeAll(async () => {
  app = await startApp();
}, 60_000);
afterAll(() => app.stop());

/** DNS as it stands; names that are not in it do not exist. */
const zone = new Map<string, TxtRecords>();
let asked = 0;
const resolve: TxtResolver = async (host) => {
  asked += 1;
  return zone.get(host) ?? { outcome: 'none' };
};
const put = (host: string, ...records: string[][]) => zone.set(host, { outcome: 'found', records });
const fail = (host: string) => zone.set(host, { outcome: 'unknown', problem: 'It took too long.' });

let counter = 0;

async function makeStage() {
  const company = await makeCompany(app);
  const admin = await makePerson(app, company, { role: 'Admin' });
  counter += 1;
  const name = `northwind-${counter}.example.com`;
  return { company, admin, name, work: () => workAs(app, admin) };
}

const verify = ({ company, work }: { company: Company; work: () => ReturnType<typeof workAs> }, name: string) =>
  verifyEmailDomain(work(), company.id, name, resolve);

const mailsTo = async ({ company, admin }: { company: Company; admin: TestPerson }) =>
  (await app.runtime.db('mails').where({ company_id: company.id, kind: 'domainLost', recipient: admin.user.email }))
    .length;

describe('adding', () => {
  it('takes a domain however it is typed, and makes a proof that nobody can guess', async () => {
    const { company, work, name } = await makeStage();
    const added = await addEmailDomain(work(), company.id, ` @${name.toUpperCase()}. `);
    expect(added).toMatchObject({ domain: name, verifiedAt: null });
    expect(added.proof).toMatch(/^[\w-]{32}$/);
    expect((await addEmailDomain(work(), company.id, 'bücher.example')).domain).toBe('xn--bcher-kva.example');
    await expect(addEmailDomain(work(), company.id, name)).rejects.toMatchObject({ status: 409 });
  });

  it.each([
    '',
    'example',
    'a@b.com',
    'http://example.com',
    'exam ple.com',
    '-a.com',
    '127.0.0.1',
    'a..com',
    `${'a'.repeat(64)}.com`,
    '*.example.com',
  ])('refuses what is no domain: "%s"', async (text) => {
    const { company, work } = await makeStage();
    await expect(addEmailDomain(work(), company.id, text)).rejects.toMatchObject({ status: 422, code: 'invalid' });
  });

  it('refuses the domains of which anybody can have an address', async () => {
    const { company, work } = await makeStage();
    await expect(addEmailDomain(work(), company.id, 'GMail.com')).rejects.toMatchObject({ status: 422 });
  });

  it('is for administrators, of their own company', async () => {
    const { company, work, name } = await makeStage();
    const user = await makePerson(app, company);
    const stranger = await makePerson(app, await makeCompany(app), { role: 'Root Admin' });
    await addEmailDomain(work(), company.id, name);
    for (const who of [user, stranger]) {
      await expect(listEmailDomains(workAs(app, who), company.id)).rejects.toMatchObject({ status: 403 });
      await expect(addEmailDomain(workAs(app, who), company.id, name)).rejects.toMatchObject({ status: 403 });
      await expect(removeEmailDomain(workAs(app, who), company.id, name)).rejects.toMatchObject({ status: 403 });
      await expect(verifyEmailDomain(workAs(app, who), company.id, name, resolve)).rejects.toMatchObject({
        status: 403,
      });
    }
    await expect(verifyEmailDomain(workAs(app, stranger), stranger.company.id, name, resolve)).rejects.toMatchObject({
      status: 404,
    });
  });
});

describe('proving', () => {
  it('says what is missing where, what stands there instead, and when DNS does not answer', async () => {
    const stage = await makeStage();
    const { proof } = await addEmailDomain(stage.work(), stage.company.id, stage.name);
    const host = proofHost(stage.name);
    expect(await verify(stage, stage.name)).toEqual({
      outcome: 'missing',
      host,
      record: `unified-login-verification=${proof}`,
      found: [],
    });
    put(host, ['v=spf1 -all'], [`${proofRecord(proof)}x`]);
    expect(await verify(stage, stage.name)).toMatchObject({
      outcome: 'missing',
      found: ['v=spf1 -all', `${proofRecord(proof)}x`],
    });
    fail(host);
    expect(await verify(stage, stage.name)).toEqual({ outcome: 'unknown', problem: 'It took too long.' });
    expect((await listEmailDomains(stage.work(), stage.company.id))[0]?.verifiedAt).toBeNull();
  });

  it('takes the record at its host, in pieces, among others, and at the domain itself', async () => {
    const stage = await makeStage();
    for (const [name, host] of [
      [stage.name, proofHost(stage.name)],
      [`other-${stage.name}`, `other-${stage.name}`],
    ] as const) {
      const { proof } = await addEmailDomain(stage.work(), stage.company.id, name);
      const record = proofRecord(proof);
      put(host, ['v=spf1 -all'], [record.slice(0, 20), record.slice(20)]);
      expect(await verify(stage, name)).toEqual({ outcome: 'verified' });
    }
    const events = await app.runtime.db('audit_events').where({ company_id: stage.company.id, action: 'sso.config' });
    expect(events.filter(({ details }) => details.change === 'verified')).toHaveLength(2);
  });

  it('two companies may claim it, one can prove it: also when both ask at once', async () => {
    const [one, two] = [await makeStage(), await makeStage()];
    const { name } = one;
    const proofs = await Promise.all([one, two].map(({ work, company }) => addEmailDomain(work(), company.id, name)));
    put(proofHost(name), ...proofs.map(({ proof }) => [proofRecord(proof)]));
    const results = await Promise.allSettled([verify(one, name), verify(two, name)]);
    expect(results.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    expect(results.find(({ status }) => status === 'rejected')).toMatchObject({ reason: { status: 409 } });
    // Gone here, it is free for the other.
    const [winner, loser] = results[0]?.status === 'fulfilled' ? [one, two] : [two, one];
    await removeEmailDomain(winner.work(), winner.company.id, name);
    expect(await verify(loser, name)).toEqual({ outcome: 'verified' });
  });

  it('leads people of the domain to their company, as long as it is proved and a connection is enabled', async () => {
    const stage = await makeStage();
    const at = (name: string) => findCompanyOfAddress(app.operator(), `Ada@${name}`);
    const { proof } = await addEmailDomain(stage.work(), stage.company.id, stage.name);
    await makeConnection(app, stage.company);
    expect(await at(stage.name)).toBeNull();
    put(proofHost(stage.name), [proofRecord(proof)]);
    await verify(stage, stage.name);
    expect(await at(stage.name.toUpperCase())).toMatchObject({ id: stage.company.id });
    expect(await at(`sub.${stage.name}`)).toBeNull();
    await removeEmailDomain(stage.work(), stage.company.id, stage.name);
    expect(await at(stage.name)).toBeNull();
  });
});

describe('the daily look', () => {
  async function makeProved() {
    const stage = await makeStage();
    const { proof } = await addEmailDomain(stage.work(), stage.company.id, stage.name);
    const host = proofHost(stage.name);
    put(host, [proofRecord(proof)]);
    await verify(stage, stage.name);
    const day = async () => {
      app.clock.advance(days(1) + 1000);
      // Two nodes at once, as in life.
      await Promise.all([checkDomainsAgain(app.operator(), resolve), checkDomainsAgain(app.operator(), resolve)]);
      return (await listEmailDomains(stage.work(), stage.company.id))[0];
    };
    return { ...stage, proof, host, day };
  }

  it('a proof that is missing for a week is given up, and told at the beginning and at the end', async () => {
    const stage = await makeProved();
    zone.delete(stage.host);
    expect(await stage.day()).toMatchObject({ missingSince: expect.any(Date), verifiedAt: expect.any(Date) });
    expect(await mailsTo(stage)).toBe(1);
    for (let i = 0; i < 6; i += 1) expect((await stage.day())?.verifiedAt).not.toBeNull();
    expect((await stage.day())?.verifiedAt).toBeNull();
    expect(await mailsTo(stage)).toBe(2);
    await stage.day();
    expect(await mailsTo(stage)).toBe(2);
  });

  it('back in time, nothing has happened; an outage of DNS counts for nothing', async () => {
    const stage = await makeProved();
    fail(stage.host);
    for (let i = 0; i < 9; i += 1)
      expect(await stage.day()).toMatchObject({ missingSince: null, verifiedAt: expect.any(Date) });
    zone.delete(stage.host);
    expect((await stage.day())?.missingSince).not.toBeNull();
    put(stage.host, [proofRecord(stage.proof)]);
    expect(await stage.day()).toMatchObject({ missingSince: null, verifiedAt: expect.any(Date) });
    expect(await mailsTo(stage)).toBe(1);
  });

  it('is once a day', async () => {
    await makeProved();
    app.clock.advance(days(1) + 1000);
    await checkDomainsAgain(app.operator(), resolve);
    asked = 0;
    await checkDomainsAgain(app.operator(), resolve);
    expect(asked).toBe(0);
  });
});

describe('the resolver of the machine', () => {
  it('never throws: a name that cannot be is one that nobody knows of', async () => {
    expect((await createTxtResolver()('a name that cannot be.invalid')).outcome).not.toBe('found');
  }, 20_000);
});
