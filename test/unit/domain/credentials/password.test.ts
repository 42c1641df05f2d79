import { describe, expect, it } from 'vitest';
import { policySchema } from '../../../../src/domain/companies/company.ts';
import { commonPasswords } from '../../../../src/domain/credentials/common-passwords.ts';
import {
  contextWords,
  isPasswordExpired,
  passwordProblems,
  passwordRules,
} from '../../../../src/domain/credentials/password.ts';
import { days } from '../../../../src/lib/time.ts';

const policy = (changes: object = {}) => policySchema.parse({ password: changes }).password;
const plain = policy({ requireLower: false, requireUpper: false, requireDigit: false, requireSymbol: false });
const nothing = { words: [], common: new Set<string>() };

describe('what is wrong with a new password', () => {
  const classes: [password: string, problem: string | null][] = [
    ['Violet-42', null],
    ['VIOLET-42', 'Add a lower-case letter.'],
    ['violet-42', 'Add an upper-case letter.'],
    ['Violet-xx', 'Add a digit.'],
    ['Violet422', 'Add a symbol, such as ! or -.'],
    ['Viol 4225', 'Add a symbol, such as ! or -.'],
    ['Vio-42x', 'Use at least 8 characters.'],
    ['Ölmühle-٤٢', null],
  ];
  it.each(classes)('B.3 %s: %s', (password, problem) => {
    expect(passwordProblems(password, policy(), nothing)).toEqual(problem === null ? [] : [problem]);
  });

  it('B.3 says everything at once', () => {
    expect(passwordProblems('', policy(), nothing)).toHaveLength(5);
  });

  it('AUT-02 asks for no kinds of characters where the company asks for none', () => {
    expect(passwordProblems('aaaabbbb', plain, nothing)).toEqual([]);
    expect(passwordRules(plain).join(' ')).not.toMatch(/letter|digit|symbol/);
  });

  it('C38 says nothing of earlier passwords where there is none, or none is remembered', () => {
    const last = 'None of your last 5 passwords';
    expect(passwordRules(policy())).toContain(last);
    expect(passwordRules(policy(), false)).toEqual(passwordRules(policy()).filter((rule) => rule !== last));
    expect(passwordRules({ ...policy(), history: 0 }).join(' ')).not.toContain('of your last');
  });

  it('AUT-01 counts characters, not bytes or halves of them', () => {
    expect(passwordProblems('𠀀𠀀𠀀𠀀', plain, nothing)).toEqual(['Use at least 8 characters.']);
    expect(passwordProblems('𠀀'.repeat(8), plain, nothing)).toEqual([]);
  });

  it('AUT-01 takes 64 characters and more; DOS-02, F7 more than 1,024 bytes are refused before anything else', () => {
    expect(passwordProblems('x'.repeat(64), plain, nothing)).toEqual([]);
    expect(passwordProblems('x'.repeat(1024), plain, nothing)).toEqual([]);
    expect(passwordProblems('x'.repeat(1025), policy(), nothing)).toEqual(['A password may have 1024 bytes at most.']);
    expect(passwordProblems('ö'.repeat(513), policy(), nothing)).toHaveLength(1);
  });

  it('AUT-01 length follows the company, up to 64', () => {
    const long = { ...plain, minLength: 64 };
    expect(passwordProblems('x'.repeat(63), long, nothing)).toEqual(['Use at least 64 characters.']);
    expect(passwordProblems('x'.repeat(64), long, nothing)).toEqual([]);
  });
});

describe('words that must not be in it (AUT-02)', () => {
  const words = contextWords({
    username: 'ada.lovelace@northwind.example',
    email: 'countess@analytical.example',
    firstName: 'Augusta',
    lastName: 'King-Noel',
    company: 'Blue Harbour Ltd',
    brand: 'KaseyaOne',
  });
  const check = (password: string) => passwordProblems(password, plain, { words, common: new Set() });

  it.each([
    ['username', 'ada.lovelace@northwind.example1'],
    ['first part of the e-mail', 'x-Countess-7'],
    ['a word of the e-mail', 'Analytical-2026!'],
    ['first part of the username', 'x-Ada.Lovelace-7'],
    ['part of a name', 'my-LOVELACE-7'],
    ['first name', '7augusta7'],
    ['last name', 'xKing-Noelx'],
    ['company', 'Blue Harbour Ltd 1'],
    ['a word of the company', 'Harbour-2026!'],
    ['product', 'kaseyaone-4-me'],
  ])('AUT-02 %s: refused, and the word is named', (_what, password) => {
    const [problem] = check(password);
    expect(problem).toMatch(/^This password contains "[^"]+", which is easy to guess/);
  });

  it('AUT-02 words of three letters and less stop nobody', () => {
    expect(check('ltd-ada-2026-xyz')).toEqual([]);
  });

  it('AUT-02 a full-width spelling is the same word', () => {
    expect(check('Ｈarbour-2026!')).toHaveLength(1);
  });
});

describe('common passwords (AUT-02)', () => {
  it('AUT-02 knows at least the three thousand most used', async () => {
    expect((await commonPasswords()).size).toBeGreaterThan(3000);
  });

  it.each(['password', 'Password1!', 'qwertyuiop', 'P@ssw0rd', 'letmein!', '12345678', 'iloveyou1', '!!Dragon99'])(
    'AUT-02 %s is refused with the reason',
    async (password) => {
      const common = await commonPasswords();
      expect(passwordProblems(password, { ...plain, minLength: 8 }, { words: [], common })).toEqual([
        'This is one of the most used passwords. Choose another one.',
      ]);
    },
  );

  it.each(['Violet-Harbour-42', 'correct horse battery staple', 'tr0mb0ne-Zebra'])(
    'AUT-02 %s is not',
    async (password) => {
      const common = await commonPasswords();
      expect(passwordProblems(password, plain, { words: [], common })).toEqual([]);
    },
  );
});

describe('age (C38)', () => {
  const setAt = new Date('2026-01-01T00:00:00Z');
  it('AUT-02, C38 never, unless the company says so', () => {
    expect(isPasswordExpired(setAt, policy(), new Date('2056-01-01T00:00:00Z'))).toBe(false);
    const aging = policy({ maxAgeDays: 1 });
    expect(isPasswordExpired(setAt, aging, new Date(setAt.getTime() + days(1)))).toBe(false);
    expect(isPasswordExpired(setAt, aging, new Date(setAt.getTime() + days(1) + 1))).toBe(true);
  });
});
