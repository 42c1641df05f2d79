// Finds the form on a page and fills it by field name, as a person would.

export interface Form {
  action: string;
  /** Values that the page itself brings along: hidden inputs, and the name of the button that is pressed. */
  given: Map<string, string>;
  /** Fields that a person fills. */
  fields: Set<string>;
}

/** All forms of a page that are sent by POST. */
export function readForms(html: string): Form[] {
  const forms: Form[] = [];
  for (const [, tag = '', inside = ''] of html.matchAll(/<form\b([^>]*)>(.*?)<\/form>/gis)) {
    if (attribute(tag, 'method')?.toLowerCase() !== 'post') continue;
    forms.push(readForm(attribute(tag, 'action') ?? '', inside));
  }
  return forms;
}

function readForm(action: string, inside: string): Form {
  const form: Form = { action, given: new Map(), fields: new Set() };
  let pressed = false;
  for (const [, element = '', tag = ''] of inside.matchAll(/<(input|button|select|textarea)\b([^>]*)>/gi)) {
    const name = attribute(tag, 'name');
    const type = attribute(tag, 'type')?.toLowerCase() ?? (element.toLowerCase() === 'button' ? 'submit' : 'text');
    const submits = type === 'submit' && !pressed;
    if (submits) pressed = true;
    if (name === undefined || type === 'checkbox' || type === 'radio' || type === 'button') continue;
    if (type === 'hidden' || submits) form.given.set(name, attribute(tag, 'value') ?? '');
    else if (type !== 'submit') form.fields.add(name);
  }
  return form;
}

function attribute(tag: string, name: string): string | undefined {
  const found = new RegExp(`(?:^|\\s)${name}\\s*=\\s*(?:"([^"]*)"|'([^']*)'|([^\\s"'>]+))`, 'i').exec(tag);
  const value = found?.[1] ?? found?.[2] ?? found?.[3];
  return value === undefined ? undefined : decode(value);
}

const named: Record<string, string> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };

function decode(value: string): string {
  return value.replace(/&(?:#x([0-9a-f]+)|#(\d+)|(\w+));/gi, (whole, hex?: string, decimal?: string, name?: string) => {
    if (hex) return String.fromCodePoint(Number.parseInt(hex, 16));
    if (decimal) return String.fromCodePoint(Number(decimal));
    return named[name ?? ''] ?? whole;
  });
}

/** The words of a page, for the message when a sign-in does not go as expected. */
export function wordsOf(html: string): string {
  const visible = html.replace(/<(script|style|head)\b.*?<\/\1>/gis, ' ').replace(/<[^>]+>/g, ' ');
  return decode(visible).replace(/\s+/g, ' ').trim().slice(0, 300);
}
