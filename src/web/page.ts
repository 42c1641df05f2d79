// From a handler to a page: fills in what every page knows.
import { randomToken } from '../lib/secrets.ts';
import type { Runtime } from '../runtime.ts';
import { type Context, getCookie, getSealedCookie, setCookie, setSealedCookie } from './context.ts';
import { csrfTokenOf } from './middleware/csrf.ts';
import type { Page, ViewLocals, ViewName } from './views.ts';

type Flash = NonNullable<Page['flash']>;

/** Says something once, on the next page. */
export function setFlash(ctx: Context, runtime: Runtime, flash: Flash): void {
  setSealedCookie(ctx, runtime, 'flash', flash, { maxAge: 60_000 });
}

function takeFlash(ctx: Context, runtime: Runtime): Flash | null {
  const value = getSealedCookie(ctx, runtime, 'flash');
  if (value === null || typeof value !== 'object') return null;
  setCookie(ctx, runtime, 'flash', null);
  // Sealed by setFlash, so it has that shape.
  return value as Flash;
}

export async function showPage<N extends ViewName>(
  ctx: Context,
  runtime: Runtime,
  view: N,
  title: string,
  locals: ViewLocals[N],
  theme: Page['theme'] = 'auto',
): Promise<void> {
  const page: Page = {
    title,
    brand: { name: runtime.config.brandName, logo: null },
    lang: 'en',
    theme,
    csrf: csrfTokenOf(ctx, runtime),
    asset: (path) => runtime.assets.url(path),
    requestId: String(ctx.state.requestId ?? ''),
    flash: takeFlash(ctx, runtime),
  };
  ctx.type = 'html';
  ctx.body = await runtime.views.render(view, page, locals);
}

/** The long-lived random value of this browser: known browsers are told from strange ones by it (AUT-07, AUT-26). */
export function browserToken(ctx: Context, runtime: Runtime): string {
  const present = getCookie(ctx, runtime, 'browser');
  if (present && /^[\w-]{43}$/.test(present)) return present;
  const fresh = randomToken();
  setCookie(ctx, runtime, 'browser', fresh, { maxAge: 400 * 86_400_000 });
  return fresh;
}
