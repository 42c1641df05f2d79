import fc from 'fast-check';
import { generateSync } from 'otplib';
import { describe, expect, it } from 'vitest';
import {
  codeDigits,
  grouped,
  matchTotp,
  newRecoveryCodes,
  newTotpSecret,
  recoveryCodeHash,
  totpAddress,
} from '../../../../src/domain/credentials/totp.ts';

const secret = 'JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP';
const step = 59_000_000;
/** `offset` seconds into the step. */
const moment = (offset = 0) => new Date((step * 30 + offset) * 1000);
const codeAt = (steps: number) => generateSync({ secret, epoch: (step + steps) * 30 });

describe('one-time codes', () => {
  // RFC 6238 appendix B, SHA-1, cut to six digits.
  it.each([
    [59, '287082'],
    [1_111_111_109, '081804'],
    [1_111_111_111, '050471'],
    [1_234_567_890, '005924'],
    [2_000_000_000, '279037'],
  ])('AUT-22 are those of RFC 6238 at second %i', (at, code) => {
    const known = 'GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ';
    expect(matchTotp(known, code, new Date(at * 1000), 0)).toBe(Math.floor(at / 30));
  });

  it.each([0, 1, 15, 29])(
    'AUT-22 one step before and after is taken, %i seconds into a step; two are not',
    (offset) => {
      const accepted = [-3, -2, -1, 0, 1, 2, 3].map((steps) => matchTotp(secret, codeAt(steps), moment(offset), 0));
      expect(accepted).toEqual([null, null, step - 1, step, step + 1, null, null]);
    },
  );

  it('AUT-21, F8 the same code is not taken twice, nor an older one after a newer one', () => {
    expect(matchTotp(secret, codeAt(0), moment(), step)).toBeNull();
    expect(matchTotp(secret, codeAt(-1), moment(), step)).toBeNull();
    expect(matchTotp(secret, codeAt(-1), moment(), step - 1)).toBeNull();
    expect(matchTotp(secret, codeAt(1), moment(), step)).toBe(step + 1);
    expect(matchTotp(secret, codeAt(1), moment(30), step + 1)).toBeNull();
  });

  const good = codeAt(0);
  it.each([
    ['', false],
    [' ', false],
    [good.slice(0, 5), false],
    [`${good}0`, false],
    ['abcdef', false],
    [`${good.slice(0, 5)}x`, false],
    [good.replace(/\d/g, (d) => String.fromCodePoint(0xff10 + Number(d))), false],
    [good.replace(/\d/g, (d) => String.fromCodePoint(0x660 + Number(d))), false],
    [`-${good.slice(0, 5)}`, false],
    [`${good}\u0000`, false],
    ['1e5', false],
    ['0x1234', false],
    [good, true],
    [`${good.slice(0, 3)} ${good.slice(3)}`, true],
    [` ${good} `, true],
  ])('AUT-23, F8 %j is a code: %s, and nothing throws', (typed, right) => {
    expect(matchTotp(secret, typed, moment(), 0)).toBe(right ? step : null);
  });

  it('AUT-23 a hundred thousand digits are no code, and quickly so', () => {
    expect(matchTotp(secret, '9'.repeat(100_000), moment(), 0)).toBeNull();
  });

  it('AUT-23 whatever is typed answers null or a step, never an error', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (typed) => {
        const result = matchTotp(secret, typed, moment(), 0);
        return result === null || codeDigits(typed) !== null;
      }),
    );
  });

  it('AUT-23 a secret that cannot be read is a wrong code, not an error', () => {
    for (const broken of ['', 'not base32!', 'A']) expect(matchTotp(broken, good, moment(), 0)).toBeNull();
  });
});

describe('secrets', () => {
  it('AUT-20 have 160 bits of base32, and are never the same', () => {
    const made = new Set(Array.from({ length: 200 }, newTotpSecret));
    expect(made.size).toBe(200);
    for (const one of made) expect(one).toMatch(/^[A-Z2-7]{32}$/);
  });

  it('AUT-20 reach the app as issuer, account and secret', () => {
    const url = new URL(totpAddress({ secret, issuer: 'KaseyaOne', account: 'pat (Northwind & Co)' }));
    expect(url.protocol).toBe('otpauth:');
    expect(url.searchParams.get('secret')).toBe(secret);
    expect(url.searchParams.get('issuer')).toBe('KaseyaOne');
    expect(decodeURIComponent(url.pathname)).toContain('pat (Northwind & Co)');
    expect(grouped('ABCDEFGHIJ')).toEqual(['ABCD', 'EFGH', 'IJ']);
  });
});

describe('recovery codes', () => {
  it('AUT-25 are ten, of at least 112 bits each, in an alphabet that nobody misreads', () => {
    const codes = newRecoveryCodes();
    expect(codes).toHaveLength(10);
    expect(new Set(codes).size).toBe(10);
    const alphabet = 'abcdefghjkmnpqrstuvwxyz23456789';
    for (const code of codes) {
      expect(code).toMatch(/^(?:[a-z2-9]{6}-){3}[a-z2-9]{6}$/);
      for (const letter of code.replaceAll('-', '')) expect(alphabet).toContain(letter);
    }
    expect(24 * Math.log2(alphabet.length)).toBeGreaterThan(112);
  });

  it('AUT-25 use every letter alike', () => {
    const counts = new Map<string, number>();
    for (let i = 0; i < 500; i += 1)
      for (const letter of newRecoveryCodes().join('').replaceAll('-', ''))
        counts.set(letter, (counts.get(letter) ?? 0) + 1);
    const expected = (500 * 240) / 31;
    expect(counts.size).toBe(31);
    // Ten standard deviations: fails on a skewed alphabet, never by chance.
    for (const count of counts.values()) expect(Math.abs(count - expected)).toBeLessThan(10 * Math.sqrt(expected));
  });

  it('AUT-25 are kept as hashes, and read as people type them', () => {
    const [code = ''] = newRecoveryCodes();
    const hash = recoveryCodeHash(code);
    expect(hash).not.toContain(code.slice(0, 6));
    for (const typed of [code.toUpperCase(), code.replaceAll('-', ''), ` ${code.replaceAll('-', ' ')} `])
      expect(recoveryCodeHash(typed)).toBe(hash);
    expect(recoveryCodeHash(`${code}x`)).not.toBe(hash);
  });
});
