// SCIM 2.0 as a client: one page of a module's people (RFC 7644 section 3.4.2). What comes back was written by others: it is read with
// limits, and anything that is no list of users is refused in words that an administrator can pass on.
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { accountIdOf } from '../domain/modules/account-id.ts';
import type { SeenAccount } from '../domain/provisioning/drift.ts';
import { type Outgoing, type OutgoingAnswer, OutgoingError } from '../lib/outgoing.ts';

export interface ScimLimits {
  /** People that are asked for at once. */
  count: number;
  pageTimeoutMs: number;
  pageBytes: number;
}

export const scimLimits: ScimLimits = { count: 200, pageTimeoutMs: 15_000, pageBytes: 2 * 1024 * 1024 };

/** Why a page could not be read; `passing`: trying again may help. */
export class ScimError extends Error {
  readonly isPassing: boolean;
  readonly retryAfterMs: number | null;

  constructor(message: string, more: { isPassing?: boolean; retryAfterMs?: number | null; cause?: unknown } = {}) {
    super(message, { cause: more.cause });
    this.name = 'ScimError';
    this.isPassing = more.isPassing ?? false;
    this.retryAfterMs = more.retryAfterMs ?? null;
  }
}

/** What may pass is tried again, a few times. @param pauses waits between the tries */
export async function patiently<T>(
  { pauses, pageTimeoutMs }: ScimLimits & { pauses: number[] },
  read: () => Promise<T>,
): Promise<T> {
  for (const pause of pauses) {
    try {
      return await read();
    } catch (error) {
      if (!(error instanceof ScimError) || !error.isPassing) throw error;
      await sleep(Math.min(error.retryAfterMs ?? pause, pageTimeoutMs));
    }
  }
  return read();
}

export interface ScimPage {
  /** Resources that the page held, those that could not be read included. */
  held: number;
  people: SeenAccount[];
  /** totalResults, when it is a number. */
  total: number | null;
}

export interface ScimService {
  url: string;
  token: string;
}

const usersAt = ({ url }: ScimService): string => `${url.endsWith('/') ? url.slice(0, -1) : url}/Users`;

export async function readScimPage(
  get: Outgoing,
  service: ScimService,
  startIndex: number,
  limits: ScimLimits,
): Promise<ScimPage> {
  const address = new URL(usersAt(service));
  address.searchParams.set('startIndex', String(startIndex));
  address.searchParams.set('count', String(limits.count));
  const answer = await ask(get, address.href, service.token, limits);
  refuseBadStatus(answer);
  return parsePage(answer);
}

/** One account by its id (RFC 7644 section 3.4.1); null: the module has no such account. */
export async function readScimUser(
  get: Outgoing,
  service: ScimService,
  id: string,
  limits: ScimLimits,
): Promise<SeenAccount | null> {
  const answer = await ask(get, `${usersAt(service)}/${encodeURIComponent(id)}`, service.token, limits);
  if (answer.status === 404) return null;
  refuseBadStatus(answer);
  refuseOtherType(answer);
  const account = toAccount(parseJson(answer.body));
  if (account?.externalId !== id) throw new ScimError('It answered with another account than the one asked for.');
  return account;
}

async function ask(get: Outgoing, address: string, token: string, limits: ScimLimits): Promise<OutgoingAnswer> {
  try {
    return await get(address, {
      headers: { authorization: `Bearer ${token}`, accept: 'application/scim+json, application/json' },
      timeoutMs: limits.pageTimeoutMs,
      maxBytes: limits.pageBytes,
    });
  } catch (error) {
    if (!(error instanceof OutgoingError)) throw error;
    throw toScimError(error, limits);
  }
}

function toScimError(error: OutgoingError, { pageTimeoutMs, pageBytes }: ScimLimits): ScimError {
  switch (error.problem) {
    case 'refused-address':
      return new ScimError(
        'Its address lies in a network that is not reached from here. Ask the operator to connect it anew.',
      );
    case 'timeout':
      return new ScimError(`It did not answer within ${Math.ceil(pageTimeoutMs / 1000)} seconds.`, {
        isPassing: true,
        cause: error,
      });
    case 'too-large':
      return new ScimError(
        `It sent more than ${Math.floor(pageBytes / 1_048_576)} MB at once, which is no page of people.`,
      );
    default:
      return new ScimError('It cannot be reached.', { isPassing: true, cause: error });
  }
}

function refuseBadStatus({ status, headers }: OutgoingAnswer): void {
  if (status === 200) return;
  if (status === 401 || status === 403)
    throw new ScimError('It refused our credential. Ask the operator to connect it anew.');
  if (status >= 300 && status < 400)
    throw new ScimError(
      'It sent us on to another address, which we do not follow. Ask the operator to connect it anew.',
    );
  if (status === 404) throw new ScimError('There is no list of users at its address.');
  if (status === 429 || status >= 500) {
    const wait = Number(headers['retry-after']);
    throw new ScimError(`It answered with an error of its own (${status}).`, {
      isPassing: true,
      retryAfterMs: wait > 0 ? wait * 1000 : null,
    });
  }
  throw new ScimError(`It did not accept our request (${status}).`);
}

const listSchema = z.object({ Resources: z.array(z.unknown()).default([]), totalResults: z.unknown().optional() });

const unreadable = () => new ScimError('Its answer is no list of users in SCIM 2.0.');

function refuseOtherType({ headers }: OutgoingAnswer): void {
  if (!/^application\/(scim\+)?json\b/i.test(String(headers['content-type'] ?? ''))) throw unreadable();
}

function parsePage(answer: OutgoingAnswer): ScimPage {
  refuseOtherType(answer);
  const { body } = answer;
  const list = listSchema.safeParse(parseJson(body));
  if (!list.success) throw unreadable();
  const { Resources: resources, totalResults: total } = list.data;
  return {
    held: resources.length,
    people: resources.flatMap((resource) => toAccount(resource) ?? []),
    total: typeof total === 'number' && Number.isSafeInteger(total) && total >= 0 ? Math.min(total, 2 ** 31 - 1) : null,
  };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw unreadable();
  }
}

const mostLength = 200;

/**
 * A text that a table can keep. What is cut was longer than any rule allows, and NUL becomes another letter that no rule allows:
 * a wrong value never turns into a right one.
 */
const textOf = (value: unknown): string =>
  typeof value === 'string' ? value.slice(0, mostLength).toWellFormed().replaceAll('\0', '\u0001').trim() : '';

const text = z.unknown().transform(textOf);

/** What of an account no standard attribute says (docs/module-protocol.md, 4). */
export const accountExtension = 'urn:unifiedlogin:scim:2.0:Account';

const flag = z.unknown().transform((value) => (typeof value === 'boolean' ? value : null));

/** RFC 7643 section 4.1; a module may leave out what we can do without. */
const userSchema = z
  .object({
    id: z.unknown().optional(),
    externalId: text,
    userName: text,
    displayName: text,
    active: z.unknown().optional(),
    timezone: text,
    name: z.object({ givenName: text, familyName: text, formatted: text }).partial().optional().catch(undefined),
    emails: z
      .array(z.object({ value: text, primary: z.unknown().optional(), type: z.unknown().optional() }).partial())
      .catch([])
      .default([]),
    roles: z
      .array(
        z.union([
          z.string().transform((value) => ({ value: textOf(value), primary: undefined })),
          z.object({ value: text, primary: z.unknown().optional() }),
        ]),
      )
      .catch([])
      .default([]),
    meta: z.object({ version: text }).partial().optional().catch(undefined),
    [accountExtension]: z.object({ localLogin: flag, administrator: flag }).partial().optional().catch(undefined),
  })
  .partial();

const mostRoles = 50;

export function toAccount(resource: unknown): SeenAccount | null {
  const parsed = userSchema.safeParse(resource);
  if (!parsed.success) return null;
  const { id, userName = '', displayName = '', active, name, emails = [], roles = [], meta } = parsed.data;
  const [first = '', last = ''] = namesOf(
    name?.givenName ?? '',
    name?.familyName ?? '',
    name?.formatted || displayName,
  );
  const email = emails.find(({ primary }) => primary === true) ?? emails[0];
  const externalId = accountIdOf(typeof id === 'string' && id !== '' ? id : userName);
  if (externalId === '') return null;
  const more = parsed.data[accountExtension];
  // The one that counts stands first.
  const permissions = roles.toSorted((a, b) => Number(b.primary === true) - Number(a.primary === true));
  return {
    externalId,
    username: userName,
    email: email?.value ?? '',
    firstName: first,
    lastName: last,
    isActive: active !== false,
    permissions: [...new Set(permissions.map(({ value }) => value).filter(Boolean))].slice(0, mostRoles),
    timeZone: parsed.data.timezone || null,
    knownAs: parsed.data.externalId || null,
    hasLocalLogin: more?.localLogin ?? null,
    isAdministrator: more?.administrator ?? null,
    etag: meta?.version || null,
  };
}

/** Where the parts are missing, the last word of the whole is the last name. */
function namesOf(given: string, family: string, whole: string): [string, string] {
  if (given !== '' || family !== '') return [given, family];
  const at = whole.lastIndexOf(' ');
  return at < 0 ? [whole, ''] : [whole.slice(0, at).trim(), whole.slice(at + 1)];
}
