// The settings of one connection: protocol, attributes, new people. With effect on Save only; what touches people has pages that ask.
import { editConnection } from '../../../domain/federation/connection-commands.ts';
import type { StoredConnection } from '../../../domain/federation/connection-repository.ts';
import { isTested } from '../../../domain/federation/tested.ts';
import type { Group } from '../../../domain/groups/group.ts';
import type { Runtime } from '../../../runtime.ts';
import type { Context } from '../../context.ts';
import { setFlash } from '../../page.ts';
import { type Route, seeOther } from '../../routes.ts';
import { type Desk, type DeskHandler, orRedraw, showDesk } from '../console.ts';
import { connectionAt, connectionHead, connectionPath, guarded, ssoPath } from './connection-head.ts';
import { drawnOf, mergedOf } from './settings-drawn.ts';
import { attributesOf, firstFields, metadataFields, switchesOf } from './settings-fields.ts';
import {
  differences,
  fieldOf,
  groupBoxes,
  inputFrom,
  type Marks,
  marksOf,
  noMarks,
  roleField,
  switchOf,
  type Typed,
  typedFrom,
  typedOf,
} from './settings-form.ts';
import type { SsoViews } from './views.ts';

type Locals = SsoViews['admin/sso/settings'];

interface Drawn {
  typed: Typed;
  /** Enable as it was ticked; it is switched on a page of its own. */
  enabled: boolean;
  version: number;
  /** What the form was drawn with at that version. */
  drawn: string;
  problem: Locals['problem'];
  theirs: Record<string, string>;
}

function sectionsOf(connection: StoredConnection, typed: Typed, marks: Marks): Locals['sections'] {
  const { kind } = connection.settings;
  const fields = (described: Parameters<typeof fieldOf>[0][]) =>
    described.map((one) =>
      fieldOf(
        one.name === 'clientSecret' ? { ...one, optional: true, help: 'Leave it empty to keep the present one.' } : one,
        typed.fields,
        marks,
      ),
    );
  return [
    {
      id: 'protocol',
      title: 'Identity provider',
      lead: 'After a change here, test the connection again.',
      fields: fields([...firstFields(kind), ...metadataFields(kind)]),
      switches: switchesOf(kind).map(({ name, ...words }) => switchOf(name, typed.fields, marks, words)),
    },
    {
      id: 'attributes',
      title: kind === 'saml' ? 'Attributes' : 'Claims',
      lead: 'Names exactly as they are sent. What is left empty is not read.',
      fields: fields([...attributesOf(kind)]),
      switches: [],
    },
  ];
}

async function draw(
  ctx: Context,
  runtime: Runtime,
  desk: Desk,
  connection: StoredConnection,
  drawing: Drawn,
): Promise<void> {
  const { typed, enabled, version, problem, theirs } = drawing;
  const { kind } = connection.settings;
  const marks: Marks = { ...(problem ? marksOf(kind, problem.fields) : noMarks), theirs };
  const groups = await desk.work.store.of(desk.companyId).groups.list();
  const brand = runtime.config.brandName;
  await showDesk(
    ctx,
    runtime,
    desk,
    { view: 'admin/sso/settings', title: `Settings of ${connection.name}`, place: 'sso' },
    {
      connection: connectionHead(connection, desk, 'settings'),
      problem: problem && { ...problem, field: marks.wrong },
      action: connectionPath(connection.id, 'settings'),
      version: String(version),
      drawn: drawing.drawn,
      enabled: switchOf('enabled', { enabled: enabled ? 'yes' : '' }, marks, {
        label: kind === 'saml' ? 'Enable Single Sign-On via SAML' : 'Enable Single Sign-On via OpenID Connect',
        help: 'People find this connection on the login page. Passwords work as before until Log In with SSO is enforced.',
      }),
      second: switchOf('asksSecondFactor', typed.fields, marks, {
        label: `Ask for ${brand} 2FA as well`,
        help: `Off: the identity provider is trusted with the second factor. The Root Admin is asked for ${brand} 2FA either way.`,
      }),
      sections: sectionsOf(connection, typed, marks),
      creation: {
        setting: switchOf('creation.on', typed.fields, marks, {
          label: 'Enable Automatic User Creation',
          help: 'Whoever logs in and is not here yet is created at once, without an invitation.',
        }),
        role: roleField(typed.fields, marks),
        groups: groupBoxes(groups, typed.groupIds),
        groupsError: marks.errors.groups ?? '',
        groupsTheirs: theirs.groups ?? '',
      },
    },
  );
}

const show: DeskHandler = async (ctx, runtime, desk) => {
  const connection = await connectionAt(ctx, desk);
  const { enabled, version } = connection;
  const typed = typedOf(connection);
  await draw(ctx, runtime, desk, connection, {
    typed,
    enabled,
    version,
    drawn: drawnOf(connection.settings.kind, { ...typed, enabled }),
    problem: null,
    theirs: {},
  });
};

const save: DeskHandler = async (ctx, runtime, desk) => {
  const connection = await connectionAt(ctx, desk);
  const { form, formLists } = ctx.state;
  const { kind } = connection.settings;
  const typed = typedFrom(kind, form, formLists.group);
  const enabled = form.enabled === 'yes';
  const version = Number(form.version);
  const { drawn = '' } = form;
  await orRedraw(
    ctx,
    async () => {
      const input = inputFrom(kind, typed);
      const saved = await editConnection(desk.work, desk.companyId, connection.id, { version, ...input });
      if (saved.outcome === 'stale')
        return stale(ctx, runtime, desk, { typed, enabled, drawn, theirs: saved.connection });
      const isReady = isTested(await connectionAt(ctx, desk));
      if (enabled && !connection.enabled && !isReady) {
        const text = `The other settings are saved. Test ${input.name} with them: then it can be enabled.`;
        setFlash(ctx, runtime, { kind: 'success', text });
        return seeOther(ctx, connectionPath(connection.id, 'test'));
      }
      if (enabled === connection.enabled) {
        const text = `The settings of ${input.name} are saved.${isReady ? '' : ' Test it with them.'}`;
        setFlash(ctx, runtime, { kind: 'success', text });
        return seeOther(ctx, connectionPath(connection.id, isReady ? 'settings' : 'test'));
      }
      setFlash(ctx, runtime, { kind: 'success', text: 'The other settings are saved. Confirm the switch here.' });
      seeOther(ctx, connectionPath(connection.id, enabled ? 'enable' : 'disable'));
    },
    (problem) => draw(ctx, runtime, desk, connection, { typed, enabled, version, drawn, problem, theirs: {} }),
  );
};

/** Somebody else was faster: what was changed here stays in the form with theirs beside it; all else shows what they saved. */
async function stale(
  ctx: Context,
  runtime: Runtime,
  desk: Desk,
  { typed, enabled, drawn, theirs }: { typed: Typed; enabled: boolean; drawn: string; theirs: StoredConnection },
): Promise<void> {
  const groups: Group[] = await desk.work.store.of(desk.companyId).groups.list();
  const { kind } = theirs.settings;
  const saved = { ...typedOf(theirs), enabled: theirs.enabled };
  const merged = mergedOf(kind, drawn, { ...typed, enabled }, saved);
  const found = differences(kind, merged, saved, groups);
  const rest =
    Object.keys(found).length === 0
      ? 'Nothing that you changed differs from it.'
      : 'What you changed is still in the form, with theirs beside it; all else shows what they saved.';
  await draw(ctx, runtime, desk, theirs, {
    typed: merged,
    enabled: merged.enabled,
    version: theirs.version,
    drawn: drawnOf(kind, saved),
    problem: {
      sentence: `This connection was changed while you had it open, so nothing of yours is saved yet. ${rest} Look through them, and save again.`,
      field: null,
      code: null,
      fields: {},
    },
    theirs: found,
  });
  ctx.status = 409;
}

const path = `${ssoPath}/:connection/settings`;

export const ssoSettingsRoutes: Route[] = [
  { method: 'get', path, handle: guarded(show) },
  { method: 'post', path, handle: guarded(save) },
];
