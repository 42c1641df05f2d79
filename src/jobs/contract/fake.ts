// A module in memory that keeps section 4 of docs/module-protocol.md to the letter, and can be told to break it in one way at a time:
// so that each case of the contract test is known to fail where it has to.
import { randomBytes } from 'node:crypto';

export const misbehaviours = [
  /** Makes a second account with the address of another. */ 'takes-duplicates',
  /** Answers 409 without naming the reason. */ 'unnamed-conflict',
  /** Loses letters beyond ASCII. */ 'ascii-only',
  /** Says 200, and leaves the account active. */ 'ignores-active',
  /** Says 200, and leaves it suspended. */ 'never-reactivates',
  /** Says 200, and keeps the permission. */ 'ignores-roles',
  /** Says 200, and keeps the time zone. */ 'ignores-timezone',
  /** Says 200, and keeps the user name. */ 'ignores-rename',
  /** Says 200, and keeps names. */ 'ignores-update',
  /** Says 204, and keeps the account. */ 'keeps-deleted',
  /** Does not keep our name for the person. */ 'forgets-external-id',
  /** Gives another id at each reading. */ 'changes-ids',
  /** Wants the same request never twice: ends with 500. */ 'breaks-on-repeat',
  /** Sends pages for people in place of SCIM. */ 'sends-html',
  /** Answers 412 whatever the version. */ 'always-412',
] as const;

export type Misbehaviour = (typeof misbehaviours)[number];

export interface WireRequest {
  method: string;
  address: string;
  headers: Record<string, string>;
  body: string;
}

export interface WireAnswer {
  status: number;
  headers: Record<string, string>;
  body: string;
}

export interface FakeOptions {
  token: string;
  /** Accounts are disabled, never deleted. */
  keepsAccounts?: boolean;
  misbehaves?: readonly Misbehaviour[];
}

type Resource = Record<string, unknown> & { id: string; active: boolean };

const extension = 'urn:unifiedlogin:scim:2.0:Account';
const schemas = ['urn:ietf:params:scim:schemas:core:2.0:User', extension];
const type = 'application/scim+json; charset=utf-8';

const answer = (status: number, body: unknown, headers: Record<string, string> = {}): WireAnswer => ({
  status,
  headers: { 'content-type': type, ...headers },
  body: body === null ? '' : JSON.stringify(body),
});

const failure = (status: number, detail: string, scimType?: string): WireAnswer =>
  answer(status, {
    schemas: ['urn:ietf:params:scim:api:messages:2.0:Error'],
    status: String(status),
    ...(scimType ? { scimType } : {}),
    detail,
  });

/** What may be filtered by, and written by a path. */
const written = new Set(['active', 'userName', 'displayName', 'emails', 'roles', 'timezone', 'externalId', 'name']);

export class FakeModule {
  readonly #options: FakeOptions;
  readonly #bad: ReadonlySet<Misbehaviour>;
  readonly #users = new Map<string, { resource: Resource; version: number }>();
  readonly #seen = new Set<string>();

  constructor(options: FakeOptions) {
    this.#options = options;
    this.#bad = new Set(options.misbehaves ?? []);
  }

  /** Accounts as they stand, for tests. */
  get accounts(): Resource[] {
    return [...this.#users.values()].map(({ resource }) => resource);
  }

  handle({ method, address, headers, body }: WireRequest): WireAnswer {
    if (this.#bad.has('sends-html'))
      return { status: 200, headers: { 'content-type': 'text/html' }, body: '<p>Hi</p>' };
    if (headers.authorization !== `Bearer ${this.#options.token}`) return failure(401, 'The token is wrong.');
    const url = new URL(address);
    const [, id] = /\/Users\/([^/]+)$/.exec(url.pathname) ?? [];
    if (id === undefined && !url.pathname.endsWith('/Users')) return failure(404, 'There is nothing here.');
    if (this.#isRepeated(method, body)) return failure(500, 'Internal error');
    if (id === undefined)
      return method === 'GET'
        ? this.#list(url.searchParams)
        : method === 'POST'
          ? this.#create(parse(body))
          : failure(405, 'Not here.');
    return this.#one(method, decodeURIComponent(id), parse(body), headers['if-match']);
  }

  #isRepeated(method: string, body: string): boolean {
    if (method !== 'POST' || !this.#bad.has('breaks-on-repeat')) return false;
    const isRepeated = this.#seen.has(body);
    this.#seen.add(body);
    return isRepeated;
  }

  #one(method: string, id: string, body: Record<string, unknown>, ifMatch: string | undefined): WireAnswer {
    const user = this.#users.get(id);
    if (!user) return failure(404, 'There is no such user.');
    switch (method) {
      case 'GET':
        return this.#show(id, 200);
      case 'PATCH':
        return this.#change(id, body, ifMatch);
      case 'DELETE':
        return this.#remove(id);
      default:
        return failure(405, 'Not here.');
    }
  }

  #remove(id: string): WireAnswer {
    if (this.#options.keepsAccounts) return failure(405, 'Accounts are disabled here, never deleted.');
    if (!this.#bad.has('keeps-deleted')) this.#users.delete(id);
    return { status: 204, headers: {}, body: '' };
  }

  #show(id: string, status: number): WireAnswer {
    const user = this.#users.get(id);
    if (!user) return failure(404, 'There is no such user.');
    const version = `W/"${user.version}"`;
    return answer(status, this.#shown(id), { etag: version });
  }

  #shown(id: string): Resource {
    const user = this.#users.get(id);
    if (!user) throw new Error('no such user');
    const shownId = this.#bad.has('changes-ids') ? `${id}-${randomBytes(2).toString('hex')}` : id;
    const meta = { resourceType: 'User', version: `W/"${user.version}"` };
    return { schemas, ...user.resource, id: shownId, meta };
  }

  #list(query: URLSearchParams): WireAnswer {
    const filter = query.get('filter');
    const [, name = '', value = ''] = /^(userName|emails\.value|externalId|id) eq (".*")$/.exec(filter ?? '') ?? [];
    if (filter !== null && name === '') return failure(400, 'This filter is not known here.', 'invalidFilter');
    const wanted = value === '' ? '' : String(JSON.parse(value));
    const found = [...this.#users.keys()].filter((id) => filter === null || this.#fits(id, name, wanted));
    const from = Math.max(1, Number(query.get('startIndex') ?? 1));
    const page = found.slice(from - 1, from - 1 + Number(query.get('count') ?? 100));
    return answer(200, {
      schemas: ['urn:ietf:params:scim:api:messages:2.0:ListResponse'],
      totalResults: found.length,
      startIndex: from,
      itemsPerPage: page.length,
      Resources: page.map((id) => this.#shown(id)),
    });
  }

  #fits(id: string, name: string, wanted: string): boolean {
    const resource = this.#users.get(id)?.resource;
    if (!resource) return false;
    if (name === 'emails.value') return emailsOf(resource).includes(wanted.toLowerCase());
    if (name === 'userName') return nameOf(resource) === wanted.toLowerCase();
    return resource[name] === wanted;
  }

  #create(given: Record<string, unknown>): WireAnswer {
    if (nameOf(given) === '') return failure(400, 'userName is missing.', 'invalidValue');
    const others = [...this.#users.values()].map(({ resource }) => resource);
    if (!this.#bad.has('takes-duplicates') && others.some((other) => isSame(other, given))) return this.#taken();
    const id = randomBytes(6).toString('hex');
    const { schemas: _schemas, id: _id, meta: _meta, ...rest } = given;
    if (this.#bad.has('forgets-external-id')) delete rest.externalId;
    const resource = { ...this.#spelt(rest), id, active: given.active !== false };
    this.#users.set(id, { resource, version: 1 });
    return this.#show(id, 201);
  }

  #taken(): WireAnswer {
    return failure(
      409,
      'The name or the address is taken.',
      this.#bad.has('unnamed-conflict') ? undefined : 'uniqueness',
    );
  }

  #spelt(rest: Record<string, unknown>): Record<string, unknown> {
    if (!this.#bad.has('ascii-only')) return rest;
    // biome-ignore lint/suspicious/noControlCharactersInRegex: what is beyond ASCII
    return JSON.parse(JSON.stringify(rest).replace(/[^\x00-\x7f]/g, '?'));
  }

  #change(id: string, body: Record<string, unknown>, ifMatch: string | undefined): WireAnswer {
    const user = this.#users.get(id);
    if (!user) return failure(404, 'There is no such user.');
    const isOld = ifMatch !== undefined && ifMatch !== '*' && ifMatch !== `W/"${user.version}"`;
    if (isOld || (ifMatch !== undefined && this.#bad.has('always-412')))
      return failure(412, 'Somebody else has changed it.');
    const operations = Array.isArray(body.Operations) ? body.Operations : [];
    const resource = structuredClone(user.resource);
    for (const operation of operations) {
      const problem = this.#apply(resource, operation);
      if (problem) return problem;
    }
    const others = [...this.#users].filter(([other]) => other !== id).map(([, { resource }]) => resource);
    if (others.some((other) => isSame(other, resource))) return this.#taken();
    this.#users.set(id, { resource, version: user.version + 1 });
    return this.#show(id, 200);
  }

  #apply(resource: Resource, operation: unknown): WireAnswer | null {
    const { op, path, value } = (operation ?? {}) as { op?: unknown; path?: unknown; value?: unknown };
    if (!/^(replace|add)$/i.test(String(op))) return failure(400, 'replace and add alone.', 'invalidSyntax');
    if (typeof path !== 'string') {
      // RFC 7644 section 3.5.2: without a path the value is a set of attributes.
      for (const [name, inner] of Object.entries((value ?? {}) as Record<string, unknown>))
        this.#set(resource, name, inner);
      return null;
    }
    const [top = ''] = path.split(/[.[]/);
    if (!written.has(top) && !path.startsWith(extension))
      return failure(400, `${path} is not known here.`, 'invalidPath');
    this.#set(resource, path, value);
    return null;
  }

  #set(resource: Resource, path: string, value: unknown): void {
    if (this.#isIgnored(path, value)) return;
    const [spelt] = Object.values(this.#spelt({ value }));
    if (path === 'active') resource.active = spelt === true || spelt === 'true';
    else if (path.startsWith('name.'))
      resource.name = { ...(resource.name as object | undefined), [path.slice('name.'.length)]: spelt };
    else if (path.startsWith(`${extension}:`))
      resource[extension] = {
        ...(resource[extension] as object | undefined),
        [path.slice(extension.length + 1)]: spelt,
      };
    else resource[path] = spelt;
  }

  #isIgnored(path: string, value: unknown): boolean {
    const has = (name: Misbehaviour) => this.#bad.has(name);
    if (path === 'active')
      return value === false || value === 'false' ? has('ignores-active') : has('never-reactivates');
    if (path === 'roles') return has('ignores-roles');
    if (path === 'timezone') return has('ignores-timezone');
    if (path === 'userName') return has('ignores-rename');
    if (path === 'externalId') return has('forgets-external-id');
    return has('ignores-update');
  }
}

function parse(body: string): Record<string, unknown> {
  return body === '' ? {} : JSON.parse(body);
}

const nameOf = ({ userName }: Record<string, unknown>): string =>
  typeof userName === 'string' ? userName.toLowerCase() : '';

const emailsOf = ({ emails }: Record<string, unknown>): string[] =>
  (Array.isArray(emails) ? emails : []).map(({ value }) => String(value).toLowerCase());

const isSame = (one: Record<string, unknown>, other: Record<string, unknown>): boolean =>
  nameOf(one) === nameOf(other) || emailsOf(one).some((email) => emailsOf(other).includes(email));
