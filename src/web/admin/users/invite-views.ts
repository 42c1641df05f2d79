import type { FormProblem, Moment, Shell } from '../../views.ts';
import type { Choice, StatusWords } from '../views.ts';

/** What the page has to say about a value: a problem stands in the way, a warning does not. */
export interface FieldNote {
  kind: 'problem' | 'warning';
  sentence: string;
}

export type CheckedField = 'firstName' | 'lastName' | 'email' | 'username';

export interface InviteViews {
  'admin/users/new': {
    shell: Shell;
    problem: FormProblem | null;
    action: string;
    back: string;
    /** Address that answers with this page and a note beside one field. */
    check: string;
    values: Record<CheckedField, string>;
    notes: Record<CheckedField | 'role' | 'groups', FieldNote | null>;
    roles: Choice[];
    groups: { id: string; name: string; checked: boolean; isActive: boolean; isExclusive: boolean; note: string }[];
  };
  'admin/users/import': {
    shell: Shell;
    problem: FormProblem | null;
    action: string;
    back: string;
    template: string;
    maxBytes: number;
    /** Said when a larger file is chosen. */
    tooLarge: string;
    maxRows: string;
    recent: { href: string; title: string; state: StatusWords; counts: string; at: Moment }[];
  };
}
