// Time-based one-time codes (RFC 6238) and recovery codes.
import { randomBytes } from 'node:crypto';
import { generateSecret, generateURI, verifySync } from 'otplib';
import { tokenHash } from '../../lib/secrets.ts';
import { epoch } from '../../lib/time.ts';

const stepSeconds = 30;

/** 160 bits from the system's generator, base32 (AUT-20, RFC 4226 section 4 R6). */
export function newTotpSecret(): string {
  return generateSecret({ length: 20 });
}

/** What the QR picture says; the issuer stands before the account so that apps group them. */
export function totpAddress(options: { secret: string; issuer: string; account: string }): string {
  return generateURI({ issuer: options.issuer, label: options.account, secret: options.secret });
}

/** Digits of a typed code, without the spaces that apps show; null when it cannot be a code (AUT-23). */
export function codeDigits(typed: string): string | null {
  const compact = typed.replace(/[\s-]/g, '');
  return /^[0-9]{6}$/.test(compact) ? compact : null;
}

/**
 * The time step that a code belongs to, or null when it is wrong.
 * One step before and after the present is accepted (AUT-22), never one at or before `lastStep` (AUT-21).
 */
export function matchTotp(secret: string, typed: string, now: Date, lastStep: number): number | null {
  const token = codeDigits(typed);
  if (token === null) return null;
  try {
    const result = verifySync({
      secret,
      token,
      epoch: epoch(now),
      epochTolerance: stepSeconds,
      afterTimeStep: lastStep,
    });
    return result.valid ? Math.floor(epoch(now) / stepSeconds) + result.delta : null;
  } catch {
    // otplib throws on what it cannot read; for the person that is a wrong code (F8).
    return null;
  }
}

const alphabet = 'abcdefghjkmnpqrstuvwxyz23456789';
const recoveryCodeCount = 10;

/** Ten codes of 24 characters (about 118 bits each), in groups for reading (AUT-25). */
export function newRecoveryCodes(): string[] {
  return Array.from({ length: recoveryCodeCount }, () => {
    let code = '';
    while (code.length < 24) {
      for (const byte of randomBytes(32)) {
        // Values past the largest multiple of the alphabet would favour its first letters.
        if (byte < 248 && code.length < 24) code += alphabet[byte % alphabet.length];
      }
    }
    return code.replace(/(.{6})(?!$)/g, '$1-');
  });
}

export function recoveryCodeHash(typed: string): string {
  return tokenHash(typed.toLowerCase().replace(/[^a-z0-9]/g, ''));
}

export function grouped(secret: string): string[] {
  return secret.match(/.{1,4}/g) ?? [];
}
