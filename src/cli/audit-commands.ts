import { anchorText, parseAnchor, type Touch } from '../domain/audit/chain.ts';
import { type Finding, verifyAudit } from '../domain/audit/verification.ts';
import { invalid } from '../lib/errors.ts';
import type { Command } from './commands.ts';
import { getCompany } from './company-commands.ts';

const words: Record<Touch, string> = {
  changed: 'The event was changed after it had been sealed.',
  missing: 'The event was deleted.',
  inserted: 'The event was put in later: what comes after it had been sealed without it.',
  unsealed: 'The entry of the chain is gone, and its event with it or no longer sealed.',
  resealed: 'The entry of the chain was changed, or what stood before it.',
  reordered: 'The entry stands where another one stood.',
  misdated: 'The event bears a time that does not fit its place: it was written later or earlier than it says.',
  rewritten: 'The chain up to here is not the one whose head was kept: this entry or one before it was replaced.',
};

function sentenceOf({ touch, seq, eventId, event }: Finding): string {
  const place = [
    ...(seq === null ? [] : [`entry ${seq}`]),
    ...(eventId === null ? [] : [`event ${eventId}`]),
    ...(event ? [event.action, event.at.toISOString()] : []),
  ];
  return `TOUCHED at ${place.join(', ')}\n  ${words[touch]}`;
}

function toJson(finding: Finding | null): object | null {
  if (!finding) return null;
  const { touch, seq, eventId, event } = finding;
  return {
    touch,
    seq,
    eventId: eventId === null ? null : String(eventId),
    event: event && { at: event.at, action: event.action },
    sentence: words[touch],
  };
}

const verify: Command = {
  name: 'verify-audit',
  summary: 'Checks the audit log against its hash chain and names the first entry that was touched',
  options: {
    company: { about: "Only this company's events (the chain itself is checked all the same)" },
    expect: {
      about: 'A head that an earlier run printed and that was kept elsewhere; may be given more than once',
      type: 'list',
    },
  },
  async run({ work, options }) {
    const name = options.text('company');
    const anchors = options.list('expect').map((text) => {
      const anchor = parseAnchor(text);
      if (!anchor) throw invalid(`--expect takes a head such as 1042:9f86d0…, not "${text}".`);
      return anchor;
    });
    const result = await verifyAudit(work, { companyId: name ? (await getCompany(work, name)).id : null, anchors });
    const { finding, further, entries, waiting } = result;
    const head = result.head && anchorText(result.head);
    const lines = [
      finding
        ? sentenceOf(finding)
        : `Intact: ${entries === 1 ? '1 entry' : `${entries} entries, each follows from the one before it`}.`,
      ...(further ? [`Besides, ${sentenceOf(further)}`] : []),
      ...(waiting > 0
        ? [`${waiting} newer events wait to be sealed, since ${result.waitingSince?.toISOString()}.`]
        : []),
      ...(head ? [`Head: ${head}`, 'Keep it elsewhere, and hand it to a later run: --expect <head>'] : []),
    ];
    return {
      json: {
        intact: !finding,
        entries,
        waiting,
        waitingSince: result.waitingSince,
        head,
        firstTouched: toJson(finding),
        further: toJson(further),
      },
      text: lines.join('\n'),
      failed: finding !== null,
    };
  },
};

export const auditCommands: Command[] = [verify];
