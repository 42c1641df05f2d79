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
import {
  createCipheriv,
  createDecipheriv,
  createHash,
  createPublicKey,
  hkdfSync,
  type KeyObject,
  randomBytes,
  timingSafeEqual,
  verify,
} from 'node:crypto';

// ---------------------------------------------------------------------------------------------------------- errors

/** What went wrong, for code; the English sentence in `message` is for logs and may change. */
export type ModuleErrorCode =
  | 'configuration' // the options of `createModule` cannot work; the message says which
  | 'provider_unavailable' // no answer, 5xx, or nothing that can be read: try again later
  | 'provider_metadata' // the metadata belong to another issuer or lack an endpoint (Discovery 4.3)
  | 'transaction_missing' // no transaction came with the answer: cookies off, or another browser
  | 'transaction_invalid' // the transaction was not sealed by this module
  | 'transaction_expired' // signing in took longer than `transactionSeconds`
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

const STATUS: Partial<Record<ModuleErrorCode, number>> = {
  configuration: 500,
  provider_unavailable: 503,
  provider_metadata: 502,
  provider_error: 502,
  client_refused: 502,
  access_denied: 403,
  login_required: 401,
};

/** The one error type of the kit. `message` and `providerError` never hold a token, a code or a secret. */
export class ModuleError extends Error {
  readonly code: ModuleErrorCode;
  /** The HTTP status that suits a page about it. */
  readonly status: number;
  readonly reason: TokenReason | null;
  /** The `error` that the provider sent: printable ASCII, at most 60 characters. */
  readonly providerError: string | null;

  constructor(
    code: ModuleErrorCode,
    message: string,
    more: { reason?: TokenReason; providerError?: string; cause?: unknown } = {},
  ) {
    super(message, more.cause === undefined ? undefined : { cause: more.cause });
    this.name = 'ModuleError';
    this.code = code;
    this.status = STATUS[code] ?? 400;
    this.reason = more.reason ?? null;
    this.providerError = more.providerError ?? null;
  }
}

function refuseToken(reason: TokenReason, message: string): never {
  throw new ModuleError('token_invalid', message, { reason });
}

// ------------------------------------------------------------------------------------------------ shapes of the API

export interface ModuleOptions {
  /** The provider's issuer, exactly as its metadata says it. https, or http on this machine. */
  issuer: string;
  clientId: string;
  /** Absent: a public client, which PKCE alone protects. Sent by `client_secret_basic`. */
  clientSecret?: string;
  /** Where the provider sends the browser back to; its origin is the module's origin. */
  redirectUri: string;
  /** Where the provider sends the browser after logging out (RP-Initiated Logout 2). */
  postLogoutRedirectUri?: string;
  /** Seals transactions; at least 32 characters. A list rotates: the first seals, all open. */
  secret: string | readonly string[];
  /** Default `openid profile email`. Add `offline_access` where the provider wants it for refresh tokens. */
  scope?: string;
  /** How the answer comes: in the query (default), or as a posted form, which needs https or one machine. */
  responseMode?: 'query' | 'form_post';
  /** Where local sessions live. Default: `createMemoryStore()`. */
  store?: SessionStore;
  /** Remembers what may be used once. Default: `createReplayGuard()`; share one between processes. */
  replay?: ReplayGuard;
  /** Name of the session cookie without `__Host-`, unique per host name since ports share cookies. */
  cookieName?: string;
  /** A local session ends after so long without a request. Default 1,800. */
  idleSeconds?: number;
  /** A local session ends after so long in any case. Default 43,200. */
  absoluteSeconds?: number;
  /** How long a person may take to sign in. Default 1,800, since a first sign-in enrols a second factor. */
  transactionSeconds?: number;
  /** Allows plain http between machines; only for a closed test network. */
  allowHttp?: boolean;
  clock?: () => number;
  fetch?: typeof globalThis.fetch;
}

/** Who signed in, by the ID token, and by userinfo where the provider keeps claims there. Absent claims are null. */
export interface ModuleUser {
  /** Stable and unique at the issuer: the one thing to store as a link. */
  readonly sub: string;
  readonly email: string | null;
  /** Never match an account by an unverified address. */
  readonly emailVerified: boolean;
  readonly name: string | null;
  readonly givenName: string | null;
  readonly familyName: string | null;
  readonly preferredUsername: string | null;
  /** IANA name such as `Europe/Berlin`. */
  readonly zoneinfo: string | null;
  readonly companyId: string | null;
  /** Root Admin, Admin, Billing and Purchasing, User or Co-Managed User. */
  readonly companyRole: string | null;
  /** Access groups that are linked to this module. */
  readonly groups: readonly string[];
  /** How the person proved who they are, such as `['pwd', 'otp']` (RFC 8176). */
  readonly amr: readonly string[];
  readonly acr: string | null;
  readonly authTime: number | null;
  /** The provider's session, which a logout token names. */
  readonly sid: string | null;
}

export interface ModuleTokens {
  readonly accessToken: string;
  readonly expiresAt: number | null;
  readonly refreshToken: string | null;
  readonly idToken: string;
  readonly scope: string | null;
}

export interface StartSignIn {
  /** A path of this module to come back to; anything else becomes `/`. */
  returnTo?: string;
  loginHint?: string;
  prompt?: 'none' | 'login' | 'select_account' | 'consent';
  /** The person must have proved who they are at most so many seconds ago. */
  maxAge?: number;
  /** A wish, not a demand: read `user.acr` afterwards (Core 5.5.1.1). */
  acrValues?: readonly string[];
  uiLocales?: readonly string[];
}

export interface StartedSignIn {
  /** Send the browser here. */
  url: string;
  /** Keep this in an HttpOnly cookie of this browser and hand it to `finishSignIn`. */
  transaction: string;
  /** The `state` in `url`; helps to name one cookie for each sign-in under way. */
  state: string;
}

export interface SignIn {
  user: ModuleUser;
  tokens: ModuleTokens;
}

/** A form or a query: as it came, parsed, or as most frameworks parse it. */
export type FormLike = string | URLSearchParams | Readonly<Record<string, unknown>>;
/** What the module itself keeps in a session, such as its own user id. Plain JSON. */
export type SessionData = Readonly<Record<string, unknown>>;

export interface ModuleSession {
  /** SHA-256 of the cookie's value: a stolen store opens no session. */
  readonly id: string;
  /** Null in a session that began with the module's own login form. */
  readonly user: ModuleUser | null;
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
  /** Ends the sessions with this `user.sid`, and answers their ids. */
  deleteBySid(sid: string): Eventually<string[]>;
  /** Ends the sessions with this `user.sub`, and answers their ids. */
  deleteBySub(sub: string): Eventually<string[]>;
  /** Runs `work` alone for this session among all processes; needed only when several share the store. */
  exclusive?<T>(id: string, work: () => Promise<T>): Promise<T>;
}

export interface ReplayGuard {
  /** True for the first caller with this key, false for each later one until `until`. Must be atomic. */
  claim(key: string, until: number): Eventually<boolean>;
  /** Gives a claimed key back, because the work behind it failed. */
  release(key: string): Eventually<void>;
}

/** Too long without a request, too old, ended by the provider, or not known (any more). */
export type EndReason = 'idle' | 'expired' | 'provider' | 'unknown';
/** What the session cookie of a request stands for. */
export type SessionReading =
  | { state: 'none' }
  | { state: 'live'; session: ModuleSession }
  | { state: 'ended'; reason: EndReason };

export interface Sessions {
  /**
   * Begins a session under a new id and ends the one in `replaces`, a Cookie header (no fixation, WEB-02).
   * Without `signIn` it is a session of the module's own login form.
   * Throws `grant_refused` when the provider has ended that sign-in in the meantime.
   */
  open(input: {
    signIn?: SignIn;
    data?: SessionData;
    replaces?: string | undefined;
  }): Promise<{ session: ModuleSession; setCookie: string }>;
  /** Reads the session of a Cookie header and counts as activity. */
  read(cookieHeader: string | null | undefined): Promise<SessionReading>;
  /**
   * Renews the tokens with the refresh token when the access token has run out; one call at a time a session.
   * When the provider refuses (`invalid_grant`), the session ends here too.
   * Throws `provider_unavailable` when the provider cannot be asked; the session then lives on unchanged.
   */
  freshen(session: ModuleSession): Promise<SessionReading>;
  end(session: ModuleSession): Promise<void>;
  /** The Set-Cookie value that takes the session cookie out of the browser. */
  readonly clearCookie: string;
}

/** What to answer to a logout request, and for the log: which sessions ended, or why it was refused. */
export interface LogoutAnswer {
  status: 200 | 400;
  headers: Record<string, string>;
  body: string;
  ended: string[];
  error: ModuleError | null;
}

export interface ModuleRequest {
  method: string;
  /** Path and query, or the whole address. */
  url: string;
  headers: { get(name: string): string | null } | Readonly<Record<string, string | string[] | undefined>>;
  body?: FormLike | undefined;
}

export interface ModuleResponse {
  status: number;
  headers: Record<string, string | string[]>;
  body: string;
}

export interface HandlerOptions {
  /** Default `/login/start`, `/initiate-login`, `/logout`, `/backchannel-logout`; the callback's is in `redirectUri`. */
  routes?: { start?: string; initiate?: string; logout?: string; backchannelLogout?: string };
  /** Decides at the module's door: finds the account, and what to keep in the session, or where to send the person. */
  accept(arrival: SignIn & { returnTo: string }): Eventually<Acceptance>;
  /** The local path to show a failure; default `/?sign_in_error=<code>`. */
  failed?(error: ModuleError): string;
  /** The local path after a logout that ends here; default `/`. */
  loggedOut?: string;
  /** Hears of each logout token, for the log. */
  heardLogout?(answer: LogoutAnswer): void;
}

export type Acceptance = { enter: true; data?: SessionData } | { enter: false; location: string };

export interface LoginModule {
  /** Throws `provider_unavailable`, `provider_metadata`. */
  startSignIn(input?: StartSignIn): Promise<StartedSignIn>;
  /** Takes the address that was called or the form that was posted. `returnTo` is always a path of this module. */
  finishSignIn(input: {
    url?: string;
    params?: FormLike;
    transaction: string | undefined;
  }): Promise<SignIn & { returnTo: string }>;
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

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function textOf(value: unknown): string | null {
  return typeof value === 'string' && value !== '' ? value : null;
}

function textsOf(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((item) => typeof item === 'string') : [];
}

const sha256 = (text: string) => createHash('sha256').update(text).digest();
const randomText = () => randomBytes(32).toString('base64url');

/** Compares in a time that tells nothing of where two texts differ. */
function isSame(one: string, other: string): boolean {
  return timingSafeEqual(sha256(one), sha256(other));
}

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

/** RFC 6749 3.1: a parameter must not come twice. */
function single(params: URLSearchParams, name: string): string | undefined {
  const values = params.getAll(name);
  if (values.length > 1) throw new ModuleError('response_invalid', `the parameter ${name} came more than once`);
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
  // A path such as /./ /evil is normalised first, so what the browser will see is judged, not what was written.
  if (url?.origin !== 'http://a.invalid' || url.pathname.startsWith('//')) return fallback;
  return url.pathname + url.search + url.hash;
}

// --------------------------------------------------------------------------------------------------------- cookies

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

/** A Set-Cookie value: HttpOnly, Path=/, SameSite=Lax unless said otherwise. `maxAge` 0 takes the cookie away. */
export function buildCookie(
  name: string,
  value: string,
  more: { secure: boolean; maxAge?: number; sameSite?: 'Lax' | 'None' },
): string {
  const parts = [`${name}=${value}`, 'Path=/', 'HttpOnly', `SameSite=${more.sameSite ?? 'Lax'}`];
  if (more.secure) parts.push('Secure');
  if (more.maxAge !== undefined) parts.push(`Max-Age=${more.maxAge}`);
  return parts.join('; ');
}

// ---------------------------------------------------------------------------------------------------------- options

type Settings = ReturnType<typeof settle>;

function misconfigured(message: string): never {
  throw new ModuleError('configuration', message);
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host.endsWith('.localhost') || host === '[::1]' || /^127(\.\d{1,3}){3}$/.test(host);
}

function checkUrl(name: string, value: string, allowHttp: boolean): URL {
  if (!URL.canParse(value)) return misconfigured(`${name} is not an absolute URL`);
  const url = new URL(value);
  const isPlain = url.protocol === 'http:' && (allowHttp || isLoopback(url.hostname));
  if (url.protocol !== 'https:' && !isPlain) misconfigured(`${name} must be https`);
  if (url.username || url.password || url.hash) misconfigured(`${name} must have no user, password or fragment`);
  return url;
}

function settle(options: ModuleOptions) {
  const { allowHttp = false, cookieName = 'module_session', clock = Date.now } = options;
  const secrets = typeof options.secret === 'string' ? [options.secret] : options.secret;
  if (!secrets.length || secrets.some(({ length }) => length < 32)) misconfigured('secret is under 32 characters');
  if (!options.clientId) misconfigured('clientId is empty');
  if (checkUrl('issuer', options.issuer, allowHttp).search) misconfigured('issuer must have no query');
  if (options.postLogoutRedirectUri) checkUrl('postLogoutRedirectUri', options.postLogoutRedirectUri, allowHttp);
  const callback = checkUrl('redirectUri', options.redirectUri, allowHttp);
  const secure = callback.protocol === 'https:';
  if (!/^[A-Za-z0-9_-]{1,64}$/.test(cookieName)) misconfigured('cookieName may have letters, digits, - and _ only');
  return {
    ...options,
    secrets,
    clock,
    callback,
    secure,
    scope: options.scope ?? 'openid profile email',
    cookieName: secure ? `__Host-${cookieName}` : cookieName,
    idleMs: (options.idleSeconds ?? 1800) * 1000,
    absoluteMs: (options.absoluteSeconds ?? 43_200) * 1000,
    transactionMs: (options.transactionSeconds ?? 1800) * 1000,
    fetch: options.fetch ?? globalThis.fetch,
    replay: options.replay ?? createReplayGuard({ clock }),
    store: options.store ?? createMemoryStore(),
  };
}

// ---------------------------------------------------------------------------------------------------------- sealing

interface Transaction {
  state: string;
  nonce: string;
  verifier: string;
  returnTo: string;
  startedAt: number;
  maxAge: number | null;
}

/** AES-256-GCM, so that the browser that keeps the verifier and the nonce can neither read nor change them. */
function createSealer({ secrets, clientId, issuer }: Settings) {
  const keys = secrets.map((secret) => Buffer.from(hkdfSync('sha256', secret, clientId, `sign-in\n${issuer}`, 32)));

  function seal(value: Transaction): string {
    const iv = randomBytes(12);
    // settle() has made sure that there is a first secret.
    const cipher = createCipheriv('aes-256-gcm', keys[0] as Buffer, iv);
    const sealed = Buffer.concat([cipher.update(JSON.stringify(value), 'utf8'), cipher.final()]);
    return Buffer.concat([iv, sealed, cipher.getAuthTag()]).toString('base64url');
  }

  function open(text: string): Transaction {
    const bytes = Buffer.from(text.slice(0, 8192), 'base64url');
    for (const key of bytes.length > 28 ? keys : []) {
      const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, 12), { authTagLength: 16 });
      decipher.setAuthTag(bytes.subarray(-16));
      try {
        const plain = Buffer.concat([decipher.update(bytes.subarray(12, -16)), decipher.final()]);
        // Only this module can have sealed it, so its shape is known.
        return JSON.parse(plain.toString('utf8')) as Transaction;
      } catch {
        // Sealed with another of the secrets, or not by us.
      }
    }
    throw new ModuleError('transaction_invalid', 'the transaction was not sealed by this module');
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
    },
    delete: (key: string) => void entries.delete(key),
  };
}

/** The replay guard of one process. */
export function createReplayGuard({ clock = Date.now, limit = 10_000 } = {}): ReplayGuard {
  const used = createMemory<true>(clock, limit);
  return {
    claim(key, until) {
      if (used.get(key)) return false;
      used.set(key, true, until);
      return true;
    },
    release: (key) => used.delete(key),
  };
}

// --------------------------------------------------------------------------------------------------------- provider

const HOUR_MS = 3_600_000;
const RETRY_MS = 10_000;
const CALL_MS = 5000;
const MAX_ANSWER_BYTES = 1_000_000;

/** A document of the provider: loaded when first needed, one load at a time, kept when a later load fails. */
function createDocument<T>(clock: () => number, load: () => Promise<T>, freshMs: number, staleMs: number) {
  let current: { value: T; at: number } | undefined;
  let triedAt = Number.NEGATIVE_INFINITY;
  let running: Promise<T> | undefined;

  async function reload(): Promise<T> {
    triedAt = clock();
    try {
      const value = await load();
      current = { value, at: clock() };
      return value;
    } finally {
      running = undefined;
    }
  }

  function renewed(): Promise<T> {
    running ??= reload();
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
      return { status: response.status, json: parseJson(await readCapped(response)) };
    } catch (cause) {
      throw new ModuleError('provider_unavailable', `no answer from ${new URL(url).origin}`, { cause });
    }
  }

  async function getJson(url: string, headers: Record<string, string> = {}): Promise<Claims> {
    const { status, json } = await call(url, { headers: { accept: 'application/json', ...headers } });
    if (status === 200 && json) return json;
    throw new ModuleError('provider_unavailable', `${new URL(url).pathname} answered ${status}`);
  }

  async function loadMetadata(): Promise<Claims> {
    const json = await getJson(`${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`);
    if (json.issuer === issuer) return json;
    // OpenID Connect Discovery 4.3: exactly the issuer that was asked, or another provider poses as this one.
    throw new ModuleError('provider_metadata', 'the metadata name another issuer than the configured one');
  }

  /** The address under that name in the metadata; null when there is none, or when https would lead to plain http. */
  async function findEndpoint(name: string): Promise<string | null> {
    const url = textOf((await metadata.get())[name]);
    if (url === null || !URL.canParse(url)) return null;
    const { protocol } = new URL(url);
    return protocol === 'https:' || (protocol === 'http:' && issuer.startsWith('http:')) ? url : null;
  }

  async function endpoint(name: string): Promise<string> {
    const url = await findEndpoint(name);
    if (url !== null) return url;
    throw new ModuleError('provider_metadata', `the metadata have no usable ${name}`);
  }

  /** RFC 6749 2.3.1: both parts are form-encoded before they are joined. */
  function authorization(secret: string): string {
    const encode = (text: string) => new URLSearchParams([['', text]]).toString().slice(1);
    return `Basic ${Buffer.from(`${encode(clientId)}:${encode(secret)}`).toString('base64')}`;
  }

  async function requestTokens(params: Record<string, string>) {
    const body = new URLSearchParams(params);
    const headers = new Headers({ accept: 'application/json', 'content-type': 'application/x-www-form-urlencoded' });
    if (clientSecret === undefined) body.set('client_id', clientId);
    else headers.set('authorization', authorization(clientSecret));
    const { status, json } = await call(await endpoint('token_endpoint'), { method: 'POST', headers, body });
    if (status === 200 && json) return toTokens(json, clock());
    if (status < 500 && status !== 429 && json) throw tokenError(json);
    throw new ModuleError('provider_unavailable', `the token endpoint answered ${status}`);
  }

  const metadata = createDocument(clock, loadMetadata, HOUR_MS, 24 * HOUR_MS);
  const loadKeys = async () => importKeys(await getJson(await endpoint('jwks_uri')));
  const keys = createDocument(clock, loadKeys, HOUR_MS / 6, HOUR_MS);
  return { metadata, keys, endpoint, findEndpoint, getJson, requestTokens };
}

async function readCapped(response: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of response.body ?? []) {
    size += chunk.byteLength;
    if (size > MAX_ANSWER_BYTES) throw new Error('the answer is too long');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function providerErrorOf(value: unknown): string {
  return (textOf(value) ?? 'unknown').replace(/[^\x21-\x7e]/g, '?').slice(0, 60);
}

function tokenError(json: Claims): ModuleError {
  const providerError = providerErrorOf(json.error);
  const isClient = providerError === 'invalid_client' || providerError === 'unauthorized_client';
  const code = providerError === 'invalid_grant' ? 'grant_refused' : isClient ? 'client_refused' : 'provider_error';
  return new ModuleError(code, `the token endpoint answered ${providerError}`, { providerError });
}

function toTokens(json: Claims, now: number) {
  const accessToken = textOf(json.access_token);
  if (accessToken === null || textOf(json.token_type)?.toLowerCase() !== 'bearer') {
    throw new ModuleError('provider_error', 'the token endpoint answered without a bearer token');
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
const ALGORITHMS = new Map([...['RS256', 'ES256', 'EdDSA'].map((name) => [name, name] as const), ['Ed25519', 'EdDSA']]);
const ALGORITHM_OF_KEY = new Map([
  ['RSA', 'RS256'],
  ['EC P-256', 'ES256'],
  ['OKP Ed25519', 'EdDSA'],
]);

interface VerificationKey {
  readonly kid: unknown;
  /** A key belongs to one algorithm, whatever a token claims: no RS256 key can ever check an HS256 (OAU-20). */
  readonly algorithm: string;
  readonly key: KeyObject;
}

function importKeys(jwks: Claims): VerificationKey[] {
  const list: unknown[] = Array.isArray(jwks.keys) ? jwks.keys : [];
  return list.flatMap((jwk) => (isRecord(jwk) ? importKey(jwk) : []));
}

function importKey(jwk: Record<string, unknown>): VerificationKey[] {
  const algorithm = ALGORITHM_OF_KEY.get([jwk.kty, jwk.crv].filter(Boolean).join(' '));
  if (!algorithm || (jwk.use !== undefined && jwk.use !== 'sig')) return [];
  if (jwk.alg !== undefined && ALGORITHMS.get(String(jwk.alg)) !== algorithm) return [];
  try {
    const key = createPublicKey({ key: jwk, format: 'jwk' });
    const isWeak = algorithm === 'RS256' && (key.asymmetricKeyDetails?.modulusLength ?? 0) < 2048;
    return isWeak ? [] : [{ kid: jwk.kid, algorithm, key }];
  } catch {
    // A key that this Node cannot read checks nothing; the others go on.
    return [];
  }
}

function isSigned(data: Buffer, signature: Buffer, { algorithm, key }: VerificationKey): boolean {
  const hash = algorithm === 'EdDSA' ? null : 'sha256';
  return verify(hash, data, algorithm === 'ES256' ? { key, dsaEncoding: 'ieee-p1363' } : key, signature);
}

/** Strict: base64url has one spelling for each value, so a token cannot be respelled and still be good. */
function decodePart(text: string): Buffer {
  const bytes = Buffer.from(text, 'base64url');
  return text !== '' && bytes.toString('base64url') === text ? bytes : refuseToken('format', 'not base64url');
}

function decodeJson(text: string): Record<string, unknown> {
  return parseJson(decodePart(text).toString('utf8')) ?? refuseToken('format', 'not a JSON object');
}

/** Checks form, header, key and signature (RFC 7515, RFC 8725); the claims are checked by the callers. */
async function checkSignature(provider: Provider, token: string, types: readonly unknown[]) {
  const [head, body, tail, more] = token.length > MAX_TOKEN_LENGTH ? [] : token.split('.');
  if (!head || !body || !tail || more !== undefined) return refuseToken('format', 'not a signed token');
  const header = decodeJson(head);
  const algorithm = ALGORITHMS.get(String(header.alg)) ?? refuseToken('algorithm', 'the algorithm is not allowed');
  // A token must not bring its own key, nor say where to find one, nor ask for what we do not know (OAU-20).
  for (const name of ['jwk', 'jku', 'x5u', 'x5c', 'crit', 'b64', 'zip', 'enc']) {
    if (header[name] !== undefined) refuseToken('header', `the header has ${name}`);
  }
  const type = typeof header.typ === 'string' ? header.typ.toLowerCase() : header.typ;
  if (!types.includes(type)) refuseToken('type', 'a token of another type');
  const key = await findKey(provider, header.kid, algorithm);
  if (!isSigned(Buffer.from(`${head}.${body}`), decodePart(tail), key)) refuseToken('signature', 'wrong signature');
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

interface IdTokenExpectation {
  /** Null on renewal of a token that had none. */
  nonce: string | null;
  accessToken: string;
  /** A moment before which signing in does not count; null when no `max_age` was asked. */
  authenticatedSince: number | null;
}

async function checkIdToken(settings: Settings, provider: Provider, token: string, expected: IdTokenExpectation) {
  const { claims, algorithm } = await checkSignature(provider, token, [undefined, 'jwt']);
  checkIssuedToUs(claims, settings);
  const sub = textOf(claims.sub) ?? refuseToken('subject', 'no sub');
  // A logout token must never pass for an ID token (Back-Channel Logout 2.4), even one without its typ.
  if (claims.events !== undefined) refuseToken('type', 'a token about an event');
  if (!isSame(textOf(claims.nonce) ?? '', expected.nonce ?? '')) refuseToken('nonce', 'issued for another sign-in');
  if (claims.at_hash !== undefined && claims.at_hash !== accessTokenHash(expected.accessToken, algorithm)) {
    refuseToken('at_hash', 'issued beside another access token');
  }
  const since = expected.authenticatedSince;
  if (since !== null && !(Number(claims.auth_time) >= since / 1000 - SKEW_SECONDS)) {
    refuseToken('auth_time', 'the person proved who they are too long ago');
  }
  return { ...claims, sub };
}

/** Core 3.1.3.6: the left half of the hash that belongs to the signature's algorithm. */
function accessTokenHash(accessToken: string, algorithm: string): string {
  const hash = createHash(algorithm === 'EdDSA' ? 'sha512' : 'sha256')
    .update(accessToken)
    .digest();
  return hash.subarray(0, hash.length / 2).toString('base64url');
}

function toUser(claims: Claims & { sub: string }): ModuleUser {
  return {
    sub: claims.sub,
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
    const url = new URL(await provider.endpoint('authorization_endpoint'));
    const params: Record<string, string | undefined> = {
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
    };
    for (const [name, value] of Object.entries(params)) if (value) url.searchParams.set(name, value);
    // prompt=login promises a fresh login, so the answer is held to it like a max_age of nought.
    const maxAge = input.prompt === 'login' ? 0 : (input.maxAge ?? null);
    const returnTo = localPath(input.returnTo);
    const transaction = sealer.seal({ state, nonce, verifier, returnTo, startedAt: settings.clock(), maxAge });
    return { url: url.href, transaction, state };
  }

  async function finish(input: { url?: string; params?: FormLike; transaction: string | undefined }) {
    const params = input.url ? new URL(input.url, settings.callback).searchParams : toParams(input.params ?? '');
    if (!input.transaction) throw new ModuleError('transaction_missing', 'no transaction came with the answer');
    const transaction = sealer.open(input.transaction);
    const expiresAt = transaction.startedAt + settings.transactionMs;
    if (!isSame(single(params, 'state') ?? '', transaction.state)) {
      throw new ModuleError('state_mismatch', 'the answer belongs to another sign-in');
    }
    if (settings.clock() >= expiresAt) throw new ModuleError('transaction_expired', 'signing in took too long');
    await checkIssuer(params);
    const error = single(params, 'error');
    if (error !== undefined) throw authorizationError(error);
    const code = single(params, 'code');
    if (!code) throw new ModuleError('response_invalid', 'the answer has no code');
    if (!(await settings.replay.claim(`state ${transaction.state}`, expiresAt))) {
      throw new ModuleError('transaction_used', 'this answer was used before');
    }
    return { ...(await redeem(code, transaction)), returnTo: transaction.returnTo };
  }

  /** RFC 9207 2.4: for error answers too, and absent only where the provider does not promise it. */
  async function checkIssuer(params: URLSearchParams): Promise<void> {
    const iss = single(params, 'iss');
    const isPromised = (await provider.metadata.get()).authorization_response_iss_parameter_supported === true;
    if (iss === undefined ? isPromised : iss !== settings.issuer) {
      throw new ModuleError('issuer_mismatch', 'the answer comes from another provider');
    }
  }

  async function redeem(code: string, { verifier, nonce, maxAge, startedAt }: Transaction): Promise<SignIn> {
    const { idToken, ...tokens } = await provider.requestTokens({
      grant_type: 'authorization_code',
      code,
      redirect_uri: settings.redirectUri,
      code_verifier: verifier,
    });
    if (idToken === null) throw new ModuleError('provider_error', 'the token endpoint answered without an ID token');
    const authenticatedSince = maxAge === null ? null : startedAt - maxAge * 1000;
    const expected = { nonce, accessToken: tokens.accessToken, authenticatedSince };
    const claims = await checkIdToken(settings, provider, idToken, expected);
    return { user: await readUser(claims, tokens.accessToken), tokens: { ...tokens, idToken } };
  }

  /** Asks userinfo only when the provider keeps the address out of the ID token (Core 5.4). */
  async function readUser(claims: Claims & { sub: string }, accessToken: string): Promise<ModuleUser> {
    const url = await provider.findEndpoint('userinfo_endpoint');
    if (url === null || claims.email !== undefined || !settings.scope.split(' ').includes('email'))
      return toUser(claims);
    const more = await provider.getJson(url, { authorization: `Bearer ${accessToken}` });
    // Core 5.3.2: without this check a swapped access token would swap the person.
    if (more.sub !== claims.sub) return refuseToken('subject', 'userinfo speaks of another person');
    return toUser({ ...more, ...claims });
  }

  /** Core 12.2. The new tokens are kept even when the keys cannot be had just now, since the old ones are spent. */
  async function renew(user: ModuleUser, before: ModuleTokens, refreshToken: string): Promise<SignIn> {
    const { idToken, ...fresh } = await provider.requestTokens({
      grant_type: 'refresh_token',
      refresh_token: refreshToken,
    });
    const tokens = { ...before, ...fresh, refreshToken: fresh.refreshToken ?? refreshToken };
    if (idToken === null) return { user, tokens };
    // The token was checked when it came; only its nonce is read again.
    const nonce = textOf(decodeJson(before.idToken.split('.')[1] ?? '').nonce);
    const expected = { nonce, accessToken: tokens.accessToken, authenticatedSince: null };
    try {
      const claims = await checkIdToken(settings, provider, idToken, expected);
      if (claims.sub !== user.sub) refuseToken('subject', 'renewed for another person');
      const { sid, amr, acr, authTime } = user;
      const now = await readUser(claims, tokens.accessToken);
      const kept = { sid: now.sid ?? sid, acr: now.acr ?? acr, authTime: now.authTime ?? authTime };
      return { user: { ...now, ...kept, amr: now.amr.length ? now.amr : amr }, tokens: { ...tokens, idToken } };
    } catch (error) {
      if (error instanceof ModuleError && error.code === 'provider_unavailable') return { user, tokens };
      throw error;
    }
  }

  /** Core 4: whoever starts it, only this provider is asked, and the way leads only into this module. */
  async function initiate(form: FormLike): Promise<StartedSignIn> {
    const params = toParams(form);
    if (single(params, 'iss') !== settings.issuer) {
      throw new ModuleError('initiation_refused', 'iss is not the provider of this module');
    }
    const target = single(params, 'target_link_uri') ?? '/';
    const { origin } = settings.callback;
    const returnTo = target.startsWith(`${origin}/`) ? target.slice(origin.length) : target;
    return start({ returnTo, loginHint: single(params, 'login_hint') ?? '' });
  }

  return { start, finish, renew, initiate };
}

function authorizationError(error: string): ModuleError {
  const isAsking = /^(login|interaction|consent|account_selection)_required$/.test(error);
  const isAway = error === 'temporarily_unavailable' || error === 'server_error';
  const code = isAsking ? 'login_required' : isAway ? 'provider_unavailable' : 'provider_error';
  const providerError = providerErrorOf(error);
  const message = `the provider answered ${providerError}`;
  return new ModuleError(error === 'access_denied' ? 'access_denied' : code, message, { providerError });
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
      throw new ModuleError('grant_refused', 'the provider has ended this sign-in');
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

  const end: Sessions['end'] = async ({ id }) => store.delete(id);
  return { public: { open, read, freshen, end, clearCookie } satisfies Sessions, endAll };
}

// ----------------------------------------------------------------------------------------------------------- logout

const LOGOUT_EVENT = 'http://schemas.openid.net/event/backchannel-logout';

/** Back-Channel Logout 2.6, all steps; answers whose sessions to end, and the key of its single use. */
async function checkLogoutToken(settings: Settings, provider: Provider, token: string) {
  const { claims } = await checkSignature(provider, token, ['logout+jwt']);
  checkIssuedToUs(claims, settings);
  const { events, nonce, exp } = claims;
  const [sid, sub, jti] = [textOf(claims.sid), textOf(claims.sub), textOf(claims.jti)];
  if (sid === null && sub === null) refuseToken('subject', 'neither sub nor sid');
  if (!isRecord(events) || !isRecord(events[LOGOUT_EVENT])) refuseToken('events', 'not about a logout');
  if (nonce !== undefined) refuseToken('nonce', 'a logout token has no nonce');
  if (jti === null) return refuseToken('jti', 'no jti');
  return { sid, sub, key: `jti ${jti}`, until: (Number(exp) + SKEW_SECONDS) * 1000 };
}

function createLogout(
  settings: Settings,
  provider: Provider,
  endAll: (who: { sid: string | null; sub: string | null }) => Promise<string[]>,
) {
  async function accept(body: FormLike): Promise<string[]> {
    const { key, until, ...who } = await checkLogoutToken(
      settings,
      provider,
      single(toParams(body), 'logout_token') ?? '',
    );
    if (!(await settings.replay.claim(key, until))) refuseToken('replayed', 'this logout token came before');
    try {
      return await endAll(who);
    } catch (error) {
      // The provider will send it again, and then it must count.
      await settings.replay.release(key);
      throw error;
    }
  }

  async function receive(body: FormLike): Promise<LogoutAnswer> {
    const headers = { 'cache-control': 'no-store', 'content-type': 'application/json' };
    try {
      return { status: 200, headers, body: '{}', ended: await accept(body), error: null };
    } catch (cause) {
      const error =
        cause instanceof ModuleError
          ? cause
          : new ModuleError('provider_unavailable', 'the session store failed', { cause });
      const name = error.code === 'provider_unavailable' ? 'temporarily_unavailable' : 'invalid_request';
      // Back-Channel Logout 2.8 has 400 for whatever fails.
      const answer = JSON.stringify({ error: name, error_description: error.message });
      return { status: 400, headers, body: answer, ended: [], error };
    }
  }

  async function url({ tokens }: ModuleSession, { state }: { state?: string } = {}): Promise<string | null> {
    const target = tokens ? await provider.findEndpoint('end_session_endpoint') : null;
    if (!tokens || target === null) return null;
    const params = {
      id_token_hint: tokens.idToken,
      client_id: settings.clientId,
      post_logout_redirect_uri: settings.postLogoutRedirectUri,
      state,
    };
    const address = new URL(target);
    for (const [name, value] of Object.entries(params)) if (value) address.searchParams.set(name, value);
    return address.href;
  }

  return { receive, url };
}

// ---------------------------------------------------------------------------------------------------------- handler

function headerOf({ headers }: ModuleRequest, name: string): string | undefined {
  const value = isHeaders(headers) ? headers.get(name) : headers[name];
  return (Array.isArray(value) ? value.join('; ') : value) ?? undefined;
}

function isHeaders(headers: ModuleRequest['headers']): headers is { get(name: string): string | null } {
  return typeof headers.get === 'function';
}

function answer(status: number, headers: Record<string, string | string[]>, body = ''): ModuleResponse {
  const always = { 'cache-control': 'no-store', 'referrer-policy': 'no-referrer' };
  return { status, headers: { ...always, ...headers }, body };
}

function createHandler(settings: Settings, kit: Omit<LoginModule, 'handler'>, options: HandlerOptions) {
  const { secure, callback, cookieName, responseMode } = settings;
  const { loggedOut = '/', failed = ({ code }: ModuleError) => `/?sign_in_error=${code}` } = options;
  // A posted answer comes from another site, where SameSite=Lax keeps cookies back.
  const sameSite = responseMode === 'form_post' && secure ? 'None' : 'Lax';
  const transactionCookie = (state: string) => `${cookieName}_signin_${state.replace(/[^\w-]/g, '').slice(0, 8)}`;
  const redirect = (location: string, cookies: string[] = []) => answer(303, { location, 'set-cookie': cookies });
  const paramsOf = (request: ModuleRequest) =>
    request.method === 'POST' ? toParams(request.body ?? '') : new URL(request.url, callback).searchParams;
  const forget = (name: string) => buildCookie(name, '', { secure, maxAge: 0, sameSite });

  /** One cookie for each sign-in under way, so that two tabs do not disturb each other; a few, not a heap. */
  function leave(request: ModuleRequest, { url, transaction, state }: StartedSignIn): ModuleResponse {
    const names = [...parseCookies(headerOf(request, 'cookie')).keys()].filter((name) =>
      name.startsWith(transactionCookie('')),
    );
    const maxAge = settings.transactionMs / 1000;
    const cookie = buildCookie(transactionCookie(state), transaction, { secure, maxAge, sameSite });
    return redirect(url, [...names.slice(0, -4).map(forget), cookie]);
  }

  async function start(request: ModuleRequest): Promise<ModuleResponse> {
    const returnTo = paramsOf(request).get('return_to') ?? '/';
    return leave(request, await kit.startSignIn({ returnTo }));
  }

  async function arrive(request: ModuleRequest): Promise<ModuleResponse> {
    const params = paramsOf(request);
    const name = transactionCookie(params.get('state') ?? '');
    const replaces = headerOf(request, 'cookie');
    const arrival = await kit.finishSignIn({ params, transaction: parseCookies(replaces).get(name) });
    const acceptance = await options.accept(arrival);
    if (!acceptance.enter) return redirect(localPath(acceptance.location), [forget(name)]);
    const { setCookie } = await kit.sessions.open({ signIn: arrival, data: acceptance.data ?? {}, replaces });
    return redirect(arrival.returnTo, [forget(name), setCookie]);
  }

  async function logOut(request: ModuleRequest): Promise<ModuleResponse> {
    // WEB-06: a page of another origin, such as another port of this host, cannot log a person out.
    const isOwn =
      headerOf(request, 'sec-fetch-site') === 'same-origin' || headerOf(request, 'origin') === callback.origin;
    if (!isOwn) return answer(403, { 'content-type': 'text/plain' }, 'This request did not come from this site.\n');
    const reading = await kit.sessions.read(headerOf(request, 'cookie'));
    if (reading.state !== 'live') return redirect(loggedOut, [kit.sessions.clearCookie]);
    // Here first: whatever the provider answers, this session is over.
    await kit.sessions.end(reading.session);
    const url = await kit.logoutUrl(reading.session).catch(() => null);
    return redirect(url ?? loggedOut, [kit.sessions.clearCookie]);
  }

  async function hearLogout(request: ModuleRequest): Promise<ModuleResponse> {
    const heard = await kit.receiveLogoutToken(request.body ?? '');
    options.heardLogout?.(heard);
    return answer(heard.status, heard.headers, heard.body);
  }

  const initiate = async (request: ModuleRequest) => leave(request, await kit.initiateLogin(paramsOf(request)));
  const at = {
    start: '/login/start',
    initiate: '/initiate-login',
    logout: '/logout',
    backchannelLogout: '/backchannel-logout',
    ...options.routes,
  };
  const routes = new Map<string, { methods: string; run(request: ModuleRequest): Promise<ModuleResponse> }>([
    [at.start, { methods: 'GET', run: start }],
    [callback.pathname, { methods: 'GET, POST', run: arrive }],
    [at.initiate, { methods: 'GET, POST', run: initiate }],
    [at.logout, { methods: 'POST', run: logOut }],
    [at.backchannelLogout, { methods: 'POST', run: hearLogout }],
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
  const kit = {
    startSignIn: signIn.start,
    finishSignIn: signIn.finish,
    initiateLogin: signIn.initiate,
    sessions: sessions.public,
    logoutUrl: logout.url,
    receiveLogoutToken: logout.receive,
  };
  return { ...kit, handler: (handlerOptions) => createHandler(settings, kit, handlerOptions) };
}
