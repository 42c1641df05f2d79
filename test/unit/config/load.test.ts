import { describe, expect, it } from 'vitest';
import { ConfigError, loadConfig } from '../../../src/config/load.ts';
import { environmentSchema, topics } from '../../../src/config/schema.ts';

const key = Buffer.alloc(32, 1).toString('base64');
const database = { DATABASE_URL: 'postgres://user:secret@db.example/ul', ENCRYPTION_KEYS: key };

function problemsOf(environment: Record<string, string>): string[] {
  try {
    loadConfig(environment);
    return [];
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return error.problems;
  }
}

describe('settings', () => {
  it('needs none: the embedded database on localhost', () => {
    expect(loadConfig({})).toMatchObject({
      host: '127.0.0.1',
      port: 3000,
      publicUrl: 'http://localhost:3000',
      isSecure: false,
      trustedProxies: 0,
      workers: 1,
      databaseUrl: undefined,
      encryptionKeys: undefined,
      isDemo: false,
    });
    expect(loadConfig({ PORT: '3100' }).publicUrl).toBe('http://localhost:3100');
    // An empty variable is one that is not set.
    expect(loadConfig({ PORT: '', DATABASE_URL: ' ', METRICS_TOKEN: '' }).port).toBe(3000);
  });

  it('is frozen', () => {
    expect(Object.isFrozen(loadConfig({}))).toBe(true);
  });

  it('tells all problems at once, those of single settings and those between settings', () => {
    const problems = problemsOf({
      PORT: 'eighty',
      PUBLIC_URL: 'http://login.example/path',
      WORKERS: '2',
      LOG_LEVEL: 'loud',
      METRICS_TOKEN: 'short',
      SMTP_URL: 'http://mail.example',
      FAILURES_PER_ADDRESS: '1',
      ANONYMOUS_REQUESTS_PER_MINUTE: '0',
      DEMO: 'true',
      ENCRYPTION_KEYS: 'c2hvcnQ=',
    });
    const named = problems.map((problem) => problem.split(':')[0]);
    for (const name of [
      'PORT',
      'PUBLIC_URL',
      'WORKERS',
      'LOG_LEVEL',
      'METRICS_TOKEN',
      'SMTP_URL',
      'FAILURES_PER_ADDRESS',
      'ANONYMOUS_REQUESTS_PER_MINUTE',
      'DEMO',
      'ENCRYPTION_KEYS',
    ])
      expect(named, name).toContain(name);
    expect(problems.filter((problem) => problem.startsWith('PUBLIC_URL'))).toHaveLength(2);
    const error = new ConfigError(problems);
    for (const problem of problems) expect(error.message).toContain(problem);
  });

  it('API-14 a problem does not repeat the value, which may be a secret', () => {
    const canary = 'canary-value-0123';
    for (const name of Object.keys(environmentSchema.shape))
      for (const problem of problemsOf({ ...database, [name]: canary })) expect(problem, name).not.toContain(canary);
    expect(problemsOf({ DATABASE_URL: `mysql://root:${canary}@db`, ENCRYPTION_KEYS: key }).join()).not.toContain(
      canary,
    );
  });

  it.each([
    ['PORT', 'eighty', 'must be a whole number from 0 to 65535'],
    ['DATABASE_POOL', '1e99', 'must be a whole number from 2 to 200'],
    ['TRUSTED_PROXIES', '1.5', 'must be a whole number from 0 to 5'],
    ['METRICS_TOKEN', 'short', 'must be at least 16 characters long'],
    ['BRAND_NAME', 'x'.repeat(41), 'must be 40 characters at most'],
    ['LOG_LEVEL', 'loud', 'must be one of fatal, error, warn, info, debug, silent'],
    ['SMTP_URL', 'mail.example', 'must be an address such as smtps://user:password@mail.example.com'],
    ['LINK_STORE', 'store', 'must be an address such as https://www.example.com/place'],
    ['MAIL_FROM', 'foo', 'must be an e-mail address, or one with a name: KaseyaOne <noreply@example.com>'],
    ['MAIL_FROM', 'Foo <bar>', 'must be an e-mail address, or one with a name: KaseyaOne <noreply@example.com>'],
  ])('%s=%s is told once, in words for the operator', (name, value, words) => {
    expect(problemsOf({ [name]: value })).toEqual([`${name}: ${words}`]);
  });

  it('no problem speaks in the words of the checker', () => {
    for (const name of Object.keys(environmentSchema.shape))
      for (const value of ['x', '-1', '{}', 'x'.repeat(200)])
        for (const problem of problemsOf({ ...database, [name]: value }))
          expect(problem, `${name}=${value}`).not.toMatch(/invalid|expected|received|too (small|big)/i);
  });

  it.each([
    'a@b.example',
    'noreply@localhost',
    'Kaseya, Inc. <a@b.example>',
    '"X, Y" <a@b.example>',
    ' <a@b.example> ',
  ])('MAIL_FROM %s', (given) => {
    expect(loadConfig({ MAIL_FROM: given }).mailFrom).toBe(given.trim());
  });

  it.each([
    ['https://login.example', 'https://login.example', true],
    ['https://LOGIN.example/', 'https://login.example', true],
    ['https://login.example:8443', 'https://login.example:8443', true],
    ['http://localhost:3000', 'http://localhost:3000', false],
    ['http://127.0.0.1:3000', 'http://127.0.0.1:3000', false],
    ['http://[::1]:3000', 'http://[::1]:3000', false],
  ])('PUBLIC_URL %s', (given, publicUrl, isSecure) => {
    expect(loadConfig({ PUBLIC_URL: given })).toMatchObject({ publicUrl, isSecure });
  });

  it.each([
    'http://login.example',
    'http://localhost.evil.example',
    'https://login.example/sub',
    'https://login.example/?a',
    'ftp://login.example',
    'login.example',
  ])('PUBLIC_URL %s will not do', (given) => {
    expect(problemsOf({ PUBLIC_URL: given }).join()).toContain('PUBLIC_URL');
  });

  it('PUBLIC_URL with credentials in it never becomes part of the issuer', () => {
    expect(loadConfig({ PUBLIC_URL: 'https://user:secret@login.example' }).publicUrl).toBe('https://login.example');
  });

  it('API-15 ENCRYPTION_KEYS: 32 bytes each, base64 or hex, newest first, and required beside DATABASE_URL', () => {
    const hex = '02'.repeat(32);
    const { encryptionKeys } = loadConfig({ ...database, ENCRYPTION_KEYS: `${hex}, ${key}` });
    expect(encryptionKeys).toEqual([Buffer.alloc(32, 2), Buffer.alloc(32, 1)]);
    expect(problemsOf({ DATABASE_URL: database.DATABASE_URL }).join()).toMatch(/ENCRYPTION_KEYS: required/);
    for (const bad of [
      'short',
      `${key},short`,
      '0'.repeat(63),
      `${key},`,
      Buffer.alloc(33).toString('base64'),
      Buffer.alloc(16).toString('base64'),
    ])
      expect(problemsOf({ ...database, ENCRYPTION_KEYS: bad }).join(), bad).toContain('ENCRYPTION_KEYS');
  });

  it('WORKERS above one need DATABASE_URL', () => {
    expect(problemsOf({ WORKERS: '2' }).join()).toContain('needs DATABASE_URL');
    expect(loadConfig({ ...database, WORKERS: '2' }).workers).toBe(2);
  });

  it('DEMO shows mails and codes to everyone, so it stays on this machine', () => {
    expect(loadConfig({ DEMO: 'true' }).isDemo).toBe(true);
    expect(loadConfig({ DEMO: 'true', PUBLIC_URL: 'http://localhost:3000' }).isDemo).toBe(true);
    for (const url of ['https://login.example', 'https://localhost.evil.example', 'http://localhost.evil.example'])
      expect(problemsOf({ DEMO: 'true', PUBLIC_URL: url }).join(), url).toContain('DEMO');
    expect(problemsOf({ DEMO: 'yes' }).join()).toContain('DEMO');
  });

  it('every setting of a topic is a setting, and says what it means', () => {
    const listed = Object.values(topics).flatMap((topic) => Object.entries(topic));
    expect(listed.map(([name]) => name).sort()).toEqual(Object.keys(environmentSchema.shape).sort());
    for (const [name, schema] of listed) {
      expect(name).toMatch(/^[A-Z_]+$/);
      expect(schema.description, name).toMatch(/^[A-Z].{10,}\.$/s);
    }
  });
});
