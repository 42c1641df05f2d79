// The first company of an empty server, by the one-time link of the first start (A1.6, AUT-11).

import { linkPaths } from '../../domain/links/link.ts';
import { install, isInstallationOpen } from '../../domain/users/company-commands.ts';
import { AppError } from '../../lib/errors.ts';
import type { Runtime } from '../../runtime.ts';
import type { Context } from '../context.ts';
import { showPage } from '../page.ts';
import { param, type Route, seeOther } from '../routes.ts';
import type { FormProblem } from '../views.ts';

const blank = { company: '', firstName: '', lastName: '', email: '', username: '' };

async function draw(ctx: Context, runtime: Runtime, values: typeof blank, problem: FormProblem | null): Promise<void> {
  await showPage(ctx, runtime, 'public/setup', 'Set up', {
    action: `${linkPaths.installation}/${param(ctx, 'token')}`,
    problem,
    values,
  });
}

async function showDead(ctx: Context, runtime: Runtime): Promise<void> {
  await showPage(ctx, runtime, 'public/link-dead', 'This link no longer works', {
    title: 'This link no longer works',
    sentence: 'This set-up link has been used or has run out.',
    next: 'If this server has no company yet, restart it: it prints a new link.',
    start: '/login',
  });
  ctx.status = 410;
}

async function show(ctx: Context, runtime: Runtime): Promise<void> {
  if (!(await isInstallationOpen(ctx.state.work, param(ctx, 'token')))) return showDead(ctx, runtime);
  await draw(ctx, runtime, blank, null);
}

async function create(ctx: Context, runtime: Runtime): Promise<void> {
  const token = param(ctx, 'token');
  if (!(await isInstallationOpen(ctx.state.work, token))) return showDead(ctx, runtime);
  const { company = '', firstName = '', lastName = '', email = '', username = '' } = ctx.state.form;
  const values = { company, firstName, lastName, email, username };
  try {
    const { invitation } = await install(
      { ...ctx.state.work, actor: { kind: 'operator', name: 'installation' } },
      token,
      values,
    );
    // Whoever holds the installation link goes straight on to the password: no mail server is needed on the first day.
    seeOther(ctx, new URL(invitation).pathname);
  } catch (error) {
    if (!(error instanceof AppError) || error.status === 503) throw error;
    const [field = null] = Object.keys(error.fields);
    await draw(ctx, runtime, values, { sentence: error.message, field, code: null });
    ctx.status = 422;
  }
}

export const installRoutes: Route[] = [
  { method: 'get', path: `${linkPaths.installation}/:token`, handle: show },
  { method: 'post', path: `${linkPaths.installation}/:token`, handle: create },
];
