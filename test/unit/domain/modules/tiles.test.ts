// B.6: one's own tiles: what was stored is read with care, and a tile leads into its own module alone (OAU-11).
import { describe, expect, it } from 'vitest';
import { arrange, landingOf, landingProblem, originOf, parseTiles } from '../../../../src/domain/modules/tiles.ts';
import { type InstanceId, newId } from '../../../../src/lib/ids.ts';

const [a, b, c] = [newId<InstanceId>(), newId<InstanceId>(), newId<InstanceId>()];
const tile = (id: InstanceId, name: string) => ({ id, name });
const workplace = { initiateLoginUri: 'https://module.example/initiate-login', landingUrl: null };

describe('B.6 one’s own tiles', () => {
  it('stand in the person’s order; what came later stands at the end, what is gone is left out', () => {
    const own = parseTiles([
      { id: c, name: 'Mine' },
      { id: newId(), name: 'Gone' },
      { id: a, landingUrl: 'https://m.example/x' },
    ]);
    expect(arrange([tile(a, 'A'), tile(b, 'B'), tile(c, 'C')], own)).toEqual([
      { id: c, name: 'C', ownName: 'Mine', ownLanding: null },
      { id: a, name: 'A', ownName: null, ownLanding: 'https://m.example/x' },
      { id: b, name: 'B', ownName: null, ownLanding: null },
    ]);
  });

  it.each([null, 'x', 7, {}, [null, 7, 'x', {}, { id: 7 }, { id: 'none' }, []]])(
    'what was stored as %j is nothing',
    (stored) => {
      expect(parseTiles(stored)).toEqual([]);
    },
  );

  it.each([
    'https://elsewhere.example/',
    'https://module.example.evil.example/',
    'https://module.example@evil.example/',
    'https://user:word@module.example/',
    'https://module.example:8443/',
    'http://module.example/',
    '//module.example/',
    '/start',
    'javascript:alert(1)',
    'data:text/html,x',
    'blob:https://module.example/1',
    'https:\\\\evil.example\\module.example',
    'not an address',
    `https://module.example/${'x'.repeat(500)}`,
  ])('OAU-11 a tile does not lead to %s', (address) => {
    expect(landingProblem(workplace, address)).not.toBeNull();
    expect(landingOf(workplace, address)).toBeNull();
  });

  it.each(['https://module.example/', 'https://module.example/reports?week=7#top', 'https://MODULE.example/x'])(
    'a tile may open at %s',
    (address) => {
      expect(landingProblem(workplace, address)).toBeNull();
      expect(landingOf(workplace, address)).toBe(address);
    },
  );

  it('an instance that has moved takes no old choice along, and one without address takes none', () => {
    const moved = { initiateLoginUri: 'https://new.example/initiate-login', landingUrl: 'https://new.example/home' };
    expect(landingOf(moved, 'https://module.example/reports')).toBe('https://new.example/home');
    const nowhere = { initiateLoginUri: null, landingUrl: null };
    expect(originOf(nowhere)).toBeNull();
    expect(landingProblem(nowhere, 'https://module.example/')).not.toBeNull();
  });
});
