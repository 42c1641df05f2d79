import { X509Certificate } from 'node:crypto';
import { removeEmbedded } from '../db/embedded.ts';
import { readSupportCode } from '../domain/audit/audit-event.ts';
import { rotateSigningKeys } from '../domain/keys/commands.ts';
import { rotateSamlKey } from '../domain/keys/saml-key.ts';
import { invalid, notFound } from '../lib/errors.ts';
import type { Work } from '../work.ts';
import type { Command, CommandResult } from './commands.ts';
import { examine } from './doctor.ts';
import { Unconfirmed } from './options.ts';

async function rotateSaml(work: Work, atOnce: boolean): Promise<CommandResult> {
  const keys = (await rotateSamlKey(work, { atOnce })).map(({ certificate, signsFrom, endsAt }) => ({
    certificate,
    fingerprint: new X509Certificate(certificate).fingerprint256,
    signsFrom,
    endsAt,
  }));
  const lines = keys.map(({ fingerprint, signsFrom, endsAt }) => {
    const begins = signsFrom > work.now ? `signs from ${signsFrom.toISOString()}` : 'signs now';
    return `${fingerprint} ${begins}${endsAt ? `, gone from ${endsAt.toISOString()}` : ''}`;
  });
  return { json: keys, text: [...lines, `Metadata: ${work.config.publicUrl}/sso/saml/metadata`].join('\n') };
}

const rotateKeys: Command = {
  name: 'rotate-keys',
  summary:
    'The published next keys begin to sign; running servers follow by themselves, and tokens of the old keys stay valid',
  options: {
    saml: {
      about:
        'The key of SAML connections instead: a new certificate is shown beside the present one, signs in 30 days, and the present key is gone in 60',
      type: 'boolean',
    },
    'at-once': {
      about:
        'With --saml: the present key is in wrong hands. Identity providers that know its certificate refuse us until they have the new one',
      type: 'boolean',
    },
  },
  async run({ work, options }) {
    if (options.flag('saml') === true) return rotateSaml(work, options.flag('at-once') === true);
    if (options.flag('at-once') !== undefined)
      throw invalid('--at-once is for --saml: keys of tokens wait until modules have seen them.');
    const keys = await rotateSigningKeys(work);
    const answer = keys.map(({ kid, alg, state, retiresAt }) => ({ kid, alg, state, retiresAt }));
    return { json: answer, text: answer.map(({ kid, alg, state }) => `${alg.padEnd(6)} ${kid} ${state}`).join('\n') };
  },
};

const doctor: Command = {
  name: 'doctor',
  summary: 'Checks settings, database, clock, mail and keys, and says what to do',
  options: {},
  async run({ runtime, work }) {
    const checks = await examine(runtime, work);
    const failed = checks.some(({ ok }) => !ok);
    const text = checks
      .map(
        ({ name, ok, found, advice }) =>
          `${ok ? 'ok  ' : 'FAIL'} ${name}: ${found}${ok || !advice ? '' : `\n     ${advice}`}`,
      )
      .join('\n');
    return { json: { healthy: !failed, checks }, text, failed };
  },
};

const explain: Command = {
  name: 'explain',
  summary: 'Tells the true reason behind the short code that an error page showed to somebody',
  options: { code: { about: 'The code, such as T94X-3NV5', required: true } },
  async run({ work, options }) {
    const code = readSupportCode(options.need('code'));
    const [event] = await work.store.audit.listRecent(1, { code });
    if (!event) throw notFound(`event with the code ${code}`);
    const { at, action, details, ip, agent } = event;
    const answer = { at, action, details, ip, agent, person: event.target_id };
    const facts = Object.entries(details).map(([name, value]) => `${name}: ${String(value)}`);
    return {
      json: answer,
      text: [`${at.toISOString()}  ${action}  from ${ip ?? 'here'}`, ...facts.map((fact) => `  ${fact}`)].join('\n'),
    };
  },
};

const eraseDatabase: Command = {
  name: 'erase-database',
  summary: 'Deletes the embedded database with everybody in it; refused while a server uses it',
  options: { yes: { about: 'I know that there is no way back', type: 'boolean' } },
  async run() {
    throw new Error('runs without a database');
  },
  async runWithoutDatabase(config, options) {
    if (config.databaseUrl) throw invalid('DATABASE_URL is set: only the embedded database can be erased from here.');
    if (options.flag('yes') !== true) throw new Unconfirmed(`This deletes the database in ${config.dataDir} for good.`);
    await removeEmbedded(config.dataDir);
    return { json: { erased: config.dataDir }, text: `The database in ${config.dataDir} is erased.` };
  },
};

export const maintenanceCommands: Command[] = [rotateKeys, doctor, explain, eraseDatabase];
