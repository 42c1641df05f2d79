// The connect ceremony's last step, and what a connected module says about itself.
import { z } from 'zod';
import { finishCeremony } from '../../domain/integrations/ceremony-commands.ts';
import {
  changePlaces,
  connectionSchema,
  disconnectInstance,
  placesSchema,
} from '../../domain/integrations/connect-commands.ts';
import { noteHealth } from '../../domain/integrations/health-commands.ts';
import { readSettingsView } from '../../domain/integrations/settings-queries.ts';
import { acting, endpoint } from '../endpoint.ts';
import { settingsWire, toWire } from './settings-wire.ts';

const connectionAnswer = z.object({
  instance: z.object({ id: z.uuid(), name: z.string(), company: z.object({ id: z.uuid(), name: z.string() }) }),
  credential: z.object({ id: z.uuid(), secret: z.string() }),
  settings: settingsWire,
});

export const instanceEndpoints = [
  endpoint({
    method: 'POST',
    path: '/instances',
    summary: 'Connects a tenant of the module: the last step of the connect ceremony',
    auth: 'ceremony',
    body: connectionSchema,
    response: { 200: connectionAnswer, 201: connectionAnswer },
    problems: {
      403: 'Not an administrator of the company any more',
      409: '`connected_elsewhere`: the tenant belongs to another company',
    },
    async handle({ work, caller, body }) {
      const { instance, credential, company, isNew } = await finishCeremony(work, caller, body);
      const { id, name } = instance;
      const asModule = { ...work, actor: { kind: 'module' as const, name, instanceId: id } };
      const settings = toWire(await readSettingsView(asModule, company.id, id), company.id, work.now);
      return { status: isNew ? 201 : 200, body: { instance: { id, name, company }, credential, settings } };
    },
  }),
  endpoint({
    method: 'PUT',
    path: '/instance/endpoints',
    summary: "Changes the module's addresses and the SCIM token; null takes one away, what is left out stays",
    auth: 'instance',
    body: placesSchema.extend({ acting: acting.optional() }),
    response: { 204: null },
    async handle({ work, caller, body }) {
      await changePlaces(work, caller.companyId, caller.instanceId, body);
      return { status: 204 };
    },
  }),
  endpoint({
    method: 'POST',
    path: '/instance/health',
    summary: 'The health handshake',
    auth: 'instance',
    body: z.object({
      kit: z.string().max(40),
      settings_version: z.number().int().nonnegative().nullish(),
      now: z.iso.datetime({ offset: true }),
    }),
    response: {
      200: z.object({
        now: z.iso.datetime(),
        settings_version: z.number().int(),
        state: z.literal('connected'),
        clock_skew_seconds: z.number().int(),
      }),
    },
    async handle({ work, caller, body }) {
      const health = { kit: body.kit, settingsVersion: body.settings_version ?? null, now: new Date(body.now) };
      const { instanceId } = caller;
      const { version, clockSkewSeconds } = await noteHealth(work, caller.companyId, { instanceId, health });
      const answer = { now: work.now.toISOString(), settings_version: version, clock_skew_seconds: clockSkewSeconds };
      return { status: 200, body: { ...answer, state: 'connected' } };
    },
  }),
  endpoint({
    method: 'POST',
    path: '/instance/disconnect',
    summary: 'Ends the connection; the credential opens nothing from then on',
    auth: 'instance',
    body: z.object({ acting: acting.optional() }),
    response: { 204: null },
    async handle({ work, caller }) {
      await disconnectInstance(work, caller.companyId, caller.instanceId);
      return { status: 204 };
    },
  }),
];
