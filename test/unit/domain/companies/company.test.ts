import { describe, expect, it } from 'vitest';
import { companyKey, companyNameSchema, policySchema, slugOf } from '../../../../src/domain/companies/company.ts';

const takes = (policy: unknown) => policySchema.safeParse(policy).success;

describe('the policy of a company', () => {
  it('B.3, C6, C37, C38, A5.7 has KaseyaOne’s defaults', () => {
    expect(policySchema.parse({})).toEqual({
      password: {
        minLength: 8,
        requireLower: true,
        requireUpper: true,
        requireDigit: true,
        requireSymbol: true,
        history: 5,
        maxAgeDays: 0,
      },
      lock: { threshold: 5, minutes: 10 },
      session: { idleMinutes: 30, absoluteMinutes: 720 },
      ipList: { enabled: false },
      mfa: { recoveryCodes: true },
      notices: { deactivated: true },
      inviteDays: 14,
      resetHours: 24,
      emailChangeHours: 24,
      reactivate: 'immediate',
    });
  });

  const bounds: [rule: string, field: [string, string], least: number, most: number][] = [
    ['B.3, AUT-01', ['password', 'minLength'], 8, 64],
    ['C6', ['lock', 'threshold'], 5, 100],
    ['B.3, C6', ['lock', 'minutes'], 1, 23 * 60 + 59],
    ['C38', ['password', 'history'], 0, 24],
    ['C38', ['password', 'maxAgeDays'], 0, 365],
  ];
  it.each(bounds)('%s %s goes from %i to %i', (_rule, [part, field], least, most) => {
    const given = (value: number) => ({ [part]: { [field]: value } });
    expect([least - 1, least, most, most + 1, least + 0.5].map((value) => takes(given(value)))).toEqual([
      false,
      true,
      true,
      false,
      false,
    ]);
  });
});

describe('the name of a company', () => {
  it('B.1 signs people in whatever its case, spaces and Unicode form', () => {
    for (const typed of ['NORTHWIND IT', ' northwind  it ', 'Northwind\u00a0IT', 'Ｎorthwind IT'])
      expect(companyKey(typed)).toBe(companyKey('Northwind IT'));
    expect(companyKey('Zoe\u0308 AG')).toBe(companyKey('ZOË ag'));
    expect(companyKey('Northwind')).not.toBe(companyKey('Northwind IT'));
  });

  it('takes what companies are called, and no markup or line breaks', () => {
    for (const name of ['Müller & Söhne GmbH', '3M', '株式会社', 'n'.repeat(100)])
      expect(companyNameSchema.safeParse(name).success).toBe(true);
    for (const name of ['', '  ', '<b>', 'a\r\nb', 'n'.repeat(101)])
      expect(companyNameSchema.safeParse(name).success).toBe(false);
  });

  it('B.1 makes the last part of the Company Login URL', () => {
    expect(slugOf('Müller & Söhne GmbH')).toBe('muller-sohne-gmbh');
    expect(slugOf('株式会社')).toBe('company');
    expect(slugOf(`${'n'.repeat(39)} xyz`)).toBe('n'.repeat(39));
  });
});
