/**
 * Settings > Integration Center (A8.2 to A8.9): connecting, and what holds for everybody here. For the module's administrators alone.
 * Every rule is the provider's; the pages here only ask, and show what it says.
 */
import Router from '@koa/router';
import type { Context } from 'koa';
import {
  type Acting,
  type ConnectAnswer,
  type Integration,
  ModuleError,
  type ModuleRequest,
} from '../../sdk/module.ts';
import { isAdministrator } from './account.ts';
import { type Draft, draftOf, moved, preflightOf, readDraft } from './center-form.ts';
import { activePage, connectPage, disconnectPage, explorePage, preflightPage } from './center-views.ts';
import type { Door, Visit } from './door.ts';
import { exemptionOf } from './exemption.ts';
import { formOf, seeOther } from './http.ts';
import { messagePage, type Site } from './layout.ts';
import type { ModuleRuntime } from './runtime.ts';
import { type SettingsView, settingsPage } from './settings-views.ts';
import { sendToLogin, visitorOf } from './visitor.ts';

export const centerPath = '/settings/integration-center';
const settingsPath = `${centerPath}/kaseyaone`;
const STALE = 'This page was open for too long. Nothing was saved; please try again.';
/** After this long without news the page asks before it is drawn. */
const FRESH_MS = 5000;

type Inside = Extract<Visit, { session: object }> & { integration: Integration; acting: Acting };
type Page = (ctx: Context, inside: Inside) => Promise<void> | void;

export function createCenter(runtime: ModuleRuntime, site: Site, door: Door) {
  const { config, forms, integration, accounts, kit, log, clock } = runtime;
  const router = new Router();
  const chrome = (inside: Inside) => ({ site, visitor: visitorOf(runtime, inside, 'settings') });

  /** Whoever is in and administers the module; anybody else learns that it is not for them. */
  async function enter(ctx: Context): Promise<Inside | null> {
    const visit = await door.visit(ctx);
    if (!visit.session) {
      sendToLogin(runtime, ctx, visit);
      return null;
    }
    if (integration && isAdministrator(visit.account, config.administrators)) {
      const { account, session } = visit;
      const sub = session.user?.sub;
      const acting = { id: account.id, name: account.name, ...(sub === undefined ? {} : { sub }) };
      return { ...visit, integration, acting };
    }
    ctx.status = 403;
    const text = `Only administrators of ${site.name} can open the Integration Center. Ask one of them.`;
    ctx.body = messagePage(site, { title: 'This is for administrators', text, code: null });
    return null;
  }

  const get = (path: string, page: Page) =>
    router.get(path, async (ctx) => {
      const inside = await enter(ctx);
      if (inside) await page(ctx, inside);
    });

  const post = (path: string, act: (ctx: Context, inside: Inside, form: URLSearchParams) => Promise<void>) =>
    router.post(path, async (ctx) => {
      const inside = await enter(ctx);
      if (!inside) return;
      const form = formOf(ctx);
      if (!forms.isOwn(ctx, form)) {
        ctx.status = 403;
        ctx.body = messagePage(site, { title: 'Please try again', text: STALE, code: null });
        return;
      }
      await act(ctx, inside, form);
    });

  get(centerPath, (ctx, inside) => {
    const { connected, settings } = inside.integration.state;
    ctx.body = explorePage(chrome(inside), {
      connected,
      company: settings?.instance.company.name ?? null,
      ...said(ctx),
    });
  });

  get(`${centerPath}/active`, async (ctx, inside) => {
    await renewed(inside);
    const { connected, settings } = inside.integration.state;
    ctx.body = activePage(chrome(inside), { connected, settings });
  });

  get(`${centerPath}/connect`, (ctx, inside) => {
    ctx.body = connectPage(chrome(inside), { csrf: forms.tokenFor(ctx), problem: null });
  });

  post(`${centerPath}/connect`, async (ctx, inside, form) => {
    const again = (status: number, problem: string) => {
      ctx.status = status;
      ctx.body = connectPage(chrome(inside), { csrf: forms.tokenFor(ctx), problem });
    };
    if (form.get('enabled') !== 'on') return again(422, 'Turn on Enable Log In with KaseyaOne to connect.');
    try {
      const { account } = inside;
      const started = await inside.integration.startConnect({ admin: { id: account.id, name: account.name } });
      ctx.append('set-cookie', started.setCookie);
      seeOther(ctx, started.url);
    } catch (error) {
      again(503, wordsOf(error));
    }
  });

  /** The browser is back; the session says whether it is the same administrator who began. */
  async function finishConnect(answer: ConnectAnswer & { request: ModuleRequest }): Promise<string> {
    const reading = await kit.sessions.read([answer.request.headers.cookie ?? []].flat().join('; '));
    const account = reading.state === 'live' ? accounts.find(String(reading.session.data.accountId)) : undefined;
    try {
      if (!integration || account?.status !== 'active' || !isAdministrator(account, config.administrators))
        throw new ModuleError('administrator_mismatch', 'nobody who may connect is logged in');
      await integration.finishConnect({ ...answer, admin: { id: account.id, name: account.name } });
      return `${settingsPath}?notice=connected`;
    } catch (error) {
      if (!(error instanceof ModuleError)) throw error;
      log.warn({ code: error.code, problem: error.problem?.code }, 'not connected');
      return `${centerPath}?problem=${error.problem?.code || error.code}`;
    }
  }

  get(settingsPath, async (ctx, inside) => {
    const problem = await renewed(inside);
    await drawSettings(ctx, inside, { notice: said(ctx).notice, problem });
  });

  async function drawSettings(
    ctx: Context,
    inside: Inside,
    more: Partial<SettingsView> & { draft?: Draft },
    status = 200,
  ): Promise<void> {
    const { settings, lastContact } = inside.integration.state;
    if (settings === null) return seeOther(ctx, centerPath);
    // Without the provider the page shows what is kept, and the rules keep their groups.
    const groups = await inside.integration.groups().catch(() => []);
    const people = accounts.all().map(({ id, name, email }) => ({ id, name, email }));
    const known = { notice: null, problem: null, fields: {}, exemption: null };
    ctx.status = status;
    ctx.body = settingsPage(chrome(inside), {
      ...known,
      ...{ settings, groups, people, lastContact, now: clock(), zone: inside.account.timeZone },
      csrf: forms.tokenFor(ctx),
      ...more,
      draft: more.draft ?? draftOf(settings),
    });
  }

  post(settingsPath, async (ctx, inside, form) => {
    const draft = readDraft(form);
    const act = form.get('do') ?? 'save';
    const { settings } = inside.integration.state;
    if (settings === null) return seeOther(ctx, centerPath);
    if (act !== 'save') return drawSettings(ctx, inside, { draft: act === 'add' ? draft : moved(draft, act) });
    try {
      if (draft.version !== settings.version) throw new ModuleError('settings_conflict', 'made from older settings');
      const isNew = draft.require && draft.enabled && !settings.require.on;
      if (isNew && form.get('confirmed') !== 'yes') return await showPreflight(ctx, inside, draft);
      await inside.integration.saveSettings(draft, inside.acting, draft.override || null);
      seeOther(ctx, `${settingsPath}?notice=${isNew ? 'trial' : 'saved'}`);
    } catch (error) {
      await refuse(ctx, inside, draft, error);
    }
  });

  async function showPreflight(ctx: Context, inside: Inside, draft: Draft): Promise<void> {
    const preflight = await inside.integration.preflight(inside.acting);
    ctx.body = preflightPage(chrome(inside), { csrf: forms.tokenFor(ctx), preflight, draft, action: settingsPath });
  }

  /** What was typed stays, beside the reason why it was not saved. */
  async function refuse(ctx: Context, inside: Inside, draft: Draft, error: unknown): Promise<void> {
    if (!(error instanceof ModuleError)) throw error;
    const preflight = preflightOf(error.problem?.body ?? {});
    ctx.status = statusOf(error);
    if (preflight) {
      const csrf = forms.tokenFor(ctx);
      ctx.body = preflightPage(chrome(inside), { csrf, preflight, draft, action: settingsPath });
      return;
    }
    if (error.code === 'settings_conflict') {
      await inside.integration.poll().catch(() => undefined);
      const problem =
        'Somebody else has changed the settings in the meantime. These are theirs; nothing of yours was saved.';
      return drawSettings(ctx, inside, { problem }, 409);
    }
    const fields = error.problem?.fields ?? {};
    const isMarked = Object.keys(fields).length > 0;
    const problem = isMarked ? 'Nothing was saved. Please look at what is marked below.' : wordsOf(error);
    await drawSettings(ctx, inside, { draft, problem, fields }, statusOf(error));
  }

  post(`${settingsPath}/exceptions`, async (ctx, inside, form) => {
    const given = exemptionOf(form, accounts.all());
    const again = (problems: Record<string, string>, status: number) =>
      drawSettings(ctx, inside, { exemption: { ...given.typed, problems } }, status);
    if (given.exception === null) return again(given.problems, 422);
    try {
      await inside.integration.exempt(given.exception, inside.acting);
      seeOther(ctx, `${settingsPath}?notice=exempted#exceptions`);
    } catch (error) {
      if (!(error instanceof ModuleError)) throw error;
      const { fields = {} } = error.problem ?? {};
      await again(Object.keys(fields).length > 0 ? fields : { exception: wordsOf(error) }, statusOf(error));
    }
  });

  post(`${settingsPath}/exceptions/remove`, async (ctx, inside, form) => {
    try {
      await inside.integration.endExemption(form.get('id') ?? '', inside.acting);
      seeOther(ctx, `${settingsPath}?notice=unexempted#exceptions`);
    } catch (error) {
      if (!(error instanceof ModuleError)) throw error;
      await drawSettings(ctx, inside, { problem: wordsOf(error) }, statusOf(error));
    }
  });

  get(`${settingsPath}/disconnect`, (ctx, inside) => {
    const { settings } = inside.integration.state;
    if (settings === null) return seeOther(ctx, centerPath);
    ctx.body = disconnectPage(chrome(inside), { csrf: forms.tokenFor(ctx), settings, problem: null });
  });

  post(`${settingsPath}/disconnect`, async (ctx, inside) => {
    try {
      await inside.integration.disconnect(inside.acting);
      seeOther(ctx, `${centerPath}?notice=disconnected`);
    } catch (error) {
      if (!(error instanceof ModuleError)) throw error;
      const { settings } = inside.integration.state;
      if (settings === null) return seeOther(ctx, centerPath);
      ctx.status = statusOf(error);
      ctx.body = disconnectPage(chrome(inside), { csrf: forms.tokenFor(ctx), settings, problem: wordsOf(error) });
    }
  });

  /** Fresh settings for a page about them; the words when there are none to be had. */
  async function renewed({ integration }: Inside): Promise<string | null> {
    const { connected, lastContact } = integration.state;
    if (!connected || (lastContact !== null && Math.abs(clock() - lastContact) < FRESH_MS)) return null;
    return integration.poll().then(
      () => null,
      (error: unknown) => wordsOf(error),
    );
  }

  const wordsOf = (error: unknown): string => {
    if (!(error instanceof ModuleError)) return 'Something went wrong. Please try again.';
    if (error.problem?.detail) return error.problem.detail;
    if (error.code === 'provider_unavailable')
      return `${site.brandName} can't be reached just now. Nothing was changed.`;
    return `${site.brandName} did not accept it (${error.code}).`;
  };

  return { router, finishConnect };
}

/** A refusal of the provider keeps its own status, so that its reason can be read from it as well. */
const statusOf = (error: ModuleError): number => {
  const status = error.problem?.status ?? error.status;
  return status === 401 ? 503 : status;
};

const said = (ctx: Context) => ({ notice: one(ctx.query.notice), problem: one(ctx.query.problem) });
const one = (value: string | string[] | undefined): string | null => [value].flat()[0] ?? null;
