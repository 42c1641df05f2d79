// A strict reader for the XML that identity providers send. It refuses what no SAML message needs and attacks live on: document types
// and entities (XXE, billion laughs), comments and processing instructions (text that two readers see differently), CDATA, depth and
// size without end. It reads what was signed, and decides whether the library gets to see a document at all.

export interface XmlElement {
  /** Namespace and local name. */
  ns: string;
  name: string;
  /** By name as written; those without a prefix, and `xmlns` ones left out. */
  attributes: Map<string, string>;
  children: XmlElement[];
  /** Its own text, children's not included. */
  text: string;
}

export class XmlProblem extends Error {}

export const xmlLimits = { bytes: 262_144, depth: 40, elements: 5_000, attributes: 40 };

const tag =
  /<(\/?)((?:[A-Za-z_][\w.-]*:)?[A-Za-z_][\w.-]*)((?:\s+(?:[A-Za-z_][\w.-]*:)?[A-Za-z_][\w.-]*\s*=\s*(?:"[^"<]*"|'[^'<]*'))*)\s*(\/?)>/y;
/** Of what a tag has been found to hold; so their names are names. */
const attribute = /(?<!\s)\s+([^\s=]+)\s*=\s*(?:"([^"]*)"|'([^']*)')/g;
const declaration =
  /^<\?xml\s+version\s*=\s*["']1\.0["'](?:\s+encoding\s*=\s*["']utf-?8["'])?(?:\s+standalone\s*=\s*["'](?:yes|no)["'])?\s*\?>/i;

const entities: Record<string, string> = { lt: '<', gt: '>', amp: '&', quot: '"', apos: "'" };

/** XML 1.0 section 2.2, and a little stricter: no control characters at all but tab and line ends. */
const control = /(?![\t\n\r])\p{Cc}|[\ufffe\uffff]/u;
const isNotText = (text: string) => control.test(text) || !text.isWellFormed();

function unescaped(text: string): string {
  return text.replace(/&([^;]{0,12});?/g, (whole, body: string) => {
    if (!whole.endsWith(';')) throw new XmlProblem('a bare ampersand');
    const known = Object.hasOwn(entities, body) ? entities[body] : undefined;
    if (known !== undefined) return known;
    const number = /^#(?:x([0-9a-f]{1,6})|(\d{1,7}))$/i.exec(body);
    if (!number) throw new XmlProblem('an entity');
    const code = number[1] ? Number.parseInt(number[1], 16) : Number(number[2]);
    const character = code <= 0x10ffff ? String.fromCodePoint(code) : '\0';
    if (isNotText(character)) throw new XmlProblem('a character that XML does not have');
    return character;
  });
}

/** What an element declares itself, and where to look further: a copy for each element would be work without end (DOS-03). */
interface Scope {
  own: ReadonlyMap<string, string>;
  outer: Scope | null;
}

interface Open {
  element: XmlElement;
  qname: string;
  scope: Scope;
}

const noScope: Scope = { own: new Map([['xml', 'http://www.w3.org/XML/1998/namespace']]), outer: null };

function namespaceOf(prefix: string, scope: Scope): string | undefined {
  for (let at: Scope | null = scope; at; at = at.outer) {
    const found = at.own.get(prefix);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** @throws XmlProblem */
export function readXml(source: string): XmlElement {
  if (Buffer.byteLength(source) > xmlLimits.bytes) throw new XmlProblem('too large');
  if (isNotText(source)) throw new XmlProblem('a character that XML does not have');
  const text = source.replace(/^\s+/, '');
  const start = declaration.exec(text)?.[0].length ?? 0;
  if (/<[!?]/.test(text.slice(start)))
    throw new XmlProblem('a comment, a document type, CDATA or a processing instruction');
  return readElements(text, start);
}

function readElements(text: string, start: number): XmlElement {
  const open: Open[] = [];
  let root: XmlElement | null = null;
  let count = 0;
  let at = start;
  while (at < text.length) {
    const next = text.indexOf('<', at);
    const between = text.slice(at, next === -1 ? text.length : next);
    const present = open.at(-1);
    if (present) present.element.text += unescaped(between);
    else if (between.trim() !== '') throw new XmlProblem('text outside of the document');
    if (next === -1) break;
    tag.lastIndex = next;
    const found = tag.exec(text);
    if (!found) throw new XmlProblem('a tag that is not well formed');
    at = tag.lastIndex;
    const [, closes, written = '', attributes = '', isEmpty] = found;
    if (closes) {
      if (attributes !== '' || isEmpty || open.pop()?.qname !== written) throw new XmlProblem('tags that do not fit');
      continue;
    }
    count += 1;
    if (count > xmlLimits.elements || open.length >= xmlLimits.depth) throw new XmlProblem('too large');
    if (!present && root) throw new XmlProblem('two documents');
    const entered = enter(written, attributes, present?.scope ?? noScope);
    if (present) present.element.children.push(entered.element);
    else root = entered.element;
    if (!isEmpty) open.push(entered);
  }
  if (!root || open.length > 0) throw new XmlProblem('a document that breaks off');
  return root;
}

function enter(written: string, source: string, outer: Scope): Open {
  const attributes = new Map<string, string>();
  const own = new Map<string, string>();
  const seen = new Set<string>();
  for (const [, key = '', double, single] of source.matchAll(attribute)) {
    if (seen.has(key) || seen.size >= xmlLimits.attributes) throw new XmlProblem('an attribute twice, or too many');
    seen.add(key);
    const value = unescaped((double ?? single ?? '').replace(/[\t\n\r]/g, ' '));
    if (key === 'xmlns') own.set('', value);
    else if (key.startsWith('xmlns:')) own.set(key.slice(6), value);
    else attributes.set(key, value);
  }
  const colon = written.indexOf(':');
  const scope = own.size === 0 ? outer : { own, outer };
  const ns = namespaceOf(colon === -1 ? '' : written.slice(0, colon), scope);
  if (ns === undefined && colon !== -1) throw new XmlProblem('a prefix without a namespace');
  const element = { ns: ns ?? '', name: written.slice(colon + 1), attributes, children: [], text: '' };
  return { element, qname: written, scope };
}

export function* descendants(element: XmlElement): Generator<XmlElement> {
  yield element;
  for (const child of element.children) yield* descendants(child);
}

export const childrenOf = (element: XmlElement, ns: string, name: string): XmlElement[] =>
  element.children.filter((child) => child.ns === ns && child.name === name);
