/**
 * A module's people, told to the provider by SCIM 2.0 (RFC 7643, RFC 7644), so that an administrator can import them.
 *
 * One file, no dependency but `node:crypto`; stands beside the module kit and needs nothing of it. Read only.
 *
 *     const scim = createScimUsers({ url: 'https://module.example/scim/v2', token, list, find });
 *     // in the web server: const answer = await scim(request); if (answer) send(answer); else go on with own pages
 *
 * Serves `GET /Users` (paged, `filter=userName eq "..."`), `GET /Users/:id` and `GET /ServiceProviderConfig` below `url`.
 */
import crypto from 'node:crypto';

/** Somebody as the module knows them. */
export interface ScimPerson {
  /** Stable, and unique in the module (RFC 7643 3.1). */ id: string;
  /** What they log in with. */ userName: string;
  givenName?: string;
  familyName?: string;
  displayName?: string;
  email?: string;
  active: boolean;
}

export interface ScimQuery {
  /** How many people to leave out at the beginning. */ skip: number;
  /** How many to answer at most; 0 asks for the total alone. */ count: number;
  /** Only the one with this name, without regard to case (RFC 7643 4.1.1); null: everybody. */ userName: string | null;
}

type Eventually<T> = T | Promise<T>;

export interface ScimOptions {
  /** Address of the service; what lies below its path is answered here. */ url: string;
  /** Bearer token of the provider, 20 characters or more. In a list all are good, for a change without a gap. */
  token: string | readonly string[];
  /** A page of people in an order that stays the same, and how many there are in all. */
  list(query: ScimQuery): Eventually<{ total: number; people: readonly ScimPerson[] }>;
  find(id: string): Eventually<ScimPerson | undefined>;
  /** People of a page at most. Default 200. */ maxCount?: number;
}

export interface ScimRequest {
  method: string;
  /** Path and query, or the whole address. */ url: string;
  /** By lower-case name. */ headers: Readonly<Record<string, string | string[] | undefined>>;
}

export type ScimResponse = { status: number; headers: Record<string, string>; body: string };

const SCHEMAS = 'urn:ietf:params:scim:schemas:core:2.0';
const MESSAGES = 'urn:ietf:params:scim:api:messages:2.0';
const sha256 = (text: string): Buffer => crypto.createHash('sha256').update(text).digest();

function answer(status: number, body: object, headers: Record<string, string> = {}): ScimResponse {
  const always = { 'content-type': 'application/scim+json; charset=utf-8', 'cache-control': 'no-store' };
  return { status, headers: { ...always, ...headers }, body: JSON.stringify(body) };
}

/** RFC 7644 3.12 */
function failure(status: number, detail: string, more: { scimType?: string; headers?: Record<string, string> } = {}) {
  const { scimType, headers } = more;
  const body = { schemas: [`${MESSAGES}:Error`], status: String(status), ...(scimType ? { scimType } : {}), detail };
  return answer(status, body, headers);
}

/** RFC 7643 4.1; what is not known is left out. */
function toResource(person: ScimPerson, base: string): object {
  const { id, userName, givenName, familyName, displayName, email, active } = person;
  return {
    schemas: [`${SCHEMAS}:User`],
    id,
    userName,
    ...(givenName || familyName ? { name: { givenName, familyName } } : {}),
    ...(displayName ? { displayName } : {}),
    ...(email ? { emails: [{ value: email, type: 'work', primary: true }] } : {}),
    active,
    meta: { resourceType: 'User', location: `${base}/Users/${encodeURIComponent(id)}` },
  };
}

/** A whole number of a query string; nonsense is the default (RFC 7644 3.4.2.4). */
function wholeNumber(text: string | null, fallback: number): number {
  return text !== null && /^-?\d{1,9}$/.test(text) ? Number(text) : fallback;
}

/** The value of `userName eq "value"`; undefined for any other filter. */
function userNameOf(filter: string): string | undefined {
  const [, value] =
    /^\s*(?:urn:ietf:params:scim:schemas:core:2\.0:User:)?userName\s+eq\s+(".*")\s*$/is.exec(filter) ?? [];
  try {
    const parsed: unknown = JSON.parse(value ?? '');
    return typeof parsed === 'string' ? parsed : undefined;
  } catch {
    return undefined;
  }
}

/** RFC 7644 4 and RFC 7643 5: what this service can do. */
const serviceConfig = (base: string, maxResults: number): object => {
  const no = { supported: false };
  return {
    schemas: [`${SCHEMAS}:ServiceProviderConfig`],
    patch: no,
    bulk: { ...no, maxOperations: 0, maxPayloadSize: 0 },
    filter: { supported: true, maxResults },
    changePassword: no,
    sort: no,
    etag: no,
    authenticationSchemes: [{ type: 'oauthbearertoken', name: 'Bearer token', description: 'RFC 6750', primary: true }],
    meta: { resourceType: 'ServiceProviderConfig', location: `${base}/ServiceProviderConfig` },
  };
};

/** Throws when the options cannot work. */
export function createScimUsers(options: ScimOptions): (request: ScimRequest) => Promise<ScimResponse | null> {
  const tokens = [options.token].flat();
  if (tokens.length === 0 || tokens.some((token) => token.length < 20))
    throw new Error('a SCIM token has 20 characters or more');
  const base = withoutSlash(options.url);
  const root = withoutSlash(new URL(base).pathname);
  const maxCount = options.maxCount ?? 200;
  const hashes = tokens.map(sha256);

  /** Compares in a time that tells nothing of where two tokens differ. */
  function isKnown({ headers }: ScimRequest): boolean {
    const [, token] = /^bearer +(\S+)$/i.exec([headers.authorization ?? []].flat()[0] ?? '') ?? [];
    const given = sha256(token ?? '');
    return token !== undefined && hashes.some((hash) => crypto.timingSafeEqual(hash, given));
  }

  /** RFC 7644 3.4.2 */
  async function list(query: URLSearchParams): Promise<ScimResponse> {
    const filter = query.get('filter');
    const userName = filter === null ? null : userNameOf(filter);
    if (userName === undefined)
      return failure(400, 'Only userName eq "..." can be filtered by.', { scimType: 'invalidFilter' });
    const startIndex = Math.max(1, wholeNumber(query.get('startIndex'), 1));
    const count = Math.min(maxCount, Math.max(0, wholeNumber(query.get('count'), maxCount)));
    const { total, people } = await options.list({ skip: startIndex - 1, count, userName });
    const resources = people.slice(0, count).map((person) => toResource(person, base));
    const page = { totalResults: total, startIndex, itemsPerPage: resources.length, Resources: resources };
    return answer(200, { schemas: [`${MESSAGES}:ListResponse`], ...page });
  }

  async function show(id: string): Promise<ScimResponse> {
    const person = await options.find(id);
    return person ? answer(200, toResource(person, base)) : failure(404, 'There is no such user.');
  }

  return async (request) => {
    const { pathname, searchParams } = new URL(request.url, base);
    if (pathname !== root && !pathname.startsWith(`${root}/`)) return null;
    if (!isKnown(request))
      return failure(401, 'The bearer token is missing or wrong.', { headers: { 'www-authenticate': 'Bearer' } });
    if (request.method !== 'GET') return failure(405, 'This service is read only.', { headers: { allow: 'GET' } });
    const [, kind = '', id, ...rest] = pathname.slice(root.length).split('/');
    if (rest.length > 0) return failure(404, 'There is nothing here.');
    if (kind === 'Users') return id ? show(decoded(id)) : list(searchParams);
    if (kind === 'ServiceProviderConfig' && !id) return answer(200, serviceConfig(base, maxCount));
    return failure(404, 'There is nothing here.');
  };
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return '';
  }
}

const withoutSlash = (address: string): string => (address.endsWith('/') ? address.slice(0, -1) : address);
