// The rules of who may import whom, and the map of README.md, held against the disk.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { filesBelow, type Import, readSources, root, type Source } from './support/sources.ts';

const sources = readSources('src');

/** Rooms of the domain in their order: each imports only rooms that stand before it. A new room takes its place here. */
const rooms = [
  'audit',
  'keys',
  'roles',
  'companies',
  'standing',
  'sessions',
  'credentials',
  'mails',
  'links',
  'tasks',
  'plans',
  'groups',
  'users',
  'federation',
  'modules',
  'integrations',
  'provisioning',
  'imports',
  'reports',
];

/** What each part may import of ours, itself apart. `work` and `store` are one: the store is bound to a transaction by work. */
const mayImport: Record<string, string[]> = {
  lib: [],
  config: [],
  db: ['lib', 'config'],
  domain: ['lib', 'config', 'db', 'work'],
  work: ['lib', 'config', 'db', 'domain'],
  mail: ['lib', 'domain'],
  oidc: ['lib', 'config', 'db', 'domain', 'work'],
  web: ['lib', 'config', 'db', 'domain', 'work'],
  api: ['lib', 'config', 'db', 'domain', 'work'],
  jobs: ['lib', 'config', 'db', 'domain', 'work', 'mail'],
  runtime: ['lib', 'config', 'db', 'domain', 'work', 'mail', 'oidc', 'web', 'api', 'jobs', 'background'],
  background: ['lib', 'db', 'work', 'jobs'],
  app: ['lib', 'config', 'db', 'domain', 'work', 'oidc', 'web', 'api'],
  server: ['app'],
  cli: ['lib', 'config', 'db', 'domain', 'work', 'mail', 'runtime', 'compile-cache'],
  main: ['start', 'compile-cache'],
  start: ['lib', 'config', 'db', 'domain', 'work', 'runtime', 'server'],
  'compile-cache': [],
  sdk: [],
  demo: ['sdk'],
};

/** The surfaces are handed the runtime; they know its shape, never the wiring itself. */
const mayKnowRuntime = new Set(['web', 'api', 'jobs', 'oidc', 'app', 'server', 'cli', 'start']);

const partOf = (path: string): string => {
  const [, first = ''] = path.split('/');
  const part = first.replace(/\.[jt]s$/, '');
  return part === 'store' ? 'work' : part;
};

const roomOf = (path: string): string | undefined => /^src\/domain\/([^/]+)\//.exec(path)?.[1];

const complaints = (judge: (source: Source, imported: Import) => boolean): string[] =>
  sources.flatMap((source) =>
    source.imports
      .filter((imported) => judge(source, imported))
      .map(({ target, isTypeOnly }) => `${source.path} -> ${target}${isTypeOnly ? ' (type)' : ''}`),
  );

const packageName = (specifier: string) =>
  specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/');

const importsOf =
  (name: string) =>
  (_: Source, { target, isOurs }: Import) =>
    !isOurs && packageName(target) === name;

describe('architecture: who may import whom', () => {
  it('finds the imports at all', () => {
    expect(sources.length).toBeGreaterThan(80);
    expect(sources.flatMap(({ imports }) => imports).length).toBeGreaterThan(400);
    for (const { path, imports } of sources)
      for (const { target, isOurs } of imports)
        if (isOurs) expect(existsSync(join(root, target)), `${path} -> ${target}`).toBe(true);
  });

  it('every part of src has its place', () => {
    expect([...new Set(sources.map(({ path }) => partOf(path)))].filter((part) => !mayImport[part])).toEqual([]);
  });

  it('arrows lead downwards: surfaces do not know each other, lib knows nothing of ours, the demo only the kit', () => {
    const isRefused = (source: Source, { target, isOurs, isTypeOnly }: Import) => {
      if (!isOurs) return false;
      if (!target.startsWith('src/')) return true;
      const [from, to] = [partOf(source.path), partOf(target)];
      if (from === to || mayImport[from]?.includes(to)) return false;
      return !(isTypeOnly && target === 'src/runtime.ts' && mayKnowRuntime.has(from));
    };
    expect(complaints(isRefused)).toEqual([]);
  });

  it('the store imports repositories only', () => {
    const isRefused = (source: Source, { target, isOurs }: Import) =>
      source.path === 'src/store.ts' &&
      isOurs &&
      roomOf(target) !== undefined &&
      !/\/([a-z-]+-)?repository\.ts$/.test(target);
    expect(complaints(isRefused)).toEqual([]);
  });

  it('rooms of the domain stand in a line', () => {
    expect(readdirSync(join(root, 'src/domain')).filter((name) => !rooms.includes(name))).toEqual([]);
    const isRefused = (source: Source, { target }: Import) => {
      const [from, to] = [roomOf(source.path), roomOf(target)];
      return from !== undefined && to !== undefined && rooms.indexOf(to) > rooms.indexOf(from);
    };
    expect(complaints(isRefused)).toEqual([]);
  });

  it('no file imports itself by a detour: there is no cycle of what runs', () => {
    const next = new Map(
      sources.map(({ path, imports }) => [path, imports.filter((i) => i.isOurs && !i.isTypeOnly).map((i) => i.target)]),
    );
    const done = new Set<string>();
    const cycles: string[] = [];
    const walk = (path: string, way: string[]): void => {
      if (way.includes(path)) {
        cycles.push([...way.slice(way.indexOf(path)), path].join(' -> '));
        return;
      }
      if (done.has(path)) return;
      for (const target of next.get(path) ?? []) walk(target, [...way, path]);
      done.add(path);
    };
    for (const path of next.keys()) walk(path, []);
    // work binds the store to a transaction, and repositories know work's types only.
    expect(cycles).toEqual([]);
  });
});

describe('architecture: packages and the process', () => {
  const only = (name: string, place: RegExp) => {
    const isMatch = importsOf(name);
    expect(
      complaints((source, imported) => isMatch(source, imported) && !place.test(source.path)),
      name,
    ).toEqual([]);
    expect(
      sources.some((source) => source.imports.some((imported) => isMatch(source, imported))),
      name,
    ).toBe(true);
  };

  it('SQL is spoken by db, repositories and queries only', () => {
    only('knex', /^src\/db\//);
    only('pg', /^src\/db\//);
    const mayHoldDatabase =
      /^src\/(db\/|(runtime|store|work)\.ts$|jobs\/queue\.ts$|domain\/.*(repository|queries)\.ts$)/;
    expect(
      complaints((source, { target }) => target === 'src/db/knex.ts' && !mayHoldDatabase.test(source.path)),
    ).toEqual([]);
    const speaksSql = sources.filter(
      ({ path, code }) => /\b(?:db|store\.db|trx)\s*(?:\.raw)?\(\s*['"`]/.test(code) && !mayHoldDatabase.test(path),
    );
    // Health and doctor ask the server itself, not our tables.
    const asksTheServer = ['src/cli/doctor.ts', 'src/web/middleware/operations.ts'];
    expect(speaksSql.map(({ path }) => path).filter((path) => !asksTheServer.includes(path))).toEqual([]);
  });

  it('koa, oidc-provider, nodemailer, pg-boss and ejs stay in their rooms', () => {
    for (const name of ['koa', '@koa/router', '@koa/bodyparser', 'koa-compose'])
      only(name, /^src\/(app\.ts$|web\/|oidc\/|api\/|demo\/)/);
    only('oidc-provider', /^src\/oidc\//);
    only('nodemailer', /^src\/mail\/transport\.ts$/);
    only('pg-boss', /^src\/jobs\/queue\.ts$/);
    only('ejs', /^src\/web\/views\.ts$/);
  });

  it('only start, the command line and the demo programs touch the process; the embedded database asks about processes', () => {
    const programs = /^src\/(start|cli\/run)\.ts$|^src\/demo\//;
    // A server of our own has an owner, a platform and an end: nothing that could be a setting.
    const facts = /\bprocess\.(pid|platform|arch|kill|getuid|once|removeListener)\b/;
    const uses = sources
      .filter(({ path }) => !programs.test(path))
      .flatMap(({ path, code }) => [...code.matchAll(/(?<![\w.-])process\.\w+/g)].map(([use]) => `${path}: ${use}`));
    expect(uses.filter((use) => !(use.startsWith('src/db/embedded') && facts.test(use)))).toEqual([]);
    expect(complaints((_, { target }) => target === 'node:process' || target === 'process')).toEqual([]);
  });

  it('F3 transactions are in callback style only', () => {
    const handles =
      /\.transaction\(\s*\)|\.transactionProvider\(|\btrx\.(commit|rollback)\(|await\s+\w*(knex|db)\.transaction\((?!\s*(async\s*)?\()/;
    expect(sources.filter(({ code }) => handles.test(code)).map(({ path }) => path)).toEqual([]);
    expect(
      sources.filter(({ code }) => /\.transaction\(\s*(async\s*)?\(/.test(code)).map(({ path }) => path),
    ).toContain('src/work.ts');
  });
});

describe('architecture: views and the map', () => {
  it('raw output stands before include( only, and in layouts', () => {
    const views = filesBelow('views', '.ejs');
    expect(views.length).toBeGreaterThan(30);
    const raw = views.flatMap((path) =>
      [...readFileSync(join(root, path), 'utf8').matchAll(/<%-\s*([^\n]*)/g)]
        .filter(([, rest = '']) => !rest.startsWith('include(') && !path.startsWith('views/layouts/'))
        .map(([text]) => `${path}: ${text}`),
    );
    expect(raw).toEqual([]);
  });

  it("README.md's map matches the disk", () => {
    const readme = readFileSync(join(root, 'README.md'), 'utf8');
    const map = /<!-- map -->([\s\S]*?)<!-- \/map -->/.exec(readme)?.[1] ?? '';
    const lines = map.split('\n').filter((line) => line.trim() !== '' && !line.startsWith('```'));
    const paths = lines.map((line) => (line.trim().split(/\s{2,}/)[0] ?? '').replace(/\/$/, ''));
    expect(paths.length, 'a code block between <!-- map --> and <!-- /map -->, one path a line').toBeGreaterThan(20);
    expect(paths.filter((path) => !existsSync(join(root, path)))).toEqual([]);
    expect(
      lines.filter((line) => !/^\S+\s{2,}\S/.test(line.trim())),
      'lines that do not say what it is',
    ).toEqual([]);
    const folders = ['src', 'src/domain'].flatMap((folder) =>
      readdirSync(join(root, folder), { withFileTypes: true })
        .filter((entry) => entry.isDirectory())
        .map(({ name }) => `${folder}/${name}`),
    );
    expect(folders.filter((folder) => !paths.includes(folder))).toEqual([]);
  });
});
