// The audit log in the console (API-13): filters, pages by keyset, one event, and the export.
import { request } from 'node:http';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { parse } from 'csv-parse/sync';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { AuditEvent } from '../../../src/domain/audit/audit-event.ts';
import { record } from '../../../src/domain/audit/commands.ts';
import { sealEvents } from '../../../src/domain/audit/sealing.ts';
import type { Company } from '../../../src/domain/companies/company.ts';
import { startApp, type TestApp } from '../../support/app.ts';
import { type AtDesk, atDesk, refusesOthers } from '../../support/console.ts';
import { givePassword, makeCompany, makePerson, type TestPerson } from '../../support/people.ts';
import { formsOf, type Page, wordsOf } from '../../support/visitor.ts';

let app: TestApp;
let company: Company;
let other: Company;
let desk: AtDesk;
let ben: TestPerson;

const rowsOf = (page: Page) => [...page.body.matchAll(/href="\/admin\/audit\/(\d+)"/g)].map(([, id]) => id);
const open = (query: Record<string, string> | string = {}) =>
  desk.visitor.send(`/admin/audit?${typeof query === 'string' ? query : new URLSearchParams(query)}`);
const write = (event: Partial<AuditEvent>, ip = '203.0.113.7', at = app.clock.now()) =>
  record(
    { ...app.operator(), now: at, origin: { requestId: 'r', ip, agent: 'test' } },
    { action: 'user.edit', companyId: company.id, ...event },
  );

beforeAll(async () => {
  app = await startApp();
  company = await makeCompany(app, 'Northwind');
  other = await makeCompany(app, 'Contoso');
  desk = await atDesk(app, company, { username: 'ada' });
  ben = await makePerson(app, company, { username: 'ben' });
});
afterAll(() => app.stop());

describe('who may read it', () => {
  refusesOthers(() => ({ app, company }), ['/admin/audit', '/admin/audit/1', '/admin/audit/people?q=a']);

  it('API-01, WEB-06 the export is refused to other roles, and without the token', async () => {
    const user = await atDesk(app, company, { role: 'User' });
    const home = await user.visitor.open('/');
    const csrf = formsOf(home)[0]?.values.csrf ?? '';
    expect((await user.visitor.send('/admin/audit/export', { form: { csrf, format: 'csv' } })).status).toBe(403);
    expect((await desk.visitor.send('/admin/audit/export', { form: { format: 'csv' } })).status).toBe(403);
    expect((await desk.visitor.send('/admin/audit/export')).status, 'a GET changes nothing').toBe(404);
    const events = await app.runtime.store.audit.listRecent(5, { action: 'audit.export' });
    expect(events).toEqual([]);
  });

  it('API-02 events of another company are not there: not in the list, not by id, code, person or address, not in the export', async () => {
    const stranger = await makePerson(app, other, { username: 'mallory' });
    await write(
      { companyId: other.id, target: { kind: 'user', id: stranger.user.id }, code: 'AAAA-BBBB' },
      '198.51.100.1',
    );
    const [theirs] = await app.runtime.store.audit.listRecent(1, { code: 'AAAA-BBBB' });
    expect((await desk.visitor.send(`/admin/audit/${theirs?.id}`)).status).toBe(404);
    for (const query of [
      { code: 'AAAA-BBBB' },
      { ip: '198.51.100.1' },
      { person: 'mallory' },
      { person: stranger.user.id },
    ])
      expect(rowsOf(await open(query)), JSON.stringify(query)).toEqual([]);
    expect(rowsOf(await open({ before: theirs?.id ?? '' })), 'nor as a place to begin at').toEqual([]);
    expect(wordsOf(await desk.visitor.send('/admin/audit/people?q=mallory'))).toBe('[]');
    const { body } = await download({ format: 'jsonl' });
    expect(body).not.toContain(stranger.user.id);
    const ids = body
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line).id);
    expect(ids.length).toBeGreaterThan(3);
    expect(ids).not.toContain(theirs?.id);
  });
});

async function download(form: Record<string, string>): Promise<Page> {
  const page = await open();
  const csrf = formsOf(page).find(({ action }) => action === '/admin/audit/export')?.values.csrf ?? '';
  return desk.visitor.send('/admin/audit/export', { form: { ...form, csrf } });
}

describe('filters', () => {
  it('API-13 by person: as the one who acted and as the one it was about, by username or id', async () => {
    await write({ action: 'user.unlock', target: { kind: 'user', id: ben.user.id } });
    await record(
      { ...app.operator(), actor: { kind: 'user', id: ben.user.id, name: 'ben' } },
      { action: 'logout', companyId: company.id, target: { kind: 'user', id: ben.user.id } },
    );
    await record(
      { ...app.operator(), actor: { kind: 'user', id: ben.user.id, name: 'ben' } },
      { action: 'group.create', companyId: company.id, details: { name: 'By Ben' } },
    );
    const page = await open({ person: 'BEN' });
    const words = wordsOf(page);
    for (const sentence of ['unlocked Pat Example', 'Pat Example logged out', 'created the access group “By Ben”'])
      expect(words).toContain(sentence);
    expect(new Set(rowsOf(page)).size, 'each once').toBe(rowsOf(page).length);
    expect(rowsOf(await open({ person: ben.user.id }))).toEqual(rowsOf(page));
    const nobody = await open({ person: 'nobody-here' });
    expect(nobody.status).toBe(200);
    expect(wordsOf(nobody)).toContain('Nobody here is called “nobody-here”');
    expect(nobody.body).toContain('value="nobody-here"');
    expect(rowsOf(nobody)).toEqual([]);
  });

  it('API-13 by action, by a whole group of actions, by address, and all of it together', async () => {
    await write({ action: 'group.deactivate', details: { name: 'G' } }, '192.0.2.1');
    await write({ action: 'group.delete', details: { name: 'G' } }, '192.0.2.2');
    expect(wordsOf(await open({ action: 'group.delete' }))).toContain('deleted the access group');
    const group = wordsOf(await open({ action: 'all:group' }));
    for (const words of ['deleted the access group', 'deactivated the access group', 'created the access group'])
      expect(group).toContain(words);
    expect(group).not.toContain('unlocked Pat');
    expect(rowsOf(await open({ ip: '192.0.2.1' }))).toHaveLength(1);
    expect(rowsOf(await open({ ip: '192.0.2.1', action: 'group.delete' }))).toEqual([]);
    expect(rowsOf(await open({ ip: '192.0.2.2', action: 'all:group', range: 'hour' }))).toHaveLength(1);
    const chips = wordsOf(await open({ ip: '192.0.2.2', action: 'all:group', range: 'hour' }));
    for (const chip of ['Access groups', 'Last hour', 'Address 192.0.2.2', 'Clear all']) expect(chips).toContain(chip);
  });

  it('API-13 by time: presets, and from and until as clocks in the zone of the viewer', async () => {
    await app.runtime.db('users').where({ id: desk.person.user.id }).update({ time_zone: 'Asia/Kathmandu' });
    await write(
      { details: { before: { n: 'early' }, after: { n: 'x' } } },
      '192.0.2.9',
      new Date('2026-01-10T18:14:59Z'),
    );
    await write(
      { details: { before: { n: 'inside' }, after: { n: 'x' } } },
      '192.0.2.9',
      new Date('2026-01-10T18:15:00Z'),
    );
    await write(
      { details: { before: { n: 'late' }, after: { n: 'x' } } },
      '192.0.2.9',
      new Date('2026-01-10T19:15:00Z'),
    );
    // Midnight in Kathmandu is 18:15 in Greenwich.
    const words = wordsOf(await open({ ip: '192.0.2.9', from: '2026-01-11T00:00', to: '2026-01-11T01:00' }));
    expect(words).toContain('“inside”');
    expect(words).not.toContain('“early”');
    expect(words).not.toContain('“late”');
    expect(words).toContain('Times of Asia/Kathmandu');
    expect(rowsOf(await open({ ip: '192.0.2.9', range: 'week' }))).toEqual([]);
    expect(rowsOf(await open({ ip: '192.0.2.9' }))).toHaveLength(3);
    await app.runtime.db('users').where({ id: desk.person.user.id }).update({ time_zone: null });
  });

  it('API-13 a support code leads to the true reason', async () => {
    const visitor = app.visitor();
    const refused = await givePassword(visitor, await visitor.open('/login'), ben, 'wrong');
    const code = /<code>([A-Z2-9]{4}-[A-Z2-9]{4})<\/code>/.exec(refused.body)?.[1] ?? '';
    expect(code).not.toBe('');
    const [id] = rowsOf(await open({ code }));
    for (const typed of [code.toLowerCase(), code.replace('-', ''), ` ${code.toLowerCase().replace('-', ' ')} `])
      expect(rowsOf(await open({ code: typed })), typed).toEqual([id]);
    const event = await desk.visitor.send(`/admin/audit/${id}`);
    expect(wordsOf(event)).toContain('The login was refused: the password was wrong.');
    expect(event.body).toContain(`href="/admin/users/${ben.user.id}"`);
  });

  it.each([
    'person=%00',
    `person=${'x'.repeat(5000)}`,
    'action=drop+table',
    'range=forever',
    'from=yesterday&to=2026-99-99T00:00',
    'before=1%27+or+1=1',
    'before=99999999999999999999',
    'after=-1',
    'ip=%27+or+%271%27%3D%271&code=%27%3Bselect+1--',
    'before=1&after=1',
    'action=__proto__&range=constructor',
  ])('API-07, WEB-08 nonsense is left out: %s', async (query) => {
    expect((await open(query)).status).toBe(200);
  });

  it('the field for a person completes itself', async () => {
    const found = JSON.parse((await desk.visitor.send('/admin/audit/people?q=be')).body);
    expect(found).toContainEqual({ value: 'ben', label: 'Pat Example' });
    expect(JSON.parse((await desk.visitor.send('/admin/audit/people?q=%25')).body)).toEqual([]);
    expect(JSON.parse((await desk.visitor.send('/admin/audit/people?q=')).body)).toEqual([]);
  });
});

describe('pages', () => {
  it('API-13 lead through all events, newest first, none twice and none left out, there and back', async () => {
    const at = new Date('2026-02-01T00:00:00Z');
    // Many of one very moment, and some that came late with an earlier time.
    for (let n = 0; n < 130; n += 1)
      await write(
        { action: 'mail.test', details: { n } },
        '192.0.2.77',
        new Date(at.getTime() + Math.floor(n / 40) * 1000 - (n % 7 === 0 ? 5000 : 0)),
      );
    const seen: (string | undefined)[] = [];
    let page = await open({ ip: '192.0.2.77' });
    const linkOf = (word: string) =>
      new RegExp(`href="([^"]*)"[^>]*>(?:<svg[^>]*>.*?</svg>)?${word}`).exec(page.body)?.[1]?.replaceAll('&#38;', '&');
    expect(linkOf('Newer')).toBeUndefined();
    for (;;) {
      seen.push(...rowsOf(page));
      const next = linkOf('Older');
      if (!next) break;
      page = await desk.visitor.send(next);
    }
    expect(seen).toHaveLength(130);
    expect(new Set(seen).size).toBe(130);
    const { rows }: { rows: { id: string }[] } = await app.runtime.db.raw(
      `select id from audit_events where ip = '192.0.2.77' order by at desc, id desc`,
    );
    expect(seen).toEqual(rows.map(({ id }) => id));
    page = await desk.visitor.send(linkOf('Newer') ?? '');
    expect(rowsOf(page)).toEqual(seen.slice(50, 100));
    page = await desk.visitor.send(linkOf('Newer') ?? '');
    expect(rowsOf(page)).toEqual(seen.slice(0, 50));
    expect(linkOf('Newer')).toBeUndefined();
  });

  it('API-13 one event: who, when, where, before and after, and its seal', async () => {
    await write({
      target: { kind: 'user', id: ben.user.id },
      details: {
        before: { lastName: 'Old', phone: null },
        after: { lastName: '<b>New</b>', phone: null },
        note: 'kept',
      },
    });
    const [made] = await app.runtime.store.audit.listRecent(1, { action: 'user.edit' });
    const before = wordsOf(await desk.visitor.send(`/admin/audit/${made?.id}`));
    expect(before).toContain('Not sealed yet');
    await sealEvents(app.operator());
    const page = await desk.visitor.send(`/admin/audit/${made?.id}`);
    const words = wordsOf(page);
    for (const part of [
      'The operator edited',
      'last name Old <b>New</b>',
      '203.0.113.7',
      'note',
      'kept',
      'of the chain',
    ])
      expect(words).toContain(part);
    expect(page.body).not.toContain('<b>New</b>');
    expect(page.body).toMatch(/<code>[0-9a-f]{64}<\/code>/);
    for (const id of ['0', 'x', '99999999999999999999', '1%00', '-1'])
      expect((await desk.visitor.send(`/admin/audit/${id}`)).status, id).toBe(404);
  });
});

describe('export', () => {
  it('C49, API-09 CSV: formulas are cells of text, every event that matches is there, and the export is an event itself', async () => {
    const nasty = [
      '=HYPERLINK("http://evil")',
      '+1',
      '-2+3',
      '@SUM(A1)',
      '\t=1',
      '\r=1',
      'a "quoted", cell\nwith a line',
    ];
    for (const agent of nasty)
      await record(
        { ...app.operator(), origin: { requestId: '=cmd', ip: '192.0.2.50', agent } },
        { action: 'group.create', companyId: company.id, details: { name: agent } },
      );
    const answer = await download({ format: 'csv', ip: '192.0.2.50' });
    expect(answer.headers['content-type']).toBe('text/csv; charset=utf-8');
    expect(answer.headers['content-disposition']).toMatch(/^attachment; filename="audit-\d{4}-\d\d-\d\d\.csv"$/);
    const rows: Record<string, string>[] = parse(answer.body, { columns: true, bom: true, relax_quotes: false });
    expect(rows).toHaveLength(nasty.length);
    expect(rows.map((row) => row.Device?.replace(/^'/, '')).reverse()).toEqual(nasty);
    for (const row of rows)
      for (const cell of Object.values(row))
        expect(cell, 'no cell that a spreadsheet would run').not.toMatch(/^[=+\-@\t\r]/);
    const [event] = await app.runtime.store.audit.listRecent(1, { action: 'audit.export' });
    expect(event).toMatchObject({
      company_id: company.id,
      actor: { id: desk.person.user.id },
      details: { format: 'csv', filter: { ip: '192.0.2.50' } },
    });
  });

  it('API-13 JSON Lines: one event a line, with all that is known, honouring the filter', async () => {
    await write(
      { action: 'policy.change', details: { before: { minLength: 8 }, after: { minLength: 12 } } },
      '192.0.2.60',
    );
    const answer = await download({ format: 'jsonl', action: 'policy.change' });
    expect(answer.headers['content-type']).toBe('application/x-ndjson; charset=utf-8');
    const lines = answer.body
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatchObject({
      action: 'policy.change',
      sentence: 'The operator changed the security policy: minimum length from “8” to “12”.',
      actor: { kind: 'operator', name: 'test' },
      details: { before: { minLength: 8 }, after: { minLength: 12 } },
      ip: '192.0.2.60',
    });
    expect((await download({ format: 'jsonl', person: 'nobody-here' })).body, 'nobody is not everybody').toBe('');
    expect((await download({ format: 'exe', action: 'policy.change' })).headers['content-type']).toContain('text/csv');
  });

  it('API-13 200,000 events come as a stream: the first at once, memory stays, and who goes away stops it', async () => {
    await app.runtime.db.raw(
      `insert into audit_events (at, company_id, action, actor, target_kind, target_id, details, ip, agent, request_id)
       select ?::timestamptz - n * interval '1 second', ?::uuid, 'login.ok', '{"kind":"system","name":"bulk"}', 'user', ?, jsonb_build_object('n', n, 'text', repeat('x', 300)), '198.51.100.9', 'agent', 'r'
       from generate_series(1, 200000) n`,
      [app.clock.now(), company.id, ben.user.id],
    );
    await app.runtime.db.raw('analyze audit_events');
    const page = await open();
    const csrf = formsOf(page).find(({ action }) => action === '/admin/audit/export')?.values.csrf ?? '';
    const streamed = await stream({ csrf, format: 'jsonl', ip: '198.51.100.9' }, Number.POSITIVE_INFINITY);
    expect(streamed.lines).toBe(200_000);
    expect(streamed.bytes).toBeGreaterThan(100_000_000);
    expect(streamed.memory.length).toBeGreaterThan(10);
    const [early, late] = [streamed.memory.slice(0, 8), streamed.memory.slice(8)].map((part) => Math.max(...part));
    expect((late ?? 0) - (early ?? 0), 'bytes in use, the second 65 MB against the first').toBeLessThan(8_000_000);
    expect(streamed.firstAfter).toBeLessThan(1000);
    const cut = await stream({ csrf, format: 'csv', ip: '198.51.100.9' }, 1_000_000);
    expect(cut.bytes).toBeLessThan(60_000_000);
    // Nothing goes on for whoever has left: the pool is free again.
    await expect.poll(() => app.runtime.db.client.pool.numUsed()).toBe(0);
    expect((await open()).status).toBe(200);
  }, 60_000);
});

setFlagsFromString('--expose-gc');
const collectGarbage: () => void = runInNewContext('gc');

/** What is still needed: client and server are one process here. */
function bytesInUse(): number {
  collectGarbage();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

/** Reads an export as it comes and counts, without keeping it. */
function stream(
  form: Record<string, string>,
  stopAfter: number,
): Promise<{ lines: number; bytes: number; memory: number[]; firstAfter: number }> {
  const body = new URLSearchParams(form).toString();
  const startedAt = performance.now();
  const found = { lines: 0, bytes: 0, memory: [] as number[], firstAfter: 0 };
  return new Promise((resolve, reject) => {
    const asked = request(
      {
        port: app.port,
        host: '127.0.0.1',
        path: '/admin/audit/export',
        method: 'POST',
        headers: {
          host: new URL(app.url).host,
          cookie: desk.visitor.jar.map(({ name, value }) => `${name}=${value}`).join('; '),
          'content-type': 'application/x-www-form-urlencoded',
          'content-length': Buffer.byteLength(body),
        },
      },
      (answer) => {
        expect(answer.statusCode).toBe(200);
        answer.on('data', (chunk: Buffer) => {
          found.firstAfter ||= performance.now() - startedAt;
          found.bytes += chunk.length;
          for (const byte of chunk) if (byte === 10) found.lines += 1;
          if (found.bytes > (found.memory.length + 1) * 8_000_000) found.memory.push(bytesInUse());
          if (found.bytes > stopAfter) {
            asked.destroy();
            resolve(found);
          }
        });
        answer.on('end', () => resolve(found));
      },
    );
    asked.on('error', (error) => (found.bytes > stopAfter ? undefined : reject(error)));
    asked.end(body);
  });
}
