/** Text that may go into a page as it is, because everything in it was escaped when it was put together. */
export class Html {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}

/** What may stand in `${}` of a page: text is escaped, `null` and `false` leave nothing behind. */
export type Fragment = Html | string | number | null | false | readonly Html[];

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

function render(fragment: Fragment): string {
  if (fragment instanceof Html) return fragment.text;
  if (fragment === null || fragment === false) return '';
  if (typeof fragment === 'object') return fragment.map(({ text }) => text).join('');
  return String(fragment).replace(/[&<>"']/g, (character) => ENTITIES[character] ?? character);
}

/** The one way to make a page: there is no way to put text in without escaping it (WEB-08). */
export function html(strings: TemplateStringsArray, ...fragments: Fragment[]): Html {
  return new Html(
    strings.map((text, at) => text + (at < fragments.length ? render(fragments[at] ?? null) : '')).join(''),
  );
}
