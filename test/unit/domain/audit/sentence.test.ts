import { describe, expect, it } from 'vitest';
import { auditActions } from '../../../../src/domain/audit/action-words.ts';
import { changesOf } from '../../../../src/domain/audit/changes.ts';
import { sentenceOf, type ToldEvent } from '../../../../src/domain/audit/sentence.ts';

const names: Record<string, string> = { ada: 'Ada Root', ben: 'Ben User', james: 'James Jones' };
const nameOf = (_kind: string, id: string) => names[id] ?? null;
const ada = { kind: 'user', id: 'ada', name: 'ada' };
const event = (action: string, rest: Partial<ToldEvent> = {}): ToldEvent => ({
  action,
  actor: ada,
  target: { kind: 'user', id: 'ben' },
  details: {},
  ...rest,
});

describe('an audit event in a plain sentence', () => {
  it.each<[string, ToldEvent, string]>([
    ['who and whom', event('user.2fa.reset'), 'Ada Root reset Ben User’s second factor.'],
    [
      'oneself',
      event('user.2fa.reset', { target: { kind: 'user', id: 'ada' } }),
      'Ada Root reset their own second factor.',
    ],
    [
      'a name that ends in s',
      event('user.passwordChange', { target: { kind: 'user', id: 'james' } }),
      'Ada Root changed James Jones’ password.',
    ],
    [
      'the operator',
      event('user.unlock', { actor: { kind: 'operator', name: 'console' } }),
      'The operator unlocked Ben User.',
    ],
    [
      'before and after',
      event('user.edit', {
        details: { before: { lastName: 'X', phone: null }, after: { lastName: 'Y', phone: null } },
      }),
      'Ada Root edited Ben User’s data: last name from “X” to “Y”.',
    ],
    [
      'a refused login',
      event('login.fail', {
        actor: { kind: 'stranger', name: '' },
        details: { username: 'ben', reason: 'wrong-password' },
      }),
      'A login as “ben” was refused: the password was wrong.',
    ],
    [
      'a refused proof of somebody who is logged in',
      event('login.fail', {
        target: { kind: 'user', id: 'ada' },
        details: { username: 'ada', reason: 'wrong-proof' },
      }),
      'Ada Root, who was logged in, was refused: the password or the code that was asked for once more was wrong.',
    ],
    [
      'somebody who is gone',
      event('user.delete', { target: { kind: 'user', id: 'gone' }, details: { username: 'zoe' } }),
      'Ada Root deleted zoe.',
    ],
    ['an action of another version', event('user.teleport'), 'Ada Root did “user.teleport” on Ben User.'],
  ])('%s', (_title, told, sentence) => {
    expect(sentenceOf(told, nameOf)).toBe(sentence);
  });

  it.each(auditActions)('%s reads as a sentence even with no details and nobody known', (action) => {
    const sentence = sentenceOf(
      { action, actor: { kind: 'system', name: 'x' }, target: null, details: {} },
      () => null,
    );
    expect(sentence).toMatch(/^[A-Z].*[^.]\.$/);
    expect(sentence).not.toMatch(/undefined|null|NaN|\[object/);
  });

  it('changesOf tells only what differs', () => {
    expect(changesOf({ before: { a: 1, firstName: 'A' }, after: { a: 1, firstName: 'B' } })).toEqual([
      { field: 'first name', before: 'A', after: 'B' },
    ]);
    expect(changesOf({ before: 'x', after: 'y' })).toEqual([]);
  });
});
