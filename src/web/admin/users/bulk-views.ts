import type { Shell } from '../../views.ts';
import type { Choice } from '../views.ts';

/** The selection, carried from page to page: ids, or everybody whom the list's query means. */
interface Carried {
  act: string;
  ids: string[];
  all: boolean;
  query: string;
}

export interface UserBulkViews {
  'admin/users/bulk': Carried & {
    shell: Shell;
    title: string;
    action: string;
    selected: number;
    /** Names of the first people it is done to, and how many others there are. */
    first: string[];
    others: number;
    sentences: string[];
    /** Whom the rules leave out, and why. */
    exceptions: { because: string; people: string }[];
    roles: Choice[];
    groups: Choice[];
    /** Null: there is nobody to do it to. */
    button: string | null;
    isDanger: boolean;
    cancel: string;
  };
  'admin/users/export': Carried & {
    shell: Shell;
    action: string;
    fields: { value: string; label: string }[];
    cancel: string;
  };
}
