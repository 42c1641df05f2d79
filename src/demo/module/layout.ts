import { type Fragment, type Html, html } from './html.ts';

/** What every page of one module has in common. */
export interface Site {
  name: string;
  brandName: string;
  stylesheet: string;
  /** The provider's home page, where the tiles of all modules are. */
  launcherUrl: string;
}

export function page(site: Site, title: string, header: Html, main: Html): string {
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${title} · ${site.name}</title>
<link rel="icon" href="/icon.svg" type="image/svg+xml">
<link rel="stylesheet" href="${site.stylesheet}">
</head>
<body>
<a class="skip" href="#main">Skip to content</a>
<header class="bar"><div class="bar-inner">
<a class="bar-brand" href="/"><img src="/icon.svg" alt="" width="28" height="28"><span>${site.name}</span></a>
${header}
</div></header>
<main id="main" tabindex="-1">
${main}
</main>
</body>
</html>
`.text;
}

export interface MessageView {
  title: string;
  text: string;
  /** What leads to the log, where there is something to find. */
  code: string | null;
}

export function messagePage(site: Site, { title, text, code }: MessageView): string {
  return page(
    site,
    title,
    html``,
    html`<div class="column"><div class="card message"><h1>${title}</h1><p>${text}</p>
${code === null ? null : html`<p class="code">Code: ${code}</p>`}
<p><a class="button" href="/">Go to ${site.name}</a></p></div></div>`,
  );
}

/** What stands in the bar of somebody who is in. */
export interface Visitor {
  /** The provider's sign leads to it: the App Launcher for who came through it, the way to it for others (B.6). */
  way: 'provider' | 'local' | 'none';
  isAdministrator: boolean;
  at: 'home' | 'settings';
}

export function bar(site: Site, { way, isAdministrator, at }: Visitor): Html {
  const settings = html`<a class="tool" href="/settings/integration-center"${at === 'settings' ? html` aria-current="true"` : null}><span class="sign settings-sign" aria-hidden="true"></span><span class="tool-words">Settings</span></a>`;
  const launcher = html`<a class="tool" href="${site.launcherUrl}"><span class="sign launcher-sign" aria-hidden="true"></span><span class="tool-words">App Launcher</span></a>`;
  const brand = html`<a class="tool" href="/login/start"><span class="sign brand-sign" aria-hidden="true"></span><span class="tool-words">${site.brandName}</span></a>`;
  return html`<nav class="bar-tools" aria-label="Account">
${isAdministrator ? settings : null}
${way === 'provider' ? launcher : way === 'local' ? brand : null}
<form method="post" action="/logout"><button class="tool" type="submit"><span class="sign leave-sign" aria-hidden="true"></span><span class="tool-words">Log out</span></button></form>
</nav>`;
}

export const fact = (name: string, value: Fragment): Html => html`<div><dt>${name}</dt><dd>${value}</dd></div>
`;

/** In the person's own zone, and exact for machines and on hover. */
export function timeIn(timeZone: string, ms: number): Html {
  const words = new Intl.DateTimeFormat('en-GB', { dateStyle: 'medium', timeStyle: 'short', timeZone }).format(ms);
  const exact = new Date(ms).toISOString();
  return html`<time datetime="${exact}" title="${exact}">${words}</time>`;
}
