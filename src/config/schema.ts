// Every setting of the operator: name in the environment, form, default, meaning. README's table is generated from here.
import { z } from 'zod';

// In words for the operator: the checker's own are made for programmers.
function whole(from: number, to: number) {
  const error = `must be a whole number from ${from} to ${to}`;
  return z.coerce.number({ error }).int({ error }).min(from, { error }).max(to, { error });
}

const oneOf = <const T extends string>(values: readonly T[]) =>
  z.enum(values, { error: `must be one of ${values.join(', ')}` });

const address = (protocol: RegExp, example: string) =>
  z.url({ protocol, error: `must be an address such as ${example}` });

/** `name@domain`, or `Name <name@domain>`; the domain may be `localhost`. */
const isSender = (text: string) =>
  /^[^\s<>@,;]+@[^\s<>@,;]+$/.test(text) || /^[^<>\r\n]*<[^\s<>@,;]+@[^\s<>@,;]+>$/.test(text);

const flag = oneOf(['true', 'false']).transform((value) => value === 'true');
const optionalUrl = address(/^https?$/, 'https://www.example.com/place').optional();

const loopback = new Set(['localhost', '127.0.0.1', '[::1]']);

/** 32 bytes as base64, base64url or hex. */
const key = z.string().transform((text, ctx) => {
  const bytes = /^[0-9a-f]{64}$/i.test(text) ? Buffer.from(text, 'hex') : Buffer.from(text, 'base64');
  if (bytes.length !== 32)
    ctx.addIssue({ code: 'custom', message: 'each key must be 32 bytes, written as base64 or as 64 hex digits' });
  return bytes;
});

const server = {
  HOST: z.string().default('127.0.0.1').describe('Address to listen on; `0.0.0.0` for all.'),
  PORT: whole(0, 65_535).default(3000).describe('Port to listen on.'),
  PUBLIC_URL: address(/^https?$/, 'https://login.example.com')
    .transform((text, ctx) => {
      const url = new URL(text);
      if (url.protocol === 'http:' && !loopback.has(url.hostname)) {
        ctx.addIssue({ code: 'custom', message: 'must be https, unless the host is localhost' });
      }
      if (url.pathname !== '/' || url.search || url.hash)
        ctx.addIssue({ code: 'custom', message: 'must be an origin without a path' });
      return url.origin;
    })
    .optional()
    .describe('Address that browsers use, and the issuer. Default: `http://localhost:PORT`.'),
  TRUSTED_PROXIES: whole(0, 5)
    .default(0)
    .describe(
      'How many reverse proxies stand in front. `X-Forwarded-For` is believed from that many only; the scheme and host come from `PUBLIC_URL`.',
    ),
  WORKERS: whole(1, 64).default(1).describe('Processes that share the port; more than 1 needs `DATABASE_URL`.'),
  LOG_LEVEL: oneOf(['fatal', 'error', 'warn', 'info', 'debug', 'silent'])
    .default('info')
    .describe('How much the log says.'),
  METRICS_TOKEN: z
    .string()
    .min(16, 'must be at least 16 characters long')
    .optional()
    .describe('Bearer token for `/metrics`; without it `/metrics` answers 404.'),
};

const database = {
  DATABASE_URL: address(/^postgres(ql)?$/, 'postgres://user:password@db.example.com:5432/login')
    .optional()
    .describe('PostgreSQL 15 or newer. Unset: an embedded PostgreSQL in `DATA_DIR`.'),
  DATABASE_POOL: whole(2, 200)
    .default(10)
    .describe('Connections that a process may hold for pages, and as many again for the protocol.'),
  DATA_DIR: z.string().default('./data').describe('Folder of the embedded database and of generated keys.'),
};

const secrets = {
  ENCRYPTION_KEYS: z
    .string()
    .transform((text) => text.split(',').map((part) => part.trim()))
    .pipe(z.array(key).min(1))
    .optional()
    .describe(
      'Keys (32 bytes, base64 or hex, separated by commas) that seal secrets in the database and sign cookies. The first one seals, all open. Unset with the embedded database: generated into `DATA_DIR`.',
    ),
};

const mail = {
  SMTP_URL: address(/^smtps?$/, 'smtps://user:password@mail.example.com')
    .optional()
    .describe('Mail server, e.g. `smtps://user:password@mail.example.com`. Unset: mails are kept and not sent.'),
  MAIL_FROM: z
    .string()
    .trim()
    .refine(isSender, 'must be an e-mail address, or one with a name: KaseyaOne <noreply@example.com>')
    .default('KaseyaOne <noreply@localhost>')
    .describe('Sender of all mails.'),
  MAIL_FROM_DOMAINS: z
    .string()
    .regex(/^[a-z0-9.-]+(\s*,\s*[a-z0-9.-]+)*$/i, 'must be a list of domains, separated by commas')
    .optional()
    .describe(
      'Domains that companies may send their mails from, separated by commas. Unset: all come from `MAIL_FROM`.',
    ),
};

const look = {
  BRAND_NAME: z
    .string()
    .max(40, 'must be 40 characters at most')
    .default('KaseyaOne')
    .describe('The brand shown to people.'),
  LINK_STORE: optionalUrl.describe('Address of the Store (roles Admin, Billing and Purchasing).'),
  LINK_UNIVERSITY: optionalUrl.describe('Address of the University (all roles).'),
  LINK_COMMUNITY: optionalUrl.describe('Address of the Community (all roles but Co-Managed User).'),
  LINK_MERCH_STORE: optionalUrl.describe('Address of the Merch Store (all roles but Co-Managed User).'),
  LINK_SUPPORT: optionalUrl.describe('Address of the ticket system (all roles but Co-Managed User).'),
  LINK_COOPER: optionalUrl.describe('Address of Cooper Intelligence Engine (all roles but Co-Managed User).'),
  LINK_PROFESSIONAL_SERVICES: optionalUrl.describe('Address of Professional Services (all roles but Co-Managed User).'),
  LINK_ORGANIZATION_DASHBOARD: optionalUrl.describe(
    'Address of the Organization Dashboard (roles Admin, Billing and Purchasing).',
  ),
  LINK_BILLING: optionalUrl.describe(
    'Address of billing, subscriptions and invoices (roles Admin, Billing and Purchasing).',
  ),
  LINK_ACCOUNT_TEAM: optionalUrl.describe('Address of My Account Team (all roles but Co-Managed User).'),
};

const limits = {
  FAILURES_PER_ADDRESS: whole(5, 100_000)
    .default(60)
    .describe(
      'Failed logins from one network address within 10 minutes before it must wait (AUT-08). Browsers that have logged in before are not held up.',
    ),
  ANONYMOUS_REQUESTS_PER_MINUTE: whole(10, 1_000_000)
    .default(300)
    .describe(
      'Logins that one network address may begin in a minute, and ten times as many in an hour, for each process (DOS-03). Raise it for more people behind one address. Browsers with a session are not held up, nor are modules that push requests with their secret.',
    ),
  PASSWORD_CHECKS: whole(1, 16)
    .optional()
    .describe('Password hashes computed at a time. Default: number of cores, 4 at most.'),
};

const development = {
  DEMO: flag
    .default(false)
    .describe('Only for the demo on localhost: shows all mails at `/dev/mailbox` and codes at `/dev/authenticator`.'),
};

/** Settings by topic, in the order of README's table. */
export const topics = { server, database, secrets, mail, look, limits, development };

export const environmentSchema = z.object({
  ...server,
  ...database,
  ...secrets,
  ...mail,
  ...look,
  ...limits,
  ...development,
});

export type Environment = z.infer<typeof environmentSchema>;
