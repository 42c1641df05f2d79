// Passwords and second factors: what counts as good, and how they are kept. Owns credentials, history, factors and recovery codes.

import { isOverlong } from '../../lib/password-hasher.ts';
import { days } from '../../lib/time.ts';
import type { CompanyPolicy } from '../companies/company.ts';

type PasswordPolicy = CompanyPolicy['password'];

export const maxPasswordBytes = 1024;

/**
 * The rules in words, for the page and for whoever breaks them.
 * @param hasEarlier whether there is a password that the new one could repeat.
 */
export function passwordRules(policy: PasswordPolicy, hasEarlier = true): string[] {
  const classes = [
    policy.requireLower ? 'a lower-case letter' : null,
    policy.requireUpper ? 'an upper-case letter' : null,
    policy.requireDigit ? 'a digit' : null,
    policy.requireSymbol ? 'a symbol' : null,
  ].filter((rule) => rule !== null);
  const rules = [`At least ${policy.minLength} characters`];
  if (classes.length > 0) rules.push(`With ${new Intl.ListFormat('en').format(classes)}`);
  if (hasEarlier && policy.history > 0) rules.push(`None of your last ${policy.history} passwords`);
  rules.push('No common password, and none made of your name, username, e-mail or company');
  return rules;
}

export interface PasswordContext {
  /** Words that belong to the person, the company and the product (AUT-02). */
  words: string[];
  /** Lower-cased common passwords. */
  common: ReadonlySet<string>;
}

/** Everything that is wrong with a new password, first things first; empty when it will do. */
export function passwordProblems(password: string, policy: PasswordPolicy, context: PasswordContext): string[] {
  if (isOverlong(password)) return [`A password may have ${maxPasswordBytes} bytes at most.`];
  const problems: string[] = [];
  const normal = password.normalize('NFKC');
  if ([...normal].length < policy.minLength) problems.push(`Use at least ${policy.minLength} characters.`);
  if (policy.requireLower && !/\p{Ll}/u.test(normal)) problems.push('Add a lower-case letter.');
  if (policy.requireUpper && !/\p{Lu}/u.test(normal)) problems.push('Add an upper-case letter.');
  if (policy.requireDigit && !/\p{Nd}/u.test(normal)) problems.push('Add a digit.');
  if (policy.requireSymbol && !/[^\p{L}\p{Nd}\s]/u.test(normal)) problems.push('Add a symbol, such as ! or -.');
  const word = contextWord(normal, context.words);
  if (word !== null) problems.push(`This password contains "${word}", which is easy to guess. Leave it out.`);
  if (isCommon(normal, context.common)) problems.push('This is one of the most used passwords. Choose another one.');
  return problems;
}

/** Common as it is, or a common word with nothing but digits and symbols around it ("Password1!"). */
function isCommon(password: string, common: ReadonlySet<string>): boolean {
  const lower = password.toLowerCase();
  // The second half begins behind a letter only: else it would begin anew at each character (DOS-04).
  const core = lower.replace(/^[^\p{L}]+|(?<=\p{L})[^\p{L}]+$/gu, '');
  const plain = core.replace(
    /[@0135$]/g,
    (c) => ({ '@': 'a', '0': 'o', '1': 'i', '3': 'e', '5': 's', $: 's' })[c] ?? c,
  );
  return common.has(lower) || ((common.has(core) || common.has(plain)) && lower.length - core.length <= 4);
}

const minWordLength = 4;

function contextWord(password: string, words: string[]): string | null {
  const lower = password.toLowerCase();
  return (
    words
      .map((word) => word.toLowerCase().trim())
      .find((word) => word.length >= minWordLength && lower.includes(word)) ?? null
  );
}

/** Words that must not stand in this person's password. */
export function contextWords(facts: {
  username: string;
  email: string;
  firstName: string;
  lastName: string;
  company: string;
  brand: string;
}): string[] {
  const texts = [facts.username, facts.email, facts.firstName, facts.lastName, facts.company, facts.brand];
  // Each word by itself, too: "Contoso Ltd" must not become "Contoso-2026!".
  return [...new Set([...texts, ...texts.flatMap((text) => text.split(/[^\p{L}\p{Nd}]+/u))])].filter(
    (word) => word !== '',
  );
}

/** C38: passwords that were set before this have run out; null: none runs out. */
export function oldestPassword(policy: PasswordPolicy, now: Date): Date | null {
  return policy.maxAgeDays > 0 ? new Date(now.getTime() - days(policy.maxAgeDays)) : null;
}

export function isPasswordExpired(setAt: Date, policy: PasswordPolicy, now: Date): boolean {
  const oldest = oldestPassword(policy, now);
  return oldest !== null && setAt < oldest;
}
