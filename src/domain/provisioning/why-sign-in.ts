// The lines of the trace that are about logging in to KaseyaOne itself (D.5).
import { minutes } from '../../lib/time.ts';
import { addressWait, isAllowedFrom, isLocked, stepAfterPassword } from '../users/sign-in.ts';
import { isBelieved } from '../users/standing.ts';
import { fullName } from '../users/user.ts';
import type { Line, LineName, Link, Traces, Why, WhyFacts } from './why.ts';

export const line = (
  name: LineName,
  outcome: Line['outcome'],
  sentence: string,
  of: { setting: Link; changedBy: Traces; flip?: Link | null; more?: (string | Line['more'][number])[] },
): Line => ({
  name,
  outcome,
  sentence,
  more: (of.more ?? []).map((one) => (typeof one === 'string' ? { words: one, at: null } : one)),
  setting: of.setting,
  changedBy: of.changedBy,
  flip: of.flip ?? null,
});

export function signInLines(facts: WhyFacts, refusal: Why['refusal'], now: Date): Line[] {
  return [
    accountLine(facts, refusal),
    firstStepsLine(facts, now),
    lockLine(facts, now),
    addressesLine(facts, now),
    sessionsLine(facts),
    upstreamLine(facts),
  ];
}

const ofUser = ({ user }: WhyFacts, actions: Traces['actions']): Traces => ({
  target: { kind: 'user', id: user.id },
  actions,
});

const ofCompany = ({ user }: WhyFacts, actions: Traces['actions']): Traces => ({
  target: { kind: 'company', id: user.companyId },
  actions,
});

/** What no change of a setting has decided. */
const nobody = ({ target }: Traces): Traces => ({ target, actions: [] });

function accountLine(facts: WhyFacts, refusal: Why['refusal']): Line {
  const name = fullName(facts.user);
  const of = {
    setting: { words: 'Status', place: { page: 'person', tab: '' } } as const,
    changedBy: ofUser(facts, [
      'user.create',
      'user.invite',
      'user.resend',
      'user.activate',
      'user.deactivate',
      'operator.recover',
    ]),
  };
  switch (facts.user.baseStatus) {
    case 'Deleted':
      return line('account', 'fail', `${name} was deleted.`, of);
    case 'Deactivated':
      return line('account', 'fail', `${name} is deactivated.`, {
        ...of,
        flip: { words: `Activate ${name}`, place: { page: 'person', tab: 'activate' } },
      });
    case 'Invited':
      if (facts.way === 'upstream')
        return line(
          'account',
          'note',
          `${name} was invited: the first login through single sign-on activates them.`,
          of,
        );
      // With a password already they are in the middle of signing up, and may go on.
      if (facts.signIn.credential)
        return line('account', 'note', `${name} is signing up just now: a second factor is left to do.`, of);
      return line('account', 'fail', `${name} was invited and has not signed up yet.`, {
        ...of,
        flip: { words: `Send ${name} the invitation again`, place: { page: 'person', tab: 'resend' } },
      });
    default:
      if (facts.way === 'password' && (!facts.signIn.credential || refusal === 'no-password'))
        return line('account', 'fail', `${name} is active and has no password.`, {
          ...of,
          flip: {
            words: `Send ${name} a link to set a password`,
            place: { page: 'person', tab: 'reset-password' },
          },
        });
      return line('account', 'pass', `${name} is active.`, of);
  }
}

function firstStepsLine(facts: WhyFacts, now: Date): Line {
  const of = {
    setting: { words: 'Password and second factor', place: { page: 'person', tab: 'security' } } as const,
    changedBy: ofUser(facts, [
      'user.passwordSet',
      'user.passwordChange',
      'user.passwordReset.request',
      'user.passwordReset.done',
      'user.2fa.enrol',
      'user.2fa.reset',
    ]),
  };
  if (isBelieved(facts))
    return line('first-steps', 'pass', 'Password and second factor are the matter of their identity provider.', of);
  if (facts.way === 'password' && !facts.signIn.credential)
    return line('first-steps', 'note', 'No password is set.', of);
  const { step, reason } = stepAfterPassword(facts.signIn, now, facts.way);
  if (step === 'set-password')
    return line(
      'first-steps',
      'note',
      reason === 'expired'
        ? 'The password has run out: they set a new one on the way in.'
        : 'They have to set a new password on the way in.',
      of,
    );
  if (step === 'enrol') return line('first-steps', 'note', 'They have to set up a second factor on the way in.', of);
  return line(
    'first-steps',
    'pass',
    facts.way === 'upstream'
      ? 'The second factor that is asked for here is set up.'
      : 'Password and second factor are set up.',
    of,
  );
}

function lockLine(facts: WhyFacts, now: Date): Line {
  const { user, policy, liveSessions, signIn } = facts;
  const of = {
    setting: { words: 'Lock after failed logins', place: { page: 'policy' } } as const,
    changedBy: ofUser(facts, ['user.lock', 'user.unlock']),
  };
  const until = signIn.user?.lockedUntil;
  if (isBelieved(facts) && isLocked(signIn, now))
    return line('lock', 'note', 'Locked for the password; single sign-on is not held up by it.', of);
  if (!until || !isLocked(signIn, now))
    return line(
      'lock',
      'pass',
      user.failures === 0
        ? 'Not locked.'
        : `Not locked: ${user.failures} of ${policy.lock.threshold} failed logins since the last good one.`,
      of,
    );
  const left = Math.ceil((until.getTime() - now.getTime()) / minutes(1));
  return line(
    'lock',
    'fail',
    `Locked for another ${left} ${left === 1 ? 'minute' : 'minutes'}, after ${user.failures} failed logins.`,
    {
      ...of,
      more: [
        'A browser in which they logged in before is not locked by failures elsewhere.',
        ...(liveSessions > 0 ? ['A session that lives already goes on.'] : []),
      ],
      flip: { words: `Unlock ${fullName(user)}`, place: { page: 'person', tab: 'unlock' } },
    },
  );
}

function addressesLine(facts: WhyFacts, now: Date): Line {
  const { from, signIn, failuresPerAddress } = facts;
  const of = {
    setting: { words: 'IP access list', place: { page: 'addresses' } } as const,
    changedBy: ofCompany(facts, ['ip.change']),
  };
  // Where the list is off, what stands on it decides nothing.
  const off = { ...of, changedBy: { ...of.changedBy, settings: ['enabled'] } };
  const { allowed } = signIn.from;
  if (from === null)
    return allowed === null
      ? line('addresses', 'pass', 'People may log in from any address.', off)
      : line('addresses', 'note', `Only from ${networks(allowed.length)}: give an address above to test it.`, of);
  const wait = addressWait(signIn, failuresPerAddress, now);
  if (wait !== null)
    return line(
      'addresses',
      'fail',
      `Too many failed logins came from ${from}: it has to wait for ${Math.ceil(wait / 60)} minutes.`,
      { ...of, changedBy: nobody(of.changedBy) },
    );
  if (allowed === null) return line('addresses', 'pass', `People may log in from any address, so from ${from}.`, off);
  return isAllowedFrom(signIn.from)
    ? line('addresses', 'pass', `${from} is on the list of ${networks(allowed.length)}.`, of)
    : line('addresses', 'fail', `${from} is not on the list of ${networks(allowed.length)}.`, {
        ...of,
        flip: { words: `Add ${from} to the IP access list`, place: { page: 'addresses' } },
      });
}

const networks = (count: number): string => `${count} ${count === 1 ? 'network' : 'networks'}`;

function sessionsLine(facts: WhyFacts): Line {
  const { idleMinutes, absoluteMinutes } = facts.policy.session;
  const { liveSessions } = facts;
  const now =
    liveSessions === 0
      ? 'They are not logged in anywhere now.'
      : `They are logged in with ${liveSessions} ${liveSessions === 1 ? 'browser' : 'browsers'}.`;
  return line('sessions', 'note', now, {
    setting: { words: 'Sessions', place: { page: 'policy' } },
    changedBy: { ...ofCompany(facts, ['policy.change']), settings: ['session.'] },
    more: [`A session ends after ${idleMinutes} idle minutes, and after ${absoluteMinutes} in any case.`],
  });
}

function upstreamLine(facts: WhyFacts): Line {
  if (facts.way === 'password')
    return line('upstream', 'pass', 'Logs in here, with a password and an authenticator app.', {
      setting: { words: 'Security', place: { page: 'policy' } },
      // No setting of the policy asks for it: it is so where single sign-on does not decide.
      changedBy: nobody(ofCompany(facts, [])),
    });
  const sentence = facts.signIn.mustUseSso
    ? `Logs in with single sign-on${facts.asksFactor ? ', and a second factor of ours' : ' alone'}: it is enforced.`
    : 'Logs in with single sign-on: they have no password here.';
  return line('upstream', 'pass', sentence, {
    setting: { words: 'Single Sign-On', place: { page: 'sso' } },
    changedBy: ofCompany(facts, ['sso.config']),
    more: [
      'What their identity provider says at that moment decides, too: groups, rules, and whether it lets them in.',
    ],
  });
}
