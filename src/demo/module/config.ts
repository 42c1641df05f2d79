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
  /** What the provider may read the user table with, by SCIM 2.0; without it nobody may. */
  SCIM_TOKEN: z.string().min(20).optional(),
  /** Plain http between machines; only for a closed test network. */
  ALLOW_HTTP: z.enum(['0', '1']).default('0'),
  LOG_LEVEL: z.enum(['debug', 'info', 'warn', 'error', 'silent']).default('info'),
});

const timeZone = z.string().refine((name) => Intl.supportedValuesOf('timeZone').includes(name) || name === 'UTC', {
  error: 'must be an IANA time zone such as Europe/Berlin',
});

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
  scimToken: string | null;
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
  return {
    name: settings.MODULE_NAME,
    slug: settings.MODULE_NAME.toLowerCase().replace(/[^a-z0-9]+/g, '_'),
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

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
