// From the environment to one immutable Config, or to all problems at once.
import { availableParallelism } from 'node:os';
import { resolve } from 'node:path';
import { type Environment, environmentSchema } from './schema.ts';

export interface Config {
  host: string;
  port: number;
  /** Origin without a trailing slash; also the issuer (OpenID Connect Discovery 3). */
  publicUrl: string;
  /** True when the public address is https: cookies are Secure and carry the __Host- prefix (WEB-01). */
  isSecure: boolean;
  trustedProxies: number;
  workers: number;
  logLevel: Environment['LOG_LEVEL'];
  metricsToken: string | undefined;
  /** Unset means the embedded PostgreSQL in `dataDir`. */
  databaseUrl: string | undefined;
  databasePool: number;
  dataDir: string;
  /** Newest first; unset means keys kept in `dataDir`. */
  encryptionKeys: Buffer[] | undefined;
  smtpUrl: string | undefined;
  mailFrom: string;
  /** Lower case; domains that a company may use in the sender's address. */
  mailFromDomains: string[];
  brandName: string;
  links: Record<LinkName, string | undefined>;
  failuresPerAddress: number;
  anonymousRequestsPerMinute: number;
  passwordChecks: number;
  isDemo: boolean;
}

export type LinkName =
  | 'store'
  | 'university'
  | 'community'
  | 'merchStore'
  | 'support'
  | 'cooper'
  | 'professionalServices'
  | 'organizationDashboard'
  | 'billing'
  | 'accountTeam';

/** All problems of the settings, one line each, so that an operator mends them in one go. */
export class ConfigError extends Error {
  readonly problems: string[];

  constructor(problems: string[]) {
    super(
      `The settings have ${problems.length === 1 ? 'a problem' : `${problems.length} problems`}:\n${problems.map((p) => `  - ${p}`).join('\n')}`,
    );
    this.name = 'ConfigError';
    this.problems = problems;
  }
}

/** @throws ConfigError */
export function loadConfig(environment: Record<string, string | undefined>): Config {
  const given = Object.fromEntries(
    Object.entries(environment).filter(([, value]) => value !== undefined && value.trim() !== ''),
  );
  const parsed = environmentSchema.safeParse(given);
  // One value may break several rules that are told in the same words.
  const problems = [...new Set(parsed.error?.issues.map(describe)), ...crossChecks(given)];
  if (!parsed.success || problems.length > 0) throw new ConfigError(problems);
  const env = parsed.data;
  const publicUrl = env.PUBLIC_URL ?? `http://localhost:${env.PORT}`;

  return Object.freeze({
    host: env.HOST,
    port: env.PORT,
    publicUrl,
    isSecure: publicUrl.startsWith('https:'),
    trustedProxies: env.TRUSTED_PROXIES,
    workers: env.WORKERS,
    logLevel: env.LOG_LEVEL,
    metricsToken: env.METRICS_TOKEN,
    databaseUrl: env.DATABASE_URL,
    databasePool: env.DATABASE_POOL,
    dataDir: resolve(env.DATA_DIR),
    encryptionKeys: env.ENCRYPTION_KEYS,
    smtpUrl: env.SMTP_URL,
    mailFrom: env.MAIL_FROM,
    mailFromDomains: (env.MAIL_FROM_DOMAINS ?? '')
      .toLowerCase()
      .split(/[\s,]+/)
      .filter(Boolean),
    brandName: env.BRAND_NAME,
    links: {
      store: env.LINK_STORE,
      university: env.LINK_UNIVERSITY,
      community: env.LINK_COMMUNITY,
      merchStore: env.LINK_MERCH_STORE,
      support: env.LINK_SUPPORT,
      cooper: env.LINK_COOPER,
      professionalServices: env.LINK_PROFESSIONAL_SERVICES,
      organizationDashboard: env.LINK_ORGANIZATION_DASHBOARD,
      billing: env.LINK_BILLING,
      accountTeam: env.LINK_ACCOUNT_TEAM,
    },
    failuresPerAddress: env.FAILURES_PER_ADDRESS,
    anonymousRequestsPerMinute: env.ANONYMOUS_REQUESTS_PER_MINUTE,
    passwordChecks: env.PASSWORD_CHECKS ?? Math.min(4, availableParallelism()),
    isDemo: env.DEMO,
  });
}

const describe = ({ path, message }: { path: PropertyKey[]; message: string }) =>
  `${path[0]?.toString() ?? 'settings'}: ${message}`;

/** What settings say about each other. Of the text itself, so that it is told beside what is wrong with each of them. */
function crossChecks(given: Record<string, string | undefined>): string[] {
  const problems: string[] = [];
  if (Number(given.WORKERS) > 1 && !given.DATABASE_URL)
    problems.push('WORKERS: more than 1 needs DATABASE_URL (the embedded database serves one process)');
  if (given.DATABASE_URL && !given.ENCRYPTION_KEYS) {
    problems.push(
      'ENCRYPTION_KEYS: required with DATABASE_URL, the same on every node; make one with `openssl rand -base64 32`',
    );
  }
  if (
    given.DEMO === 'true' &&
    given.PUBLIC_URL &&
    !/^http:\/\/(localhost|127\.0\.0\.1)(:|\/|$)/.test(given.PUBLIC_URL)
  ) {
    problems.push('DEMO: only allowed while PUBLIC_URL is on localhost, since it shows mails and codes to everyone');
  }
  return problems;
}
