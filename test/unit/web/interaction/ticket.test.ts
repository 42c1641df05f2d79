import { describe, expect, it } from 'vitest';
import { minutes } from '../../../../src/lib/time.ts';
import {
  presentStep,
  restarted,
  type Ticket,
  type TicketStep,
  ticketSchema,
  withoutHalf,
} from '../../../../src/web/interaction/ticket.ts';

const now = new Date('2026-11-22T12:00:00Z');
const ticket = (changes: Partial<Ticket> = {}): Ticket =>
  ticketSchema.parse({
    uid: 'uid',
    clientId: 'module',
    prompt: 'login',
    step: 'identify',
    username: 'pat',
    company: 'Northwind IT',
    ...changes,
  });
const halfOf = (age: number) => ({
  userId: 'u',
  at: now.getTime() - age,
  proved: 'P',
  enrolled: '',
  upstream: null,
  arrival: null,
  attempt: null,
  upstreamSession: null,
  authenticatedAt: null,
});

describe('the step to show now (AUT-24)', () => {
  const lives: [TicketStep, number][] = [
    ['code', minutes(5)],
    ['set-password', minutes(5)],
    ['enrol', minutes(15)],
    ['recovery-codes', minutes(15)],
  ];

  it.each(lives)('AUT-24 %s lasts its time and no longer', (step, life) => {
    expect(presentStep(ticket({ step, half: halfOf(life) }), now)).toBe(step);
    expect(presentStep(ticket({ step, half: halfOf(life + 1) }), now)).toBe('password');
  });

  it('AUT-24 the time between password and code is five minutes at most', () => {
    expect(lives.find(([step]) => step === 'code')?.[1]).toBeLessThanOrEqual(minutes(5));
  });

  it.each(lives)('AUT-24 %s does not exist without a right password', (step) => {
    expect(presentStep(ticket({ step, half: null }), now)).toBe('password');
    expect(presentStep(ticket({ step, half: null, username: '' }), now)).toBe('identify');
  });

  it('AUT-24 ten tries, then the password again', () => {
    expect(presentStep(ticket({ step: 'code', half: halfOf(0), tries: 9 }), now)).toBe('code');
    expect(presentStep(ticket({ step: 'code', half: halfOf(0), tries: 10 }), now)).toBe('password');
  });

  it.each(['identify', 'password', 'entry', 'consent'] satisfies TicketStep[])('%s has no clock', (step) => {
    expect(presentStep(ticket({ step }), now)).toBe(step);
  });
});

describe('going back (AUT-24)', () => {
  const late = ticket({
    step: 'enrol',
    half: halfOf(0),
    method: 'recovery',
    tries: 3,
    secret: 'S',
    recoveryCodes: ['a'],
  });

  it('AUT-24 to the first screen forgets person, half and secrets; a company given by the address stays', () => {
    expect(restarted(late)).toEqual(ticket({ username: '', company: '' }));
    expect(restarted({ ...late, isCompanyFixed: true })).toMatchObject({ company: 'Northwind IT', half: null });
  });

  it('AUT-24 to the password keeps who, and forgets half and secrets', () => {
    expect(withoutHalf(late)).toEqual(ticket({ step: 'password' }));
  });
});
