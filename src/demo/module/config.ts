import { z } from 'zod';

/** A module's settings, all of them from the environment; the table below is also its documentation. */
const environment = z.object({
  /** What the module calls itself; also the first part of its cookies and files. */
  MODULE_NAME: z.string().trim().min(1).max(40).default('Workplace'),
  PORT: z.coerce.number().int().min(0).max(65_535).default(4000),
  HOST: z.string().min(1).default('127.0.0.1'),
  /** The address people use; its origin is the only one that is served. */
  MODULE_URL: z.url().optional(),
  ISSUER: z.url(),
  CLIENT_ID: z.string().min(1),
  CLIENT_SECRET: z.string().min(1).optional(),
  /** Where the user table and, when SECRET is not given, the secret are kept. */
  DATA_DIR: z.string().min(1).default('data/module'),
  SECRET: z.string().min(32).optional(),
  /** What the provider is called in "Log In with ...". */
  BRAND_NAME: z.string().trim().min(1).max(40).default('KaseyaOne'),
  /** No offline_access: the module's refresh tokens are to end with the session at the provider. */
  SCOPE: z.string().default('openid profile email'),
  /** JSON: the people of the user table at the first start. */
  MODULE_USERS: z.string().default('[]'),
  /** So many invented people besides, at the first start. */
  MODULE_CROWD: z.coerce.number().int().min(0).max(100_000).default(0),
  /** Its permissions, lowest power first, and which of them make an administrator. */
  MODULE_PERMISSIONS: z.string().default('Read only,Team Access,Full Access'),
  MODULE_ADMINISTRATORS: z.string().default('Full Access'),
  /** Whom this module serves: its own name for them, and what people call them. */
  TENANT_ID: z.string().trim().min(1).max(200).optional(),
  TENANT_NAME: z.string().trim().min(1).max(60).optional(),
  /** A connection that the provider's operator has made; counts at the first start alone. */
  INSTANCE_ID: z.string().min(1).optional(),
  INSTANCE_CREDENTIAL: z.string().min(20).optional(),
  /** What the provider may call the SCIM service with, until it is told another token. */
  SCIM_TOKEN: z.string().min(20).optional(),
  /** 1: an ordinary OpenID Connect client that never connects; the button is there always. */
  PLAIN_LOGIN: z.enum(['0', '1']).default('0'),
  /** Plain http between machines; only for a closed test network. */
  ALLOW_HTTP: z.enum(['0', '1']).default('0'),
  LOG_LEVEL: z.enum(['debug', 'info', 'warn', 'error', 'silent']).default('info'),
});

export const timeZones: readonly string[] = [...new Set(['UTC', ...Intl.supportedValuesOf('timeZone')])];
const knownZones = new Set(timeZones);

/** Newer and older names of a zone count as well, as long as this Node knows them. */
export function isTimeZone(name: string): boolean {
  if (knownZones.has(name)) return true;
  try {
    return /^[A-Za-z]/.test(name) && new Intl.DateTimeFormat('en', { timeZone: name }).resolvedOptions() !== null;
  } catch {
    return false;
  }
}

const timeZone = z.string().refine(isTimeZone, { error: 'must be an IANA time zone such as Europe/Berlin' });

const seedUsers = z.array(
  z.object({
    email: z.email().max(254),
    name: z.string().trim().min(1).max(120),
    /** Absent: this account has no local password and can be used through the provider only. */
    password: z.string().min(1).max(1024).optional(),
    role: z.string().trim().min(1).max(60),
    status: z.enum(['active', 'suspended']).default('active'),
    timeZone: timeZone.default('UTC'),
  }),
);

export type SeedUser = z.infer<typeof seedUsers>[number];

export interface ModuleConfig {
  name: string;
  /** The name as it stands in cookies and file names. */
  slug: string;
  port: number;
  host: string;
  /** Null: known only when the port is, since port 0 asks for any free one. */
  url: string | null;
  issuer: string;
  clientId: string;
  clientSecret: string | null;
  dataDir: string;
  secret: string | null;
  brandName: string;
  scope: string;
  seed: SeedUser[];
  crowd: number;
  permissions: readonly string[];
  administrators: readonly string[];
  tenant: { id: string; name: string };
  /** Null: it is connected by its administrator, or not at all. */
  connection: { instance: string; credential: string } | null;
  scimToken: string | null;
  plainLogin: boolean;
  allowHttp: boolean;
  logLevel: string;
}

/** Reads the settings, or tells all that is wrong with them at once. */
export function readConfig(env: Readonly<Record<string, string | undefined>>): ModuleConfig | { problems: string[] } {
  // An empty variable means the same as none: that is how shells and compose files unset one.
  const given = Object.fromEntries(Object.entries(env).filter(([, value]) => value !== ''));
  const parsed = environment.safeParse(given);
  if (!parsed.success)
    return { problems: parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`) };
  const users = seedUsers.safeParse(parseJson(parsed.data.MODULE_USERS));
  if (!users.success) {
    return { problems: users.error.issues.map(({ path, message }) => `MODULE_USERS[${path.join('.')}]: ${message}`) };
  }
  const settings = parsed.data;
  const slug = settings.MODULE_NAME.toLowerCase().replace(/[^a-z0-9]+/g, '_');
  const { INSTANCE_ID: instance, INSTANCE_CREDENTIAL: credential } = settings;
  return {
    name: settings.MODULE_NAME,
    slug,
    permissions: listOf(settings.MODULE_PERMISSIONS),
    administrators: listOf(settings.MODULE_ADMINISTRATORS),
    tenant: { id: settings.TENANT_ID ?? slug, name: settings.TENANT_NAME ?? settings.MODULE_NAME },
    connection: instance === undefined || credential === undefined ? null : { instance, credential },
    plainLogin: settings.PLAIN_LOGIN === '1',
    port: settings.PORT,
    host: settings.HOST,
    url: settings.MODULE_URL?.replace(/\/$/, '') ?? null,
    issuer: settings.ISSUER,
    clientId: settings.CLIENT_ID,
    clientSecret: settings.CLIENT_SECRET ?? null,
    dataDir: settings.DATA_DIR,
    secret: settings.SECRET ?? null,
    brandName: settings.BRAND_NAME,
    scope: settings.SCOPE,
    seed: users.data,
    crowd: settings.MODULE_CROWD,
    scimToken: settings.SCIM_TOKEN ?? null,
    allowHttp: settings.ALLOW_HTTP === '1',
    logLevel: settings.LOG_LEVEL,
  };
}

const listOf = (text: string): string[] =>
  text
    .split(',')
    .map((name) => name.trim())
    .filter(Boolean);

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
