// A module's side of provisioning that can be as slow, broken or lying as a test wants: SCIM 2.0 with writing, and a place for events.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

export interface FakeAccount {
  id: string;
  externalId?: string;
  userName: string;
  active: boolean;
  name: { givenName: string; familyName: string };
  displayName?: string;
  emails: { value: string; primary?: boolean }[];
  roles?: { value: string; primary?: boolean }[];
  timezone?: string;
  [extension: string]: unknown;
}

export interface Hit {
  method: string;
  path: string;
  body: unknown;
  at: number;
}

export const extension = 'urn:unifiedlogin:scim:2.0:Account';

let counter = 0;

export function fakeAccount(email: string, more: Partial<FakeAccount> = {}): FakeAccount {
  return {
    id: `acc-${++counter}`,
    userName: email,
    active: true,
    name: { givenName: 'Pat', familyName: 'Example' },
    emails: [{ value: email, primary: true }],
    roles: [{ value: 'Team', primary: true }],
    ...more,
  };
}

export class ScimModule {
  readonly token = 'a-token-of-the-module-42';
  accounts = new Map<string, FakeAccount>();
  hits: Hit[] = [];
  /** Security Event Tokens as they came. */
  events: string[] = [];
  delayMs = 0;
  /** In place of the ordinary answer; false: the ordinary one. */
  answer: (request: { method: string; path: string; body: unknown }, response: ServerResponse) => unknown = () => false;
  /** Requests under way now, and the most there ever were. */
  underWay = 0;
  mostUnderWay = 0;
  readonly #server: Server = createServer((request, response) => void this.#handle(request, response));

  get origin(): string {
    // An AddressInfo, since it listens on a port.
    return `http://localhost:${(this.#server.address() as AddressInfo).port}`;
  }

  get scim(): { url: string; token: string } {
    return { url: `${this.origin}/scim/v2`, token: this.token };
  }

  get eventsUrl(): string {
    return `${this.origin}/events`;
  }

  async start(): Promise<this> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    return this;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  add(...accounts: FakeAccount[]): void {
    for (const one of accounts) this.accounts.set(one.id, one);
  }

  writes(): Hit[] {
    return this.hits.filter(({ method, path }) => method !== 'GET' && path.startsWith('/scim'));
  }

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let text = '';
    for await (const chunk of request) text += String(chunk);
    const path = request.url ?? '';
    const method = request.method ?? '';
    this.underWay += 1;
    this.mostUnderWay = Math.max(this.mostUnderWay, this.underWay);
    try {
      const body = path.startsWith('/scim') && text !== '' ? JSON.parse(text) : text;
      this.hits.push({ method, path, body, at: Date.now() });
      if (this.delayMs > 0) await sleep(this.delayMs);
      if (this.answer({ method, path, body }, response) !== false) return;
      if (path === '/events') {
        this.events.push(text);
        response.writeHead(202).end();
      } else if (request.headers.authorization !== `Bearer ${this.token}`) send(response, 401, { status: '401' });
      else this.#scim(method, new URL(path, 'http://localhost'), body, response);
    } finally {
      this.underWay -= 1;
    }
  }

  #scim(method: string, url: URL, body: unknown, response: ServerResponse): void {
    const id = decodeURIComponent(url.pathname.split('/')[4] ?? '');
    if (id === '') {
      if (method === 'POST') this.#create(body as FakeAccount, response);
      else this.#list(url, response);
      return;
    }
    const account = this.accounts.get(id);
    if (!account) {
      send(response, 404, { status: '404', detail: 'no such user' });
      return;
    }
    if (method === 'DELETE') {
      this.accounts.delete(id);
      response.writeHead(204).end();
      return;
    }
    if (method === 'PATCH') patch(account, body as { Operations: { path: string; value: unknown }[] });
    send(response, 200, account);
  }

  #create(given: FakeAccount, response: ServerResponse): void {
    const email = given.emails[0]?.value.toLowerCase();
    const all = [...this.accounts.values()];
    if (all.some((one) => one.userName === given.userName || one.emails[0]?.value.toLowerCase() === email)) {
      send(response, 409, {
        status: '409',
        scimType: 'uniqueness',
        detail: 'the user name or address is taken',
      });
      return;
    }
    const account = { ...given, id: `acc-${++counter}` };
    this.accounts.set(account.id, account);
    send(response, 201, account);
  }

  #list(url: URL, response: ServerResponse): void {
    const [, attribute, value] = /^(\S+) eq "(.*)"$/.exec(url.searchParams.get('filter') ?? '') ?? [];
    const fits = (one: FakeAccount) =>
      attribute === undefined ||
      (attribute === 'externalId' && one.externalId === value) ||
      (attribute === 'userName' && one.userName === value) ||
      (attribute === 'emails.value' && one.emails.some((email) => email.value.toLowerCase() === value?.toLowerCase()));
    const found = [...this.accounts.values()].filter(fits);
    const from = Number(url.searchParams.get('startIndex') ?? 1);
    const page = found.slice(from - 1, from - 1 + Number(url.searchParams.get('count') ?? 100));
    send(response, 200, {
      schemas: ['urn:ietf:params:scim:api:messages:2.0:ListResponse'],
      totalResults: found.length,
      startIndex: from,
      itemsPerPage: page.length,
      Resources: page,
    });
  }
}

export function send(
  response: ServerResponse,
  status: number,
  body: unknown,
  headers: Record<string, string> = {},
): void {
  response.writeHead(status, { 'content-type': 'application/scim+json', ...headers }).end(JSON.stringify(body));
}

function patch(account: FakeAccount, { Operations }: { Operations: { path: string; value: unknown }[] }): void {
  for (const { path, value } of Operations) {
    const [first = '', second] = path.split('.');
    if (path.startsWith(`${extension}:`)) account[extension] = { values: value };
    else if (second === undefined) Object.assign(account, { [first]: value });
    else Object.assign(account.name, { [second]: value });
  }
}
