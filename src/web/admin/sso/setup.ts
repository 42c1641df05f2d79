// What is left to do until people log in through a connection, and what can come after: each step with where it is done.
import type { ConnectionUse } from '../../../domain/federation/connection-queries.ts';
import type { StoredConnection } from '../../../domain/federation/connection-repository.ts';
import { listEmailDomains } from '../../../domain/federation/email-domain-commands.ts';
import { isEnough, standingOf } from '../../../domain/federation/enforce.ts';
import { isTested } from '../../../domain/federation/tested.ts';
import { listSsoWaysIn } from '../../../domain/users/sso-ways-in-queries.ts';
import type { Desk } from '../console.ts';
import { connectionPath, ssoPath } from './connection-head.ts';
import { productOf } from './products.ts';
import type { SetupStep, SsoSetup } from './views.ts';

/** What the steps of all connections of a company have in common. */
export interface SetupFacts {
  hasDomain: boolean;
  waysInAreEnough: boolean;
}

export async function setupFacts({ work, companyId }: Desk): Promise<SetupFacts> {
  const domains = await listEmailDomains(work, companyId);
  return {
    hasDomain: domains.some(({ verifiedAt }) => verifiedAt !== null),
    waysInAreEnough: isEnough(await listSsoWaysIn(work, companyId)),
  };
}

const guide = '#guide';

type Step = Omit<SetupStep, 'state'> & { isDone: boolean };

const needed = (connection: StoredConnection, { lastSeenAt }: ConnectionUse): Step[] => {
  const { id, name, enabled, testedAt } = connection;
  const passed = isTested(connection);
  const product = productOf(connection.settings);
  return [
    {
      title: product.isGeneric ? 'Fill in the other half at your identity provider' : `Fill in ${product.name}`,
      words: 'Our addresses, and the attributes that it has to send, each under the name that it has there.',
      href: guide,
      link: 'Open the guide',
      // Only who came back from there shows it.
      isDone: passed || testedAt !== null || lastSeenAt !== null,
      isOptional: false,
    },
    {
      title: testedAt !== null && !passed ? 'Test it again' : 'Test it',
      words:
        testedAt !== null && !passed
          ? 'Its settings have changed since it passed last.'
          : 'You log in there once, and see everything that comes back. Nobody is changed by it.',
      href: connectionPath(id, 'test'),
      link: `Test ${name}`,
      isDone: passed,
      isOptional: false,
    },
    {
      title: 'Enable it',
      words: 'People find it on the login page then. Their passwords work as before.',
      href: connectionPath(id, 'enable'),
      // Refused before.
      link: passed ? `Enable ${name}` : '',
      isDone: enabled,
      isOptional: false,
    },
  ];
};

const further = (connection: StoredConnection, { rules }: ConnectionUse, facts: SetupFacts, now: Date): Step[] => {
  const { id, creation } = connection;
  return [
    {
      title: 'Create people at their first login',
      words: 'Else they are invited here before, with the same e-mail.',
      href: `${connectionPath(id, 'settings')}#creation-title`,
      link: 'Open new people',
      isDone: creation.on,
      isOptional: true,
    },
    {
      title: 'Let groups decide who may do what',
      words: 'Rules from the groups there to roles and access groups here.',
      href: connectionPath(id, 'rules'),
      link: 'Write mapping rules',
      isDone: rules > 0,
      isOptional: true,
    },
    {
      title: 'Lead people here by their address',
      words: 'Whoever types an address of a proved domain needs no company name.',
      href: `${ssoPath}/domains`,
      link: 'Prove an e-mail domain',
      isDone: facts.hasDomain,
      isOptional: true,
    },
    {
      title: 'Keep two ways in for the worst day',
      words: 'Break-glass people log in with a password when the identity provider fails.',
      href: `${ssoPath}/break-glass`,
      link: 'Choose break-glass people',
      isDone: facts.waysInAreEnough,
      isOptional: true,
    },
    {
      title: 'Enforce Log In with SSO',
      words: 'Passwords count no more, but for them. On trial first, so that nobody is locked out.',
      href: connectionPath(id, 'enforce'),
      link: 'Open Enforce',
      isDone: standingOf(connection, now) === 'on',
      isOptional: true,
    },
  ];
};

/** Null: nothing is left. The first step that is not done is the next one. */
export function setupOf(
  connection: StoredConnection,
  use: ConnectionUse,
  facts: SetupFacts,
  now: Date,
): SsoSetup | null {
  const first = needed(connection, use);
  const later = further(connection, use, facts, now);
  const isReady = first.every(({ isDone }) => isDone);
  const all = isReady ? later : first;
  // What is to be done elsewhere stands beside it.
  const next = all.find(({ isDone, href }) => !isDone && href !== guide);
  if (!next) return null;
  return {
    title: isReady ? 'What you can do next' : 'What is left to do',
    words: `${all.filter(({ isDone }) => isDone).length} of ${all.length} done`,
    // Once people come in, it is there for those who look for it.
    isOpen: use.people === 0 || !isReady,
    steps: all.map(({ isDone, ...step }) => ({
      ...step,
      state: isDone ? 'done' : step.href === next.href ? 'next' : 'open',
    })),
  };
}

/** For the list: the one thing to do next until it works. */
export const nextStep = (connection: StoredConnection, use: ConnectionUse): { link: string; href: string } | null => {
  const step = needed(connection, use).find(({ isDone, href }) => !isDone && href !== guide);
  return step ? { link: step.title, href: step.href } : null;
};
