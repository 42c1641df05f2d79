/**
 * The module kit: everything a module needs to offer "Log In with KaseyaOne".
 *
 * One file, no dependency but `node:crypto` and the global `fetch`; any web framework on Node 20 or newer can use it.
 *
 *     const kit = createModule({ issuer, clientId, clientSecret, redirectUri, postLogoutRedirectUri, secret });
 *     const handle = kit.handler({ accept: async ({ user }) => ({ enter: true, data: { userId: user.sub } }) });
 *     // in the web server: const answer = await handle(request); if (answer) send(answer); else go on with own pages
 *     // on own pages:      const reading = await kit.sessions.read(request.headers.cookie);
 *
 * Every time is in milliseconds since 1970 and every duration in seconds, unless its name says otherwise.
 * Every failure that a caller can meet is a `ModuleError` with a stable `code`.
 */
import crypto, { type KeyObject } from 'node:crypto';

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
  | 'initiation_refused'; // a request to start signing in that is not from this provider (Core 4)

type FormReason = 'format' | 'header' | 'type' | 'algorithm' | 'key' | 'signature';
type ClaimReason = 'issuer' | 'audience' | 'subject' | 'expired' | 'not_yet_valid' | 'nonce' | 'at_hash' | 'auth_time';
/** Which check a token failed. */
export type TokenReason = FormReason | ClaimReason | 'events' | 'jti' | 'replayed';

type ErrorFacts = { reason?: TokenReason; providerError?: string; cause?: unknown };
const STATUS: Record<string, number> = { provider_unavailable: 503, access_denied: 403, login_required: 401 };

/** The one error type of the kit. `message` and `providerError` never hold a token, a code or a secret. */
export class ModuleError extends Error {
  readonly code: ModuleErrorCode;
  /** The HTTP status that suits a page about it. */ readonly status: number;
  readonly reason: TokenReason | null;
  /** The `error` that the provider sent: printable ASCII, at most 60 characters. */
  readonly providerError: string | null;

  constructor(code: ModuleErrorCode, message: string, more: ErrorFacts = {}) {
    super(message, more.cause === undefined ? undefined : { cause: more.cause });
    this.name = 'ModuleError';
    this.code = code;
    this.status = STATUS[code] ?? (/^(provider|client|configuration)/.test(code) ? 502 : 400);
    this.reason = more.reason ?? null;
    this.providerError = more.providerError ?? null;
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
}

export interface StartedSignIn {
  /** Send the browser here. */ url: string;
  /** Keep this in an HttpOnly cookie of this browser and hand it to `finishSignIn`. */ transaction: string;
  /** The `state` in `url`; helps to name one cookie for each sign-in under way. */ state: string;
}

/** `url`: the address that was called. `params`: its query, or the form that was posted. */
type ProviderAnswer = { url?: string; params?: FormLike; transaction: string | undefined };
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
export type Acceptance = { enter: true; data?: SessionData } | { enter: false; location: string };
export interface HandlerOptions {
  /** Default `/login/start`, `/initiate-login`, `/logout`, `/backchannel-logout`; the callback's is in `redirectUri`. */
  routes?: { start?: string; initiate?: string; logout?: string; backchannelLogout?: string };
  /** Decides at the module's door: finds the account, and what to keep in the session, or where to send the person. */
  accept(arrival: SignIn & { returnTo: string }): Eventually<Acceptance>;
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
  initiateLogin(params: FormLike): Promise<StartedSignIn>;
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
  return {
    ...options,
    secrets,
    clock,
    callback,
    secure,
    scope: options.scope ?? 'openid profile email',
    cookieName: secure ? `__Host-${cookieName}` : cookieName,
    idleMs: (lifetimes.idle ?? 1800) * 1000,
    absoluteMs: (lifetimes.absolute ?? 43_200) * 1000,
    transactionMs: (lifetimes.signIn ?? 1800) * 1000,
    fetch: options.fetch ?? globalThis.fetch,
    once: options.once ?? ((key: string, until: number) => !used.get(key) && used.set(key, true, until)),
    store: options.store ?? createMemoryStore(),
  };
}

// ---------------------------------------------------------------------------------------------------------- sealing
type TransactionText = 'state' | 'nonce' | 'verifier' | 'returnTo';
type Transaction = Record<TransactionText, string> & { startedAt: number; maxAge: number | null };

/** AES-256-GCM, so that the browser that keeps the verifier and the nonce can neither read nor change them. */
function createSealer({ secrets, clientId, issuer }: Settings) {
  const derive = (secret: string) => crypto.hkdfSync('sha256', secret, clientId, `sign-in\n${issuer}`, 32);
  const keys = secrets.map((secret) => Buffer.from(derive(secret)));

  function seal(value: Transaction): string {
    const iv = crypto.randomBytes(12);
    // settle() has made sure that there is a first secret.
    const cipher = crypto.createCipheriv('aes-256-gcm', keys[0] as Buffer, iv);
    const sealed = Buffer.concat([cipher.update(JSON.stringify(value), 'utf8'), cipher.final()]);
    return Buffer.concat([iv, sealed, cipher.getAuthTag()]).toString('base64url');
  }

  function open(text: string): Transaction {
    const bytes = Buffer.from(text.slice(0, 8192), 'base64url');
    for (const key of bytes.length > 28 ? keys : []) {
      const decipher = crypto.createDecipheriv('aes-256-gcm', key, bytes.subarray(0, 12), { authTagLength: 16 });
      decipher.setAuthTag(bytes.subarray(-16));
      try {
        const plain = Buffer.concat([decipher.update(bytes.subarray(12, -16)), decipher.final()]);
        // Only this module can have sealed it, so its shape is known.
        return JSON.parse(plain.toString('utf8')) as Transaction;
      } catch {
        // Sealed with another of the secrets, or not by us.
      }
    }
    refuse('transaction_invalid', 'the transaction was not sealed by this module');
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
const SKEW_SECONDS = 60;
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
  };
}

// ---------------------------------------------------------------------------------------------------------- sign-in
function createSignIn(settings: Settings, provider: Provider) {
  const sealer = createSealer(settings);

  async function start(input: StartSignIn = {}): Promise<StartedSignIn> {
    const [state, nonce, verifier] = [randomText(), randomText(), randomText()];
    const url = withParams(await provider.endpoint('authorization_endpoint'), {
      client_id: settings.clientId,
      redirect_uri: settings.redirectUri,
      response_type: 'code',
      response_mode: settings.responseMode,
      scope: settings.scope,
      state,
      nonce,
      code_challenge: sha256(verifier).toString('base64url'),
      code_challenge_method: 'S256',
      login_hint: input.loginHint,
      prompt: input.prompt,
      max_age: input.maxAge?.toString(),
      acr_values: input.acrValues?.join(' '),
      ui_locales: input.uiLocales?.join(' '),
    });
    // prompt=login promises a fresh login, so the answer is held to it like a max_age of nought.
    const maxAge = input.prompt === 'login' ? 0 : (input.maxAge ?? null);
    const returnTo = localPath(input.returnTo);
    const transaction = sealer.seal({ state, nonce, verifier, returnTo, startedAt: settings.clock(), maxAge });
    return { url, transaction, state };
  }

  async function finish(input: ProviderAnswer) {
    const params = input.url ? new URL(input.url, settings.callback).searchParams : toParams(input.params ?? '');
    if (!input.transaction) refuse('transaction_missing', 'no transaction came with the answer');
    const transaction = sealer.open(input.transaction);
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
    return { ...(await redeem(code, transaction)), returnTo: transaction.returnTo };
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
    // Measured from the start of the sign-in, since that is when the module asked.
    const since = maxAge === null ? null : startedAt / 1000 - maxAge - SKEW_SECONDS;
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
  async function initiate(form: FormLike): Promise<StartedSignIn> {
    const params = toParams(form);
    const { issuer, callback } = settings;
    if (single(params, 'iss') !== issuer) refuse('initiation_refused', 'iss is not the provider of this module');
    const target = single(params, 'target_link_uri') ?? '/';
    const returnTo = target.startsWith(`${callback.origin}/`) ? target.slice(callback.origin.length) : target;
    return start({ returnTo, loginHint: single(params, 'login_hint') ?? '' });
  }

  return { public: { startSignIn: start, finishSignIn: finish, initiateLogin: initiate }, renew };
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
function createHandler(settings: Settings, kit: Omit<LoginModule, 'handler'>, options: HandlerOptions) {
  const { secure, callback, cookieName, transactionMs, responseMode } = settings;
  const { loggedOut = '/', failed = ({ code }: ModuleError) => `/?sign_in_error=${code}`, routes: at = {} } = options;
  // A posted answer comes from another site, where SameSite=Lax keeps cookies back.
  const sameSite = responseMode === 'form_post' && secure ? 'None' : 'Lax';
  const prefix = `${cookieName}_signin_`;
  const nameOf = (state: string) => prefix + state.replace(/[^\w-]/g, '').slice(0, 8);
  const forget = (name: string) => buildCookie(name, '', { secure, maxAge: 0, sameSite });
  const answer = (status: number, headers: ModuleResponse['headers'], body = ''): ModuleResponse => {
    const always = { 'cache-control': 'no-store', 'referrer-policy': 'no-referrer' };
    return { status, headers: { ...always, ...headers }, body };
  };
  const redirect = (location: string, cookies: string[] = []) => answer(303, { location, 'set-cookie': cookies });
  const headerOf = ({ headers }: ModuleRequest, name: string) => [headers[name] ?? []].flat().join('; ');
  const paramsOf = ({ method, body, url }: ModuleRequest) =>
    method === 'POST' ? toParams(body ?? '') : new URL(url, callback).searchParams;

  /** One cookie for each sign-in under way, so that two tabs do not disturb each other; a few, not a heap. */
  function leave(request: ModuleRequest, { url, transaction, state }: StartedSignIn): ModuleResponse {
    const names = [...parseCookies(headerOf(request, 'cookie')).keys()].filter((name) => name.startsWith(prefix));
    const cookie = buildCookie(nameOf(state), transaction, { secure, maxAge: transactionMs / 1000, sameSite });
    return redirect(url, [...names.slice(0, -4).map(forget), cookie]);
  }

  const start = async (request: ModuleRequest) =>
    leave(request, await kit.startSignIn({ returnTo: paramsOf(request).get('return_to') ?? '/' }));
  const initiate = async (request: ModuleRequest) => leave(request, await kit.initiateLogin(paramsOf(request)));

  async function arrive(request: ModuleRequest): Promise<ModuleResponse> {
    const params = paramsOf(request);
    const name = nameOf(params.get('state') ?? '');
    const replaces = headerOf(request, 'cookie');
    const arrival = await kit.finishSignIn({ params, transaction: parseCookies(replaces).get(name) });
    const acceptance = await options.accept(arrival);
    if (!acceptance.enter) return redirect(localPath(acceptance.location), [forget(name)]);
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
    const route = routes.get(new URL(request.url, callback).pathname);
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
  return { ...kit, handler: (handlerOptions) => createHandler(settings, kit, handlerOptions) };
}
