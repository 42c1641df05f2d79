// What a request carries through the web surfaces.
import type { DefaultContext, DefaultState, ParameterizedContext } from 'koa';
import type { Keyring } from '../lib/secrets.ts';
import type { Runtime } from '../runtime.ts';
import type { Work } from '../work.ts';
import type { Upload } from './middleware/upload.ts';

export interface State extends DefaultState {
  work: Work;
  /** Parsed form fields; repeated names keep the first value only. */
  form: Record<string, string>;
  /** All values of each name, for check boxes of one name. */
  formLists: Record<string, string[]>;
  /** On pages that take a large file: not read yet. */
  upload?: Upload | null;
  /** Route pattern for log and metrics, so that no token of a path gets there. */
  route: string;
}

export type Context = ParameterizedContext<State, DefaultContext>;

export type Handler = (ctx: Context, runtime: Runtime) => Promise<void>;

interface CookieOptions {
  path?: string;
  /** Milliseconds; without it the cookie ends with the browser. */
  maxAge?: number;
}

/** Names by WEB-01: __Host- for the whole origin, __Secure- below a path. */
export function cookieName(runtime: Pick<Runtime, 'config'>, name: string, path = '/'): string {
  if (!runtime.config.isSecure) return `ul_${name}`;
  return path === '/' ? `__Host-ul_${name}` : `__Secure-ul_${name}`;
}

export function setCookie(
  ctx: Context,
  runtime: Pick<Runtime, 'config'>,
  name: string,
  value: string | null,
  options: CookieOptions = {},
): void {
  const path = options.path ?? '/';
  ctx.cookies.set(cookieName(runtime, name, path), value, {
    path,
    httpOnly: true,
    sameSite: 'lax',
    secure: runtime.config.isSecure,
    signed: false,
    overwrite: true,
    ...(options.maxAge === undefined ? {} : { maxAge: options.maxAge }),
  });
}

export function getCookie(
  ctx: Context,
  runtime: Pick<Runtime, 'config'>,
  name: string,
  path = '/',
): string | undefined {
  return ctx.cookies.get(cookieName(runtime, name, path), { signed: false });
}

/** Small values that only we may read and write, kept by the browser. */
export function setSealedCookie(
  ctx: Context,
  runtime: Runtime,
  name: string,
  value: object | null,
  options: CookieOptions = {},
): void {
  setCookie(
    ctx,
    runtime,
    name,
    value === null ? null : runtime.keyring.seal(sealPurpose(name, options.path), JSON.stringify(value)),
    options,
  );
}

/** Null when absent, forged, sealed for another path, or sealed with a retired key. The caller checks the shape. */
export function getSealedCookie(ctx: Context, runtime: Runtime, name: string, path?: string): unknown {
  const box = getCookie(ctx, runtime, name, path);
  if (!box) return null;
  return openSealed(runtime.keyring, sealPurpose(name, path), box);
}

function openSealed(keyring: Keyring, purpose: string, box: string): unknown {
  try {
    return JSON.parse(keyring.open(purpose, box));
  } catch {
    return null;
  }
}

const sealPurpose = (name: string, path = '/') => `cookie ${name} ${path}`;
