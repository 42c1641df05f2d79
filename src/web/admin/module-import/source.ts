// Step 1, "Import Users": which module (A5.2), and while its list is being read, how far that is.

import type { Draft } from '../../../domain/imports/draft.ts';
import { ownDraft, readAgain, startDraft } from '../../../domain/imports/draft-commands.ts';
import { listSources } from '../../../domain/imports/draft-queries.ts';
import type { ImportableInstance } from '../../../domain/modules/repository.ts';
import type { Runtime } from '../../../runtime.ts';
import type { Context } from '../../context.ts';
import { type Route, seeOther } from '../../routes.ts';
import type { FormProblem } from '../../views.ts';
import { type Desk, type DeskHandler, deskOf, idParam, orRedraw, showDesk } from '../console.ts';
import type { ModuleImportViews } from './views.ts';
import { number, people, placeOf, stepsOf, wizardPath } from './wizard.ts';

/** A5.2, word for word. */
const noneConnected = (brand: string) => `Supporting modules are not connected to ${brand}.`;

type Source = ModuleImportViews['admin/module-import/source'];

function modulesOf(instances: ImportableInstance[], chosen: string): Source['modules'] {
  const byModule = Map.groupBy(instances, ({ moduleId }) => moduleId);
  const single = instances.length === 1;
  return [...byModule.values()].flatMap((list) => {
    const [first, second] = list;
    if (!first) return [];
    const isChosen = ({ id }: ImportableInstance) => id === chosen || single;
    return {
      name: second === undefined && first.name !== first.module ? `${first.name} (${first.module})` : first.module,
      icon: first.icon,
      only: second === undefined ? { id: first.id, checked: isChosen(first) } : null,
      isOpen: list.some(isChosen),
      instances: list.map((one) => ({ id: one.id, name: one.name, checked: isChosen(one) })),
    };
  });
}

function openWords({ state, chosen, read }: Draft & { chosen: number }): string {
  if (state === 'reading') return 'its list is being read';
  if (state === 'failed') return 'its list could not be read';
  return chosen === 0 ? `${people(read)} to choose from` : `${number.format(chosen)} of ${people(read)} chosen`;
}

async function draw(ctx: Context, runtime: Runtime, desk: Desk, problem: FormProblem | null): Promise<void> {
  const { instances, open } = await listSources(desk.work, desk.companyId);
  await showDesk(
    ctx,
    runtime,
    desk,
    { view: 'admin/module-import/source', title: 'Import Users', place: 'users' },
    {
      steps: stepsOf('source', null),
      problem,
      action: wizardPath,
      modules: modulesOf(instances, ctx.state.form.instance ?? ''),
      none: noneConnected(runtime.config.brandName),
      open: open.map((draft) => ({
        href: placeOf(draft),
        name: draft.instance,
        words: openWords(draft),
        at: desk.moment(draft.createdAt),
      })),
    },
  );
}

const choose: DeskHandler = (ctx, runtime, desk) => draw(ctx, runtime, desk, null);

const begin: DeskHandler = (ctx, runtime, desk) =>
  orRedraw(
    ctx,
    async () => {
      const { id } = await startDraft(desk.work, desk.companyId, ctx.state.form.instance ?? '');
      seeOther(ctx, `${wizardPath}/${id}`);
    },
    ({ sentence }) => draw(ctx, runtime, desk, { sentence, field: null, code: null }),
  );

function progressWords({ read, announced }: Draft): string {
  if (announced === null) return 'Asking for the list';
  return `${number.format(read)} of ${people(Math.max(announced, read))}`;
}

/** While the list is read; afterwards this address leads on. */
const reading: DeskHandler = async (ctx, runtime, desk) => {
  const draft = await ownDraft(desk.work, desk.companyId, idParam<string>(ctx, 'draft', 'import'));
  if (draft.state === 'ready' || draft.state === 'started') {
    // The part of the page that looks again would get a page of another shape: it is told to go there instead.
    if (ctx.get('hx-request') === '') return seeOther(ctx, placeOf(draft));
    ctx.set('hx-redirect', placeOf(draft));
    ctx.status = 200;
    ctx.body = '';
    return;
  }
  const here = placeOf(draft);
  await showDesk(
    ctx,
    runtime,
    desk,
    { view: 'admin/module-import/reading', title: `Users of ${draft.instance}`, place: 'users' },
    {
      steps: stepsOf('people', null),
      problem:
        draft.state === 'failed'
          ? {
              sentence: `The users of ${draft.instance} could not be read. ${draft.problem ?? ''}`,
              field: null,
              code: null,
            }
          : null,
      module: draft.instance,
      icon: draft.icon,
      here,
      isReading: draft.state === 'reading',
      read: draft.read,
      announced: draft.announced === null ? null : Math.max(draft.announced, draft.read, 1),
      progress: progressWords(draft),
      retry: `${here}/read-again`,
      back: wizardPath,
    },
  );
};

const again: DeskHandler = async (ctx, _runtime, desk) => {
  const id = idParam<string>(ctx, 'draft', 'import');
  await readAgain(desk.work, desk.companyId, id);
  seeOther(ctx, `${wizardPath}/${id}`);
};

export const moduleSourceRoutes: Route[] = [
  { method: 'get', path: wizardPath, handle: deskOf('users.manage', choose) },
  { method: 'post', path: wizardPath, handle: deskOf('users.manage', begin) },
  { method: 'get', path: `${wizardPath}/:draft`, handle: deskOf('users.manage', reading) },
  { method: 'post', path: `${wizardPath}/:draft/read-again`, handle: deskOf('users.manage', again) },
];
