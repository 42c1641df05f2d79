// The log of a connection: strangers who post junk to the shared address do not push out what an administrator needs.
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Company } from '../../../src/domain/companies/company.ts';
import type { StoredConnection } from '../../../src/domain/federation/connection-repository.ts';
import { noteAttempt } from '../../../src/domain/federation/request-commands.ts';
import { seconds } from '../../../src/lib/time.ts';
import { startApp, type TestApp } from '../../support/app.ts';
import { atDesk } from '../../support/console.ts';
import { makeCompany } from '../../support/people.ts';
import { connectIdp, postAnswer, TestIdp, toUpstream, upstreamPerson } from '../../support/saml-idp.ts';
import { wordsOf } from '../../support/visitor.ts';

let app: TestApp;
let company: Company;
let connection: StoredConnection;
const idp = new TestIdp('logged');
const thief = new TestIdp('thief');

beforeAll(async () => {
  app = await startApp();
  await makeCompany(app);
});
beforeEach(async () => {
  company = await makeCompany(app);
  connection = await connectIdp(app, company, idp, { saml: { allowIdpInitiated: true } });
});
afterAll(() => app.stop());

const lines = () =>
  app.runtime
    .db('sso_attempts')
    .where({ connection_id: connection.id })
    .orderBy('at')
    .select('outcome', 'code', 'tries', 'source', 'details');

/** Signed with another key, in the name of the upstream: it needs no account anywhere. */
async function junk(audience?: string): Promise<string> {
  const said = upstreamPerson('mia', { CompanyIdentifier: company.identifier });
  const xml = await thief.answer(app, said, { issuer: idp.entityId, ...(audience ? { audience } : {}) });
  const { location = '' } = (await postAnswer(app, xml)).headers;
  return new URL(location, app.url).searchParams.get('code') ?? '';
}

const from = (ip: string) => ({ ...app.operator(), origin: { ...app.operator().origin, ip } });

describe('what nobody vouches for', () => {
  it('is one line for each outcome and network address, counted, and its code stays what the first page showed', async () => {
    const codes = [await junk(), await junk(), await junk()];
    expect(new Set(codes).size).toBe(1);
    expect(await lines()).toMatchObject([{ outcome: 'certificate', code: codes[0], tries: 3 }]);
    const admin = await atDesk(app, company);
    const page = await admin.visitor.open(`/admin/sso/${connection.id}/log?code=${codes[0]}`);
    expect(wordsOf(page)).toContain('Unknown certificate 3 times');
    const [, href = ''] = /href="(\/admin\/sso\/[^"]+\/log\/[^"]+)"/.exec(page.body) ?? [];
    expect(wordsOf(await admin.visitor.open(href))).toContain('3 from this network since');
  });

  it('in parallel, too: no try is lost, and there is one line', async () => {
    const codes = await Promise.all(Array.from({ length: 20 }, () => junk()));
    expect(new Set(codes).size).toBe(1);
    expect(await lines()).toMatchObject([{ outcome: 'certificate', tries: 20 }]);
  });

  it('an answer that the upstream signed has a line of its own, whatever is wrong with it', async () => {
    for (let i = 0; i < 2; i += 1) {
      const said = upstreamPerson('mia', { CompanyIdentifier: company.identifier });
      await postAnswer(app, await idp.answer(app, said, { audience: 'https://wrong.example' }));
    }
    const all = await lines();
    expect(all.map(({ outcome, source, tries }) => [outcome, source, tries])).toEqual([
      ['audience', null, 1],
      ['audience', null, 1],
    ]);
    expect(all[0].code).not.toBe(all[1].code);
  });

  it('F2 one that the upstream signed, and that is refused, counts as its word once, also in parallel; then it is a stranger’s', async () => {
    await noteAttempt(app.operator(), connection, { outcome: 'signed-in', details: {} });
    const said = upstreamPerson('mia', { CompanyIdentifier: company.identifier });
    // Such as one that was made for another service, in the hands of anybody who works there.
    const xml = await idp.answer(app, said, { audience: 'https://wrong.example' });
    await Promise.all(Array.from({ length: 10 }, () => postAnswer(app, xml)));
    const all = await lines();
    const vouched = all.filter(({ source }) => source === null).map(({ outcome }) => outcome);
    expect(vouched.sort()).toEqual(['audience', 'signed-in']);
    expect(all.filter(({ source }) => source !== null)).toMatchObject([{ outcome: 'audience', tries: 9 }]);
  });

  it('an answer that is sent again and again is one line', async () => {
    const said = upstreamPerson('mia', { CompanyIdentifier: company.identifier });
    const xml = await idp.answer(app, said);
    for (let i = 0; i < 4; i += 1) await postAnswer(app, xml);
    expect(await lines()).toMatchObject([{ outcome: 'replayed', tries: 3 }]);
  });

  it('junk for a request that a stranger has begun is bounded the same', async () => {
    const visitor = app.visitor();
    const page = await visitor.submit(await visitor.open('/login'), { username: 'x', company: company.name });
    const { id } = await toUpstream(visitor, page);
    for (let i = 0; i < 5; i += 1)
      await postAnswer(
        app,
        await thief.answer(app, upstreamPerson('x'), { inResponseTo: id, issuer: idp.entityId }),
        id,
      );
    expect(await lines()).toMatchObject([{ outcome: 'certificate', tries: 5 }]);
  });

  it('each login that was begun here has a line and a code of its own, and no network more than twenty', async () => {
    await noteAttempt(from('198.51.100.1'), connection, { outcome: 'certificate', details: {}, isUnproven: true });
    const codes = new Set<string>();
    for (let i = 0; i < 3; i += 1) {
      const visitor = app.visitor();
      const { id } = await toUpstream(
        visitor,
        await visitor.submit(await visitor.open('/login'), { username: 'x', company: company.name }),
      );
      const said = { inResponseTo: id, issuer: idp.entityId };
      const answered = await postAnswer(app, await thief.answer(app, upstreamPerson('x'), said), id);
      codes.add(new URL(answered.headers.location ?? '', app.url).searchParams.get('code') ?? '');
    }
    expect(codes.size).toBe(3);
    const begun = (await lines()).filter(({ source }) => !source.startsWith('198.51.100.1'));
    expect(new Set(begun.map(({ code, tries }) => `${code} ${tries}`))).toEqual(
      new Set([...codes].map((c) => `${c} 1`)),
    );
    for (let i = 0; i < 30; i += 1) {
      app.clock.advance(seconds(1));
      const noted = { outcome: 'certificate', details: {}, isUnproven: true, about: `request ${i}` };
      await noteAttempt(from('203.0.113.9'), connection, noted);
    }
    const sources = (await lines()).map(({ source }) => source.split(' ')[0]);
    expect(sources.filter((source) => source === '203.0.113.9')).toHaveLength(20);
    expect(sources).toContain('198.51.100.1');
    expect(sources).toHaveLength(24);
  });

  it('the first answer to a test is no stranger’s: a line and a code of its own, which the log calls a test', async () => {
    const admin = await atDesk(app, company);
    const begin = async () => {
      const place = `/admin/sso/${connection.id}/test`;
      const left = await admin.visitor.submitOnce(await admin.visitor.open(place), {}, '/test');
      const { id } = await toUpstream(admin.visitor, left);
      return { id, xml: await thief.answer(app, upstreamPerson('x'), { inResponseTo: id, issuer: idp.entityId }) };
    };
    await junk();
    const one = await begin();
    await postAnswer(app, one.xml, one.id);
    const other = await begin();
    await postAnswer(app, other.xml, other.id);
    for (let i = 0; i < 3; i += 1) await postAnswer(app, one.xml, one.id);
    const all = await lines();
    expect(new Set(all.map(({ code }) => code)).size).toBe(4);
    expect(all.filter(({ source }) => source === null)).toMatchObject([
      { outcome: 'certificate', details: { of: 'test' } },
      { outcome: 'certificate', details: { of: 'test' } },
    ]);
    expect(all.find(({ outcome }) => outcome === 'replayed')).toMatchObject({ tries: 3, details: { of: 'test' } });
    const page = await admin.visitor.open(`/admin/sso/${connection.id}/log?code=${all[1].code}`);
    expect(wordsOf(page)).toContain('Test Unknown certificate');
    expect(wordsOf(page)).not.toContain('Not known');
    const [, href = ''] = /href="(\/admin\/sso\/[^"]+\/log\/[^"]+)"/.exec(page.body) ?? [];
    expect(wordsOf(await admin.visitor.open(href))).not.toContain('somebody unknown');
  });

  it('from however many networks, in parallel: the last fifty stay, and every line that the upstream vouches for', async () => {
    await noteAttempt(app.operator(), connection, { outcome: 'audience', details: {} });
    await noteAttempt(app.operator(), connection, { outcome: 'signed-in', details: {} });
    for (let round = 0; round < 4; round += 1) {
      app.clock.advance(seconds(1));
      await Promise.all(
        Array.from({ length: 50 }, (_, i) =>
          noteAttempt(from(`198.51.${round}.${i}`), connection, {
            outcome: 'certificate',
            details: {},
            isUnproven: true,
          }),
        ),
      );
    }
    app.clock.advance(seconds(1));
    const last = { outcome: 'unsigned', details: {}, isUnproven: true };
    await noteAttempt(from('203.0.113.9'), connection, last);
    const all = await lines();
    const vouched = all.filter(({ source }) => source === null).map(({ outcome }) => outcome);
    expect(vouched.sort()).toEqual(['audience', 'signed-in']);
    expect(all.filter(({ source }) => source !== null)).toHaveLength(50);
    expect(all.at(-1)).toMatchObject({ outcome: 'unsigned', source: '203.0.113.9' });
    // One that comes again moves up, and takes nobody's place.
    await noteAttempt(from('203.0.113.9'), connection, last);
    const again = await lines();
    expect(again.filter(({ source }) => source !== null)).toHaveLength(50);
    expect(again.at(-1)).toMatchObject({ tries: 2 });
  });

  it('an IPv6 household counts as one network', async () => {
    for (const ip of ['2001:db8:1:2::1', '2001:db8:1:2::2'])
      await noteAttempt(from(ip), connection, { outcome: 'malformed', details: {}, isUnproven: true });
    expect(await lines()).toMatchObject([{ tries: 2, source: '2001:db8:1:2::/64' }]);
  });
});
