// The pages that the engine asks for, in our look.
import type { KoaContextWithOIDC } from 'oidc-provider';
import type { ProviderPages } from '../oidc/configuration.ts';
import { currentExchange } from '../oidc/exchange.ts';
import type { Runtime } from '../runtime.ts';
import type { Context } from './context.ts';
import { beginInteraction } from './interaction/begin.ts';
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
    sentence: 'The sign-in was begun in another browser, has run out, or the module sent something we cannot read.',
    next: 'Go back to the module and start again.',
  },
};

const fallback = {
  title: 'That did not work',
  sentence: 'The sign-in could not be completed.',
  next: 'Go back to the module and start again. If it happens again, tell your administrator the number below.',
};

export function providerPages(runtime: Runtime): ProviderPages {
  // The engine runs inside our koa, so its context is ours.
  const ours = (ctx: KoaContextWithOIDC) => ctx as unknown as Context;
  return {
    beginInteraction: (ctx, interaction) => beginInteraction(runtime, ctx, interaction),
    async error(ctx, problem) {
      const { title, sentence, next } = sentences[problem.error] ?? fallback;
      const detail = problem.error === 'server_error' ? '' : ` (${problem.error})`;
      await showPage(ours(ctx), runtime, 'errors/page', title, {
        status: problem.status,
        title,
        sentence: `${sentence}${detail}`,
        next,
        link: { href: '/', label: `Go to ${runtime.config.brandName}` },
      });
      ctx.status = problem.status;
    },
    async logout(ctx, form) {
      const [account] = currentExchange()?.accounts.values() ?? [];
      const module = ctx.oidc.client ? (await runtime.clients.module(ctx.oidc.client.clientId))?.name : undefined;
      await showPage(ours(ctx), runtime, 'public/logout', 'Log out', {
        action: form.action,
        xsrf: form.xsrf,
        person: account ? { username: account.username, company: account.company } : null,
        module: module ?? null,
        back: '/',
      });
    },
    async loggedOut(ctx) {
      await showPage(ours(ctx), runtime, 'public/logged-out', 'Logged out', { login: '/login' });
    },
  };
}
