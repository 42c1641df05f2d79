// The lines of the trace that are about the module itself: its own login, the account there, what is on its way to it (D.6, C28, C32).
import type { Entry } from '../integrations/entry.ts';
import { isRequired } from '../integrations/settings.ts';
import { isInForce } from '../integrations/ways-in.ts';
import { fullName } from '../users/user.ts';
import type { Delivery } from './account.ts';
import { desire, nextStep } from './desire.ts';
import { verdictOf } from './taking.ts';
import type { Line, Link, WhyFacts, WhyInstance } from './why.ts';
import { ofInstance } from './why-door.ts';
import { line } from './why-sign-in.ts';

export function moduleLines(facts: WhyFacts, instance: WhyInstance, entry: Entry, now: Date): Line[] {
  return [
    requirementLine(instance, now),
    linkLine(facts, instance, entry),
    provisioningLine(facts, instance, now),
    logoutLine(facts, instance),
  ];
}

function requirementLine(instance: WhyInstance, now: Date): Line {
  const { settings, exception, name } = instance;
  const of = {
    setting: { words: 'Require Log In with KaseyaOne', place: { page: 'instance', tab: 'require' } } as const,
    changedBy: ofInstance(instance, ['module.require']),
  };
  if (!isRequired(settings, now))
    return line('requirement', 'note', `Not required: a local password of ${name} works beside it.`, of);
  if (exception && isInForce(exception, now))
    return line('requirement', 'note', `Required, and this person is exempt: ${exception.reason}`, {
      setting: { words: 'Exceptions', place: { page: 'instance', tab: 'exceptions' } },
      changedBy: ofInstance(instance, ['module.exception']),
      more: [`They may use the local login of ${name}, too.`],
    });
  const since = settings.require.state === 'trial' ? 'Required, on trial' : 'Required';
  return line('requirement', 'note', `${since}: they cannot use the local login of ${name}, only KaseyaOne.`, {
    ...of,
    more: exception ? ['Their exception has ended.'] : [],
  });
}

const takenOf = (fitting: WhyInstance['fitting']) => fitting.find(({ isActive, isTaken }) => isActive && !isTaken);

function linkLine(facts: WhyFacts, instance: WhyInstance, entry: Entry): Line {
  const { name, account, fitting } = instance;
  const { user } = facts;
  const verdict = verdictOf(user, instance);
  const accounts = { words: 'Accounts of the module', place: { page: 'instance', tab: 'accounts' } } as const;
  const of = {
    setting: accounts,
    changedBy: ofInstance(instance, ['module.link', 'module.unlink', 'module.read']),
    more: instance.readAt === null ? [] : [{ words: 'By its list of accounts of', at: instance.readAt }],
  };
  const byHand = (words: string): Link => ({ words, place: accounts.place });
  switch (verdict) {
    case 'linked':
      return line('link', 'pass', `Linked to ${account?.userName}, which is active.`, of);
    case 'links':
      return line('link', 'pass', `${takenOf(fitting)?.userName ?? 'Their account'} is linked at the first entry.`, of);
    case 'made':
      return line('link', 'pass', 'No account yet: one is made at the first entry.', of);
    case 'proves':
      return line(
        'link',
        'note',
        `At the first entry they prove once with a local password which account is theirs.`,
        of,
      );
    case 'suspended':
      return suspendedLine(facts, instance, entry, of);
    case 'unverified':
      return line('link', 'fail', `Their address is not verified, so ${name} takes it for nobody’s.`, {
        ...of,
        flip: { words: `Correct the address of ${fullName(user)}`, place: { page: 'person', tab: 'edit' } },
      });
    case 'ambiguous':
      return line(
        'link',
        'fail',
        `${fitting.length} accounts have their address, and it is not clear which is meant.`,
        {
          ...of,
          more: [
            ...fitting.map(({ userName, isActive }) => `${userName}: ${isActive ? 'active' : 'not active'}.`),
            ...of.more,
          ],
          flip: byHand('Link the right one by hand'),
        },
      );
    case 'taken':
      return line('link', 'fail', `The account with their address is linked to somebody else.`, {
        ...of,
        flip: byHand('Unlink it from the other person'),
      });
    case 'unknown':
      return line('link', 'note', `Nobody knows whether they have an account in ${name}: its list was never read.`, {
        ...of,
        flip: byHand('Read the accounts of the module'),
      });
    default:
      return line('link', 'fail', `They have no account in ${name}, and none is made by itself.`, {
        ...of,
        flip: {
          words: `Turn on Enable Automatic User Provisioning, or make an account in ${name}`,
          place: { page: 'instance', tab: 'settings' },
        },
      });
  }
}

/** C32: only what we took away is given back. */
function suspendedLine(
  { user }: WhyFacts,
  { account, name, deliveries }: WhyInstance,
  entry: Entry,
  of: Pick<Line, 'setting' | 'changedBy' | 'more'>,
): Line {
  const isOurs = account?.life === 'suspended';
  const sentence = isOurs
    ? `Their account in ${name} is suspended by us: ${account.lifeReason ?? 'they had no access.'}`
    : account?.life === 'disabled'
      ? `Their account in ${name} is disabled for good.`
      : `Their account in ${name} is not active there; only an administrator of ${name} can activate it.`;
  const isComing = isOurs && entry.allowed;
  return line('link', 'fail', sentence, {
    ...of,
    flip: isComing
      ? {
          words: deliveries.some(({ act, state }) => act === 'restore' && state !== 'superseded')
            ? 'It is being restored: look at the deliveries'
            : `Give ${fullName(user)} the account back`,
          place: { page: 'person', tab: 'accounts' },
        }
      : isOurs
        ? null
        : { words: `Activate it in ${name}`, place: { page: 'instance', tab: 'accounts' } },
  });
}

const isOpen = ({ state }: Delivery): boolean => ['waiting', 'queued', 'sent', 'accepted', 'failed'].includes(state);

const stateWords: Record<Delivery['state'], string> = {
  waiting: 'waits for a second administrator',
  queued: 'is queued',
  sent: 'was sent',
  accepted: 'was accepted',
  verified: 'is verified',
  failed: 'failed and is tried again',
  'given-up': 'was given up',
  superseded: 'was overtaken by a later one',
};

const deliveryWords = ({ act, state, answer }: Delivery): string => {
  const words =
    answer === null ? '' : [answer.status, answer.words].filter((part) => part !== null && part !== '').join(': ');
  return `“${act}” ${stateWords[state]}${words === '' ? '' : ` (${words})`}.`;
};

function provisioningLine({ user }: WhyFacts, instance: WhyInstance, now: Date): Line {
  const { profile, settings, account, deliveries, groups } = instance;
  const wish = desire(profile, settings, {
    userId: user.id,
    status: user.baseStatus,
    role: user.role,
    username: user.username,
    email: user.email,
    emailVerified: user.emailVerifiedAt !== null,
    firstName: user.firstName,
    lastName: user.lastName,
    groups: groups.filter(({ isActive, since }) => isActive && since !== null),
  });
  const step = nextStep(wish, account, settings, profile, now);
  const open = deliveries.filter(isOpen);
  const shown = open.length > 0 ? open : deliveries.slice(0, 1);
  const sentence =
    open.length > 0
      ? `${open.length} ${open.length === 1 ? 'change is' : 'changes are'} on the way to ${instance.name}.`
      : step
        ? `Next at ${instance.name}: “${step.act}”. ${step.because}`
        : `Nothing is on the way to ${instance.name}: the account is as wanted, or not ours to change.`;
  return line('provisioning', 'note', sentence, {
    setting: { words: 'Deliveries', place: { page: 'instance', tab: 'deliveries' } },
    changedBy: {
      target: { kind: 'user', id: user.id },
      actions: ['module.provision', 'module.deprovision', 'module.restore'],
    },
    more: shown.map(deliveryWords),
  });
}

function logoutLine({ user }: WhyFacts, { name, logout }: WhyInstance): Line {
  const of = {
    setting: { words: 'Sessions', place: { page: 'person', tab: 'security' } } as const,
    changedBy: { target: { kind: 'user' as const, id: user.id }, actions: ['session.end' as const, 'logout' as const] },
  };
  if (!logout) return line('logout', 'note', `${name} was never told to log them out for lost access.`, of);
  if (logout.sentAt) return line('logout', 'note', `${name} was told to log them out, and took it.`, of);
  return line(
    'logout',
    'note',
    `${name} is being told to log them out: ${logout.attempts} ${logout.attempts === 1 ? 'try' : 'tries'}${logout.problem ? `, ${logout.problem}` : ''}.`,
    of,
  );
}
