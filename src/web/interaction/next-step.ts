// What comes after each answer of the domain: pure, so that the whole order of signing in is read and tested in one place.
// Every step redirects back to /interaction/:uid and knows no other step.
import type { Step } from '../../domain/users/sign-in.ts';
import { askedFirst, type Ticket, withoutHalf } from './ticket.ts';

export type Event =
  | {
      type: 'identified';
      username: string;
      company: string;
      sso: { connections: { id: string; name: string }[]; isEnforced: boolean };
    }
  | {
      type: 'upstream-believed';
      userId: string;
      username: string;
      company: string;
      connection: string;
      arrival: string;
      attempt: string;
      session: string | null;
      authenticatedAt: number | null;
      at: number;
      step: 'code' | 'enrol';
      reason: 'first' | 'reset';
      mayRecover: boolean;
      secret: string | null;
    }
  /** The browser goes to the upstream: once by itself, then by a button. */
  | { type: 'sent' }
  | ({ type: 'password-right'; userId: string; mayRecover: boolean } & Proved)
  | ({ type: 'password-set' } & Proved)
  | { type: 'enrolled'; enrolled: string; recoveryCodes: string[]; at: number }
  | { type: 'code-wrong' }
  | { type: 'method'; method: Ticket['method'] }
  | { type: 'start-again' };

interface Proved {
  at: number;
  /** Digest of the password's hash; see Half. */
  proved: string;
  step: Step;
  reason: Ticket['reason'];
  secret: string | null;
}

export function nextTicket(ticket: Ticket, event: Event): Ticket {
  switch (event.type) {
    case 'identified':
      // Always on to the password, known or not (D.5 step 1).
      return identified(ticket, event);
    case 'upstream-believed':
      return {
        ...ticket,
        step: event.step,
        username: event.username,
        company: event.company,
        half: {
          userId: event.userId,
          at: event.at,
          proved: '',
          enrolled: '',
          upstream: event.connection,
          arrival: event.arrival,
          attempt: event.attempt,
          upstreamSession: event.session,
          authenticatedAt: event.authenticatedAt,
        },
        reason: event.reason,
        secret: event.secret,
        tries: 0,
        method: 'totp',
        mayRecover: event.mayRecover,
      };
    case 'sent':
      return { ...ticket, sso: { ...ticket.sso, isStraight: false } };
    case 'password-right':
      return {
        ...ticket,
        step: event.step,
        half: { userId: event.userId, at: event.at, proved: event.proved, enrolled: '', ...noUpstream },
        reason: event.reason,
        secret: event.secret,
        tries: 0,
        method: 'totp',
        mayRecover: event.mayRecover,
      };
    case 'password-set':
      return ticket.half
        ? {
            ...ticket,
            step: event.step,
            half: { ...ticket.half, at: event.at, proved: event.proved },
            reason: event.reason,
            secret: event.secret,
            tries: 0,
          }
        : withoutHalf(ticket);
    case 'enrolled':
      return ticket.half
        ? {
            ...ticket,
            step: 'recovery-codes',
            half: { ...ticket.half, at: event.at, enrolled: event.enrolled },
            secret: null,
            recoveryCodes: event.recoveryCodes,
          }
        : withoutHalf(ticket);
    case 'code-wrong':
      return { ...ticket, tries: ticket.tries + 1 };
    case 'method':
      return { ...ticket, method: event.method };
    case 'start-again':
      return withoutHalf(ticket);
  }
}

const noUpstream = { upstream: null, arrival: null, attempt: null, upstreamSession: null, authenticatedAt: null };

/** With one upstream that everybody has to use there is nothing to ask: straight there. */
export function identified(ticket: Ticket, event: Omit<Extract<Event, { type: 'identified' }>, 'type'>): Ticket {
  const { connections, isEnforced } = event.sso;
  const sso = { connections, isEnforced, isStraight: isEnforced && connections.length === 1 };
  const known = { ...withoutHalf(ticket), username: event.username, company: event.company, sso };
  return { ...known, step: askedFirst(known) };
}
