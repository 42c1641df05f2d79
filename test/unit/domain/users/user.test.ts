import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { roles } from '../../../../src/domain/roles/role.ts';
import {
  type BaseStatus,
  decideTransition,
  emailKey,
  emailSchema,
  firstNameSchema,
  fullName,
  initialsOf,
  lastNameSchema,
  phoneSchema,
  roleSchema,
  statusOf,
  type Transition,
  timeZoneSchema,
  usernameKey,
  usernameSchema,
} from '../../../../src/domain/users/user.ts';
import type { UserId } from '../../../../src/lib/ids.ts';

const target = 'target' as UserId;
const admin = 'admin' as UserId;
const statuses: BaseStatus[] = ['Invited', 'Active', 'Deactivated', 'Deleted'];
const immediate = { actorId: admin, reactivate: 'immediate' } as const;

const decide = (
  transition: Transition,
  baseStatus: BaseStatus,
  by: Parameters<typeof decideTransition>[2] = immediate,
  role: (typeof roles)[number] = 'User',
) => decideTransition(transition, { id: target, baseStatus, role }, by);

describe('what may be done to a person (D.4)', () => {
  const same: Partial<Record<BaseStatus, BaseStatus>> = {
    Invited: 'Invited',
    Active: 'Active',
    Deactivated: 'Deactivated',
  };
  type Guarded = Exclude<Transition, 'recover'>;
  const allowed: Record<Guarded, Partial<Record<BaseStatus, BaseStatus>>> = {
    deactivate: { Active: 'Deactivated' },
    activate: { Deactivated: 'Active' },
    // Whoever has set a password and not yet enrolled can be locked, too.
    unlock: { Active: 'Active', Invited: 'Invited' },
    delete: { Invited: 'Deleted', Active: 'Deleted', Deactivated: 'Deleted' },
    resend: { Invited: 'Invited' },
    'copy-link': { Invited: 'Invited' },
    'reset-password': { Active: 'Active', Invited: 'Invited' },
    'reset-2fa': { Active: 'Active' },
    edit: same,
    'change-role': same,
    'change-email': same,
    'end-sessions': same,
  };
  const rules: Record<Guarded, string> = {
    deactivate: 'T14, A7.1',
    activate: 'T16, A7.2',
    unlock: 'T12, A7.5',
    delete: 'T19, A7.4, C16',
    resend: 'T8, A7.9',
    'copy-link': 'C47',
    'reset-password': 'T20, A7.6',
    'reset-2fa': 'T21, A7.7',
    edit: 'T22, C12',
    'change-role': 'T22, C11',
    'change-email': 'T22, C12',
    'end-sessions': 'A2.3',
  };
  const acts = Object.keys(rules) as Guarded[];
  const cells = acts.flatMap((transition) =>
    statuses.map((from) => ({ rule: rules[transition], transition, from, to: allowed[transition][from] })),
  );

  it.each(cells)('$rule $transition from $from leads to $to', ({ transition, from, to }) => {
    expect(decide(transition, from)).toEqual(
      to ? { allowed: true, to } : { allowed: false, because: expect.stringMatching(/\.$/) },
    );
  });

  it.each(statuses)(
    'A7.1, A7.2, D.10 no. 8 nobody, the operator included, (de)activates a Root Admin who is %s',
    (from) => {
      for (const actorId of [admin, target, null])
        for (const transition of ['deactivate', 'activate'] as const)
          expect(decide(transition, from, { actorId, reactivate: 'immediate' }, 'Root Admin')).toMatchObject({
            allowed: false,
            because: expect.stringContaining('Root Admin'),
          });
    },
  );

  it('A7.1, A7.2, D.10 no. 9 nobody (de)activates themselves', () => {
    const self = { actorId: target, reactivate: 'immediate' } as const;
    for (const role of roles) {
      expect(decide('deactivate', 'Active', self, role)).toMatchObject({ allowed: false });
      expect(decide('activate', 'Deactivated', self, role)).toMatchObject({ allowed: false });
    }
    expect(decide('deactivate', 'Active', self)).toEqual({
      allowed: false,
      because: 'You cannot deactivate yourself.',
    });
  });

  it('D.4 an invited person is deleted, not deactivated, and the refusal says so', () => {
    expect(decide('deactivate', 'Invited')).toEqual({
      allowed: false,
      because: 'This person has not signed up yet: delete the invitation instead.',
    });
  });

  it('T16, T17, C3 a company that invites again does not activate, and one that activates does not invite again', () => {
    const reinvite = { actorId: admin, reactivate: 'reinvite' } as const;
    expect(decide('activate', 'Deactivated', reinvite)).toMatchObject({ allowed: false });
    expect(decide('resend', 'Deactivated', reinvite)).toEqual({ allowed: true, to: 'Invited' });
    expect(decide('resend', 'Deactivated')).toMatchObject({ allowed: false });
  });

  it.each(acts)('D.10 no. 8 %s: what could take away or hand over the last way in is not for others', (act) => {
    const open: Guarded[] = ['unlock', 'resend', 'edit'];
    for (const from of statuses) {
      const decision = decide(act, from, immediate, 'Root Admin');
      if (open.includes(act)) expect(decision).toEqual(decide(act, from));
      else expect(decision).toMatchObject({ allowed: false, because: expect.stringContaining('Root Admin') });
    }
  });

  it.each(acts)('D.10 no. 9, C10, C11, AUT-19 %s on oneself', (act) => {
    const mayNot: Guarded[] = ['deactivate', 'activate', 'delete', 'change-role', 'reset-2fa', 'change-email'];
    const decision = decide(act, 'Active', { actorId: target, reactivate: 'immediate' });
    if (mayNot.includes(act))
      expect(decision).toMatchObject({ allowed: false, because: expect.stringMatching(/You|My Settings/) });
    else expect(decision).toEqual(decide(act, 'Active'));
  });

  it('A3.9, T8, T20 nothing is mailed to an address that is blocked; the refusal names it', () => {
    const by = { ...immediate, isMailBlocked: true };
    const person = { id: target, role: 'User' as const, email: 'gone@example.com' };
    for (const [act, baseStatus] of [
      ['resend', 'Invited'],
      ['reset-password', 'Invited'],
      ['reset-password', 'Active'],
    ] as const)
      expect(decideTransition(act, { ...person, baseStatus }, by)).toEqual({
        allowed: false,
        because: expect.stringContaining('gone@example.com is blocked'),
      });
    expect(decideTransition('copy-link', { ...person, baseStatus: 'Invited' }, by).allowed).toBe(true);
  });

  it('T21 who has no second factor has none to reset', () => {
    const person = { id: target, role: 'User' as const, baseStatus: 'Active' as const, mustEnrol2fa: true };
    expect(decideTransition('reset-2fa', person, immediate)).toMatchObject({ allowed: false });
  });

  it('D.10 no. 8 recovery is for the Root Admin alone, and changes no status', () => {
    for (const role of roles)
      for (const from of statuses)
        expect(decide('recover', from, { actorId: null, reactivate: 'immediate' }, role)).toEqual(
          role === 'Root Admin' ? { allowed: true, to: from } : { allowed: false, because: expect.any(String) },
        );
  });
});

describe('the status that pages show (C8)', () => {
  const now = new Date('2026-11-22T12:00:00Z');
  const in1ms = new Date(now.getTime() + 1);
  const rows: [BaseStatus, Date | null, string][] = [
    ['Active', null, 'Active'],
    ['Active', in1ms, 'LockedOut'],
    ['Active', now, 'Active'],
    ['Active', new Date(0), 'Active'],
    ['Deactivated', in1ms, 'Deactivated'],
    ['Invited', in1ms, 'Invited'],
    ['Deleted', in1ms, 'Deleted'],
  ];
  it.each(rows)('C8, T11 %s with a lock until %s is shown as %s', (baseStatus, lockedUntil, shown) => {
    expect(statusOf({ baseStatus, lockedUntil }, now)).toBe(shown);
  });
});

const accepts = (schema: typeof usernameSchema | typeof emailSchema, value: string) => schema.safeParse(value).success;

describe('names (A3.2)', () => {
  it.each([
    'Ada',
    'Zoë',
    "O'Brien",
    'O’Brien',
    'Anne-Marie',
    'José María',
    'Владимир',
    '李小龍',
    'محمد',
    'अमित',
    'Louis 14',
    '42',
    'n'.repeat(48),
  ])('A3.2, D.10 no. 2 takes %s', (value) => {
    for (const schema of [firstNameSchema, lastNameSchema]) expect(schema.safeParse(value).success).toBe(true);
  });

  it.each([
    '',
    '   ',
    'n'.repeat(49),
    'Ada😀',
    '<b>',
    'Ada & Co',
    'a.b',
    'a,b',
    'a_b',
    'a@b',
    '"Ada"',
    'Ada\r\nBcc: x',
    'Ada\u0000',
    'A\u200bda',
    '=1+1',
  ])('A3.2, D.10 no. 2 refuses %j', (value) => {
    for (const schema of [firstNameSchema, lastNameSchema]) expect(schema.safeParse(value).success).toBe(false);
  });

  it('A3.2 keeps one Unicode form, whatever the keyboard sent', () => {
    expect(firstNameSchema.parse(' Zoe\u0308 ')).toBe('Zoë');
  });
});

describe('usernames (A3.4)', () => {
  it.each(['ada', 'ada@example.com', 'Ada Lovelace', 'ädä', 'u'.repeat(50), '  ada  '])('A3.4 takes %j', (value) => {
    expect(accepts(usernameSchema, value)).toBe(true);
  });

  it.each(['', ' ', 'a#b', 'a/b', 'a?b', 'a\\b', 'u'.repeat(51), 'a\nb', 'a\u0000b'])('A3.4 refuses %j', (value) => {
    expect(accepts(usernameSchema, value)).toBe(false);
  });

  it('A3.4, D.10 no. 1 an e-mail of 60 characters is a good e-mail and no username: a shorter one is asked for, nothing is cut', () => {
    const email = `${'a'.repeat(48)}@example.com`;
    expect(email).toHaveLength(60);
    expect(emailSchema.parse(email)).toBe(email);
    const refused = usernameSchema.safeParse(email);
    expect(refused.error?.issues[0]?.message).toMatch(/50 characters at most\. Choose a shorter one/);
  });

  it('B.1 are one person in every case and Unicode form', () => {
    expect(usernameKey(' ADA@Example.COM ')).toBe(usernameKey('ada@example.com'));
    expect(usernameKey('Zoe\u0308')).toBe(usernameKey('ZOË'));
    expect(usernameKey('ada')).not.toBe(usernameKey('ad'));
    expect(emailKey(' ADA@Example.COM ')).toBe('ada@example.com');
  });

  it('B.1 the key of a key is itself', () => {
    fc.assert(fc.property(fc.string(), (name) => usernameKey(usernameKey(name)) === usernameKey(name)));
  });
});

describe('other fields', () => {
  it.each(['ada@example.com', `${'a'.repeat(60)}@${'b'.repeat(31)}.example`, 'a+b@x.example'])(
    'A3.3 takes %s',
    (value) => expect(accepts(emailSchema, value)).toBe(true),
  );

  it.each([
    '',
    'ada',
    'ada@',
    '@example.com',
    'a b@example.com',
    `${'a'.repeat(90)}@example.com`,
    'a@b.example\r\nBcc: c@d.example',
  ])('A3.3 refuses %j', (value) => expect(accepts(emailSchema, value)).toBe(false));

  it('A1.4 takes the four roles, never Root Admin', () => {
    expect(roles.filter((role) => roleSchema.safeParse(role).success)).toEqual([
      'Admin',
      'Billing and Purchasing',
      'User',
      'Co-Managed User',
    ]);
    expect(roleSchema.safeParse('admin').success).toBe(false);
  });

  it('takes phone numbers and time zones that exist', () => {
    for (const phone of ['', '+49 (30) 123-45', '0800/123.45']) expect(phoneSchema.safeParse(phone).success).toBe(true);
    for (const phone of ['call me', '1'.repeat(33)]) expect(phoneSchema.safeParse(phone).success).toBe(false);
    for (const zone of ['', 'UTC', 'Europe/Berlin']) expect(timeZoneSchema.safeParse(zone).success).toBe(true);
    for (const zone of ['Mars/Base', 'x'.repeat(10_000)]) expect(timeZoneSchema.safeParse(zone).success).toBe(false);
  });

  it('names people in full and by initials', () => {
    expect(fullName({ firstName: 'Ada', lastName: 'Lovelace' })).toBe('Ada Lovelace');
    expect(initialsOf({ firstName: 'ada', lastName: '𠀀x' })).toBe('A𠀀');
  });
});
