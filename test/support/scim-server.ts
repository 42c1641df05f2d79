// A module's SCIM service that can be as bad as a test wants. It serves its list by RFC 7644 unless `answer` says otherwise.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface ScimUser {
  id?: unknown;
  userName?: unknown;
  active?: unknown;
  displayName?: unknown;
  name?: unknown;
  emails?: unknown;
  /** Roles, time zone, extensions: whatever else it tells. */
  [more: string]: unknown;
}

export const scimUser = (id: string, more: ScimUser = {}): ScimUser => ({
  id,
  userName: `${id}@module.example`,
  active: true,
  name: { givenName: 'Grace', familyName: `Number ${id.replace(/\D/g, '')}`.trim() },
  emails: [{ value: `${id}@module.example`, primary: true }],
  ...more,
});

export const scimUsers = (count: number, prefix = 'person'): ScimUser[] =>
  Array.from({ length: count }, (_, i) => scimUser(`${prefix}${i + 1}`));

type Answer = (request: IncomingMessage, response: ServerResponse) => void;

export class ScimServer {
  readonly token = 'a-token-of-the-module-42';
  users: ScimUser[] = [];
  /** In place of the ordinary answer; false: the ordinary one. */
  answer: (request: IncomingMessage, response: ServerResponse, hit: number) => unknown = () => false;
  hits: { url: string; authorization: string | undefined }[] = [];
  readonly #server: Server = createServer((request, response) => {
    this.hits.push({ url: request.url ?? '', authorization: request.headers.authorization });
    if (this.answer(request, response, this.hits.length) === false) this.#serve(request, response);
  });

  get url(): string {
    // An AddressInfo, since it listens on a port.
    return `http://localhost:${(this.#server.address() as AddressInfo).port}/scim/v2`;
  }

  async start(): Promise<this> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    return this;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  reset(users: ScimUser[] = []): void {
    this.users = users;
    this.hits = [];
    this.answer = () => false;
  }

  readonly #serve: Answer = (request, response) => {
    if (request.headers.authorization !== `Bearer ${this.token}`) return sendJson(response, { status: '401' }, 401);
    const { pathname, searchParams: query } = new URL(request.url ?? '', 'http://localhost');
    const [, id] = /\/Users\/([^/]+)$/.exec(pathname) ?? [];
    if (id !== undefined) {
      const user = this.users.find((one) => one.id === decodeURIComponent(id));
      return user ? sendJson(response, user) : sendJson(response, { status: '404' }, 404);
    }
    const from = Number(query.get('startIndex') ?? 1);
    const resources = this.users.slice(from - 1, from - 1 + Number(query.get('count') ?? 100));
    sendJson(response, listOf(resources, this.users.length, from));
  };
}

export const listOf = (resources: unknown[], totalResults: unknown = resources.length, startIndex = 1) => ({
  schemas: ['urn:ietf:params:scim:api:messages:2.0:ListResponse'],
  totalResults,
  startIndex,
  itemsPerPage: resources.length,
  Resources: resources,
});

export function sendJson(response: ServerResponse, body: unknown, status = 200): void {
  response.writeHead(status, { 'content-type': 'application/scim+json' }).end(JSON.stringify(body));
}
