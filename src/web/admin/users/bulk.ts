// Acts on many people: what it would do and whom it leaves out is said first, then it runs as a task with a report.
import { Readable } from 'node:stream';
import { choosableRoles } from '../../../domain/roles/role.ts';
import { bulkTitle, startBulk } from '../../../domain/users/bulk-commands.ts';
import { type BulkAct, type BulkPreview, previewBulk, type Selection } from '../../../domain/users/bulk-queries.ts';
import { type ExportField, exportFields, exportPeople } from '../../../domain/users/export-queries.ts';
import { csvFile } from '../../../lib/csv.ts';
import { invalid } from '../../../lib/errors.ts';
import { type GroupId, isId, type UserId } from '../../../lib/ids.ts';
import type { Context } from '../../context.ts';
import { setFlash } from '../../page.ts';
import { type Route, seeOther } from '../../routes.ts';
import { type Desk, type DeskHandler, deskOf, showDesk } from '../console.ts';
import { taskPath } from '../tasks/task.ts';
import { filterOf, usersPath } from './list.ts';

const acts = [
  'deactivate',
  'activate',
  'resend',
  'reset-2fa',
  'reset-password',
  'delete',
  'change-role',
  'add-to-group',
  'remove-from-group',
  'export',
] as const;

type Act = (typeof acts)[number];

/** What stops, what can be undone, what cannot: said before the button. */
const consequences: Record<Exclude<Act, 'export'>, string[]> = {
  deactivate: [
    'Their sessions end at once, here and in every module.',
    'They cannot log in any more. Their settings and groups are kept.',
    'You can activate them again at any time.',
  ],
  activate: [
    'They are Active at once and get a mail with a link to set a new password.',
    'They set up their second factor anew at the next login. Old passwords and codes do not work any more.',
  ],
  resend: ['Each gets a new invitation, good for 14 days. Earlier links stop working.'],
  'reset-2fa': ['Their sessions end, and they set up a second factor anew at the next login.'],
  'reset-password': ['Each gets a link, good for 24 hours, and sets a new password with it. It also ends a lock.'],
  delete: [
    'Their sessions end at once, and their accounts are gone.',
    'This cannot be undone. To let people come back, deactivate them instead.',
  ],
  'change-role': ['Each has exactly one role; the new one counts from the next page they open.'],
  'add-to-group': ['They may enter the modules of the group as soon as it is active.'],
  'remove-from-group': [
    'They lose the modules that no other group of theirs opens; access of those modules is taken back at once.',
    'Whoever is left without a group is put into No Module Access.',
  ],
};

interface Asked {
  act: Act;
  selection: Selection;
  ids: string[];
  all: boolean;
  query: string;
}

function askedOf(ctx: Context): Asked {
  const { form, formLists } = ctx.state;
  const act = acts.find((one) => one === form.act);
  if (!act) throw invalid('Choose what to do with the people you have selected.');
  const ids = (formLists.id ?? []).filter(isId);
  const all = form.all === 'yes';
  if (!all && ids.length === 0) throw invalid('Select somebody first.');
  const query = new URLSearchParams(form.query ?? '').toString();
  const selection = all ? { filter: filterOf(new URLSearchParams(query)) } : { ids: ids as UserId[] };
  return { act, selection, ids: all ? [] : ids, all, query };
}

/** The act with its role or group, as the form names it; null while it has not been chosen. */
function chosenAct(act: Exclude<Act, 'export'>, form: Record<string, string>): BulkAct | null {
  if (act === 'change-role') {
    const role = choosableRoles.find((one) => one === form.role);
    return role ? { act, role } : null;
  }
  if (act !== 'add-to-group' && act !== 'remove-from-group') return { act };
  return isId(form.group ?? '') ? { act, groupId: form.group as GroupId } : null;
}

const back = (query: string) => `${usersPath}${query === '' ? '' : `?${query}`}`;

const ask: DeskHandler = async (ctx, runtime, desk) => {
  const asked = askedOf(ctx);
  if (asked.act === 'export') return drawExport(ctx, runtime, desk, asked);
  const preview = await previewBulk(desk.work, desk.companyId, asked.act, asked.selection);
  await showDesk(
    ctx,
    runtime,
    desk,
    { view: 'admin/users/bulk', title: bulkTitle(asked.act, preview.done), place: 'users' },
    { ...(await questionOf(desk, asked.act, preview)), ...hiddenOf(asked), cancel: back(asked.query) },
  );
};

async function questionOf(desk: Desk, act: Exclude<Act, 'export'>, preview: BulkPreview) {
  const groups =
    act === 'add-to-group' || act === 'remove-from-group' ? await desk.work.store.of(desk.companyId).groups.list() : [];
  const title = bulkTitle(act, preview.done);
  return {
    title: `${title}?`,
    action: `${usersPath}/bulk/run`,
    selected: preview.selected,
    first: preview.first,
    others: Math.max(0, preview.done - preview.first.length),
    sentences: consequences[act],
    exceptions: preview.exceptions.map(({ because, people, first }) => ({
      because,
      people: people === 1 ? (first[0] ?? '1 person') : `${people} people`,
    })),
    roles: act === 'change-role' ? choosableRoles.map((role) => ({ value: role, label: role, selected: false })) : [],
    groups: groups.map(({ id, name, isActive }) => ({
      value: id,
      label: isActive ? name : `${name} (inactive)`,
      selected: false,
    })),
    button: preview.done === 0 ? null : title,
    isDanger: act === 'delete' || act === 'deactivate' || act === 'remove-from-group',
  };
}

const hiddenOf = ({ act, ids, all, query }: Asked) => ({ act, ids, all, query });

const run: DeskHandler = async (ctx, runtime, desk) => {
  const { act, selection } = askedOf(ctx);
  if (act === 'export') throw invalid('Choose what to do with the people you have selected.');
  const chosen = chosenAct(act, ctx.state.form);
  if (!chosen) throw invalid(act === 'change-role' ? 'Choose a role.' : 'Choose a group.');
  const task = await startBulk(desk.work, desk.companyId, chosen, selection);
  setFlash(ctx, runtime, { kind: 'success', text: 'It is being done. This page shows how far it is.' });
  seeOther(ctx, taskPath(task.id));
};

async function drawExport(ctx: Context, runtime: Parameters<DeskHandler>[1], desk: Desk, asked: Asked): Promise<void> {
  await showDesk(
    ctx,
    runtime,
    desk,
    { view: 'admin/users/export', title: 'Export Users', place: 'users' },
    {
      action: `${usersPath}/bulk/export`,
      fields: Object.entries(exportFields).map(([value, label]) => ({ value, label })),
      ...hiddenOf(asked),
      cancel: back(asked.query),
    },
  );
}

const exportFile: DeskHandler = async (ctx, _runtime, desk) => {
  const { selection } = askedOf(ctx);
  const wanted = ctx.state.formLists.field ?? [];
  // Keys of a constant: nothing else can be among them.
  const fields = (Object.keys(exportFields) as ExportField[]).filter((field) => wanted.includes(field));
  if (fields.length === 0) throw invalid('Choose at least one field.');
  const batches = await exportPeople(desk.work, desk.companyId, selection, fields);
  const heads = fields.map((field) => exportFields[field]);
  ctx.set({
    'content-type': 'text/csv; charset=utf-8',
    'content-disposition': 'attachment; filename="users.csv"',
  });
  ctx.body = Readable.from(csvFile(heads, batches));
};

const guarded = (handle: DeskHandler) => deskOf('users.manage', handle);

export const userBulkRoutes: Route[] = [
  { method: 'post', path: `${usersPath}/bulk`, handle: guarded(ask) },
  { method: 'post', path: `${usersPath}/bulk/run`, handle: guarded(run) },
  { method: 'post', path: `${usersPath}/bulk/export`, handle: guarded(exportFile) },
];
