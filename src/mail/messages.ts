// What goes into each mail: the words are domain/mails/default-texts.ts's or a company's own, what they are filled with is parts.ts's
// matter, how it looks is compose.ts's. Pure functions.
import { defaultTexts } from '../domain/mails/default-texts.ts';
import type { MailKind } from '../domain/mails/mail.ts';
import type { Placeholder } from '../domain/mails/text.ts';
import { type MailData, mailSchemas } from './data.ts';
import { oneLine } from './one-line.ts';
import { type Button, type Fact, type MailContext, type Parts, partsOf } from './parts.ts';

/** A paragraph, of one line or several, or the place of the button. */
export type Block = { lines: string[] } | 'button';

export interface Message {
  subject: string;
  /** What a mail program shows beside the subject. */
  preview: string;
  heading: string;
  opening: Block[];
  list: string[];
  facts: Fact[];
  button: Button | null;
  /** Small print below the facts. */
  closing: Block[];
}

/** @throws ZodError when the data do not fit the kind of mail. */
export function writeMessage<K extends MailKind>(kind: K, data: MailData[K], context: MailContext): Message {
  // The schema and the function stand under the same key, which the compiler cannot follow through an index.
  const parts = (partsOf[kind] as (data: unknown, context: MailContext) => Parts)(
    mailSchemas[kind].parse(data),
    context,
  );
  const { preview, ...ours } = defaultTexts[kind];
  const text = context.text ?? ours;
  // One pass over the text of the company: what a value holds is never read as a placeholder again.
  const fill = (template: string): string =>
    template.replace(/\{(\w+)\}/g, (whole, name: string) =>
      name === 'brand' ? context.brand : (parts.values[name as Placeholder] ?? whole),
    );
  const opening = blocksOf(text.intro, fill);
  return {
    subject: oneLine(fill(text.subject)),
    preview: context.text ? firstWords(opening) : fill(preview),
    heading: fill(text.heading),
    opening,
    list: parts.list ?? [],
    facts: parts.facts ?? [],
    button: parts.button ?? null,
    closing: blocksOf(text.outro, fill),
  };
}

/** Paragraphs stand between empty lines; {link} alone on its line is the button. */
function blocksOf(text: string, fill: (template: string) => string): Block[] {
  const blocks: Block[] = [];
  let lines: string[] = [];
  const flush = () => {
    if (lines.length > 0) blocks.push({ lines });
    lines = [];
  };
  for (const line of text.split('\n')) {
    if (line.trim() === '' || line.trim() === '{link}') flush();
    if (line.trim() === '{link}') blocks.push('button');
    else if (line.trim() !== '') lines.push(fill(line.trim()));
  }
  flush();
  return blocks;
}

/** Of a company's own text: the first paragraph behind the greeting. */
function firstWords(blocks: Block[]): string {
  const texts = blocks.flatMap((block) => (block === 'button' ? [] : [block.lines.join(' ')]));
  return (texts[1] ?? texts[0] ?? '').slice(0, 140);
}
