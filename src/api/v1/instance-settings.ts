import { z } from 'zod';
import { listRuleGroups } from '../../domain/integrations/rule-queries.ts';
import { saveSettings } from '../../domain/integrations/settings-commands.ts';
import { readSettingsView, readVersion } from '../../domain/integrations/settings-queries.ts';
import { AppError, standsInTheWay } from '../../lib/errors.ts';
import { acting, endpoint } from '../endpoint.ts';
import { toPreflightWire } from './instance-require.ts';
import { fromWire, inWireNames, settingsBody, settingsWire, toWire } from './settings-wire.ts';

const etagOf = (version: number): string => `"${version}"`;

/** RFC 9110 section 13.1.2: one of several, weak or not; `*` means whichever there is. */
const holds = (header: string, version: number): boolean =>
  header.split(',').some((tag) => ['*', etagOf(version)].includes(tag.trim().replace(/^W\//, '')));

// RFC 9110 section 13.1.1: only a strong tag says which version a change was made from.
const strong = /^\s*"(\d{1,15})"\s*$/;

const stale = () =>
  new AppError('precondition_failed', 'Somebody else has changed the settings meanwhile. Fetch them and try again.', {
    status: 412,
  });

/** A module makes its own list to choose from, and may take more than a page can show. */
const mostGroups = 1000;

export const settingsEndpoints = [
  endpoint({
    method: 'GET',
    path: '/instance/settings',
    summary: 'The settings of the instance; `If-None-Match` answers 304',
    auth: 'instance',
    response: { 200: settingsWire, 304: null },
    async handle({ work, caller: { companyId, instanceId }, header }) {
      const known = header('if-none-match');
      if (known !== '') {
        const version = await readVersion(work, companyId, instanceId);
        if (holds(known, version)) return { status: 304, headers: { etag: etagOf(version) } };
      }
      const view = await readSettingsView(work, companyId, instanceId);
      return {
        status: 200,
        headers: { etag: etagOf(view.settings.version) },
        body: toWire(view, companyId, work.now),
      };
    },
  }),
  endpoint({
    method: 'PUT',
    path: '/instance/settings',
    summary: 'Saves all settings, made from the version that `If-Match` names',
    auth: 'instance',
    body: z.object({ settings: settingsBody, acting, override: z.string().max(1000).nullish() }),
    response: { 200: settingsWire },
    problems: {
      409: '`preflight`: the login cannot be required yet; the pre-flight stands in `preflight`',
      412: '`precondition_failed`: somebody else has changed the settings meanwhile',
      428: '`precondition_required`: `If-Match` is missing',
    },
    async handle({ work, caller: { companyId, instanceId }, header, body }) {
      const given = header('if-match');
      if (given === '')
        throw new AppError('precondition_required', 'Say by If-Match which version these settings were made from.', {
          status: 428,
        });
      const version = Number(strong.exec(given)?.[1] ?? Number.NaN);
      if (Number.isNaN(version)) throw stale();
      const input = { version, settings: fromWire(body.settings), override: body.override ?? null };
      const saved = await inWireNames(() => saveSettings(work, companyId, instanceId, input));
      if (saved.outcome === 'stale') throw stale();
      if (saved.outcome === 'preflight')
        throw standsInTheWay('preflight', 'The login cannot be required yet: see what stands in the way.', {
          preflight: toPreflightWire(saved.preflight),
        });
      const view = await readSettingsView(work, companyId, instanceId);
      return {
        status: 200,
        headers: { etag: etagOf(view.settings.version) },
        body: toWire(view, companyId, work.now),
      };
    },
  }),
  endpoint({
    method: 'GET',
    path: '/instance/groups',
    summary: "The company's access groups that open this instance, for rules",
    auth: 'instance',
    response: {
      200: z.object({ groups: z.array(z.object({ id: z.uuid(), name: z.string(), active: z.boolean() })) }),
    },
    async handle({ work, caller: { companyId, instanceId } }) {
      const groups = (await listRuleGroups(work, companyId, instanceId, mostGroups)).filter(({ opens }) => opens);
      return {
        status: 200,
        body: { groups: groups.map(({ id, name, isActive }) => ({ id, name, active: isActive })) },
      };
    },
  }),
];
