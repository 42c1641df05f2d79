import { rotateSigningKeys } from '../domain/keys/commands.ts';
import type { Command } from './commands.ts';
import { examine } from './doctor.ts';

const rotateKeys: Command = {
  name: 'rotate-keys',
  summary:
    'The published next keys begin to sign; running servers follow by themselves, and tokens of the old keys stay valid',
  options: {},
  async run({ work }) {
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

export const maintenanceCommands: Command[] = [rotateKeys, doctor];
