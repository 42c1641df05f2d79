// A browser for the flows: a cookie jar of its own, redirects by hand, no scripts.

import { type Answer, type Content, type Http, header, type Send } from './http.ts';

export interface Browser {
  get(url: string): Promise<Answer>;
  post(url: string, form: URLSearchParams): Promise<Answer>;
  /** Posts what is no ordinary form. */
  send(url: string, content: Content): Promise<Answer>;
}

interface Cookie {
  name: string;
  value: string;
  path: string;
}

/** Connections are shared through `http`, cookies are not. */
export function createBrowser(http: Http): Browser {
  const jar = new Map<string, Cookie>();
  const visit = async (url: string, options: Send): Promise<Answer> => {
    const { origin, pathname } = new URL(url);
    const headers: Record<string, string> = { accept: 'text/html', 'sec-fetch-site': 'same-origin' };
    if (options.method === 'POST') headers.origin = origin;
    const cookie = cookiesFor(jar, pathname);
    if (cookie) headers.cookie = cookie;
    const answer = await http.send(url, { ...options, headers });
    for (const line of header(answer, 'set-cookie')) keep(jar, line, pathname);
    return answer;
  };
  return {
    get: (url) => visit(url, { method: 'GET' }),
    post: (url, form) => visit(url, { method: 'POST', form }),
    send: (url, content) => visit(url, { method: 'POST', content }),
  };
}

function cookiesFor(jar: Map<string, Cookie>, pathname: string): string {
  const fitting = [...jar.values()].filter(({ path }) => covers(path, pathname));
  return fitting.map(({ name, value }) => `${name}=${value}`).join('; ');
}

/** RFC 6265 5.1.4. */
function covers(path: string, pathname: string): boolean {
  return pathname === path || pathname.startsWith(path.endsWith('/') ? path : `${path}/`);
}

function keep(jar: Map<string, Cookie>, line: string, pathname: string): void {
  const [pair = '', ...attributes] = line.split(';').map((part) => part.trim());
  const name = pair.slice(0, pair.indexOf('='));
  const value = pair.slice(pair.indexOf('=') + 1);
  const attribute = (wanted: string): string | undefined =>
    attributes.find((one) => one.toLowerCase().startsWith(`${wanted}=`))?.slice(wanted.length + 1);
  const path = attribute('path') ?? (pathname.slice(0, pathname.lastIndexOf('/')) || '/');
  const expires = attribute('expires');
  const gone = attribute('max-age') === '0' || (expires !== undefined && Date.parse(expires) <= Date.now());
  const key = `${name} ${path}`;
  if (gone) jar.delete(key);
  else jar.set(key, { name, value, path });
}
