import { createSecretKey, randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createKeyring, hmac, type Keyring, randomToken, sameSecret, tokenHash } from '../../../src/lib/secrets.ts';

const [oldKey, newKey, foreignKey] = [randomBytes(32), randomBytes(32), randomBytes(32)];

describe('random tokens', () => {
  it('have 256 bits, are safe in addresses, and never come twice', () => {
    const tokens = Array.from({ length: 1000 }, () => randomToken());
    expect(new Set(tokens).size).toBe(1000);
    for (const token of tokens) expect(token).toMatch(/^[\w-]{43}$/);
    expect(randomToken(16)).toMatch(/^[\w-]{22}$/);
  });

  it('API-15 are kept as hashes, from which they cannot be read', () => {
    const token = randomToken();
    expect(tokenHash(token)).toMatch(/^[\w-]{43}$/);
    expect(tokenHash(token)).not.toContain(token.slice(0, 8));
    expect(tokenHash(token)).toBe(tokenHash(token));
  });
});

describe('sealed values', () => {
  const ring = createKeyring([oldKey]);

  it('API-15 open to what was sealed, whatever it is', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.string(), (plain, purpose) => {
        const box = ring.seal(purpose, plain);
        return ring.open(purpose, box) === Buffer.from(plain, 'utf8').toString('utf8');
      }),
    );
  });

  it('API-15 do not show what is in them, and never look the same twice', () => {
    const boxes = Array.from({ length: 100 }, () => ring.seal('factor', 'JBSWY3DPEHPK3PXP'));
    expect(new Set(boxes).size).toBe(100);
    for (const box of boxes) {
      expect(box).not.toContain('JBSWY3DP');
      expect(Buffer.from(box, 'base64url').toString('latin1')).not.toContain('JBSWY3DP');
    }
  });

  it('API-15 open for their purpose only, and not when a bit was changed', () => {
    const box = ring.seal('factor', 'secret');
    expect(() => ring.open('mail', box)).toThrow();
    const [id, body = ''] = box.split('.');
    const raw = Buffer.from(body, 'base64url');
    for (let i = 0; i < raw.length; i += 1) {
      const changed = Buffer.from(raw);
      changed[i] = (changed[i] ?? 0) ^ 1;
      expect(() => ring.open('factor', `${id}.${changed.toString('base64url')}`), `byte ${i}`).toThrow();
    }
    for (const odd of ['', '.', `${id}.`, `${id}.AAAA`, body, `x.${body}`])
      expect(() => ring.open('factor', odd), odd).toThrow();
  });

  it('API-15 a foreign key opens nothing, and says what is the matter', () => {
    const box = ring.seal('factor', 'secret');
    expect(() => createKeyring([foreignKey]).open('factor', box)).toThrow(/ENCRYPTION_KEYS/);
  });

  it('API-15 while keys are rotated, the new one seals, both open, and old boxes are known', () => {
    const before = ring.seal('factor', 'secret');
    const during = createKeyring([newKey, oldKey]);
    expect(during.open('factor', before)).toBe('secret');
    expect(before.startsWith(`${during.keyId}.`)).toBe(false);
    const fresh = during.seal('factor', 'secret');
    expect(fresh.startsWith(`${during.keyId}.`)).toBe(true);
    expect([ring.isSingle, during.isSingle]).toEqual([true, false]);
    expect(createKeyring([newKey]).open('factor', fresh)).toBe('secret');
    expect(() => ring.open('factor', fresh)).toThrow();
    expect(() => createKeyring([newKey]).open('factor', before)).toThrow();
  });

  it('derived keys differ by purpose and by key, and are there for the whole ring', () => {
    const during = createKeyring([newKey, oldKey]);
    const derived = (keyring: Keyring, purpose: string) => keyring.derive(purpose).export();
    expect(derived(during, 'csrf')).not.toEqual(derived(during, 'cookies'));
    expect(derived(during, 'csrf')).not.toEqual(derived(ring, 'csrf'));
    expect(during.deriveAll('cookies').map((key) => key.export())).toEqual([
      derived(createKeyring([newKey]), 'cookies'),
      derived(ring, 'cookies'),
    ]);
    expect(derived(during, 'csrf')).toHaveLength(32);
    expect(derived(during, 'csrf')).not.toEqual(newKey);
  });

  it('needs a key', () => {
    expect(() => createKeyring([])).toThrow(/at least one/);
  });
});

describe('comparing', () => {
  it('DOS-05 tells the same from other, whatever their lengths', () => {
    expect(sameSecret('a', 'a')).toBe(true);
    for (const [a, b] of [
      ['a', 'b'],
      ['a', ''],
      ['a', 'aa'],
      ['', 'a'],
      ['ä', 'a'],
      ['a', 'A'],
    ] as const)
      expect(sameSecret(a, b)).toBe(false);
    expect(hmac(createSecretKey(oldKey), 'x')).not.toBe(hmac(createSecretKey(newKey), 'x'));
  });

  it('DOS-05 takes as long for a value that differs at once as for one that differs at its end', () => {
    const value = randomToken();
    const early = `${value.startsWith('A') ? 'B' : 'A'}${value.slice(1)}`;
    const late = `${value.slice(0, -1)}${value.endsWith('A') ? 'B' : 'A'}`;
    const samples: Record<'early' | 'late', number[]> = { early: [], late: [] };
    const measure = (name: 'early' | 'late', other: string) => {
      const startedAt = process.hrtime.bigint();
      sameSecret(value, other);
      samples[name].push(Number(process.hrtime.bigint() - startedAt));
    };
    // Alternating, so that whatever else the machine does falls on both.
    for (let i = 0; i < 12_000; i += 1) {
      measure('early', early);
      measure('late', late);
    }
    const median = (values: number[]) => [...values.slice(2000)].sort((a, b) => a - b)[5000] ?? 0;
    const [a, b] = [median(samples.early), median(samples.late)];
    expect(Math.abs(a - b) / Math.max(a, b), `${a} ns and ${b} ns`).toBeLessThan(0.1);
  });
});
