// A browser without scripts: cookies by path, redirects, forms filled by field name. Speaks to one node, under the public host name.
import { type IncomingHttpHeaders, request } from 'node:http';

export interface Page {
  status: number;
  headers: IncomingHttpHeaders;
  body: string;
  /** Where this page was found. */
  url: string;
}

export interface Form {
  action: string;
  /** Hidden fields and the named button. */
  values: Record<string, string>;
  fields: string[];
}

interface Cookie {
  name: string;
  value: string;
  path: string;
  attributes: string;
}

export interface SendOptions {
  method?: string;
  headers?: Record<string, string>;
  form?: Record<string, string>;
  body?: string | Buffer;
}

export class Visitor {
  readonly origin: string;
  readonly #port: number;
  readonly #host: string;
  jar: Cookie[] = [];

  constructor(origin: string, port: number) {
    this.origin = origin;
    this.#port = port;
    this.#host = new URL(origin).host;
  }

  /** The same browser at another node. */
  at(port: number): Visitor {
    const twin = new Visitor(this.origin, port);
    twin.jar = this.jar;
    return twin;
  }

  cookie(name: string): Cookie | undefined {
    return this.jar.find((cookie) => cookie.name === name);
  }

  /** One request, no redirect followed. */
  send(address: string, options: SendOptions = {}): Promise<Page> {
    const url = new URL(address, this.origin);
    const method = options.method ?? (options.form || options.body !== undefined ? 'POST' : 'GET');
    const body = options.form ? new URLSearchParams(options.form).toString() : options.body;
    const headers: Record<string, string> = {
      host: this.#host,
      accept: 'text/html,*/*',
      'user-agent': 'Mozilla/5.0 (Windows NT 10.0) Chrome/140.0 Safari/537.36',
      ...(options.form ? { 'content-type': 'application/x-www-form-urlencoded', origin: this.origin } : {}),
      ...(body === undefined ? {} : { 'content-length': String(Buffer.byteLength(body)) }),
      ...options.headers,
    };
    const cookies = this.#cookiesFor(url.pathname);
    if (cookies && headers.cookie === undefined) headers.cookie = cookies;
    return new Promise((resolve, reject) => {
      const sent = request(
        { host: '127.0.0.1', port: this.#port, path: url.pathname + url.search, method, headers, agent: false },
        (answer) => {
          const chunks: Buffer[] = [];
          answer.on('data', (chunk: Buffer) => chunks.push(chunk));
          answer.on('error', reject);
          answer.on('end', () => {
            for (const line of answer.headers['set-cookie'] ?? []) this.#keep(line, url.pathname);
            resolve({
              status: answer.statusCode ?? 0,
              headers: answer.headers,
              body: Buffer.concat(chunks).toString('utf8'),
              url: url.href,
            });
          });
        },
      );
      sent.on('error', reject);
      sent.end(body);
    });
  }

  /** Follows redirects while they stay with the provider; the answer that leads away, or the page, comes back. */
  async follow(page: Page): Promise<Page> {
    let present = page;
    for (let i = 0; i < 15 && present.status >= 300 && present.status < 400 && present.headers.location; i += 1) {
      const next = new URL(present.headers.location, present.url);
      if (next.origin !== this.origin) return present;
      present = await this.send(next.href);
    }
    return present;
  }

  async open(address: string, options: SendOptions = {}): Promise<Page> {
    return this.follow(await this.send(address, options));
  }

  /** Fills the form whose action contains `action` (or the first one that has all the fields) and sends it. */
  async submit(page: Page, fields: Record<string, string>, action?: string): Promise<Page> {
    return this.follow(await this.submitOnce(page, fields, action));
  }

  async submitOnce(page: Page, fields: Record<string, string>, action?: string): Promise<Page> {
    const forms = formsOf(page);
    const wanted = Object.keys(fields);
    const form = forms.find((form) =>
      action ? form.action.includes(action) : wanted.every((name) => form.fields.includes(name) || name in form.values),
    );
    if (!form)
      throw new Error(
        `no form for ${wanted.join(', ')} ${action ?? ''} on ${page.url} (${page.status}): ${wordsOf(page)}`,
      );
    return this.send(new URL(form.action, page.url).href, { form: { ...form.values, ...fields } });
  }

  #cookiesFor(path: string): string {
    const fits = (cookie: Cookie) =>
      path === cookie.path || path.startsWith(cookie.path.endsWith('/') ? cookie.path : `${cookie.path}/`);
    return this.jar
      .filter(fits)
      .map(({ name, value }) => `${name}=${value}`)
      .join('; ');
  }

  #keep(line: string, pathname: string): void {
    const [pair = '', ...attributes] = line.split(';').map((part) => part.trim());
    const at = pair.indexOf('=');
    const find = (name: string) =>
      attributes.find((a) => a.toLowerCase().startsWith(`${name}=`))?.slice(name.length + 1);
    const path = find('path') ?? (pathname.slice(0, pathname.lastIndexOf('/')) || '/');
    const expires = find('expires');
    const name = pair.slice(0, at);
    // In place, since twins share the jar.
    const old = this.jar.findIndex((cookie) => cookie.name === name && cookie.path === path);
    if (old >= 0) this.jar.splice(old, 1);
    if (expires && Date.parse(expires) <= Date.now()) return;
    this.jar.push({ name, value: pair.slice(at + 1), path, attributes: attributes.join('; ') });
  }
}

export function formsOf(page: Page): Form[] {
  return [...page.body.matchAll(/<form\b([^>]*)>([\s\S]*?)<\/form>/gi)].map(([, tag = '', inside = '']) => {
    const form: Form = { action: attribute(tag, 'action') ?? page.url, values: {}, fields: [] };
    for (const [, element = '', rest = ''] of inside.matchAll(/<(input|button|select|textarea)\b([^>]*)>/gi)) {
      const name = attribute(rest, 'name');
      const type = attribute(rest, 'type') ?? (element === 'button' ? 'submit' : 'text');
      if (!name) continue;
      if (type === 'hidden' || type === 'submit') form.values[name] ??= attribute(rest, 'value') ?? '';
      else {
        form.fields.push(name);
        if (element === 'input' && !['password', 'checkbox', 'radio', 'file'].includes(type))
          form.values[name] ??= attribute(rest, 'value') ?? '';
      }
    }
    return form;
  });
}

function attribute(tag: string, name: string): string | undefined {
  const match = new RegExp(`(?:^|\\s)${name}="([^"]*)"`, 'i').exec(tag);
  return match?.[1] === undefined ? undefined : unescapeHtml(match[1]);
}

export function unescapeHtml(text: string): string {
  const named: Record<string, string> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };
  return text.replace(/&(?:#(\d+)|(\w+));/g, (all, code, name) =>
    code ? String.fromCodePoint(Number(code)) : (named[name] ?? all),
  );
}

/** Words that a person would read. */
export function wordsOf(page: Page): string {
  return unescapeHtml(page.body.replace(/<(script|style|head)\b[\s\S]*?<\/\1>/gi, ' ').replace(/<[^>]+>/g, ' '))
    .replace(/\s+/g, ' ')
    .trim();
}
