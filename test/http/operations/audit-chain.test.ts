// API-13: the audit log is sealed into a hash chain, and whoever gets round the triggers is found out.
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Database } from '../../../src/db/knex.ts';
import { type Anchor, extendChain } from '../../../src/domain/audit/chain.ts';
import { record } from '../../../src/domain/audit/commands.ts';
import { sealBatchSize, sealEvents } from '../../../src/domain/audit/sealing.ts';
import { verifyAudit } from '../../../src/domain/audit/verification.ts';
import type { Company } from '../../../src/domain/companies/company.ts';
import { createStore } from '../../../src/store.ts';
import { transaction } from '../../../src/work.ts';
import { startApp, type TestApp } from '../../support/app.ts';
import { makeCompany } from '../../support/people.ts';

const everything = { companyId: null, anchors: [] };

/** Seals until nothing waits. */
async function sealAll(app: TestApp): Promise<number> {
  let sealed = 0;
  for (let count = -1; count !== 0; sealed += count) count = await sealEvents(app.operator());
  return sealed;
}

const write = (app: TestApp, company: Company, n: number) =>
  record(app.operator(), {
    action: 'user.edit',
    companyId: company.id,
    details: { before: { n }, after: { n: n + 1 } },
  });

async function writeMany(app: TestApp, company: Company, count: number): Promise<void> {
  await app.runtime.db.raw(
    `insert into audit_events (at, company_id, action, actor, details)
     select ?::timestamptz, ?::uuid, 'login.ok', '{"kind":"system","name":"bulk"}', jsonb_build_object('n', n) from generate_series(1, ?) n`,
    [app.clock.now(), company.id, count],
  );
}

/** What a database administrator can do: put the guards aside, change rows, put the guards back. */
async function tamper(db: Database, table: 'audit_events' | 'audit_chain', act: () => Promise<unknown>): Promise<void> {
  await db.raw(`alter table ${table} disable trigger user`);
  await db.raw(`grant update, delete, truncate on ${table} to current_user`);
  try {
    await act();
  } finally {
    await db.raw(`revoke update, delete, truncate on ${table} from current_user`);
    await db.raw(`alter table ${table} enable always trigger ${table}_append_only`);
  }
}

describe('the chain over the audit log', () => {
  let app: TestApp;
  let company: Company;
  let other: Company;
  let db: Database;

  beforeAll(async () => {
    app = await startApp();
    db = app.runtime.db;
    company = await makeCompany(app);
    other = await makeCompany(app);
    for (let n = 0; n < 10; n += 1) {
      await write(app, company, n);
      await write(app, other, n);
    }
    await sealAll(app);
  });
  afterAll(() => app.stop());

  const verify = (anchors: Anchor[] = [], companyId: string | null = null) =>
    verifyAudit(app.operator(), { companyId, anchors });

  /** Runs `act` inside a transaction that is undone, and verifies within it. */
  async function verifyAfter(
    table: 'audit_events' | 'audit_chain',
    act: (trx: Database) => Promise<unknown>,
    scope: Parameters<typeof verifyAudit>[1] = everything,
  ) {
    let result: Awaited<ReturnType<typeof verifyAudit>> | undefined;
    const undone = new Error('undone');
    await transaction(app.operator(), async (work) => {
      await tamper(work.store.db, table, () => act(work.store.db));
      result = await verifyAudit(work, scope);
      throw undone;
    }).catch((error) => {
      if (error !== undone) throw error;
    });
    if (!result) throw new Error('not verified');
    return result;
  }

  /** Seals whatever is not sealed, as somebody would who knows how. */
  async function forgeSeals(trx: Database): Promise<void> {
    const { chain } = createStore(trx, app.runtime.store.prepared);
    const head = await chain.findHead();
    const [newest] = await trx('audit_events').max({ id: 'id' });
    const waiting = await chain.readEvents(head?.eventId ?? null, BigInt(String(newest?.id)), 1000);
    await chain.append(extendChain(head, waiting, app.clock.now()));
  }

  const eventAt = async (seq: number): Promise<bigint> => {
    const [entry] = await app.runtime.store.chain.readEntries(seq - 1, seq, 1);
    if (!entry) throw new Error(`no entry ${seq}`);
    return entry.eventId;
  };

  it('API-13 seals every event once, in the order of ids, and finds nothing wrong', async () => {
    const result = await verify();
    const [events] = await db('audit_events').count({ count: '*' });
    expect(result).toMatchObject({
      finding: null,
      waiting: 0,
      entries: Number(events?.count),
      head: { seq: result.entries },
    });
    expect(result.entries).toBeGreaterThan(20);
    expect(await sealAll(app), 'nothing is sealed twice').toBe(0);
    expect(await verify([], company.id)).toMatchObject({ finding: null, entries: result.entries });
    if (!result.head) throw new Error('no head');
    expect(await verify([result.head])).toMatchObject({ finding: null });
  });

  it('API-13 the chain itself refuses changes, also those of a session that replays, and right and trigger both stand', async () => {
    for (const table of ['audit_events', 'audit_chain']) {
      for (const sql of [`update ${table} set company_id = null`, `delete from ${table}`, `truncate ${table}`])
        await expect(db.raw(sql), sql).rejects.toThrow(/permission denied/);
      const undone = new Error('undone');
      await expect(
        db.transaction(async (trx) => {
          await trx.raw(`grant update, delete, truncate on ${table} to current_user`);
          await trx.raw(`delete from ${table}`);
          throw undone;
        }),
        'with the right, the trigger is still there',
      ).rejects.toThrow(/append-only/);
      const { rows }: { rows: { tgenabled: string }[] } = await db.raw(
        'select tgenabled from pg_trigger where tgrelid = ?::regclass and not tgisinternal',
        [table],
      );
      expect(rows, 'A: always, also with session_replication_role = replica').toEqual([{ tgenabled: 'A' }]);
    }
  });

  it.each([
    ['a detail', `details = jsonb_set(details, '{after,n}', '99')`],
    ['one digit of a number too long for a double', `details = '{"n": 1.00000000000000000001}'`],
    ['the time, by a microsecond', `at = at + interval '1 microsecond'`],
    ['the actor', `actor = '{"kind":"operator","name":"somebody else"}'`],
    ['the target', `target_id = 'x'`],
    ['the address', `ip = '203.0.113.7'`],
    ['the company', 'company_id = null'],
    ['the request', `request_id = 'other'`],
  ])('API-13 names an event of which somebody changed %s', async (_what, change) => {
    const id = await eventAt(9);
    const { finding } = await verifyAfter('audit_events', (trx) =>
      trx.raw(`update audit_events set ${change} where id = ?`, [String(id)]),
    );
    expect(finding).toMatchObject({ touch: 'changed', seq: 9, eventId: id });
  });

  it('API-13 names a deleted event: in the middle, the last one, and all of them', async () => {
    const middle = await eventAt(7);
    const remove = (id: bigint) => (trx: Database) =>
      trx('audit_events')
        .where({ id: String(id) })
        .delete();
    expect((await verifyAfter('audit_events', remove(middle))).finding).toMatchObject({
      touch: 'missing',
      seq: 7,
      eventId: middle,
    });
    const { head } = await verify();
    const last = await eventAt(head?.seq ?? 0);
    expect((await verifyAfter('audit_events', remove(last))).finding).toMatchObject({
      touch: 'missing',
      eventId: last,
    });
    expect((await verifyAfter('audit_events', (trx) => trx.raw('truncate audit_events'))).finding).toMatchObject({
      touch: 'missing',
      seq: 1,
    });
  });

  it('API-13 a deleted end, events and seals alike, is found by the head that was kept elsewhere', async () => {
    const { head } = await verify();
    if (!head) throw new Error('no head');
    const cut = async (trx: Database) => {
      await tamper(trx, 'audit_chain', () =>
        trx('audit_chain')
          .where('seq', '>', head.seq - 3)
          .delete(),
      );
      await trx('audit_events')
        .where('id', '>', String(await eventAt(head.seq - 3)))
        .delete();
    };
    expect((await verifyAfter('audit_events', cut)).finding, 'what is left is whole').toBeNull();
    const found = await verifyAfter('audit_events', cut, { companyId: null, anchors: [head] });
    expect(found.finding).toMatchObject({ touch: 'unsealed', seq: head.seq - 2 });
    const middle = await verifyAfter('audit_chain', (trx) => trx('audit_chain').where('seq', 5).delete());
    expect(middle.finding).toMatchObject({ touch: 'unsealed', seq: 5 });
  });

  it('API-13 a chain that was made anew after a change is found by the head that was kept elsewhere', async () => {
    const { head } = await verify();
    if (!head) throw new Error('no head');
    const remake = async (trx: Database) => {
      await trx.raw(`update audit_events set ip = 'x' where id = ?`, [String(await eventAt(6))]);
      await tamper(trx, 'audit_chain', () => trx.raw('truncate audit_chain'));
      await forgeSeals(trx);
    };
    expect((await verifyAfter('audit_events', remake)).finding, 'consistent in itself').toBeNull();
    const { finding } = await verifyAfter('audit_events', remake, { companyId: null, anchors: [head] });
    expect(finding).toMatchObject({ touch: 'rewritten', seq: head.seq });
  });

  it('API-13 names an event that was put in: into the past, below an id that was left out, above all, or with a backdated time', async () => {
    const before = await eventAt(8);
    const row = { at: app.clock.now(), company_id: company.id, action: 'login.ok', actor: '{}' };
    // A free id in the middle.
    const free = await verifyAfter('audit_events', async (trx) => {
      await trx.raw(
        `insert into audit_events (id, at, company_id, action, actor) overriding system value values (?, ?, ?, ?, '{}')`,
        [-1, row.at, row.company_id, row.action],
      );
    });
    expect(free.finding).toMatchObject({ touch: 'inserted', eventId: -1n });
    const instead = await verifyAfter('audit_events', async (trx) => {
      await trx('audit_events')
        .where({ id: String(before) })
        .delete();
      await trx.raw(
        `insert into audit_events (id, at, company_id, action, actor) overriding system value values (?, ?, ?, ?, '{}')`,
        [String(before), row.at, row.company_id, row.action],
      );
    });
    expect(instead.finding).toMatchObject({ touch: 'changed', eventId: before });
    const above = await verifyAfter('audit_events', async (trx) => {
      await trx.raw(
        `insert into audit_events (id, at, company_id, action, actor) overriding system value values (9000000000000000000, ?, ?, ?, '{}')`,
        [row.at, row.company_id, row.action],
      );
    });
    expect(above.finding).toMatchObject({ touch: 'inserted', eventId: 9_000_000_000_000_000_000n });
    // Written in the ordinary way, but with a time of two days ago: it is sealed, and does not fit its place.
    const { finding } = await verifyAfter('audit_events', async (trx) => {
      await trx('audit_events').insert({ ...row, at: new Date(app.clock.now().getTime() - 2 * 86_400_000) });
      await forgeSeals(trx);
    });
    expect(finding).toMatchObject({ touch: 'misdated' });
    // A wrong clock must not hide what was done after it.
    const both = await verifyAfter('audit_events', async (trx) => {
      await trx('audit_events').insert({ ...row, at: new Date(app.clock.now().getTime() - 2 * 86_400_000) });
      await trx('audit_events').insert(row);
      await forgeSeals(trx);
      await trx.raw(`update audit_events set ip = 'x' where id = (select max(id) from audit_events)`);
    });
    expect(both).toMatchObject({ finding: { touch: 'misdated' }, further: { touch: 'changed' } });
  });

  it('API-13 names swapped events and swapped seals', async () => {
    const [a, b] = [await eventAt(5), await eventAt(11)];
    const events = await verifyAfter('audit_events', (trx) =>
      trx.raw(
        `update audit_events e set at = o.at, company_id = o.company_id, action = o.action, actor = o.actor, target_kind = o.target_kind,
           target_id = o.target_id, details = o.details, ip = o.ip, agent = o.agent, request_id = o.request_id, code = o.code
         from audit_events o where (e.id, o.id) in ((?, ?), (?, ?))`,
        [String(a), String(b), String(b), String(a)],
      ),
    );
    expect(events.finding).toMatchObject({ touch: 'changed', seq: 5, eventId: a });
    const seals = await verifyAfter('audit_chain', async (trx) => {
      await trx.raw('update audit_chain set seq = -seq where seq in (5, 6)');
      await trx.raw('update audit_chain set seq = 11 + seq where seq < 0');
    });
    expect(seals.finding).toMatchObject({ touch: 'resealed', seq: 5 });
    const hash = await verifyAfter('audit_chain', (trx) =>
      trx.raw(`update audit_chain set hash = event_hash where seq = 12`),
    );
    expect(hash.finding).toMatchObject({ touch: 'resealed', seq: 12 });
  });

  it('API-13 by company: finds what was done to its events, and leaves those of others to others', async () => {
    const { rows }: { rows: { id: string }[] } = await db.raw(
      'select min(id) as id from audit_events where company_id = ?',
      [other.id],
    );
    const change = (trx: Database) => trx.raw(`update audit_events set ip = 'x' where id = ?`, [rows[0]?.id ?? '']);
    expect((await verifyAfter('audit_events', change, { companyId: other.id, anchors: [] })).finding).toMatchObject({
      touch: 'changed',
      eventId: BigInt(rows[0]?.id ?? 0),
    });
    expect((await verifyAfter('audit_events', change, { companyId: company.id, anchors: [] })).finding).toBeNull();
    // Handed from one company to the other, it is missed here and too many there.
    const move = (trx: Database) =>
      trx.raw('update audit_events set company_id = ? where id = ?', [company.id, rows[0]?.id ?? '']);
    for (const [companyId, touch] of [
      [other.id, 'missing'],
      [company.id, 'inserted'],
    ] as const)
      expect((await verifyAfter('audit_events', move, { companyId, anchors: [] })).finding).toMatchObject({ touch });
  });
});

describe('sealing', () => {
  let app: TestApp;
  let company: Company;
  beforeAll(async () => {
    app = await startApp();
    company = await makeCompany(app);
  });
  afterAll(() => app.stop());

  it('API-13 an event that commits late with a lower id is waited for', async () => {
    await sealAll(app);
    let finish = () => {};
    const open = new Promise<void>((resolve) => {
      finish = resolve;
    });
    let isWritten = () => {};
    const written = new Promise<void>((resolve) => {
      isWritten = resolve;
    });
    const late = transaction(app.operator(), async (work) => {
      await record(work, { action: 'user.edit', companyId: company.id });
      isWritten();
      await open;
    });
    await written;
    await write(app, company, 1);
    expect(await sealEvents(app.operator()), 'the later event waits for the earlier one').toBe(0);
    expect((await verifyAudit(app.operator(), everything)).waiting).toBe(1);
    const sealing = sealEvents(app.operator());
    await sleep(50);
    finish();
    await late;
    expect(await sealing).toBe(2);
    expect(await verifyAudit(app.operator(), everything)).toMatchObject({ finding: null, waiting: 0 });
  });

  it('API-13 crowds that write while several nodes seal: nothing is left out, nothing twice, and nobody waits for it', async () => {
    const twin = await app.node();
    let isWriting = true;
    const sealers = [app, twin, app].map(async (node) => {
      let sealed = 0;
      while (isWriting) sealed += await sealEvents(node.operator());
      return sealed;
    });
    const writers = Array.from({ length: 8 }, async (_, writer) => {
      for (let n = 0; n < 40; n += 1) {
        const node = writer % 2 ? app : twin;
        if (n % 3 === 0) await write(node, company, n);
        // A rolled-back act leaves a gap among the ids.
        else if (n % 3 === 1)
          await transaction(node.operator(), async (work) => {
            await record(work, { action: 'user.edit', companyId: company.id });
            if (n % 2) throw new Error('refused');
            await sleep(writer);
          }).catch(() => {});
        else await writeMany(node, company, 3);
      }
    });
    await Promise.all(writers);
    isWriting = false;
    await Promise.all(sealers);
    await sealAll(app);
    const result = await verifyAudit(app.operator(), everything);
    expect(result).toMatchObject({ finding: null, waiting: 0 });
    const [events] = await app.runtime.db('audit_events').count({ count: '*' });
    expect(result.entries).toBe(Number(events?.count));
    await expectCountsToBeTrue(app);
  });

  it('API-13 killed in the middle of a batch: nothing is left behind, the next turn goes on, sign-ins are counted once', async () => {
    await sealAll(app);
    await writeMany(app, company, sealBatchSize + 500);
    const node = await app.node();
    // The connection dies after the entries were written and before they are committed.
    const dying = {
      ...node.operator(),
      store: {
        ...node.runtime.store,
        db: new Proxy(node.runtime.db, {
          get(db, name, receiver) {
            if (name !== 'transaction') return Reflect.get(db, name, receiver);
            return (act: (trx: Database) => Promise<unknown>) =>
              db.transaction(async (trx) => {
                await act(trx);
                await trx.raw('select pg_terminate_backend(pg_backend_pid())').catch(() => {});
                await trx.raw('select 1');
              });
          },
        }),
      },
    };
    const before = (await verifyAudit(app.operator(), everything)).entries;
    await expect(sealEvents(dying)).rejects.toThrow();
    expect(await verifyAudit(app.operator(), everything)).toMatchObject({
      finding: null,
      entries: before,
      waiting: sealBatchSize + 500,
    });
    expect(await sealEvents(app.operator())).toBe(sealBatchSize + 500);
    expect(await verifyAudit(app.operator(), everything)).toMatchObject({ finding: null, waiting: 0 });
    await expectCountsToBeTrue(app);
  });

  it('API-13 a running server seals by itself within seconds', async () => {
    const server = await startApp({ start: true });
    try {
      await makeCompany(server);
      const deadline = Date.now() + 10_000;
      let result = await verifyAudit(server.operator(), everything);
      while ((result.waiting > 0 || result.entries === 0) && Date.now() < deadline) {
        await sleep(200);
        result = await verifyAudit(server.operator(), everything);
      }
      expect(result).toMatchObject({ finding: null, waiting: 0 });
      expect(result.entries).toBeGreaterThan(0);
    } finally {
      await server.stop();
    }
  });
});

/** The small table says what counting all events says. */
async function expectCountsToBeTrue(app: TestApp): Promise<void> {
  const sum = async (sql: string): Promise<unknown> => (await app.runtime.db.raw(sql)).rows;
  expect(
    await sum(`select company_id, sum(succeeded)::int as ok, sum(failed)::int as bad from sign_in_counts group by 1`),
  ).toEqual(
    await sum(`select company_id, (count(*) filter (where action = 'login.ok'))::int as ok, (count(*) filter (where action = 'login.fail'))::int as bad
      from audit_events where action in ('login.ok', 'login.fail') and company_id is not null group by 1`),
  );
}
