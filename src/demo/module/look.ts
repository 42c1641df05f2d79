import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';

/** How a module looks: one colour in two strengths, and one sign. Everything else is the same for all modules. */
interface Colours {
  /** White words stand on it, 4.5:1 or better. */
  accent: string;
  accentStrong: string;
  /** Words and signs in the accent on a dark ground. */
  accentOnDark: string;
}

const WORKPLACE: Colours = { accent: '#0f766e', accentStrong: '#0b5c56', accentOnDark: '#5eead4' };
const HELPDESK: Colours = { accent: '#b4430b', accentStrong: '#923608', accentOnDark: '#fdba74' };
const KNOWN: Readonly<Record<string, Colours>> = { workplace: WORKPLACE, helpdesk: HELPDESK };

const read = (name: string) => readFileSync(new URL(`./assets/${name}`, import.meta.url), 'utf8');

export interface Asset {
  type: string;
  body: string;
  /** Its address changes with its content, so a browser may keep it for a year. */
  isFingerprinted: boolean;
}

export interface Look {
  stylesheet: string;
  assets: ReadonlyMap<string, Asset>;
}

export function createLook(slug: string): Look {
  const colours = KNOWN[slug] ?? WORKPLACE;
  const sign = slug in KNOWN ? slug : 'workplace';
  const css = `${toRule(colours)}\n${read('module.css')}`;
  const stylesheet = `/style.${createHash('sha256').update(css).digest('hex').slice(0, 12)}.css`;
  const svg = (body: string): Asset => ({ type: 'image/svg+xml', body, isFingerprinted: false });
  const assets = new Map<string, Asset>([
    [stylesheet, { type: 'text/css; charset=utf-8', body: css, isFingerprinted: true }],
    ['/icon.svg', svg(read(`${sign}.svg`).replaceAll('ACCENT', colours.accent))],
    ['/launcher.svg', svg(read('launcher.svg'))],
    ['/brand.svg', svg(read('brand.svg'))],
    ['/settings.svg', svg(read('settings.svg'))],
    ['/leave.svg', svg(read('leave.svg'))],
  ]);
  return { stylesheet, assets };
}

function toRule({ accent, accentStrong, accentOnDark }: Colours): string {
  return `:root {
  --accent: ${accent};
  --accent-strong: ${accentStrong};
  --accent-text: light-dark(${accent}, ${accentOnDark});
}`;
}
