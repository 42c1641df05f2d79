// The pages that the engine asks for, in our look.
import type { AccountFacts } from '../domain/sessions/record-repository.ts';
import type { Runtime } from '../runtime.ts';
import type { Context } from './context.ts';
import { beginInteraction, type Interaction } from './interaction/begin.ts';
import { showPage } from './page.ts';

/** Errors that a person can do something about, in words; the rest says what the standard calls it. */
const sentences: Record<string, { title: string; sentence: string; next: string }> = {
  invalid_client: {
    title: 'This module is not known here',
    sentence: 'The page you came from sent you to the wrong place, or the module is no longer registered.',
    next: 'Go back to the module and start again. If that does not help, tell its administrator.',
  },
  invalid_redirect_uri: {
    title: 'This module is not set up correctly',
    sentence: 'The module asked to send you to an address that is not registered for it, so we stopped here.',
    next: 'Tell the administrator of the module; the number below helps them.',
  },
  invalid_request: {
    title: 'That request cannot be used',
    sentence: 'The login was begun in another browser, has run out, or the module sent something we cannot read.',
    next: 'Go back to the module and start again.',
  },
};

const fallback = {
  title: 'That did not work',
  sentence: 'The login could not be completed.',
  next: 'Go back to the module and start again. If it happens again, tell your administrator the number below.',
};

interface LogoutForm {
  action: string;
  xsrf: string;
  clientId: string | undefined;
  account: AccountFacts | undefined;
  isProved: boolean;
}

export function providerPages(runtime: Runtime) {
  return {
    beginInteraction: (ctx: Context, interaction: Interaction) => beginInteraction(runtime, ctx, interaction),
    async error(ctx: Context, problem: { error: string; description: string; status: number }): Promise<void> {
      const { title, sentence, next } = sentences[problem.error] ?? fallback;
      const detail = problem.error === 'server_error' ? '' : ` (${problem.error})`;
      await showPage(ctx, runtime, 'errors/page', title, {
        status: problem.status,
        title,
        sentence: `${sentence}${detail}`,
        next,
        link: { href: '/', label: `Go to ${runtime.config.brandName}` },
      });
      ctx.status = problem.status;
    },
    async logout(ctx: Context, { clientId, account, isProved, ...form }: LogoutForm): Promise<void> {
      const module = clientId === undefined ? undefined : (await runtime.clients.module(clientId))?.name;
      await showPage(ctx, runtime, 'public/logout', 'Log out', {
        action: form.action,
        xsrf: form.xsrf,
        person: account ? { username: account.username, company: account.company } : null,
        module: module ?? null,
        auto: isProved,
        back: '/',
      });
    },
    async loggedOut(ctx: Context): Promise<void> {
      await showPage(ctx, runtime, 'public/logged-out', 'Logged out', { login: '/login', upstream: null, back: null });
    },
  };
}
