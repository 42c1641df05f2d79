// The trace in words, and the pages that its lines lead to.
import type { Line, LineName, Link, Outcome, Place, Why } from '../../../domain/provisioning/why.ts';
import { instancePath } from '../modules/instance-head.ts';
import { addressesPath } from '../security/addresses.ts';
import { securityPath } from '../security/policy.ts';
import { personPath } from '../users/person-head.ts';
import type { StatusWords } from '../views.ts';
import type { WhyLink, WhyViews } from './views.ts';

export const lineLabels: Record<LineName, string> = {
  account: 'Account',
  'first-steps': 'Password and 2FA',
  lock: 'Lock',
  addresses: 'Address',
  sessions: 'Sessions',
  upstream: 'Login',
  module: 'Connection',
  groups: 'Access groups',
  permission: 'Permission',
  requirement: 'Local login',
  link: 'Account at the module',
  provisioning: 'Provisioning',
  logout: 'Last logout',
};

export const outcomeStatus: Record<Outcome, StatusWords> = {
  pass: { tone: 'good', word: 'Passes', more: '' },
  fail: { tone: 'danger', word: 'Fails', more: '' },
  note: { tone: 'off', word: 'Note', more: '' },
};

function hrefOf(place: Place, of: { userId: string; instanceId: string }): string {
  switch (place.page) {
    case 'person':
      return `${personPath(of.userId)}${place.tab === '' ? '' : `/${place.tab}`}`;
    case 'policy':
      return securityPath;
    case 'sso':
      return '/admin/sso';
    case 'addresses':
      return addressesPath;
    case 'group':
      return `/admin/groups/${place.id}${place.tab === '' ? '' : `/${place.tab}`}`;
    default:
      return instancePath(of.instanceId, place.tab);
  }
}

export const linkTo = ({ words, place }: Link, of: { userId: string; instanceId: string }): WhyLink => ({
  words,
  href: hrefOf(place, of),
});

type Verdict = Omit<WhyViews['admin/why/person']['verdict'], 'flip'>;

/** The answer in one sentence, and the line that decided. */
export function verdictWords(why: Why, { name, module }: { name: string; module: string | null }): Verdict {
  const act = module === null ? 'log in' : `enter ${module}`;
  const { decisive, passesDoor, isTaken, step } = why;
  if (!passesDoor)
    return { tone: 'danger', icon: 'alert-circle', heading: `${name} cannot ${act}`, because: sentenceOf(decisive) };
  if (isTaken === false)
    return {
      tone: 'danger',
      icon: 'alert-circle',
      heading: `${name} is let through, and ${module} refuses`,
      because: sentenceOf(decisive),
    };
  if (step !== null)
    return {
      tone: 'wait',
      icon: 'alert-circle',
      heading: `${name} can ${act}, with one step on the way`,
      because: step === 'set-password' ? 'They set a new password first.' : 'They set up an authenticator app first.',
    };
  // What the module makes of them is its own affair, as long as it has told nothing.
  if (isTaken === null && module !== null)
    return {
      tone: 'good',
      icon: 'circle-check',
      heading: `${name} is let through to ${module}`,
      because: `Whether they have an account in ${module} is not known here.`,
    };
  return { tone: 'good', icon: 'circle-check', heading: `${name} can ${act}`, because: 'Nothing stands in the way.' };
}

const sentenceOf = (line: Line | null): string => line?.sentence ?? '';
