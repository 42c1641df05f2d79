import { describe, expect, it } from 'vitest';
import { decideEntry, entryRefusal } from '../../../../src/domain/modules/entry.ts';

describe('entry to a module (D.2, D.5 step 6)', () => {
  const reachable = { workplace: ['All Module Access', 'Technicians'] };
  const rows: [string, Parameters<typeof decideEntry>[0], ReturnType<typeof decideEntry>][] = [
    [
      'D.2 a member of an active group that holds it is let in, with the groups that say so',
      { isBuiltIn: false, clientId: 'workplace', reachable },
      { allowed: true, groups: ['All Module Access', 'Technicians'] },
    ],
    [
      'D.2 a member of groups that hold other modules is not',
      { isBuiltIn: false, clientId: 'helpdesk', reachable },
      { allowed: false, because: ['no-group'] },
    ],
    [
      'D.2 a person without any group is not',
      { isBuiltIn: false, clientId: 'workplace', reachable: {} },
      { allowed: false, because: ['no-group'] },
    ],
    [
      'our own pages are open to whoever is signed in',
      { isBuiltIn: true, clientId: 'home', reachable: {} },
      { allowed: true, groups: [] },
    ],
  ];
  it.each(rows)('%s', (_title, given, decision) => {
    expect(decideEntry(given)).toEqual(decision);
  });

  it.each(['constructor', '__proto__', 'toString'])(
    'D.2 a client named %s is entered by no accident of JavaScript',
    (clientId) => {
      expect(decideEntry({ isBuiltIn: false, clientId, reachable: JSON.parse('{}') })).toMatchObject({
        allowed: false,
      });
    },
  );

  it('D.5 step 6 the refusal names the module and says what to do', () => {
    const words = entryRefusal('Workplace', 'KaseyaOne');
    expect(words.sentence).toContain('Workplace');
    expect(words.next).toContain('administrator');
  });
});
