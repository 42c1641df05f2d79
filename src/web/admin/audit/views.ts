import type { Moment, Shell } from '../../views.ts';
import type { Chip, Choice } from '../views.ts';

export interface AuditLine {
  id: string;
  href: string;
  at: Moment;
  sentence: string;
  who: string;
  ip: string;
  code: string;
  /** Refused, locked, deleted: what one looks for at night. */
  isAlarming: boolean;
}

export interface AuditViews {
  'admin/audit/list': {
    shell: Shell;
    filters: {
      person: string;
      /** Groups of actions, each beginning with the whole group. */
      actions: { label: string; choices: Choice[] }[];
      isAnyAction: boolean;
      ranges: Choice[];
      from: string;
      to: string;
      ip: string;
      code: string;
      /** One of the less frequent ones is on. */
      isMoreOpen: boolean;
      chips: Chip[];
      clear: string | null;
    };
    /** The zone that times are typed and shown in. */
    zone: string;
    events: AuditLine[];
    isFiltered: boolean;
    /** A person was asked for whom nobody knows. */
    unknownPerson: string;
    links: { newest: string | null; newer: string | null; older: string | null };
    /** What an export must honour. */
    hidden: { name: string; value: string }[];
  };
  'admin/audit/event': {
    shell: Shell;
    sentence: string;
    at: Moment;
    facts: { label: string; value: string; href: string | null }[];
    /** Why somebody was refused, in a sentence, and where to change it; null: nobody was. */
    why: { sentence: string; link: { href: string; label: string } | null } | null;
    changes: { field: string; before: string; after: string }[];
    details: { label: string; value: string }[];
    seal: { seq: string; hash: string; at: Moment } | null;
    back: string;
  };
}
