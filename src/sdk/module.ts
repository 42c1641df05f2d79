/**
 * The module kit: everything a module needs to offer "Log In with KaseyaOne" and to be administered from there.
 *
 * One file, no dependency but Node's own modules and the global `fetch`; any web framework on Node 20 or newer can use it.
 *
 *     const kit = createModule({ issuer, clientId, clientSecret, redirectUri, postLogoutRedirectUri, secret });
 *     const handle = kit.handler({ accept: async ({ user }) => ({ enter: true, data: { userId: user.sub } }) });
 *     // in the web server: const answer = await handle(request); if (answer) send(answer); else go on with own pages
 *     // on own pages:      const reading = await kit.sessions.read(request.headers.cookie);
 *
 * The Integration Center of one tenant (connect, settings, the door, accounts, events) is a second object on top of it:
 *
 *     const integration = await createIntegration({ module: kit, tenant, addresses, store, accounts });
 *     // in the web server, before the handler: const answer = await integration.handle(request);
 *     // in `accept`:                           const entry = await integration.enter(signIn);
 *     // after a right local password:          const { allowed } = integration.decideLocalLogin(account);
 *
 * Every time is in milliseconds since 1970 and every duration in seconds, unless its name says otherwise.
 * Every failure that a caller can meet is a `ModuleError` with a stable `code`.
 */
import crypto, { type KeyObject } from 'node:crypto';
import { mkdir, open, readFile, rename } from 'node:fs/promises';
import { dirname } from 'node:path';

// ---------------------------------------------------------------------------------------------------------- errors
/** What went wrong, for code; the English sentence in `message` is for logs and may change. */
export type ModuleErrorCode =
  | 'configuration' // the options of `createModule` cannot work; the message says which
  | 'provider_unavailable' // no answer, 5xx, or nothing that can be read: try again later
  | 'provider_metadata' // the metadata belong to another issuer or lack an endpoint (Discovery 4.3)
  | 'transaction_missing' // no transaction came with the answer: cookies off, or another browser
  | 'transaction_invalid' // the transaction was not sealed by this module
  | 'transaction_expired' // signing in took longer than `lifetimes.signIn`
  | 'transaction_used' // this answer has been used already
  | 'state_mismatch' // the answer belongs to another sign-in than the transaction (RFC 6749 10.12)
  | 'issuer_mismatch' // the answer comes from another provider, a mix-up (RFC 9207 2.4)
  | 'response_invalid' // the answer has no code, or a parameter twice
  | 'access_denied' // the person, or the provider for this person, said no
  | 'login_required' // `prompt: 'none'`, but the person would have to do something (Core 3.1.2.6)
  | 'provider_error' // any other error answer; `providerError` has its name
  | 'grant_refused' // the code or the refresh token is no longer good (`invalid_grant`), or the sign-in has ended
  | 'client_refused' // the module's own credentials are refused
  | 'token_invalid' // a token failed the check that `reason` names
  | 'initiation_refused' // a request to start signing in that is not from this provider (Core 4)
  | 'administrator_mismatch' // connecting was begun by another administrator, or for another tenant (C29)
  | 'not_connected' // the integration has no instance at the provider
  | 'credential_refused' // the provider does not know the credential (any more): 401
  | 'settings_conflict' // somebody else saved settings in the meantime: read them again (412)
  | 'provider_refused'; // the provider's API said no; `problem` has its words

type FormReason = 'format' | 'header' | 'type' | 'algorithm' | 'key' | 'signature';
type ClaimReason = 'issuer' | 'audience' | 'subject' | 'expired' | 'not_yet_valid' | 'nonce' | 'at_hash' | 'auth_time';
/** Which check a token failed. */
export type TokenReason = FormReason | ClaimReason | 'events' | 'jti' | 'replayed';

/** What the provider's API said (RFC 9457): the sentence is for people, the code for programs, the fields belong to 422. */
export interface Problem {
  status: number;
  code: string;
  detail: string;
  fields: Readonly<Record<string, string>>;
  /** The whole answer, such as the `preflight` of a requirement that was refused. */
  body: Readonly<Record<string, unknown>>;
}

type ErrorFacts = { reason?: TokenReason; providerError?: string; problem?: Problem; cause?: unknown };
const STATUS: Record<string, number> = {
  provider_unavailable: 503,
  access_denied: 403,
  login_required: 401,
  administrator_mismatch: 403,
  not_connected: 409,
  settings_conflict: 409,
};

/** The one error type of the kit. `message` and `providerError` never hold a token, a code or a secret. */
export class ModuleError extends Error {
  readonly code: ModuleErrorCode;
  /** The HTTP status that suits a page about it. */ readonly status: number;
  readonly reason: TokenReason | null;
  /** The `error` that the provider sent: printable ASCII, at most 60 characters. */
  readonly providerError: string | null;
  readonly problem: Problem | null;

  constructor(code: ModuleErrorCode, message: string, more: ErrorFacts = {}) {
    super(message, more.cause === undefined ? undefined : { cause: more.cause });
    this.name = 'ModuleError';
    this.code = code;
    this.status = STATUS[code] ?? (/^(provider|client|configuration)/.test(code) ? 502 : 400);
    this.reason = more.reason ?? null;
    this.providerError = more.providerError ?? null;
    this.problem = more.problem ?? null;
  }
}

function refuse(code: ModuleErrorCode, message: string, more?: ErrorFacts): never {
  throw new ModuleError(code, message, more);
}

function refuseToken(reason: TokenReason, message: string): never {
  throw new ModuleError('token_invalid', message, { reason });
}

// ------------------------------------------------------------------------------------------------ shapes of the API
export interface ModuleOptions {
  /** The provider's issuer, exactly as its metadata says it. https, or http on this machine. */ issuer: string;
  clientId: string;
  /** Absent: a public client, which PKCE alone protects. Sent by `client_secret_basic`. */ clientSecret?: string;
  /** Where the provider sends the browser back to; its origin is the module's origin. */ redirectUri: string;
  /** Where the provider sends the browser after logging out (RP-Initiated Logout 2). */ postLogoutRedirectUri?: string;
  /** Seals transactions, 32 characters or more. In a list the first seals and all open. */ secret:
    | string
    | readonly string[];
  /** Default `openid profile email`; `offline_access` is for tokens that outlive the session. */ scope?: string;
  /** How the answer comes; a form needs https or one machine. Default query. */ responseMode?: 'query' | 'form_post';
  /** Where local sessions live. Default: `createMemoryStore()`. */ store?: SessionStore;
  /** True for the first caller with this key until then, atomically. Default: in memory; share it between processes. */
  once?: (key: string, until: number) => Eventually<boolean>;
  /** Without `__Host-`. Unique on the host, since ports share cookies. Default `module_session`. */ cookieName?: string;
  /** Seconds: a session without a request (1,800), a session at all (43,200), the way through a sign-in (1,800). */
  lifetimes?: { idle?: number; absolute?: number; signIn?: number };
  /** Allows plain http between machines; only for a closed test network. */ allowHttp?: boolean;
  clock?: () => number;
  fetch?: typeof globalThis.fetch;
}

/** Who signed in, by the claims of the ID token. Absent ones are null. */
export interface ModuleUser {
  /** Stable and unique at the issuer: the one thing to store as a link. */ readonly sub: string;
  readonly email: string | null;
  /** Never match an account by an unverified address. */ readonly emailVerified: boolean;
  readonly name: string | null;
  readonly givenName: string | null;
  readonly familyName: string | null;
  readonly preferredUsername: string | null;
  /** IANA name such as `Europe/Berlin`. */ readonly zoneinfo: string | null;
  readonly companyId: string | null;
  /** Root Admin, Admin, Billing and Purchasing, User or Co-Managed User. */ readonly companyRole: string | null;
  /** Access groups that are linked to this module. */ readonly groups: readonly string[];
  /** How the person proved who they are, such as `['pwd', 'otp']` (RFC 8176). */ readonly amr: readonly string[];
  readonly acr: string | null;
  readonly authTime: number | null;
  /** The provider's session, which a logout token names. */ readonly sid: string | null;
  /** What the provider says about this module's account; null from a provider that says nothing. */
  readonly access: ModuleAccess | null;
}

/** The claim `module_access`: the instance that was entered, and what an account there is to have (D.7). */
export interface ModuleAccess {
  readonly instance: string;
  readonly tenant: string | null;
  readonly permissions: readonly string[];
  /** `rules`: set them at every entry; `role` and `default`: for a new account only; null: the module gives them itself. */
  readonly permissionsFrom: 'rules' | 'role' | 'default' | null;
  /** Null: nobody gets a new account. */ readonly provision: {
    readonly values: Readonly<Record<string, string>>;
  } | null;
  readonly settingsVersion: number | null;
}

export interface ModuleTokens {
  readonly accessToken: string;
  readonly expiresAt: number | null;
  readonly refreshToken: string | null;
  readonly idToken: string;
  readonly scope: string | null;
}

export interface StartSignIn {
  /** A path of this module to come back to; anything else becomes `/`. */ returnTo?: string;
  loginHint?: string;
  prompt?: 'none' | 'login' | 'select_account' | 'consent';
  /** The person must have proved who they are at most so many seconds ago. */ maxAge?: number;
  /** A wish, not a demand: read `user.acr` afterwards (Core 5.5.1.1). */ acrValues?: readonly string[];
  uiLocales?: readonly string[];
  /** The instance that is to be entered; a module that serves one tenant names it always. */ instance?:
    | string
    | undefined;
}

export interface StartedSignIn {
  /** Send the browser here. */ url: string;
  /** Keep this in an HttpOnly cookie of this browser and hand it to `finishSignIn`. */ transaction: string;
  /** The `state` in `url`; helps to name one cookie for each sign-in under way. */ state: string;
  /** A Set-Cookie value that keeps the transaction where `handler` finds it. */ setCookie: string;
}

/** `url`: the address that was called. `params`: its query, or the form that was posted. */
type ProviderAnswer = { url?: string; params?: FormLike; transaction: string | undefined };
export type ConnectAnswer = { params: URLSearchParams; transaction: string | undefined };
export type SignIn = { user: ModuleUser; tokens: ModuleTokens };
/** A form or a query: as it came, parsed, or as most frameworks parse it. */
export type FormLike = string | URLSearchParams | Readonly<Record<string, unknown>>;
/** What the module itself keeps in a session, such as its own user id: plain JSON. */
export type SessionData = Readonly<Record<string, unknown>>;

export interface ModuleSession {
  /** SHA-256 of the cookie's value: a stolen store opens no session. */ readonly id: string;
  /** Null in a session that began with the module's own login form. */ readonly user: ModuleUser | null;
  readonly tokens: ModuleTokens | null;
  readonly data: SessionData;
  readonly createdAt: number;
  readonly seenAt: number;
  readonly endsAt: number;
}

type Eventually<T> = T | Promise<T>;
/** Where sessions live. An error in a method reaches the caller of the kit. */
export interface SessionStore {
  create(session: ModuleSession): Eventually<void>;
  get(id: string): Eventually<ModuleSession | undefined>;
  /** Changes a session that exists, never brings one back; false when there is none. */
  touch(id: string, changes: Partial<Omit<ModuleSession, 'id'>>): Eventually<boolean>;
  delete(id: string): Eventually<void>;
  /** Ends the sessions with this `user.sid`, and answers their ids. */ deleteBySid(sid: string): Eventually<string[]>;
  /** Ends the sessions with this `user.sub`, and answers their ids. */ deleteBySub(sub: string): Eventually<string[]>;
  /** Runs `work` alone for this session among all processes; needed only when several share the store. */
  exclusive?<T>(id: string, work: () => Promise<T>): Promise<T>;
}

/** Too long without a request, too old, ended by the provider, or not known (any more). */
export type EndReason = 'idle' | 'expired' | 'provider' | 'unknown';
/** What the session cookie of a request stands for. */
export type SessionReading =
  | { state: 'none' }
  | { state: 'live'; session: ModuleSession }
  | { state: 'ended'; reason: EndReason };

type NewSession = { signIn?: SignIn; data?: SessionData; replaces?: string | undefined };
export interface Sessions {
  /**
   * Begins a session under a new id and ends the one in `replaces`, a Cookie header (no fixation, WEB-02).
   * Without `signIn` it is a session of the module's own login form.
   * Throws `grant_refused` when the provider has ended that sign-in in the meantime.
   */
  open(input: NewSession): Promise<{ session: ModuleSession; setCookie: string }>;
  /** Reads the session of a Cookie header and counts as activity. */
  read(cookieHeader: string | null | undefined): Promise<SessionReading>;
  /**
   * Renews the tokens with the refresh token when the access token has run out; one call at a time a session.
   * When the provider refuses (`invalid_grant`), the session ends here too.
   * Throws `provider_unavailable` when the provider cannot be asked; the session then lives on unchanged.
   */
  freshen(session: ModuleSession): Promise<SessionReading>;
  end(session: ModuleSession): Promise<void>;
  /** The Set-Cookie value that takes the session cookie out of the browser. */ readonly clearCookie: string;
}

/** What to answer to a logout request, and for the log: which sessions ended, or why it was refused. */
export type LogoutAnswer = ModuleResponse & { ended: string[]; error: ModuleError | null };

export interface ModuleRequest {
  method: string;
  /** Path and query, or the whole address. */ url: string;
  /** By lower-case name; of a Fetch request: `Object.fromEntries(request.headers)`. */
  headers: Readonly<Record<string, string | string[] | undefined>>;
  body?: FormLike | undefined;
}

export type ModuleResponse = { status: number; headers: Record<string, string | string[]>; body: string };
export type Acceptance = { enter: true; data?: SessionData } | { enter: false; location: string; setCookie?: string };
export interface HandlerOptions {
  /** Default `/login/start`, `/initiate-login`, `/logout`, `/backchannel-logout`; the callback's is in `redirectUri`. */
  routes?: { start?: string; initiate?: string; logout?: string; backchannelLogout?: string };
  /** Decides at the module's door: finds the account, and what to keep in the session, or where to send the person. */
  accept(arrival: SignIn & { returnTo: string }): Eventually<Acceptance>;
  /** The instance to be entered, where a module serves one tenant. */
  instance?(request: ModuleRequest): string | null | undefined;
  /** Hears the answer of a sign-in that connects, calls `integration.finishConnect`, and says where to go on. */
  finishConnect?(answer: ConnectAnswer & { request: ModuleRequest }): Eventually<string>;
  /** The local path to show a failure; default `/?sign_in_error=<code>`. */ failed?(error: ModuleError): string;
  /** The local path after a logout that ends here; default `/`. The provider comes back with `state=logged-out`. */
  loggedOut?: string;
  /** Hears of each logout token, for the log. */ heardLogout?(answer: LogoutAnswer): void;
}

export interface LoginModule {
  /** Throws `provider_unavailable`, `provider_metadata`. */ startSignIn(input?: StartSignIn): Promise<StartedSignIn>;
  /** `returnTo` is always a path of this module. Throws every code but `configuration` and `initiation_refused`. */
  finishSignIn(input: ProviderAnswer): Promise<SignIn & { returnTo: string }>;
  /**
   * Third-party-initiated login (Core 4): a tile of the provider sends the browser here.
   * `target_link_uri` counts only when it lies in this module. Throws `initiation_refused`, and as `startSignIn`.
   */
  initiateLogin(params: FormLike, more?: { instance?: string | undefined }): Promise<StartedSignIn>;
  readonly sessions: Sessions;
  /** The address that logs out at the provider; null when there is nothing to log out of there. */
  logoutUrl(session: ModuleSession, more?: { state?: string }): Promise<string | null>;
  /** Takes a back-channel logout request (Back-Channel Logout 1.0). Never throws. */
  receiveLogoutToken(body: FormLike): Promise<LogoutAnswer>;
  /** Makes the five routes of a module in one function, which answers null for every other address. */
  handler(options: HandlerOptions): (request: ModuleRequest) => Promise<ModuleResponse | null>;
}

// -------------------------------------------------------------------------------------------------- small functions
type Claims = Readonly<Record<string, unknown>>;
const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const textOf = (value: unknown): string | null => (typeof value === 'string' && value !== '' ? value : null);
const textsOf = (value: unknown): string[] =>
  (Array.isArray(value) ? value : []).filter((it) => typeof it === 'string');
const textValues = (value: unknown): Record<string, string> =>
  Object.fromEntries(
    Object.entries(isRecord(value) ? value : {}).filter(
      (pair): pair is [string, string] => typeof pair[1] === 'string',
    ),
  );
/** The address that a request asks for; one that no browser would send is nobody's. */
const addressOf = ({ url }: Pick<ModuleRequest, 'url'>, base: string): URL =>
  new URL(URL.canParse(url, base) ? url : '/%00', base);
const withoutSlash = (address: string): string => (address.endsWith('/') ? address.slice(0, -1) : address);
const sha256 = (text: string): Buffer => crypto.createHash('sha256').update(text).digest();
const randomText = (): string => crypto.randomBytes(32).toString('base64url');
/** Compares in a time that tells nothing of where two texts differ. */
const isSame = (one: string, other: string): boolean => crypto.timingSafeEqual(sha256(one), sha256(other));

function parseJson(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isRecord(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function toParams(form: FormLike): URLSearchParams {
  if (typeof form === 'string' || form instanceof URLSearchParams) return new URLSearchParams(form);
  const params = new URLSearchParams();
  for (const [name, value] of Object.entries(form)) {
    for (const item of Array.isArray(value) ? value : [value]) if (typeof item === 'string') params.append(name, item);
  }
  return params;
}

function withParams(address: string, params: Record<string, string | undefined>): string {
  const url = new URL(address);
  for (const [name, value] of Object.entries(params)) if (value) url.searchParams.set(name, value);
  return url.href;
}

/** RFC 6749 3.1: a parameter must not come twice. */
function single(params: URLSearchParams, name: string): string | undefined {
  const values = params.getAll(name);
  if (values.length > 1) refuse('response_invalid', `the parameter ${name} came more than once`);
  return values[0];
}

/**
 * `value` when it is a path of this very site, else `fallback` (WEB-07).
 * Refused are other origins in every spelling that a browser or a framework may read as one.
 */
export function localPath(value: unknown, fallback = '/'): string {
  if (typeof value !== 'string' || value.length > 2048 || !value.startsWith('/')) return fallback;
  // A backslash counts as a slash in browsers, and tabs and line ends are dropped by them.
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is refused
  if (/[\\\u0000-\u0020\u007f]/.test(value)) return fallback;
  if (/^\/(?:[/\\]|%2f|%5c|%09|%0a|%0d)/i.test(value)) return fallback;
  const url = URL.canParse(value, 'http://a.invalid') ? new URL(value, 'http://a.invalid') : undefined;
  // Judged as a browser will read it: /.//evil becomes //evil.
  if (url?.origin !== 'http://a.invalid' || url.pathname.startsWith('//')) return fallback;
  return url.pathname + url.search + url.hash;
}

/** The first value of each cookie in a Cookie header. */
export function parseCookies(header: string | null | undefined): Map<string, string> {
  const cookies = new Map<string, string>();
  for (const part of (header ?? '').split(';')) {
    const at = part.indexOf('=');
    if (at < 1) continue;
    const name = part.slice(0, at).trim();
    if (!cookies.has(name)) cookies.set(name, part.slice(at + 1).trim());
  }
  return cookies;
}

type CookieOptions = { secure: boolean; maxAge?: number; sameSite?: 'Lax' | 'None' };
/** A Set-Cookie value: HttpOnly, Path=/, SameSite=Lax unless said otherwise. `maxAge` 0 takes the cookie away. */
export function buildCookie(name: string, value: string, more: CookieOptions): string {
  const parts = [`${name}=${value}`, 'Path=/', 'HttpOnly', `SameSite=${more.sameSite ?? 'Lax'}`];
  if (more.secure) parts.push('Secure');
  if (more.maxAge !== undefined) parts.push(`Max-Age=${more.maxAge}`);
  return parts.join('; ');
}

// ---------------------------------------------------------------------------------------------------------- options
type Settings = ReturnType<typeof settle>;
const isLoopback = (host: string) => /^((.+\.)?localhost|127(\.\d{1,3}){3}|\[::1\])$/.test(host);

function checkUrl(name: string, value: string, allowHttp: boolean): URL {
  if (!URL.canParse(value)) return refuse('configuration', `${name} is not an absolute URL`);
  const url = new URL(value);
  const isPlain = url.protocol === 'http:' && (allowHttp || isLoopback(url.hostname));
  if (url.protocol !== 'https:' && !isPlain) refuse('configuration', `${name} must be https`);
  if (url.username || url.password || url.hash) refuse('configuration', `${name} must have no user or fragment`);
  return url;
}

function settle(options: ModuleOptions) {
  const { allowHttp = false, cookieName = 'module_session', clock = Date.now, lifetimes = {} } = options;
  const secrets = typeof options.secret === 'string' ? [options.secret] : options.secret;
  if (!secrets.length || secrets.some(({ length }) => length < 32)) refuse('configuration', 'secret is too short');
  if (!options.clientId) refuse('configuration', 'clientId is empty');
  if (checkUrl('issuer', options.issuer, allowHttp).search) refuse('configuration', 'issuer must have no query');
  if (options.postLogoutRedirectUri) checkUrl('postLogoutRedirectUri', options.postLogoutRedirectUri, allowHttp);
  const callback = checkUrl('redirectUri', options.redirectUri, allowHttp);
  const secure = callback.protocol === 'https:';
  if (!/^[\w-]{1,64}$/.test(cookieName)) refuse('configuration', 'cookieName may have letters, digits, - and _ only');
  const used = createMemory<true>(clock);
  const name = secure ? `__Host-${cookieName}` : cookieName;
  const transactionMs = (lifetimes.signIn ?? 1800) * 1000;
  // A posted answer comes from another site, where SameSite=Lax keeps cookies back.
  const sameSite = options.responseMode === 'form_post' && secure ? 'None' : 'Lax';
  const nameOf = (state: string) => `${name}_signin_${state.replace(/[^\w-]/g, '').slice(0, 8)}`;
  return {
    ...options,
    secrets,
    clock,
    callback,
    secure,
    scope: options.scope ?? 'openid profile email',
    cookieName: name,
    transactionCookieName: nameOf,
    /** One cookie for each sign-in under way, so that two tabs do not disturb each other. */
    transactionCookie: (state: string, transaction: string) =>
      buildCookie(nameOf(state), transaction, { secure, maxAge: transactionMs / 1000, sameSite }),
    forgetCookie: (cookie: string) => buildCookie(cookie, '', { secure, maxAge: 0, sameSite }),
    idleMs: (lifetimes.idle ?? 1800) * 1000,
    absoluteMs: (lifetimes.absolute ?? 43_200) * 1000,
    transactionMs,
    fetch: options.fetch ?? globalThis.fetch,
    once: options.once ?? ((key: string, until: number) => !used.get(key) && used.set(key, true, until)),
    store: options.store ?? createMemoryStore(),
  };
}

// ---------------------------------------------------------------------------------------------------------- sealing
type TransactionText = 'state' | 'nonce' | 'verifier' | 'returnTo';
/** `connect`: it is no sign-in, but one administrator of one tenant connecting (C29). */
type Connecting = { tenant: string; admin: string };
type Transaction = Record<TransactionText, string> & {
  startedAt: number;
  maxAge: number | null;
  connect: Connecting | null;
};

/** AES-256-GCM, so that the browser that keeps the verifier and the nonce can neither read nor change them. */
function createSealer<T>({ secrets, clientId, issuer }: Settings, purpose: string) {
  const derive = (secret: string) => crypto.hkdfSync('sha256', secret, clientId, `${purpose}\n${issuer}`, 32);
  const keys = secrets.map((secret) => Buffer.from(derive(secret)));

  function seal(value: T): string {
    const iv = crypto.randomBytes(12);
    // settle() has made sure that there is a first secret.
    const cipher = crypto.createCipheriv('aes-256-gcm', keys[0] as Buffer, iv);
    const sealed = Buffer.concat([cipher.update(JSON.stringify(value), 'utf8'), cipher.final()]);
    return Buffer.concat([iv, sealed, cipher.getAuthTag()]).toString('base64url');
  }

  function open(text: string): T {
    const bytes = Buffer.from(text.slice(0, 8192), 'base64url');
    for (const key of bytes.length > 28 ? keys : []) {
      const decipher = crypto.createDecipheriv('aes-256-gcm', key, bytes.subarray(0, 12), { authTagLength: 16 });
      decipher.setAuthTag(bytes.subarray(-16));
      try {
        const plain = Buffer.concat([decipher.update(bytes.subarray(12, -16)), decipher.final()]);
        // Only this module can have sealed it, so its shape is known.
        return JSON.parse(plain.toString('utf8')) as T;
      } catch {
        // Sealed with another of the secrets, or not by us.
      }
    }
    return refuse('transaction_invalid', 'not sealed by this module');
  }

  return { seal, open };
}

// ----------------------------------------------------------------------------------------------------------- memory
/** Sessions of one process; at the limit the one that was not used for longest goes. */
export function createMemoryStore({ limit = 10_000 } = {}): SessionStore {
  const sessions = new Map<string, ModuleSession>();
  const deleteWhere = (isMeant: (user: ModuleUser) => boolean) => {
    const ids = [...sessions.values()].filter(({ user }) => user && isMeant(user)).map(({ id }) => id);
    for (const id of ids) sessions.delete(id);
    return ids;
  };
  return {
    create(session) {
      sessions.set(session.id, session);
      const oldest = sessions.keys().next();
      if (sessions.size > limit && !oldest.done) sessions.delete(oldest.value);
    },
    get: (id) => sessions.get(id),
    touch(id, changes) {
      const session = sessions.get(id);
      // Taken out and put in again, so that the first key is always the one used least lately.
      if (!session || !sessions.delete(id)) return false;
      sessions.set(id, { ...session, ...changes });
      return true;
    },
    delete: (id) => void sessions.delete(id),
    deleteBySid: (sid) => deleteWhere((user) => user.sid === sid),
    deleteBySub: (sub) => deleteWhere((user) => user.sub === sub),
  };
}

/** A map that forgets what is past its time, and, at the limit, the oldest. */
function createMemory<T>(clock: () => number, limit = 10_000) {
  const entries = new Map<string, { value: T; until: number }>();
  return {
    get(key: string): T | undefined {
      const entry = entries.get(key);
      return entry && entry.until > clock() ? entry.value : undefined;
    },
    set(key: string, value: T, until: number) {
      if (entries.size >= limit) for (const [old, entry] of entries) if (entry.until <= clock()) entries.delete(old);
      const oldest = entries.keys().next();
      if (entries.size >= limit && !oldest.done) entries.delete(oldest.value);
      entries.set(key, { value, until });
      return true;
    },
  };
}

// --------------------------------------------------------------------------------------------------------- provider
const [RETRY_MS, CALL_MS, HOUR_MS] = [10_000, 5000, 3_600_000];
/** A document of the provider: loaded when first needed, one load at a time, kept when a later load fails. */
function createDocument<T>(clock: () => number, fetchIt: () => Promise<T>, freshMs: number, staleMs: number) {
  let current: { value: T; at: number } | undefined;
  let triedAt = Number.NEGATIVE_INFINITY;
  let running: Promise<T> | undefined;

  async function load(): Promise<T> {
    triedAt = clock();
    try {
      current = { value: await fetchIt(), at: clock() };
      return current.value;
    } finally {
      running = undefined;
    }
  }

  function renewed(): Promise<T> {
    running ??= load();
    return running;
  }

  async function get(): Promise<T> {
    const age = current ? clock() - current.at : Number.POSITIVE_INFINITY;
    if (!current || age >= staleMs) return renewed();
    const { value } = current;
    return age < freshMs || clock() - triedAt < RETRY_MS ? value : renewed().catch(() => value);
  }

  /** Loads again, but not twice in a moment: unknown key ids in forged tokens must not flood the provider. */
  const renew = () => (clock() - triedAt < RETRY_MS ? (running ?? get()) : renewed());
  return { get, renew };
}

type Provider = ReturnType<typeof createProvider>;
function createProvider({ issuer, clientId, clientSecret, clock, fetch }: Settings) {
  async function call(url: string, init: RequestInit): Promise<{ status: number; json: Claims | undefined }> {
    try {
      const response = await fetch(url, { ...init, redirect: 'manual', signal: AbortSignal.timeout(CALL_MS) });
      return { status: response.status, json: parseJson(await response.text()) };
    } catch (cause) {
      refuse('provider_unavailable', `no answer from ${new URL(url).origin}`, { cause });
    }
  }

  async function getJson(url: string): Promise<Claims> {
    const { status, json } = await call(url, { headers: { accept: 'application/json' } });
    if (status === 200 && json) return json;
    refuse('provider_unavailable', `${new URL(url).pathname} answered ${status}`);
  }

  async function loadMetadata(): Promise<Claims> {
    const json = await getJson(`${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`);
    if (json.issuer === issuer) return json;
    // OpenID Connect Discovery 4.3: exactly the issuer that was asked, or another provider poses as this one.
    refuse('provider_metadata', 'the metadata name another issuer than the configured one');
  }

  /** The address under that name in the metadata; null when there is none, or when https would lead to plain http. */
  async function findEndpoint(name: string): Promise<string | null> {
    const url = textOf((await metadata.get())[name]);
    const isSafe = url?.startsWith('https:') || issuer.startsWith('http:');
    return url && isSafe && URL.canParse(url) ? url : null;
  }

  const endpoint = async (name: string): Promise<string> =>
    (await findEndpoint(name)) ?? refuse('provider_metadata', `the metadata have no usable ${name}`);

  async function requestTokens(params: Record<string, string>) {
    const body = new URLSearchParams(params);
    const headers = new Headers({ accept: 'application/json', 'content-type': 'application/x-www-form-urlencoded' });
    if (clientSecret === undefined) body.set('client_id', clientId);
    else headers.set('authorization', `Basic ${btoa([clientId, clientSecret].map(formEncode).join(':'))}`);
    const { status, json } = await call(await endpoint('token_endpoint'), { method: 'POST', headers, body });
    if (status === 200 && json) return toTokens(json, clock());
    if (status < 500 && status !== 429 && json) throw providerError(json.error);
    refuse('provider_unavailable', `the token endpoint answered ${status}`);
  }

  const metadata = createDocument(clock, loadMetadata, HOUR_MS, 24 * HOUR_MS);
  const loadKeys = async () => {
    const { keys: list } = await getJson(await endpoint('jwks_uri'));
    return Array.isArray(list) ? list.flatMap(importKey) : [];
  };
  const keys = createDocument(clock, loadKeys, HOUR_MS / 6, HOUR_MS);
  return { metadata, keys, endpoint, findEndpoint, requestTokens };
}

/** RFC 6749 2.3.1: the parts of Basic are form-encoded before they are joined. */
const formEncode = (text: string) => new URLSearchParams([['', text]]).toString().slice(1);

/** The error answer of the authorization endpoint or of the token endpoint (RFC 6749 4.1.2.1 and 5.2, Core 3.1.2.6). */
function providerError(value: unknown): ModuleError {
  const name = (textOf(value) ?? 'unknown').replace(/[^\x21-\x7e]/g, '?').slice(0, 60);
  let code: ModuleErrorCode = name === 'access_denied' ? 'access_denied' : 'provider_error';
  if (/^(login|interaction|consent|account_selection)_required$/.test(name)) code = 'login_required';
  if (/^(temporarily_unavailable|server_error)$/.test(name)) code = 'provider_unavailable';
  if (/^(invalid|unauthorized)_client$/.test(name)) code = 'client_refused';
  if (name === 'invalid_grant') code = 'grant_refused';
  return new ModuleError(code, `the provider answered ${name}`, { providerError: name });
}

function toTokens(json: Claims, now: number) {
  const accessToken = textOf(json.access_token);
  if (accessToken === null || textOf(json.token_type)?.toLowerCase() !== 'bearer') {
    refuse('provider_error', 'the token endpoint answered without a bearer token');
  }
  const seconds = Number(json.expires_in);
  return {
    accessToken,
    expiresAt: seconds > 0 ? now + seconds * 1000 : null,
    refreshToken: textOf(json.refresh_token),
    scope: textOf(json.scope),
    idToken: textOf(json.id_token),
  };
}

// ------------------------------------------------------------------------------------------------------------ tokens
/** How far the clocks of module and provider may be apart. */
const SKEW_SECONDS = 120;
/** What a page and its answer may take on their way. */
const AUTH_SLACK_SECONDS = 60;
const MAX_TOKEN_LENGTH = 32_768;

/** `Ed25519` is the newer name of the same thing (RFC 9864). */
const ALGORITHMS = new Map(Object.entries({ RS256: 'RS256', ES256: 'ES256', EdDSA: 'EdDSA', Ed25519: 'EdDSA' }));
const KEY_KINDS = new Map(Object.entries({ RSA: 'RS256', 'EC P-256': 'ES256', 'OKP Ed25519': 'EdDSA' }));

/** A key belongs to one algorithm, whatever a token claims: no RS256 key can ever check an HS256 (OAU-20). */
type VerificationKey = { kid: unknown; algorithm: string; key: KeyObject };

function importKey(jwk: unknown): VerificationKey[] {
  if (!isRecord(jwk)) return [];
  const algorithm = KEY_KINDS.get([jwk.kty, jwk.crv].filter(Boolean).join(' '));
  if (!algorithm || (jwk.use !== undefined && jwk.use !== 'sig')) return [];
  if (jwk.alg !== undefined && ALGORITHMS.get(textOf(jwk.alg) ?? '') !== algorithm) return [];
  try {
    const key = crypto.createPublicKey({ key: jwk, format: 'jwk' });
    const isWeak = algorithm === 'RS256' && (key.asymmetricKeyDetails?.modulusLength ?? 0) < 2048;
    return isWeak ? [] : [{ kid: jwk.kid, algorithm, key }];
  } catch {
    // A key that this Node cannot read checks nothing; the others go on.
    return [];
  }
}

/** Strict: base64url has one spelling for each value, so a token cannot be respelled and still be good. */
function decodePart(text: string): Buffer {
  const bytes = Buffer.from(text, 'base64url');
  return text !== '' && bytes.toString('base64url') === text ? bytes : refuseToken('format', 'not base64url');
}

const decodeJson = (text: string) =>
  parseJson(decodePart(text).toString('utf8')) ?? refuseToken('format', 'not a JSON object');

/** Checks form, header, key and signature (RFC 7515, RFC 8725); the claims are checked by the callers. */
async function checkSignature(provider: Provider, token: string, types: readonly unknown[]) {
  const [head, body, tail, more] = token.length > MAX_TOKEN_LENGTH ? [] : token.split('.');
  if (!head || !body || !tail || more !== undefined) return refuseToken('format', 'not a signed token');
  const header = decodeJson(head);
  const algorithm =
    ALGORITHMS.get(textOf(header.alg) ?? '') ?? refuseToken('algorithm', 'the algorithm is not allowed');
  // A token must not bring its own key, nor say where to find one, nor ask for what we do not know (OAU-20).
  for (const name of ['jwk', 'jku', 'x5u', 'x5c', 'crit', 'b64', 'zip', 'enc']) {
    if (header[name] !== undefined) refuseToken('header', `the header has ${name}`);
  }
  const type = typeof header.typ === 'string' ? header.typ.toLowerCase() : header.typ;
  if (!types.includes(type)) refuseToken('type', 'a token of another type');
  const { key } = await findKey(provider, header.kid, algorithm);
  const [hash, data] = [algorithm === 'EdDSA' ? null : 'sha256', Buffer.from(`${head}.${body}`)];
  const isSigned = crypto.verify(hash, data, { key, dsaEncoding: 'ieee-p1363' }, decodePart(tail));
  if (!isSigned) refuseToken('signature', 'the signature is wrong');
  return { algorithm, claims: decodeJson(body) };
}

async function findKey(provider: Provider, kid: unknown, algorithm: string): Promise<VerificationKey> {
  const isFit = (key: VerificationKey) => key.algorithm === algorithm && (kid === undefined || key.kid === kid);
  let found = (await provider.keys.get()).filter(isFit);
  if (found.length === 0) found = (await provider.keys.renew()).filter(isFit);
  const [key] = found;
  // Two keys under one name, or no name and several keys: a signature is no place for guessing.
  return key && found.length === 1 ? key : refuseToken('key', key ? 'ambiguous key' : 'unknown key');
}

/** What ID tokens and logout tokens have in common (Core 3.1.3.7, Back-Channel Logout 2.6). */
function checkIssuedToUs(claims: Claims, { issuer, clientId, clock }: Settings): void {
  const isOver = (value: unknown) => typeof value !== 'number' || value > clock() / 1000 + SKEW_SECONDS;
  if (claims.iss !== issuer) refuseToken('issuer', 'issued by another issuer');
  const audience = Array.isArray(claims.aud) ? claims.aud : [claims.aud];
  // No other audience is trusted: Core 3.1.3.7 (3) asks to refuse a token that is also for somebody else.
  if (audience.length !== 1 || audience[0] !== clientId) refuseToken('audience', 'issued to another client');
  if (claims.azp !== undefined && claims.azp !== clientId) refuseToken('audience', 'azp is another client');
  if (typeof claims.exp !== 'number' || clock() / 1000 >= claims.exp + SKEW_SECONDS) refuseToken('expired', 'expired');
  if (isOver(claims.iat)) refuseToken('not_yet_valid', 'iat is absent or lies in the future');
  if (claims.nbf !== undefined && isOver(claims.nbf)) refuseToken('not_yet_valid', 'nbf lies in the future');
}

/** OpenID Connect Core 3.1.3.7, but for the nonce and the time of authentication, which only a sign-in has. */
async function checkIdToken(settings: Settings, provider: Provider, token: string, accessToken: string) {
  const { claims, algorithm } = await checkSignature(provider, token, [undefined, 'jwt']);
  checkIssuedToUs(claims, settings);
  // A logout token must never pass for an ID token (Back-Channel Logout 2.4), even one without its typ.
  if (claims.events !== undefined) refuseToken('type', 'a token about an event');
  if (claims.at_hash !== undefined && claims.at_hash !== accessTokenHash(accessToken, algorithm)) {
    refuseToken('at_hash', 'issued beside another access token');
  }
  return claims;
}

/** Core 3.1.3.6: the left half of the hash that belongs to the signature's algorithm. */
function accessTokenHash(accessToken: string, algorithm: string): string {
  const name = algorithm === 'EdDSA' ? 'sha512' : 'sha256';
  const hash = crypto.createHash(name).update(accessToken).digest();
  return hash.subarray(0, hash.length / 2).toString('base64url');
}

function toUser(claims: Claims): ModuleUser {
  return {
    sub: textOf(claims.sub) ?? refuseToken('subject', 'no sub'),
    email: textOf(claims.email),
    emailVerified: claims.email_verified === true,
    name: textOf(claims.name),
    givenName: textOf(claims.given_name),
    familyName: textOf(claims.family_name),
    preferredUsername: textOf(claims.preferred_username),
    zoneinfo: textOf(claims.zoneinfo),
    companyId: textOf(claims.company_id),
    companyRole: textOf(claims.company_role),
    groups: textsOf(claims.groups),
    amr: textsOf(claims.amr),
    acr: textOf(claims.acr),
    authTime: typeof claims.auth_time === 'number' ? claims.auth_time * 1000 : null,
    sid: textOf(claims.sid),
    access: toAccess(claims.module_access),
  };
}

function toAccess(claim: unknown): ModuleAccess | null {
  const instance = isRecord(claim) ? textOf(claim.instance) : null;
  if (!isRecord(claim) || instance === null) return null;
  const from = claim.permissions_from;
  return {
    instance,
    tenant: textOf(claim.tenant),
    permissions: textsOf(claim.permissions),
    permissionsFrom: from === 'rules' || from === 'role' || from === 'default' ? from : null,
    provision: isRecord(claim.provision) ? { values: textValues(claim.provision.values) } : null,
    settingsVersion: typeof claim.settings_version === 'number' ? claim.settings_version : null,
  };
}

// ---------------------------------------------------------------------------------------------------------- sign-in
function createSignIn(settings: Settings, provider: Provider) {
  const sealer = createSealer<Transaction>(settings, 'sign-in');

  async function start(input: StartSignIn & { connect?: Connecting } = {}): Promise<StartedSignIn> {
    const [state, nonce, verifier] = [randomText(), randomText(), randomText()];
    const url = withParams(await provider.endpoint('authorization_endpoint'), {
      client_id: settings.clientId,
      redirect_uri: settings.redirectUri,
      response_type: 'code',
      response_mode: settings.responseMode,
      scope: input.connect ? 'openid email profile module.connect' : settings.scope,
      state,
      nonce,
      code_challenge: sha256(verifier).toString('base64url'),
      code_challenge_method: 'S256',
      login_hint: input.loginHint,
      prompt: input.prompt,
      max_age: input.maxAge?.toString(),
      acr_values: input.acrValues?.join(' '),
      ui_locales: input.uiLocales?.join(' '),
      instance: input.instance,
    });
    // prompt=login promises a fresh login, so the answer is held to it like a max_age of nought.
    const maxAge = input.prompt === 'login' ? 0 : (input.maxAge ?? null);
    const returnTo = localPath(input.returnTo);
    const connect = input.connect ?? null;
    const transaction = sealer.seal({ state, nonce, verifier, returnTo, startedAt: settings.clock(), maxAge, connect });
    return { url, transaction, state, setCookie: settings.transactionCookie(state, transaction) };
  }

  const finish = async (input: ProviderAnswer) => {
    const { connect: _, ...arrival } = await complete(input, null);
    return arrival;
  };

  /** A sign-in never passes for a connection, nor a connection for a sign-in. */
  async function complete(input: ProviderAnswer, connecting: Connecting | null) {
    const params = input.url ? new URL(input.url, settings.callback).searchParams : toParams(input.params ?? '');
    if (!input.transaction) refuse('transaction_missing', 'no transaction came with the answer');
    const transaction = sealer.open(input.transaction);
    checkPurpose(transaction.connect ?? null, connecting);
    const expiresAt = transaction.startedAt + settings.transactionMs;
    const isOurs = isSame(single(params, 'state') ?? '', transaction.state);
    if (!isOurs) refuse('state_mismatch', 'the answer belongs to another sign-in');
    if (settings.clock() >= expiresAt) refuse('transaction_expired', 'signing in took too long');
    await checkIssuer(params);
    const error = single(params, 'error');
    if (error !== undefined) throw providerError(error);
    const code = single(params, 'code');
    if (!code) refuse('response_invalid', 'the answer has no code');
    const isFirst = await settings.once(`state ${transaction.state}`, expiresAt);
    if (!isFirst) refuse('transaction_used', 'this answer was used before');
    return { ...(await redeem(code, transaction)), returnTo: transaction.returnTo, connect: transaction.connect };
  }

  function checkPurpose(begun: Connecting | null, finishing: Connecting | null): void {
    if ((begun === null) !== (finishing === null)) refuse('transaction_invalid', 'begun for something else');
    if (begun?.tenant !== finishing?.tenant || begun?.admin !== finishing?.admin)
      refuse('administrator_mismatch', 'begun by another administrator, or for another tenant');
  }

  /** Whether this transaction is to connect; false for one that is not ours, which `finish` then refuses. */
  function isConnecting(transaction: string | undefined): boolean {
    try {
      return transaction !== undefined && sealer.open(transaction).connect !== null;
    } catch {
      return false;
    }
  }

  /** RFC 9207 2.4: for error answers too, and absent only where the provider does not promise it. */
  async function checkIssuer(params: URLSearchParams): Promise<void> {
    const iss = single(params, 'iss');
    const isPromised = (await provider.metadata.get()).authorization_response_iss_parameter_supported === true;
    const isForeign = iss === undefined ? isPromised : iss !== settings.issuer;
    if (isForeign) refuse('issuer_mismatch', 'the answer comes from another provider');
  }

  async function redeem(code: string, { verifier, nonce, maxAge, startedAt }: Transaction): Promise<SignIn> {
    const params = { grant_type: 'authorization_code', code, redirect_uri: settings.redirectUri };
    const { idToken, ...tokens } = await provider.requestTokens({ ...params, code_verifier: verifier });
    if (idToken === null) refuse('provider_error', 'the token endpoint answered without an ID token');
    const claims = await checkIdToken(settings, provider, idToken, tokens.accessToken);
    if (!isSame(textOf(claims.nonce) ?? '', nonce)) refuseToken('nonce', 'issued for another sign-in');
    // Measured from the start of the sign-in, since that is when the module asked, and by the provider's clock alone:
    // between the asking and `iat` there passed what our own clock has measured.
    const asked = Number(claims.iat) - (settings.clock() - startedAt) / 1000;
    const since = maxAge === null ? null : asked - maxAge - AUTH_SLACK_SECONDS;
    if (since !== null && !(Number(claims.auth_time) >= since)) refuseToken('auth_time', 'authenticated too long ago');
    return { user: toUser(claims), tokens: { ...tokens, idToken } };
  }

  /** Core 12.2. The new tokens are kept even when the keys cannot be had just now, since the old ones are spent. */
  async function renew(user: ModuleUser, before: ModuleTokens, refreshToken: string): Promise<SignIn> {
    const params = { grant_type: 'refresh_token', refresh_token: refreshToken };
    const { idToken, ...fresh } = await provider.requestTokens(params);
    const kept = { refreshToken: fresh.refreshToken ?? refreshToken, scope: fresh.scope ?? before.scope };
    const tokens = { ...before, ...fresh, ...kept, idToken: before.idToken };
    if (idToken === null) return { user, tokens };
    try {
      const claims = await checkIdToken(settings, provider, idToken, tokens.accessToken);
      const now = toUser(claims);
      if (now.sub !== user.sub) refuseToken('subject', 'renewed for another person');
      // The older token was checked when it came; only its nonce is read again.
      const { nonce } = decodeJson(before.idToken.split('.')[1] ?? '');
      if (claims.nonce !== undefined && claims.nonce !== nonce) refuseToken('nonce', 'renewed for another sign-in');
      return { user: { ...now, sid: now.sid ?? user.sid }, tokens: { ...tokens, idToken } };
    } catch (error) {
      if (error instanceof ModuleError && error.code === 'provider_unavailable') return { user, tokens };
      throw error;
    }
  }

  /** Core 4: whoever starts it, only this provider is asked, and the way leads only into this module. */
  async function initiate(
    form: FormLike,
    { instance }: { instance?: string | undefined } = {},
  ): Promise<StartedSignIn> {
    const params = toParams(form);
    const { issuer, callback } = settings;
    if (single(params, 'iss') !== issuer) refuse('initiation_refused', 'iss is not the provider of this module');
    const target = single(params, 'target_link_uri') ?? '/';
    const returnTo = target.startsWith(`${callback.origin}/`) ? target.slice(callback.origin.length) : target;
    return start({ returnTo, loginHint: single(params, 'login_hint') ?? '', instance });
  }

  const startSignIn = (input?: StartSignIn) => start(input);
  return {
    public: { startSignIn, finishSignIn: finish, initiateLogin: initiate },
    renew,
    start,
    complete,
    isConnecting,
  };
}

// --------------------------------------------------------------------------------------------------------- sessions
function createSessions(settings: Settings, renew: ReturnType<typeof createSignIn>['renew']) {
  const { store, clock, idleMs, absoluteMs, secure, cookieName } = settings;
  const endings = createMemory<EndReason>(clock);
  /** Sign-ins that the provider ended, so that one under way at that moment cannot outlive it. */
  const endedSids = createMemory<true>(clock);
  const renewing = new Map<string, Promise<SessionReading>>();
  const clearCookie = buildCookie(cookieName, '', { secure, maxAge: 0 });
  const idOf = (value: string) => sha256(value).toString('base64url');
  const over = (id: string): SessionReading => ({ state: 'ended', reason: endings.get(id) ?? 'unknown' });

  async function finish(id: string, reason: EndReason): Promise<SessionReading> {
    endings.set(id, reason, clock() + absoluteMs);
    await store.delete(id);
    return { state: 'ended', reason };
  }

  const open: Sessions['open'] = async ({ signIn, data = {}, replaces }) => {
    const old = parseCookies(replaces).get(cookieName);
    if (old) await store.delete(idOf(old));
    const value = randomText();
    const now = clock();
    const { user = null, tokens = null } = signIn ?? {};
    const times = { createdAt: now, seenAt: now, endsAt: now + absoluteMs };
    const session: ModuleSession = { id: idOf(value), user, tokens, data, ...times };
    await store.create(session);
    if (user?.sid && endedSids.get(user.sid)) {
      await finish(session.id, 'provider');
      refuse('grant_refused', 'the provider has ended this sign-in');
    }
    return { session, setCookie: buildCookie(cookieName, value, { secure }) };
  };

  const read: Sessions['read'] = async (cookieHeader) => {
    const value = parseCookies(cookieHeader).get(cookieName);
    if (!value) return { state: 'none' };
    const session = await store.get(idOf(value));
    if (!session) return over(idOf(value));
    const now = clock();
    if (now >= session.endsAt) return finish(session.id, 'expired');
    if (now - session.seenAt >= idleMs) return finish(session.id, 'idle');
    // Not on every request, to spare the store: the idle time is exact to a minute.
    if (now - session.seenAt < Math.min(60_000, idleMs / 10)) return { state: 'live', session };
    return (await store.touch(session.id, { seenAt: now })) ? { state: 'live', session } : over(session.id);
  };

  async function renewNow(id: string): Promise<SessionReading> {
    // Read again: another process may have renewed it, and a refresh token must not be used twice.
    const session = await store.get(id);
    if (!session) return over(id);
    if (!isStale(session) || !session.user || !session.tokens?.refreshToken) return { state: 'live', session };
    try {
      const changes = await renew(session.user, session.tokens, session.tokens.refreshToken);
      return (await store.touch(id, changes)) ? { state: 'live', session: { ...session, ...changes } } : over(id);
    } catch (error) {
      if (!(error instanceof ModuleError)) throw error;
      if (error.code === 'grant_refused' || error.code === 'token_invalid') return finish(id, 'provider');
      throw error;
    }
  }

  const isStale = ({ tokens }: ModuleSession) =>
    Boolean(tokens?.refreshToken && tokens.expiresAt !== null && clock() >= tokens.expiresAt - 30_000);

  const freshen: Sessions['freshen'] = async (session) => {
    if (!isStale(session)) return { state: 'live', session };
    const { id } = session;
    const work = () => renewNow(id);
    const running = renewing.get(id) ?? (store.exclusive?.(id, work) ?? work()).finally(() => renewing.delete(id));
    renewing.set(id, running);
    return running;
  };

  /** Back-Channel Logout 2.7: one session when it is named, else every session of the person. */
  async function endAll({ sid, sub }: { sid: string | null; sub: string | null }): Promise<string[]> {
    if (sid) endedSids.set(sid, true, clock() + settings.transactionMs);
    const ids = sid ? await store.deleteBySid(sid) : await store.deleteBySub(sub ?? '');
    for (const id of ids) endings.set(id, 'provider', clock() + absoluteMs);
    return ids;
  }

  const end = async ({ id }: ModuleSession) => store.delete(id);
  return { public: { open, read, freshen, end, clearCookie } satisfies Sessions, endAll };
}

// ----------------------------------------------------------------------------------------------------------- logout
/** Back-Channel Logout 2.6, all steps; answers whose sessions to end, and the key of its single use. */
async function checkLogoutToken(settings: Settings, provider: Provider, token: string) {
  const { claims } = await checkSignature(provider, token, ['logout+jwt']);
  checkIssuedToUs(claims, settings);
  const { nonce, exp } = claims;
  const events = isRecord(claims.events) ? claims.events : {};
  const [sid, sub, jti] = [textOf(claims.sid), textOf(claims.sub), textOf(claims.jti)];
  if (sid === null && sub === null) refuseToken('subject', 'neither sub nor sid');
  const isLogout = isRecord(events['http://schemas.openid.net/event/backchannel-logout']);
  if (!isLogout) refuseToken('events', 'not about a logout');
  if (nonce !== undefined) refuseToken('nonce', 'a logout token has no nonce');
  if (jti === null) return refuseToken('jti', 'no jti');
  return { sid, sub, key: `jti ${jti}`, until: (Number(exp) + SKEW_SECONDS) * 1000 };
}

function createLogout(settings: Settings, provider: Provider, endAll: ReturnType<typeof createSessions>['endAll']) {
  async function accept(body: FormLike): Promise<string[]> {
    const token = single(toParams(body), 'logout_token') ?? '';
    const { key, until, ...who } = await checkLogoutToken(settings, provider, token);
    const isFirst = await settings.once(key, until);
    return isFirst ? endAll(who) : refuseToken('replayed', 'this logout token came before');
  }

  async function receive(body: FormLike): Promise<LogoutAnswer> {
    const headers = { 'cache-control': 'no-store', 'content-type': 'application/json' };
    try {
      return { status: 200, headers, body: '{}', ended: await accept(body), error: null };
    } catch (cause) {
      const failed = new ModuleError('provider_unavailable', 'the session store failed', { cause });
      const error = cause instanceof ModuleError ? cause : failed;
      const name = error.code === 'provider_unavailable' ? 'temporarily_unavailable' : 'invalid_request';
      // Back-Channel Logout 2.8 has 400 for whatever fails.
      const answer = JSON.stringify({ error: name, error_description: error.message });
      return { status: 400, headers, body: answer, ended: [], error };
    }
  }

  async function url({ tokens }: ModuleSession, { state }: { state?: string } = {}): Promise<string | null> {
    const target = tokens ? await provider.findEndpoint('end_session_endpoint') : null;
    if (!tokens || target === null) return null;
    const back = { client_id: settings.clientId, post_logout_redirect_uri: settings.postLogoutRedirectUri, state };
    return withParams(target, { id_token_hint: tokens.idToken, ...back });
  }

  return { receiveLogoutToken: receive, logoutUrl: url };
}

// ---------------------------------------------------------------------------------------------------------- handler
function createHandler(
  settings: Settings,
  kit: Omit<LoginModule, 'handler'>,
  isConnecting: ReturnType<typeof createSignIn>['isConnecting'],
  options: HandlerOptions,
) {
  const { callback, cookieName, transactionCookieName: nameOf, forgetCookie: forget } = settings;
  const { loggedOut = '/', failed = ({ code }: ModuleError) => `/?sign_in_error=${code}`, routes: at = {} } = options;
  const prefix = `${cookieName}_signin_`;
  const answer = (status: number, headers: ModuleResponse['headers'], body = ''): ModuleResponse => {
    const always = { 'cache-control': 'no-store', 'referrer-policy': 'no-referrer' };
    return { status, headers: { ...always, ...headers }, body };
  };
  const redirect = (location: string, cookies: string[] = []) => answer(303, { location, 'set-cookie': cookies });
  const headerOf = ({ headers }: ModuleRequest, name: string) => [headers[name] ?? []].flat().join('; ');
  const paramsOf = ({ method, body, url }: ModuleRequest) =>
    method === 'POST' ? toParams(body ?? '') : addressOf({ url }, callback.href).searchParams;

  /** A few cookies, not a heap. */
  function leave(request: ModuleRequest, { url, setCookie }: StartedSignIn): ModuleResponse {
    const names = [...parseCookies(headerOf(request, 'cookie')).keys()].filter((name) => name.startsWith(prefix));
    return redirect(url, [...names.slice(0, -4).map(forget), setCookie]);
  }

  const instanceOf = (request: ModuleRequest) => ({ instance: options.instance?.(request) ?? undefined });
  const start = async (request: ModuleRequest) => {
    const returnTo = paramsOf(request).get('return_to') ?? '/';
    return leave(request, await kit.startSignIn({ returnTo, ...instanceOf(request) }));
  };
  const initiate = async (request: ModuleRequest) =>
    leave(request, await kit.initiateLogin(paramsOf(request), instanceOf(request)));

  async function arrive(request: ModuleRequest): Promise<ModuleResponse> {
    const params = paramsOf(request);
    const name = nameOf(params.get('state') ?? '');
    const replaces = headerOf(request, 'cookie');
    const transaction = parseCookies(replaces).get(name);
    if (options.finishConnect && isConnecting(transaction))
      return redirect(localPath(await options.finishConnect({ params, transaction, request })), [forget(name)]);
    const arrival = await kit.finishSignIn({ params, transaction });
    const acceptance = await options.accept(arrival);
    if (!acceptance.enter)
      return redirect(localPath(acceptance.location), [forget(name), ...[acceptance.setCookie ?? []].flat()]);
    const { setCookie } = await kit.sessions.open({ signIn: arrival, data: acceptance.data ?? {}, replaces });
    return redirect(arrival.returnTo, [forget(name), setCookie]);
  }

  async function logOut(request: ModuleRequest): Promise<ModuleResponse> {
    // WEB-06: a page of another origin, such as another port of this host, cannot log a person out.
    const isOwn = headerOf(request, 'origin') === callback.origin;
    if (!isOwn && headerOf(request, 'sec-fetch-site') !== 'same-origin') return answer(403, {});
    const reading = await kit.sessions.read(headerOf(request, 'cookie'));
    if (reading.state !== 'live') return redirect(loggedOut, [kit.sessions.clearCookie]);
    // Here first: whatever the provider answers, this session is over.
    await kit.sessions.end(reading.session);
    const url = await kit.logoutUrl(reading.session, { state: 'logged-out' }).catch(() => null);
    return redirect(url ?? loggedOut, [kit.sessions.clearCookie]);
  }

  async function hearLogout({ body = '' }: ModuleRequest): Promise<ModuleResponse> {
    const heard = await kit.receiveLogoutToken(body);
    options.heardLogout?.(heard);
    return answer(heard.status, heard.headers, heard.body);
  }

  const routes = new Map<string, { methods: string; run(request: ModuleRequest): Promise<ModuleResponse> }>([
    [at.start ?? '/login/start', { methods: 'GET', run: start }],
    [callback.pathname, { methods: 'GET, POST', run: arrive }],
    [at.initiate ?? '/initiate-login', { methods: 'GET, POST', run: initiate }],
    [at.logout ?? '/logout', { methods: 'POST', run: logOut }],
    [at.backchannelLogout ?? '/backchannel-logout', { methods: 'POST', run: hearLogout }],
  ]);
  return async (request: ModuleRequest): Promise<ModuleResponse | null> => {
    const route = routes.get(addressOf(request, callback.href).pathname);
    if (!route) return null;
    if (!route.methods.split(', ').includes(request.method)) return answer(405, { allow: route.methods });
    try {
      return await route.run(request);
    } catch (error) {
      if (error instanceof ModuleError) return redirect(localPath(failed(error)));
      throw error;
    }
  };
}

/** Puts the kit together. Nothing is fetched before it is needed. Throws `configuration`. */
export function createModule(options: ModuleOptions): LoginModule {
  const settings = settle(options);
  const provider = createProvider(settings);
  const signIn = createSignIn(settings, provider);
  const sessions = createSessions(settings, signIn.renew);
  const logout = createLogout(settings, provider, sessions.endAll);
  const kit = { ...signIn.public, ...logout, sessions: sessions.public };
  const module: LoginModule = {
    ...kit,
    handler: (handlerOptions) => createHandler(settings, kit, signIn.isConnecting, handlerOptions),
  };
  insides.set(module, { settings, provider, signIn });
  return module;
}

/** What an integration needs of the module that it belongs to, and nobody else. */
interface Insides {
  settings: Settings;
  provider: Provider;
  signIn: ReturnType<typeof createSignIn>;
}
const insides = new WeakMap<LoginModule, Insides>();

// --------------------------------------------------------------------------------------------------------- accounts
/** Somebody's account, as the module knows it. What a module does not keep it leaves out. */
export interface ModuleAccount {
  /** Stable, and unique in the module (RFC 7643 3.1). */ readonly id: string;
  /** What they log in with. */ readonly userName: string;
  readonly email?: string | null;
  readonly givenName?: string | null;
  readonly familyName?: string | null;
  readonly displayName?: string | null;
  readonly active: boolean;
  /** Only what the provider has suspended is restored by its events. */
  readonly suspendedBy?: 'provider' | 'module' | null;
  /** The first one is the primary one. */ readonly permissions?: readonly string[];
  readonly timeZone?: string | null;
  /** The provider's own name for the person, who is their `sub`. */ readonly externalId?: string | null;
  readonly link?: AccountLink | null;
  /** Can it log in with a local password? */ readonly localLogin?: boolean;
  /** Read only: what its permissions make of it. */ readonly administrator?: boolean;
  /** The other fields of the product's profile. */ readonly values?: Readonly<Record<string, string>>;
  /** Number of the last event that was done for it: an older one that comes late is dropped (section 5). */
  readonly eventSeq?: number;
}

export type AccountLink = { readonly issuer: string; readonly sub: string };
export type NewAccount = Omit<ModuleAccount, 'id' | 'administrator' | 'eventSeq'>;
export type AccountChanges = Partial<Omit<ModuleAccount, 'id' | 'administrator' | 'link'>>;

export interface AccountQuery {
  /** How many to leave out at the beginning. */ skip: number;
  /** How many to answer at most; 0 asks for the total alone. */ count: number;
  /** Only these, without regard to case but for `id` and `externalId` (RFC 7643 4.1.1); null: all. */
  filter: { by: 'userName' | 'email' | 'externalId' | 'id'; value: string } | null;
}

/** The module's own table. A hook that cannot do what it is asked throws an `AccountRefusal`. */
export interface Accounts {
  /** A page in an order that stays the same, and how many there are in all. */
  list(query: AccountQuery): Eventually<{ total: number; accounts: readonly ModuleAccount[] }>;
  find(id: string): Eventually<ModuleAccount | undefined>;
  /** Every account with this link, or with one of these addresses or user names, whatever their case. */
  matching(who: { link: AccountLink; names: readonly string[] }): Eventually<readonly ModuleAccount[]>;
  /** Makes an account, linked when `link` is given. `taken`: the user name or the address is somebody's. */
  provision(account: NewAccount): Eventually<ModuleAccount>;
  /** Changes an account from what it was `before`; undefined when it is gone. */
  change(id: string, changes: AccountChanges, before: ModuleAccount): Eventually<ModuleAccount | undefined>;
  /** Links an account that has no link yet; false when it has one, or is gone. */
  link(id: string, link: AccountLink): Eventually<boolean>;
  /** Ends every session of the account, local ones as well. */ endSessions(id: string): Eventually<void>;
  /** Whether permissions like these make an administrator of the module. */
  administers(permissions: readonly string[]): boolean;
  /** Whether no other active account is an administrator (C36). */ isLastAdministrator(
    id: string,
  ): Eventually<boolean>;
  /** Removes an account for good; leave it out where accounts can only be disabled. */
  remove?(id: string): Eventually<void>;
}

export type AccountRefusalReason = 'taken' | 'changed' | 'last_administrator' | 'invalid' | 'busy';
/** Why the module's table did not do something; the sentence is for people. */
export class AccountRefusal extends Error {
  readonly reason: AccountRefusalReason;
  /** Seconds, with `busy`. */ readonly retryAfter: number;
  constructor(reason: AccountRefusalReason, message: string, retryAfter = 1) {
    super(message);
    this.name = 'AccountRefusal';
    this.reason = reason;
    this.retryAfter = retryAfter;
  }
}

/** C36, whoever asks: the last administrator stays one, and stays active. */
async function guardAdministrator(
  accounts: Partial<Accounts>,
  before: ModuleAccount,
  changes: AccountChanges | 'remove',
): Promise<void> {
  if (!before.active || !before.administrator) return;
  const { active, permissions } = changes === 'remove' ? { active: false } : changes;
  const stays = active !== false && (permissions === undefined || accounts.administers?.(permissions) !== false);
  if (stays || !(await accounts.isLastAdministrator?.(before.id))) return;
  const name = before.displayName || before.userName;
  throw new AccountRefusal('last_administrator', `${name} is the last active administrator of this module.`);
}

/** Active or not, and by whom: what somebody of the module has suspended stays theirs. */
const suspension = (before: ModuleAccount, active: boolean): AccountChanges => {
  if (active) return { active, suspendedBy: null };
  return { active, suspendedBy: before.active ? 'provider' : (before.suspendedBy ?? null) };
};

/** One piece of work after the other; when too many wait, the next is told to come again. */
function createQueue(limit = 200) {
  let tail: Promise<unknown> = Promise.resolve();
  let waiting = 0;
  return async <T>(work: () => Promise<T>): Promise<T> => {
    if (waiting >= limit) throw new AccountRefusal('busy', 'Too many requests at once.');
    waiting += 1;
    const mine = tail.then(work);
    tail = mine.catch(() => undefined);
    return mine.finally(() => {
      waiting -= 1;
    });
  };
}

// -------------------------------------------------------------------------------------------------------------- SCIM
export interface ScimOptions {
  /** Address of the service; what lies below its path is answered here. */ url: string;
  /** Bearer token of the provider, 20 characters or more. In a list all are good, for a change without a gap. */
  token: string | readonly string[];
  /** With `list` and `find` alone the service is read only. */
  accounts: Pick<Accounts, 'list' | 'find'> & Partial<Accounts>;
  /** People of a page at most. Default 200. */ maxCount?: number;
}

type ScimHandler = (request: ModuleRequest) => Promise<ModuleResponse | null>;
const SCHEMAS = 'urn:ietf:params:scim:schemas:core:2.0';
const MESSAGES = 'urn:ietf:params:scim:api:messages:2.0';
const EXTENSION = 'urn:unifiedlogin:scim:2.0:Account';
const MAX_BODY = 1_048_576;

function scimAnswer(status: number, body: object | null, headers: Record<string, string> = {}): ModuleResponse {
  const always = { 'content-type': 'application/scim+json; charset=utf-8', 'cache-control': 'no-store' };
  return { status, headers: { ...always, ...headers }, body: body === null ? '' : JSON.stringify(body) };
}

/** RFC 7644 3.12 */
class ScimError extends Error {
  readonly answer: ModuleResponse;
  constructor(status: number, detail: string, more: { scimType?: string; headers?: Record<string, string> } = {}) {
    super(detail);
    const { scimType, headers } = more;
    const body = { schemas: [`${MESSAGES}:Error`], status: String(status), ...(scimType ? { scimType } : {}), detail };
    this.answer = scimAnswer(status, body, headers);
  }
}

const REFUSALS: Readonly<Record<AccountRefusalReason, { status: number; scimType?: string }>> = {
  taken: { status: 409, scimType: 'uniqueness' },
  changed: { status: 412 },
  last_administrator: { status: 409 },
  invalid: { status: 400, scimType: 'invalidValue' },
  busy: { status: 429 },
};

function toScimError(error: unknown): ScimError {
  if (error instanceof ScimError) return error;
  if (!(error instanceof AccountRefusal)) throw error;
  const { status, ...type } = REFUSALS[error.reason];
  const headers = { 'retry-after': String(error.retryAfter) };
  return new ScimError(status, error.message, { ...type, ...(status === 429 ? { headers } : {}) });
}

const present = (facts: Record<string, unknown>): Record<string, unknown> =>
  Object.fromEntries(Object.entries(facts).filter(([, value]) => value !== undefined && value !== null));

/** RFC 7643 4.1; what is not known is left out. The version changes when anything that is shown changes. */
function toResource(account: ModuleAccount, base: string) {
  const { id, userName, externalId, givenName, familyName, displayName, email, active, permissions } = account;
  const { localLogin, administrator, values, timeZone } = account;
  const own = present({ localLogin, administrator, values });
  const content = {
    schemas: [`${SCHEMAS}:User`, ...(Object.keys(own).length > 0 ? [EXTENSION] : [])],
    id,
    userName,
    ...present({ externalId, displayName, timezone: timeZone }),
    ...(givenName || familyName ? { name: present({ givenName, familyName }) } : {}),
    ...(email ? { emails: [{ value: email, type: 'work', primary: true }] } : {}),
    active,
    ...(permissions ? { roles: permissions.map((value, i) => ({ value, primary: i === 0 })) } : {}),
    ...(Object.keys(own).length > 0 ? { [EXTENSION]: own } : {}),
  };
  const version = `"${sha256(JSON.stringify(content)).toString('base64url').slice(0, 22)}"`;
  const location = `${base}/Users/${encodeURIComponent(id)}`;
  return { ...content, meta: { resourceType: 'User', location, version } };
}

/** A whole number of a query string; nonsense is the default (RFC 7644 3.4.2.4). */
function wholeNumber(text: string | null, fallback: number): number {
  return text !== null && /^-?\d{1,9}$/.test(text) ? Number(text) : fallback;
}

const FILTERS = new Map<string, 'userName' | 'email' | 'externalId' | 'id'>([
  ['username', 'userName'],
  ['emails.value', 'email'],
  ['emails', 'email'],
  ['externalid', 'externalId'],
  ['id', 'id'],
]);

/** `attribute eq "value"` of the four that are known; any other filter is refused instead of answering everybody. */
function toFilter(filter: string | null): AccountQuery['filter'] {
  if (filter === null) return null;
  const [, name = '', value] =
    /^ ?(?:urn:ietf:params:scim:schemas:core:2\.0:User:)?([a-z.]{1,20}) +eq +(".*") ?$/is.exec(filter) ?? [];
  const by = FILTERS.get(name.toLowerCase());
  const parsed = parseJson(`{"value":${value ?? 'null'}}`)?.value;
  if (by !== undefined && typeof parsed === 'string') return { by, value: parsed };
  const known = 'Only userName, emails.value, externalId or id eq "..." can be filtered by.';
  throw new ScimError(400, known, { scimType: 'invalidFilter' });
}

const wrong = (scimType: string, detail: string): never => {
  throw new ScimError(400, detail, { scimType });
};

function scimText(name: string, value: unknown, { least = 0, most = 254 } = {}): string {
  const text = value === null ? '' : value;
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is refused
  if (typeof text !== 'string' || text.length < least || text.length > most || /[\u0000-\u001f\u007f]/.test(text))
    return wrong('invalidValue', `${name} is not a text of ${least} to ${most} letters.`);
  return text;
}

/** The value that counts of a list such as `emails`: the primary one, else the first. */
function listValues(name: string, value: unknown): string[] {
  if (!Array.isArray(value) || value.length > 50) return wrong('invalidValue', `${name} is not a list.`);
  const items = value.map((item: unknown) => (isRecord(item) ? item : { value: item }));
  const primary = items.filter((item) => item.primary === true);
  const ordered = [...primary, ...items.filter((item) => item.primary !== true)];
  return [...new Set(ordered.map((item) => scimText(name, item.value, { least: 1 })))];
}

const flag = (name: string, value: unknown): boolean =>
  typeof value === 'boolean' ? value : wrong('invalidValue', `${name} is true or false.`);

function scimValues(value: unknown): Record<string, string> {
  const entries = isRecord(value) ? Object.entries(value) : wrong('invalidValue', 'values is not an object.');
  if (entries.length > 50) wrong('invalidValue', 'values has too many members.');
  return Object.fromEntries(entries.map(([name, text]) => [scimText('values', name), scimText(name, text)]));
}

type Attribute = (value: unknown) => AccountChanges;
/** By lower-case path (RFC 7643 2.1): what a change of this attribute means for an account. */
const ATTRIBUTES = new Map<string, Attribute>(
  Object.entries({
    active: (value: unknown) => ({ active: flag('active', value) }),
    username: (value: unknown) => ({ userName: scimText('userName', value, { least: 1 }) }),
    name: (value: unknown) => ({
      ...(isRecord(value) && 'givenName' in value ? { givenName: scimText('givenName', value.givenName) } : {}),
      ...(isRecord(value) && 'familyName' in value ? { familyName: scimText('familyName', value.familyName) } : {}),
    }),
    'name.givenname': (value: unknown) => ({ givenName: scimText('givenName', value) }),
    'name.familyname': (value: unknown) => ({ familyName: scimText('familyName', value) }),
    displayname: (value: unknown) => ({ displayName: scimText('displayName', value) }),
    emails: (value: unknown) => ({ email: listValues('emails', value)[0] ?? null }),
    'emails.value': (value: unknown) => ({ email: scimText('emails', value) || null }),
    roles: (value: unknown) => ({ permissions: listValues('roles', value) }),
    timezone: (value: unknown) => ({ timeZone: scimText('timezone', value) || null }),
    externalid: (value: unknown) => ({ externalId: scimText('externalId', value) || null }),
    [`${EXTENSION}:locallogin`.toLowerCase()]: (value: unknown) => ({ localLogin: flag('localLogin', value) }),
    [`${EXTENSION}:values`.toLowerCase()]: (value: unknown) => ({ values: scimValues(value) }),
  }),
);

/** All attributes of a resource, or of a PATCH without a path; what is not known is ignored (RFC 7644 3.5.2). */
function readAttributes(resource: Record<string, unknown>): AccountChanges {
  const own = isRecord(resource[EXTENSION]) ? resource[EXTENSION] : {};
  const extended = Object.entries(own).map(([name, value]) => [`${EXTENSION}:${name}`, value] as const);
  const changes: AccountChanges = {};
  for (const [name, value] of [...Object.entries(resource), ...extended])
    Object.assign(changes, ATTRIBUTES.get(name.toLowerCase())?.(value));
  return changes;
}

/** RFC 7644 3.5.2: `replace`, and `add`, which does the same to an attribute of one value and joins lists. */
function readPatch(body: Record<string, unknown>, before: ModuleAccount): AccountChanges {
  const operations = body.Operations;
  if (!Array.isArray(operations) || operations.length === 0 || operations.length > 100)
    return wrong('invalidSyntax', 'Operations is a list of 1 to 100.');
  const changes: AccountChanges = {};
  for (const operation of operations) {
    const { op, path, value } = isRecord(operation) ? operation : {};
    const kind = typeof op === 'string' ? op.toLowerCase() : '';
    if (kind !== 'replace' && kind !== 'add') wrong('invalidSyntax', 'Only replace and add are supported.');
    const change = readOperation(path, value, { ...before, ...changes });
    if (kind === 'add' && change.permissions)
      change.permissions = [...new Set([...(changes.permissions ?? before.permissions ?? []), ...change.permissions])];
    Object.assign(changes, change);
  }
  return changes;
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };
function readOperation(path: unknown, value: unknown, before: ModuleAccount): Mutable<AccountChanges> {
  if (path === undefined)
    return isRecord(value) ? readAttributes(value) : wrong('invalidSyntax', 'Without a path the value is an object.');
  const text = scimText('path', path, { least: 1 }).replace(`${SCHEMAS}:User:`, '');
  // emails[type eq "work"].value and its like: this service keeps one address.
  const plain = /^emails\[[^\]]*\]\.value$/i.test(text) ? 'emails.value' : text;
  const attribute = ATTRIBUTES.get(plain.toLowerCase());
  if (attribute) return attribute(value);
  const values = `${EXTENSION}:values.`;
  if (plain.toLowerCase().startsWith(values.toLowerCase())) {
    const name = plain.slice(values.length);
    return { values: { ...before.values, [name]: scimText(name, value) } };
  }
  const readOnly = ['id', 'meta', `${EXTENSION}:administrator`].some((it) => it.toLowerCase() === plain.toLowerCase());
  return wrong(readOnly ? 'mutability' : 'invalidPath', `${plain} cannot be changed here.`);
}

/** RFC 7644 4 and RFC 7643 5: what this service can do. */
const serviceConfig = (base: string, maxResults: number, canWrite: boolean): object => ({
  schemas: [`${SCHEMAS}:ServiceProviderConfig`],
  patch: { supported: canWrite },
  bulk: { supported: false, maxOperations: 0, maxPayloadSize: 0 },
  filter: { supported: true, maxResults },
  changePassword: { supported: false },
  sort: { supported: false },
  etag: { supported: true },
  authenticationSchemes: [{ type: 'oauthbearertoken', name: 'Bearer token', description: 'RFC 6750', primary: true }],
  meta: { resourceType: 'ServiceProviderConfig', location: `${base}/ServiceProviderConfig` },
});

/**
 * A module's people, told to the provider by SCIM 2.0 (RFC 7643, RFC 7644): to import them, and to keep their accounts.
 * Serves `/Users`, `/Users/:id` and `/ServiceProviderConfig` below `url`; null for every other address.
 * An integration has one of these inside; by itself it serves a module that is connected by the operator.
 */
export function createScimUsers({ url, token, accounts, maxCount = 200 }: ScimOptions): ScimHandler {
  const tokens = [token].flat();
  if (tokens.length === 0 || tokens.some((text) => text.length < 20))
    throw new Error('a SCIM token has 20 characters or more');
  return createScim({ url, accounts, maxCount, isKnown: (given) => tokens.some((text) => isSame(text, given)) });
}

type ScimService = Omit<ScimOptions, 'token'> & {
  maxCount: number;
  isKnown(token: string): boolean;
  /** Shared with whatever else changes accounts. */ alone?: ReturnType<typeof createQueue>;
};

function createScim({ url, accounts, maxCount, isKnown, alone = createQueue() }: ScimService): ScimHandler {
  const base = withoutSlash(url);
  const root = withoutSlash(new URL(base).pathname);
  const show = (status: number, account: ModuleAccount): ModuleResponse => {
    const resource = toResource(account, base);
    return scimAnswer(status, resource, { etag: resource.meta.version, location: resource.meta.location });
  };

  /** RFC 7644 3.4.2 */
  async function list(query: URLSearchParams): Promise<ModuleResponse> {
    const filter = toFilter(query.get('filter'));
    const startIndex = Math.max(1, wholeNumber(query.get('startIndex'), 1));
    const count = Math.min(maxCount, Math.max(0, wholeNumber(query.get('count'), maxCount)));
    const found = await accounts.list({ skip: startIndex - 1, count, filter });
    const Resources = found.accounts.slice(0, count).map((account) => toResource(account, base));
    const page = { totalResults: found.total, startIndex, itemsPerPage: Resources.length, Resources };
    return scimAnswer(200, { schemas: [`${MESSAGES}:ListResponse`], ...page });
  }

  async function need(id: string, { headers }: ModuleRequest): Promise<ModuleAccount> {
    const account = await accounts.find(id);
    if (!account) throw new ScimError(404, 'There is no such user.');
    const wanted = [headers['if-match'] ?? []].flat().join(', ');
    const version = toResource(account, base).meta.version;
    const isMeant = wanted === '' || wanted === '*' || wanted.split(',').some((it) => it.trim() === version);
    if (!isMeant) throw new ScimError(412, 'The user was changed in the meantime.');
    return account;
  }

  async function create(body: Record<string, unknown>): Promise<ModuleResponse> {
    const given = readAttributes(body);
    const { userName = wrong('invalidValue', 'userName is missing.'), active = true, localLogin: _, ...rest } = given;
    // A new account has no password, and whoever made it inactive was the provider.
    const state = { active, suspendedBy: active ? null : ('provider' as const), localLogin: false };
    const made = await accounts.provision?.({ ...rest, ...state, userName });
    return made ? show(201, made) : wrong('invalidValue', 'The user cannot be made.');
  }

  async function patch(id: string, request: ModuleRequest): Promise<ModuleResponse> {
    const before = await need(id, request);
    const read = readPatch(jsonOf(request), before);
    const changes = read.active === undefined ? read : { ...read, ...suspension(before, read.active) };
    await guardAdministrator(accounts, before, changes);
    const account = await accounts.change?.(id, changes, before);
    if (!account) throw new ScimError(404, 'There is no such user.');
    // At the return, too: a session that was born in the moment of the suspension must not wake.
    if (!account.active || !before.active) await accounts.endSessions?.(id);
    return show(200, account);
  }

  async function remove(id: string, request: ModuleRequest): Promise<ModuleResponse> {
    await guardAdministrator(accounts, await need(id, request), 'remove');
    await accounts.endSessions?.(id);
    await accounts.remove?.(id);
    return scimAnswer(204, null);
  }

  async function answer(request: ModuleRequest, id: string | undefined, query: URLSearchParams) {
    const can = {
      GET: true,
      POST: !id && accounts.provision,
      PATCH: id && accounts.change,
      DELETE: id && accounts.remove,
    };
    const allow = Object.entries(can).flatMap(([method, isPossible]) => (isPossible ? [method] : []));
    if (!allow.includes(request.method))
      throw new ScimError(405, 'This cannot be done here.', { headers: { allow: allow.join(', ') } });
    if (request.method === 'GET') return id ? show(200, await need(id, { ...request, headers: {} })) : list(query);
    if (request.method === 'POST') return alone(() => create(jsonOf(request)));
    return alone(() => (request.method === 'PATCH' ? patch(id ?? '', request) : remove(id ?? '', request)));
  }

  return async (request) => {
    const { pathname, searchParams } = addressOf(request, base);
    if (pathname !== root && !pathname.startsWith(`${root}/`)) return null;
    try {
      const [, token] = /^bearer +(\S+)$/i.exec([request.headers.authorization ?? []].flat()[0] ?? '') ?? [];
      if (token === undefined || !isKnown(token))
        throw new ScimError(401, 'The bearer token is missing or wrong.', {
          headers: { 'www-authenticate': 'Bearer' },
        });
      const [, kind = '', id, ...rest] = pathname.slice(root.length).split('/');
      if (kind === 'Users' && rest.length === 0)
        return await answer(request, id ? decoded(id) : undefined, searchParams);
      if (kind !== 'ServiceProviderConfig' || id) throw new ScimError(404, 'There is nothing here.');
      if (request.method !== 'GET') throw new ScimError(405, 'This is read only.', { headers: { allow: 'GET' } });
      return scimAnswer(200, serviceConfig(base, maxCount, accounts.change !== undefined));
    } catch (error) {
      return toScimError(error).answer;
    }
  };
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return '\0';
  }
}

function jsonOf({ body }: ModuleRequest): Record<string, unknown> {
  if (typeof body === 'string' && body.length > MAX_BODY) throw new ScimError(413, 'The body is too large.');
  const parsed = typeof body === 'string' ? parseJson(body) : body;
  if (!isRecord(parsed) || parsed instanceof URLSearchParams)
    return wrong('invalidSyntax', 'The body is no JSON object.');
  return parsed;
}

// ----------------------------------------------------------------------------------------------- settings, the door
/** The settings of one instance as the protocol has them; see "Settings" in docs/module-protocol.md. */
export interface IntegrationSettings {
  readonly version: number;
  readonly instance: InstanceName;
  readonly enabled: boolean;
  readonly require: {
    readonly on: boolean;
    readonly state: 'off' | 'trial' | 'on';
    readonly trial_ends_at: string | null;
  };
  readonly exceptions: readonly LoginException[];
  readonly local_login_url: string | null;
  readonly provisioning: { readonly on: boolean; readonly values: Readonly<Record<string, string>> };
  readonly deprovisioning: {
    readonly on: boolean;
    readonly grace_days: number;
    readonly removal: 'remove' | 'disable';
  };
  readonly access_groups: { readonly on: boolean; readonly rules: readonly AccessGroupRule[] };
  readonly profile: ModuleProfile;
  /** Seconds that a module goes by these while the provider does not answer. */ readonly keep_for: number;
}

export type InstanceName = { readonly id: string; readonly name: string; readonly company: NamedThing };
export type NamedThing = { readonly id: string; readonly name: string };
export type AccessGroupRule = { readonly group_id: string; readonly group: string; readonly permission: string };

export interface LoginException {
  readonly id: string;
  readonly kind: 'person' | 'emergency';
  readonly account_id: string;
  readonly user_name: string;
  readonly reason: string;
  readonly ends_at: string | null;
}

export interface ModuleProfile {
  readonly capabilities: readonly string[];
  readonly fields: readonly {
    readonly name: string;
    readonly label: string;
    readonly type: 'permission' | 'timeZone' | 'choice' | 'text';
    readonly required: boolean;
    readonly choices: readonly string[];
  }[];
  readonly administrators: readonly string[];
  readonly linkMode: 'email' | 'emailOrUsername' | 'explicit';
  readonly severalMatches: 'refuse' | 'firstUsername';
  readonly deletion: 'remove' | 'disable';
}

/** What the provider sent, when it can be settings at all: nobody's door depends on half a document. */
function toIntegrationSettings(json: Claims | undefined): IntegrationSettings {
  const { version, enabled, instance, require, exceptions, profile, keep_for } = json ?? {};
  const parts = [instance, require, profile, json?.provisioning, json?.deprovisioning, json?.access_groups];
  const isWhole = typeof version === 'number' && typeof enabled === 'boolean' && parts.every(isRecord);
  if (!isWhole || !Array.isArray(exceptions) || typeof keep_for !== 'number')
    return refuse('provider_unavailable', 'the settings cannot be read');
  // Checked above; what is inside each part is the provider's word, and is only compared.
  return json as unknown as IntegrationSettings;
}

/** One row of D.6 for the local way in. */
export type LocalLoginRow =
  | 'not_connected'
  | 'disabled'
  | 'optional'
  | 'trial_over'
  | 'exempt'
  | 'emergency'
  | 'offline_administrator'
  | 'offline'
  | 'required';
export interface LocalLoginDecision {
  readonly allowed: boolean;
  readonly row: LocalLoginRow;
  /** Where this person's local form is, when it is not the ordinary one. */ readonly at: string | null;
  /** Put it on record: it is not what happens every day. */ readonly record: boolean;
}

const isPast = (time: string | null, now: number) => time !== null && !(now < Date.parse(time));

/** What the provider calls an account: a long id by its hash (section 3). */
const idAtProvider = (id: string): string => (id.length > 200 ? sha256(id).toString('base64url') : id.trim());

/** Whether Log In with KaseyaOne is required of people right now (section 6, steps 1 and 2). */
function requirementRow(settings: IntegrationSettings | null, now: number): LocalLoginRow {
  if (settings === null) return 'not_connected';
  if (!settings.enabled) return 'disabled';
  if (!settings.require.on) return 'optional';
  return isPast(settings.require.trial_ends_at, now) ? 'trial_over' : 'required';
}

/**
 * Section 6: may this account use the local form? By the settings that are kept, without asking anybody.
 * Ask after a right password only, so that nobody learns from the answer whose account it is (C31).
 */
export function decideLocalLogin(
  settings: IntegrationSettings | null,
  account: Pick<ModuleAccount, 'id' | 'administrator'>,
  now: number,
  lastContact: number | null,
): LocalLoginDecision {
  const row = requirementRow(settings, now);
  if (row !== 'required' || settings === null) return { allowed: true, row, at: null, record: false };
  const id = idAtProvider(account.id);
  const mine = settings.exceptions.filter((it) => it.account_id === id && !isPast(it.ends_at, now));
  if (mine.length > 0) {
    const isEmergency = mine.every(({ kind }) => kind === 'emergency');
    const at = settings.local_login_url;
    return { allowed: true, row: isEmergency ? 'emergency' : 'exempt', at, record: isEmergency };
  }
  if (now - (lastContact ?? 0) <= settings.keep_for * 1000) return { allowed: false, row, at: null, record: false };
  const isAdministrator = account.administrator === true;
  return {
    allowed: isAdministrator,
    row: isAdministrator ? 'offline_administrator' : 'offline',
    at: null,
    record: true,
  };
}

export interface LoginGate {
  /** Show the button "Log In with KaseyaOne". */ readonly offered: boolean;
  /** Show that button and nothing else; exempt people go to the local address (C31). */ readonly required: boolean;
  readonly localLoginUrl: string | null;
  readonly trialEndsAt: string | null;
}

/** What the login page shows, to somebody whose account is not known yet. */
export function localLoginGate(settings: IntegrationSettings | null, now: number): LoginGate {
  const row = requirementRow(settings, now);
  const required = row === 'required';
  return {
    offered: row !== 'not_connected' && row !== 'disabled',
    required,
    localLoginUrl: settings?.local_login_url ?? null,
    trialEndsAt: required ? (settings?.require.trial_ends_at ?? null) : null,
  };
}

// ------------------------------------------------------------------------------------------------------------- entry
export type EntryRefusal =
  | 'disabled' // Log In with KaseyaOne is off, or the module is not connected: the call was forged (D.6)
  | 'other_instance' // the provider let the person into another instance
  | 'unverified' // the address is not verified, so it matches nobody (C28)
  | 'no_account' // nobody of that address, and no automatic provisioning
  | 'suspended'
  | 'ambiguous' // several accounts have the address
  | 'linked_elsewhere'; // the account with the address belongs to somebody else

export type AccountDecision =
  | { outcome: 'enter'; account: ModuleAccount; isNewLink: boolean; permissions: readonly string[] | null }
  | { outcome: 'provision'; account: NewAccount }
  /** Linking is explicit here: the person logs in with the module's own password one last time (B.8). */
  | { outcome: 'prove' }
  | { outcome: 'refused'; reason: EntryRefusal };

export interface EntryRules {
  readonly issuer: string;
  readonly profile: Pick<ModuleProfile, 'linkMode' | 'severalMatches' | 'fields'> | null;
}

const sameText = (one: string | null | undefined, other: string): boolean =>
  one?.normalize('NFC').toLowerCase() === other.normalize('NFC').toLowerCase();

const refused = (reason: EntryRefusal) => ({ outcome: 'refused', reason }) as const;

/** What the person is called in a module that matches by address, or by user name as well. */
function namesOf(user: ModuleUser, { profile }: EntryRules): string[] {
  if (!user.emailVerified || user.email === null) return [];
  const isByName = profile?.linkMode === 'emailOrUsername' && user.preferredUsername !== null;
  return isByName ? [user.email, user.preferredUsername ?? ''] : [user.email];
}

/**
 * Section 1: whose account it is that somebody from the provider may enter (C28, C32, D.6, D.7).
 * A link decides alone; only without one do address and name count, and only verified ones; only without a match is
 * there a new account.
 */
export function decideAccount(
  user: ModuleUser,
  accounts: readonly ModuleAccount[],
  rules: EntryRules,
): AccountDecision {
  const { access } = user;
  const permissions = access?.permissionsFrom === 'rules' ? access.permissions : null;
  const linked = accounts.find(({ link }) => link?.sub === user.sub && link.issuer === rules.issuer);
  if (linked && !linked.active) return refused('suspended');
  if (linked) return { outcome: 'enter', account: linked, isNewLink: false, permissions };
  const names = namesOf(user, rules);
  const isNamed = (name: string | null | undefined) => names.some((it) => sameText(name, it));
  const isByName = rules.profile?.linkMode === 'emailOrUsername';
  const matches = accounts.filter(({ email, userName }) => isNamed(email) || (isByName && isNamed(userName)));
  if (rules.profile?.linkMode === 'explicit' && (matches.length > 0 || !access?.provision)) return { outcome: 'prove' };
  if (names.length === 0) return refused('unverified');
  if (matches.length === 0) return access?.provision ? provisioned(user, rules) : refused('no_account');
  const match = matches.length === 1 ? matches[0] : firstOf(matches, rules);
  if (!match) return refused('ambiguous');
  if (!match.active) return refused('suspended');
  // An address that has passed to another person must not hand over the account of the one before.
  if (match.link) return refused('linked_elsewhere');
  return { outcome: 'enter', account: match, isNewLink: true, permissions };
}

/** Where the product says so, the first user name in alphabetical order among those that could be entered (B.8). */
function firstOf(matches: readonly ModuleAccount[], { profile }: EntryRules): ModuleAccount | undefined {
  if (profile?.severalMatches !== 'firstUsername') return undefined;
  const byName = (one: ModuleAccount, other: ModuleAccount) => (one.userName < other.userName ? -1 : 1);
  const free = matches.filter(({ active, link }) => active && !link).sort(byName);
  return free[0] ?? matches[0];
}

/** A new account by the values of the claim: the permission, the time zone, and the other fields of the profile. */
function provisioned(user: ModuleUser, { issuer, profile }: EntryRules): AccountDecision {
  const values = user.access?.provision?.values ?? {};
  const typeOf = (name: string) => profile?.fields.find((field) => field.name === name)?.type ?? name;
  const valueFor = (type: string) => Object.entries(values).find(([name]) => typeOf(name) === type)?.[1] ?? null;
  const rest = Object.entries(values).filter(([name]) => !['permission', 'timeZone'].includes(typeOf(name)));
  const permission = valueFor('permission');
  const given = user.access?.permissions ?? [];
  const account: NewAccount = {
    userName: user.email ?? '',
    email: user.email,
    givenName: user.givenName,
    familyName: user.familyName,
    displayName: user.name,
    active: true,
    suspendedBy: null,
    permissions: given.length > 0 || permission === null ? given : [permission],
    timeZone: valueFor('timeZone'),
    externalId: user.sub,
    link: { issuer, sub: user.sub },
    localLogin: false,
    values: Object.fromEntries(rest),
  };
  return { outcome: 'provision', account };
}

// ------------------------------------------------------------------------------------------------------------ events
const RISC = 'https://schemas.openid.net/secevent/risc/event-type/';
const EVENTS = new Map<string, 'disabled' | 'enabled' | 'purged' | 'revoked' | 'settings' | 'disconnected'>([
  [`${RISC}account-disabled`, 'disabled'],
  [`${RISC}account-enabled`, 'enabled'],
  [`${RISC}account-purged`, 'purged'],
  ['https://schemas.openid.net/secevent/caep/event-type/session-revoked', 'revoked'],
  ['urn:unifiedlogin:event-type:settings-changed', 'settings'],
  ['urn:unifiedlogin:event-type:disconnected', 'disconnected'],
]);
const EVENT_SECONDS = 3600;

/** The checks of section 5 on a Security Event Token (RFC 8417 2.2, RFC 8935 2). */
async function checkEvent({ settings, provider }: Insides, token: string) {
  const { claims } = await checkSignature(provider, token.trim(), ['secevent+jwt']);
  const { iss, aud, iat, jti, seq, instance, sub_id } = claims;
  const now = settings.clock() / 1000;
  if (iss !== settings.issuer) refuseToken('issuer', 'issued by another issuer');
  const audience = Array.isArray(aud) ? aud : [aud];
  if (audience.length !== 1 || audience[0] !== settings.clientId) refuseToken('audience', 'issued to another client');
  if (typeof iat !== 'number' || iat > now + SKEW_SECONDS)
    return refuseToken('not_yet_valid', 'iat lies in the future');
  if (iat < now - EVENT_SECONDS) refuseToken('expired', 'iat is more than an hour ago');
  const names = isRecord(claims.events) ? Object.keys(claims.events) : [];
  if (names.length !== 1) return refuseToken('events', 'not about one event');
  const subject = isRecord(sub_id) && sub_id.format === 'iss_sub' && sub_id.iss === settings.issuer ? sub_id.sub : null;
  return {
    kind: EVENTS.get(names[0] ?? '') ?? null,
    jti: textOf(jti) ?? refuseToken('jti', 'no jti'),
    until: (iat + EVENT_SECONDS + SKEW_SECONDS) * 1000,
    instance: textOf(instance),
    sub: textOf(subject),
    seq: typeof seq === 'number' ? seq : null,
  };
}
type ModuleEvent = Awaited<ReturnType<typeof checkEvent>>;

/** RFC 8935 2.4 */
const EVENT_ERRORS: Readonly<Partial<Record<TokenReason, string>>> = {
  issuer: 'invalid_issuer',
  audience: 'invalid_audience',
  key: 'invalid_key',
  signature: 'invalid_key',
};

function eventFailure(error: unknown): ModuleResponse {
  const isOurs = error instanceof ModuleError && error.code === 'token_invalid';
  const isRefused = error instanceof AccountRefusal && error.reason === 'last_administrator';
  // Anything else passes: the provider is to send it again.
  if (!isOurs && !isRefused)
    return { status: 503, headers: { 'retry-after': '5', 'cache-control': 'no-store' }, body: '' };
  const err = isOurs ? (EVENT_ERRORS[error.reason ?? 'format'] ?? 'invalid_request') : 'access_denied';
  const headers = { 'content-type': 'application/json', 'content-language': 'en', 'cache-control': 'no-store' };
  return { status: 400, headers, body: JSON.stringify({ err, description: error.message }) };
}

// ------------------------------------------------------------------------------------------------- what it remembers
/** Keeps one JSON document: a file, or a row. `save` either keeps all of it or fails; the document holds secrets. */
export interface DocumentStore {
  load(): Eventually<string | null>;
  save(text: string): Eventually<void>;
}

/** A document in a file that its owner alone can read; it is the old one or the new one, even when the power goes. */
export function createFileStore(file: string): DocumentStore {
  return {
    load: () =>
      readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
        if (error.code === 'ENOENT') return null;
        throw error;
      }),
    async save(text) {
      await mkdir(dirname(file), { recursive: true });
      const beside = `${file}.${randomText().slice(0, 8)}.new`;
      const handle = await open(beside, 'w', 0o600);
      try {
        await handle.writeFile(text);
        await handle.sync();
      } finally {
        await handle.close();
      }
      await rename(beside, file);
    },
  };
}

type PendingEntry =
  | { sub: string; account: { id: string; user_name: string; administrator: boolean }; created: boolean }
  /** A sealed emergency account was used. */
  | { account_id: string; at: string };
type Kept = {
  instance: string | null;
  /** Sealed, the newest first: while they are changed two are good. */ credentials: string[];
  /** A change of the credential was begun: a crash must not leave us with one that ends (section 3). */ rotating: boolean;
  settings: IntegrationSettings | null;
  lastContact: number | null;
  /** Since when the provider does not know our credential. */ refusedSince: number | null;
  /** SHA-256 of the tokens that the provider may call us with, and until when. */
  scimTokens: { hash: string; until: number | null }[];
  entries: PendingEntry[];
};

const NOTHING: Kept = {
  instance: null,
  credentials: [],
  rotating: false,
  settings: null,
  lastContact: null,
  refusedSince: null,
  scimTokens: [],
  entries: [],
};

/** The document in memory; changes are made one after the other, and are kept on disk when they resolve. */
async function openMemory(store: DocumentStore) {
  const read = async (): Promise<Kept> => {
    const known = parseJson((await store.load()) ?? '');
    // Written by `save` below alone; members that a newer kit has added are filled up.
    return { ...NOTHING, ...(known as Partial<Kept> | undefined) };
  };
  let kept = await read();
  let saving: Promise<unknown> = Promise.resolve();
  const inTurn = (work: () => Promise<void>): Promise<void> => {
    const mine = saving.then(work);
    saving = mine.catch(() => undefined);
    return mine;
  };
  return {
    get: () => kept,
    change: (next: (kept: Kept) => Partial<Kept>) =>
      inTurn(async () => {
        const changed = { ...kept, ...next(kept) };
        await store.save(JSON.stringify(changed));
        kept = changed;
      }),
    /** Another process that shares the store may have changed it. */
    reload: () =>
      inTurn(async () => {
        kept = await read();
      }),
  };
}

// ------------------------------------------------------------------------------------------------------- integration
/** Who does it: the administrator who is logged in at the module, with the `sub` of a session through the provider. */
export type Acting = { id: string; name: string; sub?: string };

export interface IntegrationOptions {
  module: LoginModule;
  /** Whom this integration serves: a module of many tenants makes one for each. */ tenant: NamedThing;
  addresses: {
    /** Where a person lands. */ landing: string;
    initiateLogin?: string;
    /** Where exempt people log in locally (C31). */ localLogin?: string;
    /** Where the provider sends events; served by `handle`. */ events?: string;
    /** Base of the SCIM service; served by `handle`. */ scim?: string;
  };
  store: DocumentStore;
  accounts: Accounts;
  /** Hears what happens, for the log; the facts hold no secret. */
  heard?(what: string, facts: Readonly<Record<string, unknown>>): void;
}

export type EntryOutcome =
  | { enter: true; account: ModuleAccount; created: boolean }
  | { enter: false; reason: EntryRefusal }
  /** Log in with the module's own password once; hand the proof to `linkByProof` then. */
  | { enter: false; reason: 'prove'; proof: string };

export interface Integration {
  readonly state: {
    connected: boolean;
    instance: string | null;
    settings: IntegrationSettings | null;
    lastContact: number | null;
    /** Seconds by which this module's clock is ahead of the provider's; null: not known. */ clockSkew: number | null;
    /** The provider does not know our credential any more. */ refused: boolean;
  };
  /** Fetches the settings if they have changed; throws `provider_unavailable`, `credential_refused`. */
  poll(): Promise<void>;
  /** Polls every five minutes and sends what is waiting; nothing keeps the process alive. */ start(): void;
  stop(): void;

  /** Begins the ceremony of connecting, for this administrator of the module (C29). */
  startConnect(input: { admin: NamedThing; returnTo?: string }): Promise<StartedSignIn>;
  /** Ends it, for the same administrator in the same browser. Throws as `finishSignIn`, and `provider_refused`. */
  finishConnect(input: ConnectAnswer & { admin: NamedThing }): Promise<{ user: ModuleUser; returnTo: string }>;
  /** Takes over a connection that the provider's operator has made. */
  adopt(connection: { instance: string; credential: string; scimToken?: string }): Promise<void>;
  /** `force`: here, even when the provider cannot be told. */
  disconnect(acting: Acting, more?: { force?: boolean }): Promise<void>;

  saveSettings(input: SettingsInput, acting: Acting, override?: string | null): Promise<IntegrationSettings>;
  preflight(acting: Acting): Promise<Preflight>;
  exempt(exception: NewException, acting: Acting): Promise<void>;
  endExemption(id: string, acting: Acting): Promise<void>;
  groups(): Promise<NamedThing[]>;
  /** Tells the provider the addresses anew. */ announce(acting: Acting): Promise<void>;
  /** A new credential; the one before stays good for a day. */ rotateCredential(acting?: Acting): Promise<void>;
  /** A new token for the provider's calls; the one before stays good for a quarter of an hour. */
  rotateScimToken(acting: Acting): Promise<void>;

  /** Whether this account may use the local form: ask after a right password (section 6). */
  decideLocalLogin(account: Pick<ModuleAccount, 'id' | 'administrator'>): LocalLoginDecision;
  loginGate(): LoginGate;
  /** Whose account it is, linked or made when it is the first time; never waits for the provider. */
  enter(signIn: { user: ModuleUser }): Promise<EntryOutcome>;
  /** After a right local password; false when the proof is not ours, too old, or the account is somebody's. */
  linkByProof(proof: string, accountId: string): Promise<boolean>;
  /** Serves SCIM and events; null for every other address. The bodies of both are to be handed over as text. */
  handle(request: ModuleRequest): Promise<ModuleResponse | null>;
}

export interface SettingsInput {
  enabled: boolean;
  require: boolean;
  provisioning: IntegrationSettings['provisioning'];
  deprovisioning: IntegrationSettings['deprovisioning'];
  access_groups: { on: boolean; rules: readonly { group_id: string; permission: string }[] };
}

export interface NewException {
  account_id: string;
  user_name: string;
  kind: 'person' | 'emergency';
  reason: string;
  ends_at: string | null;
  no_end: boolean;
}

export interface Preflight {
  readonly ready: boolean;
  readonly checks: readonly {
    readonly name: string;
    readonly passed: boolean;
    /** Only time is missing: ask again. */ readonly under_way?: boolean;
    readonly sentence: string;
  }[];
  readonly ways_in: readonly { readonly account_id: string; readonly user_name: string; readonly kind: string }[];
  readonly loses_local: {
    readonly count: number;
    readonly of: number;
    readonly reasons?: readonly { readonly reason: string; readonly count: number; readonly sentence: string }[];
    readonly sample: readonly { readonly account_id: string; readonly user_name: string; readonly reason: string }[];
  };
  readonly trial_minutes: number;
}

const KIT_VERSION = '1.0';
const POLL_MS = 300_000;
/** So long the kept settings count although the provider says that it does not know us. */ const REFUSED_MS = 600_000;
const SCIM_OVERLAP_MS = 900_000;
const MOST_ENTRIES = 5000;

type ApiCall = { method?: string; body?: unknown; headers?: Record<string, string>; bearer?: string };
type ApiAnswer = { status: number; json: Claims | undefined; etag: string | null };

/** The provider's API, in plain answers and `ModuleError`s. */
function createApi({ settings }: Insides) {
  return async (path: string, { method = 'GET', body, headers = {}, bearer = '' }: ApiCall): Promise<ApiAnswer> => {
    const answer = await send(`${withoutSlash(settings.issuer)}/api/v1${path}`, {
      method,
      headers: { accept: 'application/json', authorization: `Bearer ${bearer}`, ...headers, ...jsonType(body) },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const { status, json } = answer;
    if (status === 304 || (status >= 200 && status < 300)) return answer;
    if (status === 429 || status >= 500 || (status >= 300 && status < 400))
      refuse('provider_unavailable', `${path} answered ${status}`);
    throw new ModuleError(codeOf(status), textOf(json?.detail) ?? `${path} answered ${status}`, {
      problem: {
        status,
        code: textOf(json?.code) ?? '',
        detail: textOf(json?.detail) ?? textOf(json?.title) ?? '',
        fields: textValues(json?.fields),
        body: json ?? {},
      },
    });
  };

  async function send(url: string, init: RequestInit): Promise<ApiAnswer> {
    try {
      const response = await settings.fetch(url, {
        ...init,
        redirect: 'manual',
        signal: AbortSignal.timeout(2 * CALL_MS),
      });
      const json = parseJson(await response.text());
      return { status: response.status, json, etag: response.headers.get('etag') };
    } catch (cause) {
      return refuse('provider_unavailable', `no answer from ${new URL(url).origin}`, { cause });
    }
  }
}

const jsonType = (body: unknown): Record<string, string> =>
  body === undefined ? {} : { 'content-type': 'application/json' };

function codeOf(status: number): ModuleErrorCode {
  if (status === 401) return 'credential_refused';
  return status === 412 || status === 428 ? 'settings_conflict' : 'provider_refused';
}

/** Puts the Integration Center of one tenant together; reads what is kept, and asks nobody. */
export async function createIntegration(options: IntegrationOptions): Promise<Integration> {
  const inside = insides.get(options.module);
  if (!inside) return refuse('configuration', 'module is not made by createModule');
  const { heard = () => {} } = options;
  const memory = await openMemory(options.store);
  const alone = createQueue();
  const link = createLink(inside, options, memory, heard);
  const reports = createReports(link, memory, heard);
  const entry = createEntry(inside, options, { memory, alone, reports, link });
  const events = createEvents(inside, options, { memory, alone, link });
  const scim = createScimOf(inside, options, memory, alone);
  const ceremony = createCeremony(inside, options, { memory, link, reports });
  const { clock } = inside.settings;
  const timers: NodeJS.Timeout[] = [];

  return {
    get state() {
      const { instance, settings, lastContact, refusedSince } = memory.get();
      const connected = instance !== null;
      return { connected, instance, settings, lastContact, clockSkew: link.skew(), refused: refusedSince !== null };
    },
    poll: link.poll,
    start() {
      const quietly = (work: () => Promise<unknown>) => () => void work().catch(() => undefined);
      const beat = quietly(async () => {
        // Broken off between the answer and the disk: what we hold ends within a day.
        if (memory.get().rotating) await ceremony.rotateCredential();
        await link.greet();
        await reports.flush();
      });
      if (timers.length > 0) return;
      timers.push(setInterval(beat, POLL_MS).unref());
      beat();
    },
    stop() {
      for (const timer of timers.splice(0)) clearInterval(timer);
      reports.stop();
    },
    ...ceremony,
    ...createSettingsCalls(memory, link),
    decideLocalLogin: (account) => {
      const { settings, lastContact } = memory.get();
      const decision = decideLocalLogin(settings, account, clock(), lastContact);
      if (decision.record) heard('local_login', { account: account.id, row: decision.row, allowed: decision.allowed });
      if (decision.row === 'emergency')
        void reports.add({ account_id: account.id, at: new Date(clock()).toISOString() });
      return decision;
    },
    loginGate() {
      const { instance, settings } = memory.get();
      const gate = localLoginGate(settings, clock());
      // Connected by the operator, and the settings were not to be had yet.
      return instance !== null && settings === null ? { ...gate, offered: true } : gate;
    },
    ...entry,
    async handle(request) {
      const answer = (await scim?.(request)) ?? null;
      return answer ?? events(request);
    },
  };
}

type Memory = Awaited<ReturnType<typeof openMemory>>;
type Heard = NonNullable<IntegrationOptions['heard']>;
type Link = ReturnType<typeof createLink>;

/** Speaking as the instance: credentials, and the copy of the settings. */
function createLink(inside: Insides, { tenant }: IntegrationOptions, memory: Memory, heard: Heard) {
  const api = createApi(inside);
  const { clock } = inside.settings;
  const sealer = createSealer<string>(inside.settings, `credential of ${tenant.id}`);
  let clockSkew: number | null = null;
  let polling: Promise<void> | undefined;

  /** With the newest credential; with the one before only when that is not known. */
  async function call(path: string, more: ApiCall = {}): Promise<ApiAnswer> {
    const [first, second] = memory.get().credentials;
    if (memory.get().instance === null || first === undefined) return refuse('not_connected', 'not connected');
    const as = (sealed: string) => api(`/instance${path}`, { ...more, bearer: sealer.open(sealed) });
    try {
      return await as(first);
    } catch (error) {
      if (second === undefined || !(error instanceof ModuleError) || error.code !== 'credential_refused') throw error;
      return as(second);
    }
  }

  /** Settings of another connection, or older ones that were under way for longer, are left aside. */
  async function keep(settings: IntegrationSettings): Promise<void> {
    await memory.change((kept) => {
      if (kept.instance !== settings.instance.id) return {};
      const isOlder = kept.settings !== null && settings.version < kept.settings.version;
      return { lastContact: clock(), refusedSince: null, ...(isOlder ? {} : { settings }) };
    });
    heard('settings', { version: settings.version });
  }

  async function pollNow(): Promise<void> {
    await memory.reload();
    const { settings, instance } = memory.get();
    if (instance === null) return;
    try {
      const headers = settings ? { 'if-none-match': `"${settings.version}"` } : undefined;
      const { status, json } = await call('/settings', headers ? { headers } : {});
      if (status !== 304) return await keep(toIntegrationSettings(json));
      await memory.change((kept) => (kept.instance === instance ? { lastContact: clock(), refusedSince: null } : {}));
    } catch (error) {
      if (error instanceof ModuleError && error.code === 'credential_refused') await refusedNow();
      throw error;
    }
  }

  /** The kept settings count for a while: one wrong answer must not open the local form to everybody. */
  async function refusedNow(): Promise<void> {
    const since = memory.get().refusedSince ?? clock();
    if (clock() - since >= REFUSED_MS) return forget('credential_refused');
    heard('credential_refused', { since: new Date(since).toISOString() });
    await memory.change(() => ({ refusedSince: since }));
  }

  async function forget(why: string): Promise<void> {
    heard('disconnected', { why });
    await memory.change(() => NOTHING);
  }

  /** One at a time; who asks during one gets a fresh one after it. */
  function poll(): Promise<void> {
    const again = polling !== undefined;
    polling ??= pollNow().finally(() => {
      polling = undefined;
    });
    return again ? polling.catch(() => undefined).then(() => polling ?? poll()) : polling;
  }

  /** The handshake of section 3, then the settings if they are others. */
  async function greet(): Promise<void> {
    const { instance, settings } = memory.get();
    if (instance === null) return;
    const sentAt = clock();
    const body = { kit: KIT_VERSION, settings_version: settings?.version ?? null, now: new Date(sentAt).toISOString() };
    const answer = await call('/health', { method: 'POST', body }).catch(() => null);
    const theirs = Date.parse(textOf(answer?.json?.now) ?? '');
    if (Number.isFinite(theirs)) clockSkew = Math.round(((sentAt + clock()) / 2 - theirs) / 1000);
    await poll();
  }

  return { api, call, keep, poll, greet, forget, sealCredential: sealer.seal, skew: () => clockSkew };
}

const factsOf = (entry: PendingEntry) =>
  'sub' in entry ? { sub: entry.sub, account: entry.account.id } : { account: entry.account_id };

/** Entries on their way to the provider: kept, tried again, and never waited for. */
function createReports(link: Link, memory: Memory, heard: Heard) {
  let flushing: Promise<void> | undefined;
  let timer: NodeJS.Timeout | undefined;
  let failures = 0;

  async function send(entry: PendingEntry): Promise<void> {
    try {
      await link.call('sub' in entry ? '/entries' : '/emergencies', { method: 'POST', body: entry });
    } catch (error) {
      if (!(error instanceof ModuleError) || error.code !== 'provider_refused') throw error;
      // It will never be taken: linked elsewhere, or gone. Whoever reads the log can mend it.
      heard('entry_refused', { ...factsOf(entry), code: error.problem?.code });
    }
  }

  async function flushNow(): Promise<void> {
    for (let [entry] = memory.get().entries; entry; [entry] = memory.get().entries) {
      const sent = entry;
      await send(sent);
      await memory.change(({ entries }) => ({ entries: entries.filter((it) => it !== sent) }));
    }
  }

  async function flush(): Promise<void> {
    clearTimeout(timer);
    flushing ??= flushNow().finally(() => {
      flushing = undefined;
    });
    try {
      await flushing;
      failures = 0;
    } catch {
      failures += 1;
      timer = setTimeout(() => void flush(), Math.min(POLL_MS, 1000 * 2 ** failures)).unref();
    }
  }

  /** A full disk must not keep anybody out: the entry is then on record alone. */
  async function add(entry: PendingEntry): Promise<void> {
    try {
      await memory.change(({ entries }) => ({ entries: [...entries, entry].slice(-MOST_ENTRIES) }));
      void flush();
    } catch (error) {
      heard('entry_not_kept', { ...factsOf(entry), reason: String(error) });
    }
  }

  return { add, flush, stop: () => clearTimeout(timer) };
}
type Reports = ReturnType<typeof createReports>;

/** Connecting and disconnecting (section 2), and the secrets of both sides. */
function createCeremony(
  inside: Insides,
  { tenant, addresses, accounts, heard = () => {} }: IntegrationOptions,
  { memory, link, reports }: { memory: Memory; link: Link; reports: Reports },
) {
  const { settings, signIn } = inside;
  const { clock, issuer } = settings;
  const hashOf = (token: string) => sha256(token).toString('base64url');
  const announced = (scimToken: string) => ({
    initiate_login_uri: addresses.initiateLogin,
    landing_url: addresses.landing,
    local_login_url: addresses.localLogin,
    events_url: addresses.events,
    ...(addresses.scim ? { scim: { url: addresses.scim, token: scimToken } } : {}),
  });

  /** Good before the provider hears of it, so that its first call is not refused; gone again if it never does. */
  async function newScimToken(): Promise<{ token: string; hash: string }> {
    const token = randomText();
    const hash = hashOf(token);
    const until = clock() + SCIM_OVERLAP_MS;
    await memory.change(({ scimTokens }) => ({
      scimTokens: [{ hash, until }, ...scimTokens.filter((it) => (it.until ?? clock() + 1) > clock())],
    }));
    return { token, hash };
  }

  const startConnect: Integration['startConnect'] = ({ admin, returnTo = '/' }) =>
    signIn.start({ returnTo, connect: { tenant: tenant.id, admin: admin.id } });

  const finishConnect: Integration['finishConnect'] = async ({ params, transaction, admin }) => {
    const { user, tokens, returnTo } = await signIn.complete(
      { params, transaction },
      { tenant: tenant.id, admin: admin.id },
    );
    const { token, hash } = await newScimToken();
    const body = { tenant, admin, ...announced(token) };
    const { json } = await link.api('/instances', { method: 'POST', body, bearer: tokens.accessToken });
    const secret = isRecord(json?.credential) ? textOf(json.credential.secret) : null;
    const instance = isRecord(json?.instance) ? textOf(json.instance.id) : null;
    if (secret === null || instance === null) return refuse('provider_unavailable', 'no credential in the answer');
    await memory.change(() => ({
      ...NOTHING,
      instance,
      credentials: [link.sealCredential(secret)],
      scimTokens: [{ hash, until: null }],
    }));
    heard('connected', { instance, admin: admin.id, sub: user.sub });
    if (isRecord(json?.settings)) await link.keep(toIntegrationSettings(json.settings));
    // Connected is connected: settings that do not come now come with the next poll.
    else await link.poll().catch(() => undefined);
    await linkAdministrator(admin, user);
    return { user, returnTo };
  };

  /** Both sides are proved by now, so the administrator's own accounts belong together (S1). */
  async function linkAdministrator(admin: NamedThing, { sub }: ModuleUser): Promise<void> {
    const own = { issuer, sub };
    const taken = await accounts.matching({ link: own, names: [] });
    const account = await accounts.find(admin.id);
    if (!account?.active || taken.some(({ id }) => id !== admin.id)) return;
    if (account.link?.sub !== sub && !(await accounts.link(admin.id, own))) return;
    const { id, userName, administrator = false } = account;
    await reports.add({ sub, account: { id, user_name: userName, administrator }, created: false });
  }

  const adopt: Integration['adopt'] = async ({ instance, credential, scimToken }) => {
    const scimTokens = scimToken === undefined ? [] : [{ hash: hashOf(scimToken), until: null }];
    await memory.change(() => ({
      ...NOTHING,
      instance,
      credentials: [link.sealCredential(credential)],
      scimTokens,
    }));
    heard('adopted', { instance });
  };

  const disconnect: Integration['disconnect'] = async (acting, { force = false } = {}) => {
    try {
      await link.call('/disconnect', { method: 'POST', body: { acting } });
    } catch (error) {
      const isGone = error instanceof ModuleError && error.code === 'credential_refused';
      if (!force && !isGone) throw error;
    }
    await link.forget('disconnected here');
  };

  const rotateCredential: Integration['rotateCredential'] = async (acting) => {
    await memory.change(() => ({ rotating: true }));
    const { json } = await link.call('/credentials', { method: 'POST', body: { acting } });
    const secret = textOf(isRecord(json?.credential) ? json.credential.secret : json?.secret);
    if (secret === null) return refuse('provider_unavailable', 'no credential in the answer');
    const fresh = link.sealCredential(secret);
    await memory.change(({ credentials }) => ({ credentials: [fresh, ...credentials.slice(0, 1)], rotating: false }));
  };

  const rotateScimToken: Integration['rotateScimToken'] = async (acting) => {
    const { token, hash } = await newScimToken();
    // Whether or not the answer comes, the provider may have the new one: the old one stays good beside it.
    await memory.change(({ scimTokens }) => ({
      scimTokens: scimTokens.map((it) => (it.hash === hash ? { ...it, until: null } : it)),
    }));
    await link.call('/endpoints', { method: 'PUT', body: { ...announced(token), acting } });
    const until = clock() + SCIM_OVERLAP_MS;
    await memory.change(({ scimTokens }) => ({
      scimTokens: scimTokens.map((it) =>
        it.hash === hash ? it : { ...it, until: Math.min(it.until ?? until, until) },
      ),
    }));
  };

  return {
    startConnect,
    finishConnect,
    adopt,
    disconnect,
    rotateCredential,
    rotateScimToken,
    announce: rotateScimToken,
  };
}

/** Section 3, as the pages of an Integration Center call it. */
function createSettingsCalls(memory: Memory, link: Link) {
  const saveSettings: Integration['saveSettings'] = async (input, acting, override = null) => {
    const headers = { 'if-match': `"${memory.get().settings?.version ?? 0}"` };
    const body = { settings: input, acting, override };
    const { json } = await link.call('/settings', { method: 'PUT', body, headers });
    const saved = toIntegrationSettings(json);
    await link.keep(saved);
    return saved;
  };

  const preflight: Integration['preflight'] = async (acting) => {
    const { json } = await link.call('/require/preflight', { method: 'POST', body: { acting } });
    if (!json || !Array.isArray(json.checks)) return refuse('provider_unavailable', 'the pre-flight cannot be read');
    // The provider's words, shown and not acted upon.
    return json as unknown as Preflight;
  };

  const exempt: Integration['exempt'] = async (exception, acting) => {
    await link.call('/exceptions', { method: 'POST', body: { ...exception, acting } });
    await link.poll();
  };

  const endExemption: Integration['endExemption'] = async (id, acting) => {
    await link.call(`/exceptions/${encodeURIComponent(id)}`, { method: 'DELETE', body: { acting } });
    await link.poll();
  };

  const groups: Integration['groups'] = async () => {
    const { json } = await link.call('/groups');
    const list = Array.isArray(json?.groups) ? json.groups : [];
    return list.filter(isRecord).map(({ id, name }) => ({ id: String(id), name: String(name) }));
  };

  return { saveSettings, preflight, exempt, endExemption, groups };
}

type Shared = { memory: Memory; alone: ReturnType<typeof createQueue>; link: Link };
const PROOF_MS = 600_000;

/** Somebody at the door (section 1). */
function createEntry(inside: Insides, options: IntegrationOptions, shared: Shared & { reports: Reports }) {
  const { accounts, heard = () => {} } = options;
  const { memory, alone, reports, link } = shared;
  const { issuer, clock } = inside.settings;
  type Proof = { sub: string; instance: string; until: number };
  const sealer = createSealer<Proof>(inside.settings, `proof of ${options.tenant.id}`);
  /** One at a time for a person, so that two tabs do not make two accounts. */
  const underWay = new Map<string, Promise<unknown>>();

  async function inTurn<T>(sub: string, work: () => Promise<T>): Promise<T> {
    const mine = (underWay.get(sub) ?? Promise.resolve()).catch(() => undefined).then(work);
    underWay.set(sub, mine);
    return mine.finally(() => {
      if (underWay.get(sub) === mine) underWay.delete(sub);
    });
  }

  const refusal = (user: ModuleUser, reason: EntryRefusal): EntryOutcome => {
    heard('entry_refused', { sub: user.sub, reason });
    return { enter: false, reason };
  };

  async function enter({ user }: { user: ModuleUser }): Promise<EntryOutcome> {
    const { instance, settings } = memory.get();
    const { access } = user;
    if (instance === null || settings?.enabled === false) return refusal(user, 'disabled');
    if (access && access.instance !== instance) return refusal(user, 'other_instance');
    if (access && access.settingsVersion !== settings?.version) void link.poll().catch(() => undefined);
    return inTurn(user.sub, () => decide(user, instance));
  }

  async function decide(user: ModuleUser, instance: string, isSecond = false): Promise<EntryOutcome> {
    const rules: EntryRules = { issuer, profile: memory.get().settings?.profile ?? null };
    const known = await accounts.matching({ link: { issuer, sub: user.sub }, names: namesOf(user, rules) });
    const decision = decideAccount(user, known, rules);
    if (decision.outcome === 'refused') return refusal(user, decision.reason);
    if (decision.outcome === 'prove') {
      const proof = sealer.seal({ sub: user.sub, instance, until: clock() + PROOF_MS });
      return { enter: false, reason: 'prove', proof };
    }
    if (decision.outcome === 'enter') return goIn(user, decision);
    try {
      return await arrived(user, await accounts.provision(decision.account), { created: true, isNewLink: true });
    } catch (error) {
      // Made in this very moment by another way, such as SCIM: it is there to be matched now.
      if (isSecond || !(error instanceof AccountRefusal) || error.reason !== 'taken') throw error;
      return decide(user, instance, true);
    }
  }

  async function goIn(
    user: ModuleUser,
    decision: Extract<AccountDecision, { outcome: 'enter' }>,
  ): Promise<EntryOutcome> {
    const { isNewLink, permissions } = decision;
    if (isNewLink && !(await accounts.link(decision.account.id, { issuer, sub: user.sub })))
      return refusal(user, 'linked_elsewhere');
    const account = permissions ? await govern(decision.account, permissions) : decision.account;
    return arrived(user, account, { created: false, isNewLink });
  }

  /** D.7: while access groups are on they decide at each entry, but never take the last administrator's place (C36). */
  async function govern(account: ModuleAccount, permissions: readonly string[]): Promise<ModuleAccount> {
    if (JSON.stringify(account.permissions ?? []) === JSON.stringify(permissions)) return account;
    try {
      return await alone(async () => {
        await guardAdministrator(accounts, account, { permissions });
        return (await accounts.change(account.id, { permissions }, account)) ?? account;
      });
    } catch (error) {
      if (!(error instanceof AccountRefusal)) throw error;
      heard('permissions_kept', { account: account.id, reason: error.reason });
      return account;
    }
  }

  async function arrived(
    { sub }: ModuleUser,
    account: ModuleAccount,
    { created, isNewLink }: { created: boolean; isNewLink: boolean },
  ): Promise<EntryOutcome> {
    const { id, userName, administrator = false } = account;
    const { require, access_groups } = memory.get().settings ?? {};
    // An administrator's entry is what the pre-flight asks for, and what confirms a trial.
    const counts = isNewLink || administrator || require?.state === 'trial';
    if (counts) await reports.add({ sub, account: { id, user_name: userName, administrator }, created });
    heard('entered', { account: id, sub, created, linked: isNewLink, governed: access_groups?.on === true });
    return { enter: true, account, created };
  }

  async function linkByProof(proof: string, accountId: string): Promise<boolean> {
    let proved: Proof;
    try {
      proved = sealer.open(proof);
    } catch {
      return false;
    }
    const account = await accounts.find(accountId);
    const isGood = proved.until > clock() && proved.instance === memory.get().instance && account?.active === true;
    const own = { issuer, sub: proved.sub };
    // One person, one account: a proof that is used again links nothing more.
    const isTaken = (await accounts.matching({ link: own, names: [] })).length > 0;
    if (!isGood || isTaken || !(await accounts.link(accountId, own))) return false;
    const { id, userName, administrator = false } = account;
    await reports.add({ sub: proved.sub, account: { id, user_name: userName, administrator }, created: false });
    return true;
  }

  return { enter, linkByProof };
}

/** The events endpoint (section 5): each event once, and in its order. */
function createEvents(inside: Insides, options: IntegrationOptions, { memory, alone, link }: Shared) {
  const { accounts, addresses, heard = () => {} } = options;
  const { clock, issuer } = inside.settings;
  const seen = createMemory<true>(clock, 50_000);
  const done = createMemory<number>(clock, 50_000);
  const path = addresses.events ? new URL(addresses.events).pathname : null;

  async function suspend(account: ModuleAccount, seq: { eventSeq?: number }): Promise<void> {
    // Sessions end whatever follows: it is the person who may not go on.
    await accounts.endSessions(account.id);
    if (!account.active) return void (await accounts.change(account.id, seq, account));
    await guardAdministrator(accounts, account, { active: false });
    await accounts.change(account.id, { ...suspension(account, false), ...seq }, account);
    await accounts.endSessions(account.id);
  }

  async function doFor(account: ModuleAccount, { kind, seq }: ModuleEvent): Promise<void> {
    const mark = seq === null ? {} : { eventSeq: seq };
    if (kind === 'disabled' || kind === 'purged') return suspend(account, mark);
    if (kind === 'revoked') await accounts.endSessions(account.id);
    const isOurs = kind === 'enabled' && !account.active && account.suspendedBy === 'provider';
    // A session that was born in the moment of the suspension must not wake.
    if (isOurs) await accounts.endSessions(account.id);
    await accounts.change(account.id, { ...(isOurs ? suspension(account, true) : {}), ...mark }, account);
  }

  async function act(event: ModuleEvent): Promise<void> {
    const { kind, sub, seq, instance, until } = event;
    // An event of an earlier connection, or one that this kit does not know, asks nothing of us.
    if (instance !== memory.get().instance || instance === null || kind === null) return;
    heard('event', { kind, sub, seq });
    if (kind === 'settings') return void link.poll().catch(() => undefined);
    if (kind === 'disconnected') return link.forget('disconnected by the provider');
    if (sub === null) return refuseToken('subject', 'no subject');
    const known = await accounts.matching({ link: { issuer, sub }, names: [] });
    const account = known.find((it) => it.link?.sub === sub && it.link.issuer === issuer);
    const last = Math.max(done.get(sub) ?? 0, account?.eventSeq ?? 0);
    if (seq !== null && seq <= last) return;
    if (account) await doFor(account, event);
    if (seq !== null) done.set(sub, seq, until);
  }

  return async (request: ModuleRequest): Promise<ModuleResponse | null> => {
    if (path === null || addressOf(request, addresses.events ?? '').pathname !== path) return null;
    if (request.method !== 'POST') return { status: 405, headers: { allow: 'POST' }, body: '' };
    try {
      const event = await checkEvent(inside, typeof request.body === 'string' ? request.body : '');
      // One that comes again was done, or is being done: it is answered like the first (RFC 8935 2).
      await alone(async () => {
        if (seen.get(event.jti)) return;
        await act(event);
        seen.set(event.jti, true, event.until);
      });
      return { status: 202, headers: { 'cache-control': 'no-store' }, body: '' };
    } catch (error) {
      const reason = error instanceof ModuleError ? (error.reason ?? error.code) : String(error);
      heard('event_refused', { reason });
      return eventFailure(error);
    }
  };
}

/** SCIM for the tokens that this integration has given to the provider, and no others. */
function createScimOf(
  { settings: { clock } }: Insides,
  { addresses, accounts }: IntegrationOptions,
  memory: Memory,
  alone: ReturnType<typeof createQueue>,
): ScimHandler | null {
  if (!addresses.scim) return null;
  const isKnown = (token: string) => {
    const hash = sha256(token).toString('base64url');
    return memory.get().scimTokens.some((it) => (it.until ?? clock() + 1) > clock() && isSame(it.hash, hash));
  };
  return createScim({ url: addresses.scim, accounts, maxCount: 200, isKnown, alone });
}
