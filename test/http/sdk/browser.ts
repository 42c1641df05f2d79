/** What a browser does for a sign-in: it keeps cookies by host name, whatever the port, and follows redirects. */
export interface Page {
  status: number;
  url: string;
  text: string;
  headers: Headers;
  /** The addresses that were passed on the way, first to last. */
  trail: string[];
}

export class Browser {
  readonly #cookies = new Map<string, Map<string, string>>();

  cookies(url: string): Map<string, string> {
    const { hostname } = new URL(url);
    const jar = this.#cookies.get(hostname) ?? new Map<string, string>();
    this.#cookies.set(hostname, jar);
    return jar;
  }

  /** One request, no redirect followed. */
  async request(url: string, init: RequestInit = {}): Promise<Response> {
    const jar = this.cookies(url);
    const headers = new Headers(init.headers);
    if (jar.size > 0) headers.set('cookie', [...jar].map(([name, value]) => `${name}=${value}`).join('; '));
    const response = await fetch(url, { ...init, headers, redirect: 'manual' });
    for (const line of response.headers.getSetCookie()) this.#keep(jar, line);
    return response;
  }

  #keep(jar: Map<string, string>, line: string): void {
    const [pair = '', ...attributes] = line.split(';').map((part) => part.trim());
    const name = pair.slice(0, pair.indexOf('='));
    const isGone = attributes.some((text) => {
      const [key, value = ''] = text.toLowerCase().split('=');
      return (key === 'max-age' && Number(value) <= 0) || (key === 'expires' && Date.parse(value) <= Date.now());
    });
    if (isGone) jar.delete(name);
    else jar.set(name, pair.slice(pair.indexOf('=') + 1));
  }

  async open(url: string, init: RequestInit = {}): Promise<Page> {
    const trail: string[] = [];
    let [next, options] = [url, init];
    for (let hop = 0; hop < 20; hop += 1) {
      const response = await this.request(next, options);
      const location = response.headers.get('location');
      if (location === null) {
        return { status: response.status, url: next, text: await response.text(), headers: response.headers, trail };
      }
      await response.arrayBuffer();
      trail.push(next);
      next = new URL(location, next).href;
      options = {};
    }
    throw new Error(`too many redirects: ${trail.join(' ')}`);
  }

  /** Sends the first form of a page (or the one with this action), as a browser would, with Origin. */
  async submit(page: Page, fields: Record<string, string> = {}, action?: string): Promise<Page> {
    const forms = [...page.text.matchAll(/<form([^>]*)>([\s\S]*?)<\/form>/g)].map(([, head = '', body = '']) => ({
      action: attribute(head, 'action') ?? page.url,
      body,
    }));
    const form = forms.find((candidate) => action === undefined || candidate.action.includes(action));
    if (!form) throw new Error(`no such form on ${page.url}: ${page.text.slice(0, 500)}`);
    const body = new URLSearchParams();
    for (const [input] of form.body.matchAll(/<input[^>]*>/g)) {
      const name = attribute(input, 'name');
      if (name !== null) body.set(name, attribute(input, 'value') ?? '');
    }
    for (const [name, value] of Object.entries(fields)) body.set(name, value);
    const { origin } = new URL(page.url);
    return this.open(new URL(form.action, page.url).href, { method: 'POST', body, headers: { origin } });
  }
}

const ENTITIES: Record<string, string> = { amp: '&', lt: '<', gt: '>', quot: '"', '#39': "'", '#x27': "'" };

function attribute(tag: string, name: string): string | null {
  const found = new RegExp(`\\b${name}="([^"]*)"`).exec(tag)?.[1];
  return found?.replace(/&([\w#]+);/g, (whole, entity: string) => ENTITIES[entity] ?? whole) ?? null;
}
