import type { Moment, Shell } from '../../views.ts';
import type { Chip, Choice, PageLinks, StatusWords } from '../views.ts';

export const peopleColumns = [
  { key: 'firstName', label: 'First Name', order: 'firstName' },
  { key: 'lastName', label: 'Last Name', order: 'lastName' },
  { key: 'username', label: 'Username', order: 'username' },
  { key: 'email', label: 'Email', order: 'email' },
  { key: 'role', label: 'Role', order: 'role' },
  { key: 'status', label: 'Status', order: 'status' },
  { key: 'secondFactor', label: '2FA', order: 'secondFactor' },
  { key: 'invite', label: 'Invite', order: null },
  { key: 'password', label: 'Password', order: null },
  { key: 'lastLogin', label: 'Last login', order: 'lastLoginAt' },
] as const;

export type PeopleColumn = (typeof peopleColumns)[number]['key'];

export interface ColumnHead {
  key: PeopleColumn;
  label: string;
  /** Address that sorts by it; null: nothing to sort by. */
  sort: string | null;
  sorted: 'ascending' | 'descending' | null;
  sortIcon: 'arrow-up' | 'arrow-down';
  /** Classes of its cells. */
  look: string;
}

/** Acts that the row offers; each leads to a page that asks first. Null: not now (A2.6, A2.7, D.4). */
export interface PersonActs {
  edit: string | null;
  deactivate: string | null;
  activate: string | null;
  unlock: string | null;
  delete: string | null;
  resend: string | null;
  resetSecondFactor: string | null;
  resetPassword: string | null;
}

export interface PersonLine {
  id: string;
  href: string;
  name: string;
  initials: string;
  firstName: string;
  lastName: string;
  username: string;
  email: string;
  role: string;
  status: StatusWords;
  secondFactor: string;
  /** In words: when the invitation runs out; empty when there is none. */
  invite: string;
  lastLogin: Moment | null;
  isMailBlocked: boolean;
  acts: PersonActs;
}

export interface UserViews {
  'admin/users/list': {
    shell: Shell;
    filters: {
      search: string;
      roles: Choice[];
      statuses: Choice[];
      secondFactors: Choice[];
      groups: Choice[];
      /** Order and direction, kept while filtering. */
      hidden: { name: string; value: string }[];
      chips: Chip[];
      clear: string | null;
    };
    columns: ColumnHead[];
    /** All columns in the person's order, for the Columns button. */
    allColumns: { key: string; label: string; shown: boolean; isFirst: boolean; isLast: boolean }[];
    /** Keys of all columns in that order, joined by commas. */
    columnOrder: string;
    people: PersonLine[];
    pages: PageLinks;
    /** People that match, in words: "1,204 people". */
    count: string;
    isFiltered: boolean;
    /** The present query string, for acts on all that match and for the way back. */
    query: string;
  };
}
