// Admin Settings > Security: the policy of the company (B.3). What meets somebody is shown before it is saved.
import { changePolicy } from '../../../domain/companies/commands.ts';
import { isAnybody, previewPolicy } from '../../../domain/users/policy-preview-queries.ts';
import { pagingOf } from '../../../lib/paging.ts';
import type { Runtime } from '../../../runtime.ts';
import type { Context } from '../../context.ts';
import { setFlash } from '../../page.ts';
import { type Route, seeOther } from '../../routes.ts';
import type { FormProblem } from '../../views.ts';
import { countWords, type Desk, type DeskHandler, deskOf, orRedraw, showDesk } from '../console.ts';
import { addressesPath } from './addresses.ts';
import { companyOf } from './company.ts';
import { showPreview } from './preview.ts';
import { type Fields, fieldNames, fieldsOf, readChange, sectionsOf } from './settings.ts';

export const securityPath = '/admin/security';
const previewPath = `${securityPath}/preview`;

async function drawPolicy(
  ctx: Context,
  runtime: Runtime,
  desk: Desk,
  typed: { fields: Fields; problem: FormProblem } | null,
): Promise<void> {
  const company = await companyOf(desk);
  const entries = await desk.work.store.of(desk.companyId).ipEntries.list();
  const isOn = company.policy.ipList.enabled;
  const listed = countWords({ total: entries.length, isMore: false }, 'entry', 'entries');
  await showDesk(
    ctx,
    runtime,
    desk,
    { view: 'admin/security/policy', title: 'Security', place: 'policy' },
    {
      problem: typed?.problem ?? null,
      action: securityPath,
      sections: sectionsOf(typed?.fields ?? fieldsOf(company.policy), typed?.problem.field ?? null),
      ipList: {
        isOn,
        words: isOn
          ? `On, with ${listed}: logins from any other address are refused.`
          : `Off: people log in from anywhere.`,
        href: addressesPath,
      },
    },
  );
}

const page: DeskHandler = (ctx, runtime, desk) => drawPolicy(ctx, runtime, desk, null);

const known = (name: string) => fieldNames.includes(name);

/** Saves what meets nobody; anything else is shown first, and saved from there. */
const save: DeskHandler = async (ctx, runtime, desk) => {
  const { form } = ctx.state;
  const redraw = (problem: FormProblem) => drawPolicy(ctx, runtime, desk, { fields: form, problem });
  await orRedraw(
    ctx,
    async () => {
      const change = readChange(form);
      if (form.confirmed !== 'yes') {
        const preview = await previewPolicy(
          desk.work,
          desk.companyId,
          { policy: change },
          { kind: null, page: 1, size: 25 },
        );
        if (isAnybody(preview)) {
          const query = new URLSearchParams(Object.entries(form).filter(([name]) => known(name)));
          seeOther(ctx, `${previewPath}?${query}`);
          return;
        }
      }
      await changePolicy(desk.work, desk.companyId, change);
      setFlash(ctx, runtime, { kind: 'success', text: 'The security policy is updated. It is in force now.' });
      seeOther(ctx, securityPath);
    },
    redraw,
  );
};

const preview: DeskHandler = async (ctx, runtime, desk) => {
  const query = new URLSearchParams(ctx.querystring);
  const fields = Object.fromEntries([...query].filter(([name]) => known(name)));
  const redraw = (problem: FormProblem) => drawPolicy(ctx, runtime, desk, { fields, problem });
  await orRedraw(
    ctx,
    () =>
      showPreview(
        ctx,
        runtime,
        desk,
        { policy: readChange(fields) },
        {
          title: 'Before the policy is updated',
          lead: 'Some people would notice. Nothing is saved yet.',
          back: { href: securityPath, label: 'Security' },
          consequences: [],
          form: {
            action: securityPath,
            hidden: { ...fields, confirmed: 'yes' },
            button: 'Update anyway',
            isDanger: true,
          },
          kept: fields,
          paging: pagingOf(query),
        },
      ),
    redraw,
  );
};

export const policyRoutes: Route[] = [
  { method: 'get', path: securityPath, handle: deskOf('security.manage', page) },
  { method: 'post', path: securityPath, handle: deskOf('security.manage', save) },
  { method: 'get', path: previewPath, handle: deskOf('security.manage', preview) },
];
