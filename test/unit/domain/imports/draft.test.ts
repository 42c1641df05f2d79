// What an import from a module does with somebody (A5.6, C13, A3.2 to A3.4): one rule for the page and for the import.
import { describe, expect, it } from 'vitest';
import { decideImport, type Matches, type ModulePerson } from '../../../../src/domain/imports/draft.ts';

const grace: ModulePerson & { isShared: boolean } = {
  externalId: '1',
  username: 'grace',
  email: 'grace@module.example',
  firstName: 'Grace',
  lastName: "O'Hopper-Жуков 3",
  isActive: true,
  isShared: false,
};
const nobody: Matches = { username: null, byEmail: [] };
const decide = (person: Partial<typeof grace>, matches: Partial<Matches> = {}) =>
  decideImport({ ...grace, ...person }, { ...nobody, ...matches }, 'KaseyaOne');

describe('A5.6 what becomes of somebody', () => {
  it('who is new is imported', () => {
    expect(decide({})).toEqual({ standing: 'import' });
  });

  it.each([
    [{ username: 'Grace' }, 'Already in KaseyaOne, with the username Grace.'],
    [{ byEmail: ['hopper'] }, 'Already in KaseyaOne as hopper, with this e-mail.'],
    [{ username: 'grace', byEmail: ['a', 'b'] }, 'Already in KaseyaOne, with the username grace.'],
  ])('who is here already is skipped: %j', (matches, because) => {
    expect(decide({}, matches)).toEqual({ standing: 'skip', because });
  });

  it('who is not active in the module is skipped', () => {
    expect(decide({ isActive: false })).toEqual({ standing: 'skip', because: 'Not active in the module.' });
  });

  it('C13 an e-mail that is not one person is refused, on either side', () => {
    expect(decide({}, { byEmail: ['a', 'b'] })).toMatchObject({ standing: 'fail', field: 'email' });
    expect(decide({ isShared: true })).toMatchObject({ standing: 'fail', field: 'email' });
    expect(decide({ isShared: true }, { byEmail: ['hopper'] })).toMatchObject({ standing: 'skip' });
  });

  it.each([
    [{ username: 'u'.repeat(51) }, 'username', /50 characters/],
    [{ username: 'u'.repeat(50) }, null, null],
    [{ username: 'a/b' }, 'username', /cannot contain/],
    [{ username: 'a#b' }, 'username', /cannot contain/],
    [{ username: 'a?b' }, 'username', /cannot contain/],
    [{ username: 'a\\b' }, 'username', /cannot contain/],
    [{ username: '' }, 'username', /names no username/],
    [{ email: '' }, 'email', /no e-mail/],
    [{ email: 'nobody' }, 'email', /valid e-mail/],
    [{ email: `${'e'.repeat(90)}@module.example` }, 'email', /100 characters/],
    [{ firstName: ' ' }, 'firstName', /no first name/],
    [{ firstName: '<b>' }, 'firstName', /letters, digits/],
    [{ lastName: 'x'.repeat(49) }, 'lastName', /48 characters/],
    [{ lastName: '🙂' }, 'lastName', /letters, digits/],
  ])('A3.2, A3.3, A3.4 limits hold here, too: %j', (person, field, because) => {
    const decision = decide(person);
    if (field === null) expect(decision).toEqual({ standing: 'import' });
    else expect(decision).toEqual({ standing: 'fail', field, because: expect.stringMatching(because ?? /./) });
  });
});
