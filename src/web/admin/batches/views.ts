import type { FormProblem, Moment, Shell } from '../../views.ts';
import type { PageLinks, StatusWords } from '../views.ts';

export interface BatchViews {
  'admin/batches/list': {
    shell: Shell;
    batches: { title: string; cause: string; people: string; at: Moment; href: string; isOwn: boolean }[];
  };
  'admin/batches/show': {
    shell: Shell;
    problem: FormProblem | null;
    back: string;
    here: string;
    title: string;
    lead: string;
    status: StatusWords;
    cause: string;
    by: string;
    at: Moment;
    decided: { by: string; at: Moment } | null;
    instance: { name: string; href: string };
    sentences: string[];
    people: { name: string; href: string; account: string; email: string; isAdministrator: boolean }[];
    count: string;
    pages: PageLinks;
    /** Null: it is decided, or the one who looks has caused it. */
    acts: { approve: string; refuse: string; button: string } | null;
    /** Why the one who looks cannot decide. */
    refusal: string | null;
  };
}
