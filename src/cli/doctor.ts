// What an operator would look at first, looked at for them.
import { pendingMigrations } from '../db/migrations.ts';
import { openSigningKeys } from '../domain/keys/commands.ts';
import { endOfSamlKey } from '../domain/keys/saml-key.ts';
import { days } from '../lib/time.ts';
import { createTransport } from '../mail/transport.ts';
import { migrationsFolder, type Runtime } from '../runtime.ts';
import type { Work } from '../work.ts';

export interface Check {
  name: string;
  ok: boolean;
  found: string;
  advice?: string;
}

type Examination = (runtime: Runtime, work: Work) => Promise<Omit<Check, 'name'>>;

const maxClockSkew = 5000;

/** The overlap of a roll-over, and time to begin it. */
const warnedDaysAhead = 60;

const examinations: Record<string, Examination> = {
  async settings({ config }) {
    const found = `public address ${config.publicUrl}, ${config.databaseUrl ? 'PostgreSQL by DATABASE_URL' : `embedded PostgreSQL in ${config.dataDir}`}`;
    const isExposed = config.publicUrl.startsWith('https:') && config.trustedProxies === 0;
    return isExposed
      ? {
          ok: false,
          found,
          advice:
            'PUBLIC_URL is https but TRUSTED_PROXIES is 0: behind a proxy all people seem to come from its address, and one attacker slows down everybody.',
        }
      : { ok: true, found };
  },
  async database({ db }) {
    const { rows }: { rows: { version: string; connections: string; max: string }[] } = await db.raw(
      `select current_setting('server_version') as version, (select count(*) from pg_stat_activity)::text as connections, current_setting('max_connections') as max`,
    );
    const [row] = rows;
    const major = Number.parseInt(row?.version ?? '0', 10);
    const found = `PostgreSQL ${row?.version}, ${row?.connections} of ${row?.max} connections in use`;
    return major >= 15 ? { ok: true, found } : { ok: false, found, advice: 'Use PostgreSQL 15 or newer.' };
  },
  async schema({ db }) {
    const pending = await pendingMigrations(db, migrationsFolder);
    return pending.length === 0
      ? { ok: true, found: 'up to date' }
      : {
          ok: false,
          found: `${pending.length} migrations pending`,
          advice: 'Start the server once: it migrates by itself.',
        };
  },
  async clock({ db }) {
    const { rows }: { rows: { now: Date }[] } = await db.raw('select clock_timestamp() as now');
    const skew = Math.abs((rows[0]?.now.getTime() ?? 0) - Date.now());
    const found = `${skew} ms apart from the database`;
    return skew <= maxClockSkew
      ? { ok: true, found }
      : {
          ok: false,
          found,
          advice: 'Set the clocks by NTP: codes of authenticators and the lives of tokens depend on them.',
        };
  },
  async mail({ config }) {
    if (!config.smtpUrl) return { ok: true, found: 'no SMTP_URL: mails are kept and not sent' };
    const transport = createTransport(config.smtpUrl, config.mailFrom);
    try {
      await transport.verify();
      return { ok: true, found: 'the mail server answers' };
    } catch (error) {
      return {
        ok: false,
        found: error instanceof Error ? error.message : 'no answer',
        advice: 'Check SMTP_URL. Until then mails wait and go out later.',
      };
    } finally {
      transport.close();
    }
  },
  async keys(_runtime, work) {
    const keys = await work.store.keys.listLive(work.now);
    try {
      openSigningKeys(work, keys);
    } catch (error) {
      return {
        ok: false,
        found: error instanceof Error ? error.message : 'not readable',
        advice: 'Start with the ENCRYPTION_KEYS that this database was made with.',
      };
    }
    const current = keys.filter(({ state }) => state === 'current').map(({ alg }) => alg);
    return {
      ok: current.length === 3,
      found: `${keys.length} signing keys, ${current.join(', ')} signing`,
      advice: 'Run rotate-keys.',
    };
  },
  async saml(_runtime, work) {
    const ends = await endOfSamlKey(work);
    if (ends === null) return { ok: true, found: 'no SAML key yet: it is made with the first connection' };
    const left = Math.floor((ends.getTime() - work.now.getTime()) / days(1));
    return {
      ok: left > warnedDaysAhead,
      found: `our certificate for SAML ends in ${left} days`,
      advice:
        'Run rotate-keys --saml: the new certificate has 30 days to get to every identity provider before it signs.',
    };
  },
  async jobs({ db }) {
    const { rows }: { rows: { count: string }[] } = await db.raw(
      `select count(*) from pgboss.job where name = 'dead-letters' and state = 'created'`,
    );
    const dead = Number(rows[0]?.count ?? 0);
    return {
      ok: dead === 0,
      found: `${dead} jobs given up`,
      advice: 'Look at the log for what they could not reach (mail server, back-channel logout of a module).',
    };
  },
};

export async function examine(runtime: Runtime, work: Work): Promise<Check[]> {
  const checks: Check[] = [];
  for (const [name, look] of Object.entries(examinations)) {
    try {
      checks.push({ name, ...(await look(runtime, work)) });
    } catch (error) {
      checks.push({
        name,
        ok: false,
        found: error instanceof Error ? error.message : String(error),
        advice: 'See the log of the server.',
      });
    }
  }
  return checks;
}
