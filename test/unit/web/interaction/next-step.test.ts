import { describe, expect, it } from 'vitest';
import { type Event, nextTicket } from '../../../../src/web/interaction/next-step.ts';
import { type Ticket, type TicketStep, ticketSchema } from '../../../../src/web/interaction/ticket.ts';

const at = 1_795_348_800_000;
const ticket = (changes: Partial<Ticket> = {}): Ticket =>
  ticketSchema.parse({ uid: 'uid', clientId: 'module', prompt: 'login', step: 'identify', ...changes });
const half = {
  userId: 'u',
  at,
  proved: 'P',
  enrolled: '',
  upstream: null,
  arrival: null,
  attempt: null,
  upstreamSession: null,
  authenticatedAt: null,
};
const sso = { connections: [], isEnforced: false };
const named = { username: 'pat', company: 'Northwind IT' };

describe('the way to an upstream (D.5 step 2, C26)', () => {
  const one = { id: 'c1', name: 'Okta' };
  const led = (connections: { id: string; name: string }[], isEnforced: boolean) =>
    nextTicket(ticket(), { type: 'identified', ...named, sso: { connections, isEnforced } });

  it.each([
    ['none', [], false, 'password', false],
    ['one that may be used', [one], false, 'password', false],
    ['one that must be used', [one], true, 'sso', true],
    ['two that must be used: a choice', [one, { id: 'c2', name: 'Entra' }], true, 'sso', false],
  ] as const)('D.5 %s', (_, connections, isEnforced, step, isStraight) => {
    const next = led([...connections], isEnforced);
    expect([next.step, next.sso.isStraight, next.sso.connections]).toEqual([step, isStraight, connections]);
  });

  it('D.5 the browser is sent once by itself; who comes back finds the button', () => {
    const sent = nextTicket(led([one], true), { type: 'sent' });
    expect([sent.step, sent.sso.isStraight]).toEqual(['sso', false]);
  });

  it('C25 an upstream that was believed leads to our own factor, and to no password when that is not given', () => {
    const event: Event = {
      type: 'upstream-believed',
      userId: 'u',
      ...named,
      connection: 'c1',
      arrival: 'r1',
      attempt: 'a1',
      session: 's1',
      authenticatedAt: null,
      at,
      step: 'code',
      reason: 'first',
      mayRecover: true,
      secret: null,
    };
    const next = nextTicket(led([one], true), event);
    expect([next.step, next.half]).toEqual([
      'code',
      {
        ...half,
        proved: '',
        upstream: 'c1',
        arrival: 'r1',
        attempt: 'a1',
        upstreamSession: 's1',
        authenticatedAt: null,
      },
    ]);
    expect(nextTicket(next, { type: 'start-again' }).step).toBe('sso');
  });
});

describe('what comes after each answer (D.5)', () => {
  it('D.5 step 1 the password, whoever was named, and nothing of an earlier try goes with it', () => {
    const before = ticket({ half, secret: 'S', recoveryCodes: ['c'], tries: 4, method: 'recovery' });
    expect(nextTicket(before, { type: 'identified', ...named, sso })).toEqual(ticket({ step: 'password', ...named }));
  });

  it.each([
    ['code', null],
    ['set-password', null],
    ['enrol', 'SECRET'],
  ] as const)('D.5 the step that the domain asks for: %s', (step, secret) => {
    const event: Event = {
      type: 'password-right',
      mayRecover: true,
      userId: 'u',
      at,
      proved: 'P',
      step,
      reason: 'first',
      secret,
    };
    const before = ticket({ step: 'password', ...named, tries: 7, method: 'recovery' });
    expect(nextTicket(before, event)).toEqual(ticket({ step, ...named, half, secret, tries: 0, method: 'totp' }));
  });

  it('AUT-24 a set password or an enrolment without the half before it leads back to the password', () => {
    const without = ticket({ step: 'set-password', ...named });
    const events: Event[] = [
      { type: 'password-set', at, proved: 'P', step: 'code', reason: 'first', secret: null },
      { type: 'enrolled', at, enrolled: 'F', recoveryCodes: ['a'] },
    ];
    for (const event of events) expect(nextTicket(without, event)).toEqual(ticket({ step: 'password', ...named }));
  });

  it('AUT-18 after the new password comes what the domain asks for, with the time begun anew', () => {
    const before = ticket({ step: 'set-password', ...named, half, tries: 3 });
    const event: Event = { type: 'password-set', at: at + 1, proved: 'Q', step: 'enrol', reason: 'reset', secret: 'S' };
    expect(nextTicket(before, event)).toEqual(
      ticket({ step: 'enrol', ...named, half: { ...half, at: at + 1, proved: 'Q' }, reason: 'reset', secret: 'S' }),
    );
  });

  it('AUT-20 after enrolling come the recovery codes, and the secret is not carried on', () => {
    const before = ticket({ step: 'enrol', ...named, half, secret: 'S' });
    expect(nextTicket(before, { type: 'enrolled', at: at + 1, enrolled: 'F', recoveryCodes: ['a', 'b'] })).toEqual(
      ticket({
        step: 'recovery-codes',
        ...named,
        half: { ...half, at: at + 1, enrolled: 'F' },
        recoveryCodes: ['a', 'b'],
      }),
    );
  });

  it('AUT-24 a wrong code is counted, and gives no more time', () => {
    const before = ticket({ step: 'code', ...named, half, tries: 2 });
    expect(nextTicket(before, { type: 'code-wrong' })).toEqual({ ...before, tries: 3 });
  });

  it('AUT-24 choosing another kind of code gives neither time nor tries', () => {
    const before = ticket({ step: 'code', ...named, half, tries: 2 });
    expect(nextTicket(before, { type: 'method', method: 'recovery' })).toEqual({ ...before, method: 'recovery' });
  });

  const steps: TicketStep[] = ['code', 'enrol', 'set-password', 'recovery-codes', 'password'];
  it.each(steps)('AUT-24 starting again from %s leaves nothing of the half', (step) => {
    const before = ticket({ step, ...named, half, secret: 'S', recoveryCodes: ['a'], tries: 3, method: 'recovery' });
    expect(nextTicket(before, { type: 'start-again' })).toEqual(ticket({ step: 'password', ...named }));
  });

  it('keeps what belongs to the request, whatever happens', () => {
    const before = ticket({ step: 'code', ...named, half, isCompanyFixed: true });
    const events: Event[] = [
      { type: 'identified', ...named, sso },
      {
        type: 'password-right',
        mayRecover: true,
        userId: 'u',
        at,
        proved: 'P',
        step: 'code',
        reason: 'first',
        secret: null,
      },
      { type: 'start-again' },
    ];
    for (const event of events)
      expect(nextTicket(before, event)).toMatchObject({
        uid: 'uid',
        clientId: 'module',
        prompt: 'login',
        isCompanyFixed: true,
      });
  });
});
