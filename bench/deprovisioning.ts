// Ten thousand people lose everything at once: how long their sessions live on, and how fast a module hears of it.

import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { type Browser, createBrowser } from './client.ts';
import type { OnStop } from './contestant.ts';
import { startDatabase } from './database.ts';
import { readForms, wordsOf } from './forms.ts';
import { deliveryShareGoal, deprovisionMemoryGoalMb, sessionsDeadGoal } from './goals.ts';
import { createHttp, header } from './http.ts';
import { memoryMb, resetPeakMemory } from './measure.ts';
import { product } from './product.ts';
import { openDesk } from './scale.ts';

export const leavers = 10_000;
const answerMs = 20;
/** Requests that the product has under way to one module. */
const connections = 4;
const companyName = 'Leavers';

export interface DeprovisioningResult {
  sessionsSeconds: number;
  deliverySeconds: number;
  perSecond: number;
  /** What the module takes on as many connections. */
  possible: number;
  memoryBefore: number;
  memoryPeak: number;
}

/** A module's SCIM service: any number at a time, each after 20 ms. */
async function startModule() {
  const suspended = new Set<string>();
  let firstAt = 0;
  let lastAt = 0;
  const server = createServer((request, response) => {
    request.resume();
    setTimeout(() => {
      const id = decodeURIComponent((request.url ?? '').split('/').at(-1) ?? '');
      if (request.method === 'PATCH' && !suspended.has(id)) {
        suspended.add(id);
        firstAt ||= performance.now();
        lastAt = performance.now();
      }
      const email = `${id}@mail.example`;
      const account = { id, userName: email, active: !suspended.has(id), emails: [{ value: email }] };
      response.writeHead(200, { 'content-type': 'application/scim+json' }).end(JSON.stringify(account));
    }, answerMs);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  // An AddressInfo, since it listens on a port.
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/scim/v2`;
  return { server, url, token: 'a-token-of-the-benchmark', suspended, seconds: () => (lastAt - firstAt) / 1000 };
}

export async function measureDeprovisioning(
  folder: string,
  onStop: OnStop,
  say: (what: string) => void,
): Promise<DeprovisioningResult> {
  const database = await startDatabase(folder, 'leavers-database');
  onStop(() => database.stop());
  const module = await startModule();
  onStop(async () => {
    module.server.closeAllConnections();
    module.server.close();
  });
  const contender = product(folder, 'ES256');
  say(`filling a company with ${leavers} people, a session and an account each`);
  const one = await contender.addCompany(database.url, companyName);
  const two = await contender.addAdmin(database.url, companyName, 'second');
  const instanceId = await contender.addModule(database.url, companyName, module);
  const client = new pg.Client({ connectionString: database.url });
  await client.connect();
  onStop(() => client.end());
  await fill(client, instanceId);
  const server = await contender.start(database.url);
  onStop(() => server.stop());
  const http = createHttp();
  const desk = await openDesk(createBrowser(http), server.issuer, one);
  const second = await openDesk(createBrowser(http), server.issuer, two);
  const possible = await capacity(module.url, http);
  module.suspended.clear();
  const memoryBefore = memoryMb(server.pid, 'VmRSS') ?? 0;
  resetPeakMemory(server.pid);

  say('deactivating them');
  const sessions = await deactivateAll(desk, server.issuer, client);
  say('confirming it, and waiting for the module');
  await confirm(second, server.issuer);
  await until('all are suspended', async () => module.suspended.size >= leavers, 300_000);
  const deliverySeconds = module.seconds();
  return {
    sessionsSeconds: sessions,
    deliverySeconds,
    perSecond: leavers / deliverySeconds,
    possible,
    memoryBefore,
    memoryPeak: memoryMb(server.pid, 'VmHWM') ?? 0,
  };
}

async function until(what: string, ask: () => Promise<boolean>, ms = 180_000): Promise<void> {
  for (const end = performance.now() + ms; !(await ask()); await sleep(100))
    if (performance.now() > end) throw new Error(`${what}: not within ${ms} ms`);
}

/** As many requests at a time as the product would have under way, one after another. */
async function capacity(url: string, http: ReturnType<typeof createHttp>): Promise<number> {
  const end = performance.now() + 3000;
  let answers = 0;
  const ask = async () => {
    for (; performance.now() < end; answers += 1)
      await http.send(`${url}/Users/nobody`, { method: 'GET', headers: {} });
  };
  await Promise.all(Array.from({ length: connections }, ask));
  return answers / 3;
}

/** @returns seconds until the last session was dead */
async function deactivateAll(desk: Browser, issuer: string, client: pg.Client): Promise<number> {
  const list = await desk.get(`${issuer}/admin/users?q=leaver`);
  const csrf =
    readForms(list.body)
      .find(({ given }) => given.has('csrf'))
      ?.given.get('csrf') ?? '';
  const asked = await desk.post(
    `${issuer}/admin/users/bulk`,
    new URLSearchParams({ csrf, act: 'deactivate', all: 'yes', query: 'q=leaver' }),
  );
  const form = readForms(asked.body).find(({ action }) => action.endsWith('/bulk/run'));
  if (!form) throw new Error(`nobody can be deactivated (${asked.status}): ${wordsOf(asked.body)}`);
  const startedAt = performance.now();
  const answer = await desk.post(new URL(form.action, issuer).href, new URLSearchParams([...form.given]));
  const [location] = header(answer, 'location');
  if (!location) throw new Error(`it was not begun (${answer.status}): ${wordsOf(answer.body)}`);
  await until('the sessions are dead', async () => {
    const { rows } = await client.query(
      `select count(*)::int as n from sessions where ended_at is null and agent = 'bench'`,
    );
    return rows[0]?.n === 0;
  });
  return (performance.now() - startedAt) / 1000;
}

async function confirm(desk: Browser, issuer: string): Promise<void> {
  let page = '';
  await until('it waits', async () => {
    const { body } = await desk.get(`${issuer}/admin/batches`);
    page = /href="(\/admin\/batches\/[0-9a-f-]{36})"/.exec(body)?.[1] ?? '';
    return page !== '';
  });
  // Its people are written down in chunks: all of them, before somebody confirms.
  await sleep(15_000);
  const form = readForms((await desk.get(issuer + page)).body).find(({ action }) => action.endsWith('/approve'));
  if (!form) throw new Error('there is nothing to confirm');
  const answer = await desk.post(new URL(form.action, issuer).href, new URLSearchParams([...form.given]));
  if (answer.status !== 303) throw new Error(`it was not confirmed (${answer.status}): ${wordsOf(answer.body)}`);
}

/** Straight into the tables: what is measured is what happens to them. */
async function fill(client: pg.Client, instanceId: string): Promise<void> {
  await client.query(
    `update integration_settings set deprovision = true, changed_by = 'bench' where instance_id = $1`,
    [instanceId],
  );
  await client.query(
    `insert into integration_settings (instance_id, company_id, deprovision)
     select id, company_id, true from module_instances where id = $1 on conflict (instance_id) do nothing`,
    [instanceId],
  );
  await client.query(
    `with company as (select id from companies where name = $1),
      made as (
        insert into users (id, company_id, username, username_key, email, email_key, email_verified_at, first_name, last_name, role,
          base_status, source, created_at)
        select gen_random_uuid(), company.id, 'leaver' || n, 'leaver' || n, 'leaver' || n || '@mail.example',
          'leaver' || n || '@mail.example', now(), 'Mira', 'Leaver ' || n, 'User', 'Active', 'csv', now()
        from generate_series(1, $2::int) n, company returning id, company_id, username, email),
      placed as (
        insert into group_members (company_id, group_id, user_id)
        select made.company_id, g.id, made.id from made join access_groups g on g.company_id = made.company_id and g.kind = 'system-all'),
      known as (
        insert into module_accounts (company_id, instance_id, external_id, user_name, email, email_key, is_active, confirmed_at,
          user_id, linked_by, linked_at, life)
        select company_id, $3, username, email, email, email, true, now(), id, 'entry', now(), 'live' from made),
      live as (
        insert into sessions (uid, company_id, user_id, ip, agent, amr, created_at, last_seen_at, idle_ends_at, ends_at)
        select 'uid-' || username, company_id, id, '127.0.0.1', 'bench', '{pwd,otp}', now(), now(), now() + interval '1 hour',
          now() + interval '1 hour' from made)
     insert into oidc_records (id, kind, payload, account_id, session_uid, expires_at)
     select 'record-' || username, 'Session', jsonb_build_object('accountId', id, 'uid', 'uid-' || username), id, 'uid-' || username,
       now() + interval '1 hour' from made`,
    [companyName, leavers, instanceId],
  );
  await client.query('vacuum analyze');
}

export function reportDeprovisioning(result: DeprovisioningResult): string {
  const { sessionsSeconds, deliverySeconds, perSecond, possible, memoryBefore, memoryPeak } = result;
  return [
    `${leavers} people deactivated by one act, a module that takes ${answerMs} ms an answer`,
    '',
    `every session dead after      ${sessionsSeconds.toFixed(1)} s  <= ${sessionsDeadGoal}`,
    `suspended at the module       ${deliverySeconds.toFixed(1)} s after its confirmation began, ${perSecond.toFixed(0)} a second`,
    `  of what it can take         ${possible.toFixed(0)} a second on ${connections} connections: ${(perSecond / possible).toFixed(2)}  >= ${deliveryShareGoal}`,
    `memory of the server          ${memoryBefore.toFixed(0)} MB before, ${memoryPeak.toFixed(0)} MB at its peak  <= ${(memoryBefore + deprovisionMemoryGoalMb).toFixed(0)}`,
    '',
  ].join('\n');
}
