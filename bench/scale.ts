// How the console bears large companies: the same pages for a company of a thousand people and for one of two hundred thousand,
// in turn, on one server. What counts is the ratio; the goal stands in goals.ts.

import pg from 'pg';
import { type Browser, createBrowser } from './client.ts';
import type { Person } from './contender.ts';
import type { OnStop } from './contestant.ts';
import { startDatabase } from './database.ts';
import { readForms } from './forms.ts';
import { scaleGoal } from './goals.ts';
import { createHttp, header } from './http.ts';
import { type ImportResult, measureImport, reportImport } from './import.ts';
import { median, memoryMb } from './measure.ts';
import { type Product, product } from './product.ts';
import { totpCode } from './totp.ts';

export const sizes = { small: 1_000, large: 200_000 };

const pages: Record<string, string> = {
  'first page': '/admin/users',
  'sorted by first name': '/admin/users?sort=firstName',
  'sorted by last sign-in, descending': '/admin/users?sort=lastLoginAt&direction=descending',
  'search, one word': '/admin/users?q=mira',
  'search, two words': '/admin/users?q=mira+voss',
  'search, nobody': '/admin/users?q=zzzqqq',
  'filter by status': '/admin/users?status=Invited',
  'filter by role and 2FA': '/admin/users?role=Billing+and+Purchasing&2fa=enrolled',
  'page 20': '/admin/users?page=20',
  dashboard: '/admin',
  groups: '/admin/groups',
  'audit log': '/admin/audit',
};

export interface ScaleResult {
  page: string;
  smallMs: number;
  largeMs: number;
  ratio: number;
}

const samples = 15;

export async function measureScale(
  folder: string,
  onStop: OnStop,
  say: (what: string) => void,
): Promise<{ results: ScaleResult[]; memory: string; imported: ImportResult }> {
  const database = await startDatabase(folder, 'scale-database');
  onStop(() => database.stop());
  const contender = product(folder, 'ES256');
  say(`filling two companies with ${sizes.small} and ${sizes.large} people`);
  const small = await fill(contender, database.url, 'Small', sizes.small);
  const large = await fill(contender, database.url, 'Large', sizes.large);
  const server = await contender.start(database.url);
  onStop(() => server.stop());
  const http = createHttp();
  const desks = {
    small: await openDesk(createBrowser(http), server.issuer, small),
    large: await openDesk(createBrowser(http), server.issuer, large),
  };
  const before = memoryMb(server.pid, 'VmRSS') ?? 0;
  const results: ScaleResult[] = [];
  for (const [page, path] of Object.entries(pages)) {
    const times = { small: [] as number[], large: [] as number[] };
    for (let sample = 0; sample < samples; sample++)
      for (const size of ['small', 'large'] as const) times[size].push(await time(desks[size], server.issuer + path));
    const [smallMs, largeMs] = [median(times.small.slice(3)), median(times.large.slice(3))];
    results.push({ page, smallMs, largeMs, ratio: largeMs / smallMs });
  }
  const after = memoryMb(server.pid, 'VmRSS') ?? 0;
  say('importing people from a file');
  const imported = await measureImport(desks.large, server.issuer);
  return { results, imported, memory: `${before.toFixed(0)} MB before, ${after.toFixed(0)} MB after` };
}

export function reportScale({ results, memory, imported }: Awaited<ReturnType<typeof measureScale>>): string {
  const lines = results.map(
    ({ page, smallMs, largeMs, ratio }) =>
      `${page.padEnd(36)}${smallMs.toFixed(1).padStart(9)}${largeMs.toFixed(1).padStart(9)}${ratio.toFixed(2).padStart(8)}  <= ${scaleGoal}`,
  );
  const head = `${'Console page'.padEnd(36)}${`${sizes.small}`.padStart(9)}${`${sizes.large}`.padStart(9)}${'ratio'.padStart(8)}  goal`;
  return [
    `Median milliseconds for companies of two sizes`,
    '',
    head,
    ...lines,
    '',
    `memory of the server: ${memory}`,
    reportImport(imported),
    '',
  ].join('\n');
}

/** An administrator through the CLI; the others straight into the table, since what is measured is reading. */
async function fill(contender: Product, databaseUrl: string, name: string, people: number): Promise<Person> {
  const admin = await contender.addCompany(databaseUrl, name);
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  try {
    await client.query(
      `with company as (select id from companies where name = $1),
        made as (
          insert into users (id, company_id, username, username_key, email, email_key, first_name, last_name, role, base_status,
            must_enrol_2fa, source, last_login_at, created_at)
          select gen_random_uuid(), company.id, 'p' || n, 'p' || n, 'p' || n || '@mail.example', 'p' || n || '@mail.example',
            (array['Mira','Jonas','Aylin','Piotr','Chloé','Noah','Sofía','Kwame','Yuki','Ingrid'])[1 + n % 10] || ' ' || (n % 977),
            (array['Voss','Lindqvist','Okafor','Nakamura','Dubois','Petrov','Silva','Haddad'])[1 + n % 8] || ' ' || (n % 1213),
            case when n % 100 = 0 then 'Billing and Purchasing' when n % 7 = 0 then 'Co-Managed User' else 'User' end,
            case when n % 20 = 0 then 'Invited' when n % 33 = 0 then 'Deactivated' else 'Active' end,
            n % 20 = 0 or n % 9 = 0, 'csv', case when n % 3 > 0 then now() - n * interval '1 minute' end, now()
          from generate_series(1, $2::int) n, company returning id, company_id)
       insert into group_members (company_id, group_id, user_id)
       select made.company_id, g.id, made.id from made join access_groups g on g.company_id = made.company_id and g.kind = 'system-all'`,
      [name, people],
    );
    await client.query('vacuum analyze');
  } finally {
    await client.end();
  }
  return admin;
}

async function time(desk: Browser, url: string): Promise<number> {
  const startedAt = performance.now();
  const answer = await desk.get(url);
  if (answer.status !== 200) throw new Error(`${url}: ${answer.status}`);
  return performance.now() - startedAt;
}

/** Signs in to our own pages: whatever form comes is filled, until the home page stands. */
export async function openDesk(browser: Browser, issuer: string, admin: Person): Promise<Browser> {
  let url = `${issuer}/`;
  let answer = await browser.get(url);
  for (let step = 0; step < 20; step++) {
    const [location] = header(answer, 'location');
    if (answer.status >= 300 && answer.status < 400 && location) {
      url = new URL(location, url).href;
      answer = await browser.get(url);
      continue;
    }
    const form = readForms(answer.body).find(({ fields }) =>
      ['username', 'password', 'code'].some((name) => fields.has(name)),
    );
    if (!form) return browser;
    const filled = new URLSearchParams([...form.given]);
    const values = {
      username: admin.username,
      company: admin.company,
      password: admin.password,
      code: totpCode(admin.totpSecret ?? ''),
    };
    for (const [name, value] of Object.entries(values)) if (form.fields.has(name)) filled.set(name, value ?? '');
    url = new URL(form.action, url).href;
    answer = await browser.post(url, filled);
  }
  throw new Error('the administrator could not sign in');
}
