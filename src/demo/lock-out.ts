// Locks the demo's locked-out person in the only honest way: by too many wrong passwords at the real door.

class Browser {
  readonly #cookies = new Map<string, string>();

  async open(address: string, form?: Record<string, string>): Promise<{ url: string; html: string }> {
    let url = address;
    let body: URLSearchParams | null = form ? new URLSearchParams(form) : null;
    for (let i = 0; i < 10; i += 1) {
      const cookie = [...this.#cookies].map(([name, value]) => `${name}=${value}`).join('; ');
      const answer = await fetch(url, { method: body ? 'POST' : 'GET', body, headers: { cookie }, redirect: 'manual' });
      for (const line of answer.headers.getSetCookie()) this.#keep(line);
      const location = answer.headers.get('location');
      if (!location) return { url, html: await answer.text() };
      url = new URL(location, url).href;
      body = null;
    }
    throw new Error(`too many redirects at ${url}`);
  }

  #keep(line: string): void {
    const [pair = ''] = line.split(';');
    const at = pair.indexOf('=');
    this.#cookies.set(pair.slice(0, at), pair.slice(at + 1));
  }
}

const hidden = (html: string, name: string) => new RegExp(`name="${name}" value="([^"]*)"`).exec(html)?.[1] ?? '';

/** The lock ends by itself after ten minutes, so it is made at each start. */
export async function lockOut(issuer: string, username: string): Promise<void> {
  const browser = new Browser();
  const first = await browser.open(`${issuer}/login`);
  let page = await browser.open(`${first.url}/identify`, { csrf: hidden(first.html, 'csrf'), username });
  for (let i = 0; i < 5; i += 1) {
    const step = page.url.replace(/\/(identify|password)$/, '');
    page = await browser.open(`${step}/password`, {
      csrf: hidden(page.html, 'csrf'),
      password: `wrong on purpose ${i}`,
    });
  }
}
