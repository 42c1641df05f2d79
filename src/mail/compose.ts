// Makes the mail that is sent: subject, HTML and text. Tables and inline styles, as mail programs want them;
// no picture, no script and nothing remote, so that opening it tells nobody (AUT-15).
import type { MailKind } from '../domain/mails/mail.ts';
import type { MailData } from './data.ts';
import { type Block, type Message, writeMessage } from './messages.ts';
import { oneLine } from './one-line.ts';
import type { MailContext } from './parts.ts';

export interface ComposedMail {
  subject: string;
  html: string;
  text: string;
}

/** @throws ZodError when stored data do not fit the kind of mail. */
export function composeMail<K extends MailKind>(kind: K, data: MailData[K], context: MailContext): ComposedMail {
  const brand = oneLine(context.brand);
  const message = writeMessage(kind, data, { ...context, brand });
  const end = footer(brand, context.replyTo ?? null);
  return { subject: message.subject, html: toHtml(message, brand, end), text: toText(message, end) };
}

/** The same for a mail out of the database, where the data are not typed yet; the schema judges them. */
export const composeStored = (kind: MailKind, data: unknown, context: MailContext): ComposedMail =>
  composeMail(kind, data as MailData[typeof kind], context);

const footer = (brand: string, replyTo: string | null) =>
  replyTo
    ? `Sent by ${brand}. Answers go to ${oneLine(replyTo)}.`
    : `Sent by ${brand}. Nobody reads answers to this address.`;

function toText(message: Message, end: string): string {
  const write = (block: Block) => {
    if (block !== 'button') return [block.lines.join('\n')];
    return message.button ? [`${message.button.label}:\n${message.button.link}`] : [];
  };
  const parts = [message.heading, ...message.opening.flatMap(write)];
  if (message.list.length > 0) parts.push(message.list.map((item) => `- ${item}`).join('\n'));
  if (message.facts.length > 0) parts.push(message.facts.map(({ label, value }) => `${label}: ${value}`).join('\n'));
  parts.push(...message.closing.flatMap(write), `-- \n${end}`);
  return `${parts.join('\n\n')}\n`;
}

const escapeHtml = (text: string): string => text.replace(/[&<>"'`]/g, (c) => `&#${c.charCodeAt(0)};`);

const font = "font-family:Inter,-apple-system,'Segoe UI',Roboto,Helvetica,Arial,sans-serif";
const paragraph = (lines: string[], style: string, kind: 'ink' | 'soft') =>
  `<p class="${kind}" style="${style};color:${kind === 'ink' ? '#161a22' : '#565e6c'}">${lines.map(escapeHtml).join('<br>')}</p>`;

const openingBlock = (message: Message) => (block: Block) =>
  block === 'button' ? button(message) : paragraph(block.lines, 'margin:0 0 16px', 'ink');

const closingBlock = (message: Message) => (block: Block) =>
  block === 'button'
    ? button(message)
    : paragraph(block.lines, 'margin:0 0 8px;font-size:13px;line-height:20px', 'soft');

function facts(message: Message): string {
  if (message.facts.length === 0) return '';
  const rows = message.facts.map(
    ({ label, value }) =>
      `<tr><td class="soft label" style="padding:4px 16px 4px 0;color:#565e6c;vertical-align:top;white-space:nowrap">${escapeHtml(label)}</td><td class="ink value" style="padding:4px 0;color:#161a22;font-weight:500;word-break:break-word">${escapeHtml(value)}</td></tr>`,
  );
  return `<table role="presentation" class="sunk" width="100%" cellpadding="0" cellspacing="0" style="margin:8px 0 24px;background:#f0f1f4;border-radius:6px"><tr><td style="padding:12px 16px"><table role="presentation" cellpadding="0" cellspacing="0" style="${font};font-size:14px;line-height:20px">${rows.join('')}</table></td></tr></table>`;
}

function list(message: Message): string {
  if (message.list.length === 0) return '';
  const items = message.list.map(
    (item) => `<li class="ink" style="margin:0 0 4px;color:#161a22;font-weight:500">${escapeHtml(item)}</li>`,
  );
  return `<ul style="margin:0 0 24px;padding-left:20px">${items.join('')}</ul>`;
}

function button(message: Message): string {
  if (!message.button) return '';
  const link = escapeHtml(message.button.link);
  return `<table role="presentation" cellpadding="0" cellspacing="0" style="margin:0 0 24px"><tr><td class="accent" style="background:#3b4fd1;border-radius:6px"><a href="${link}" style="display:inline-block;padding:12px 24px;color:#ffffff;font-weight:500;text-decoration:none">${escapeHtml(message.button.label)}</a></td></tr></table>
<p class="soft" style="margin:0 0 16px;font-size:13px;line-height:20px;color:#565e6c">Or copy this address into your browser:<br><a class="link" href="${link}" style="color:#3548c4;word-break:break-all">${link}</a></p>`;
}

// Mail programs that know dark mode read these; the others keep the inline colours.
const dark = `@media (prefers-color-scheme:dark){
.ground{background:#0e1014!important}.card{background:#16191f!important;border-color:#292e37!important}
.ink{color:#eceef2!important}.soft{color:#9fa7b5!important}.sunk{background:#20242c!important}
.accent{background:#4f63e6!important}.link{color:#a5b2ff!important}}`;

// On a small screen a fact stands below its name.
const narrow = `@media (max-width:420px){.card{padding:24px 20px!important}
.label,.value{display:block!important;padding:0!important}.value{padding-bottom:8px!important}}`;

function toHtml(message: Message, brand: string, end: string): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta name="color-scheme" content="light dark">
<meta name="supported-color-schemes" content="light dark">
<title>${escapeHtml(message.subject)}</title>
<style>${dark}${narrow}</style>
</head>
<body class="ground" style="margin:0;padding:0;background:#f6f7f9">
<div style="display:none;max-height:0;overflow:hidden">${escapeHtml(message.preview)}</div>
<table role="presentation" class="ground" width="100%" cellpadding="0" cellspacing="0" style="background:#f6f7f9"><tr><td align="center" style="padding:32px 16px">
<table role="presentation" width="100%" cellpadding="0" cellspacing="0" style="max-width:520px;${font};font-size:15px;line-height:24px;text-align:left">
<tr><td class="ink" style="padding:0 0 16px;color:#161a22;font-size:16px;font-weight:600">${escapeHtml(brand)}</td></tr>
<tr><td class="card" style="padding:32px;background:#ffffff;border:1px solid #e2e5ea;border-radius:10px">
<h1 class="ink" style="margin:0 0 16px;color:#161a22;font-size:20px;line-height:28px;font-weight:600">${escapeHtml(message.heading)}</h1>
${message.opening.map(openingBlock(message)).join('\n')}
${list(message)}${facts(message)}
${message.closing.map(closingBlock(message)).join('\n')}
</td></tr>
<tr><td class="soft" style="padding:16px 0 0;color:#565e6c;font-size:13px;line-height:20px">${escapeHtml(end)}</td></tr>
</table>
</td></tr></table>
</body>
</html>
`;
}
