// Which account the module would take: the trace says the same as the kit decides (C28, C32, B.8).
import { describe, expect, it } from 'vitest';
import { profileSchema } from '../../../../src/domain/modules/profile.ts';
import type { ModuleAccount } from '../../../../src/domain/provisioning/account.ts';
import { type AccountVerdict, judgeAccount } from '../../../../src/domain/provisioning/taking.ts';
import { decideAccount, type ModuleAccount as KitAccount, type ModuleUser } from '../../../../src/sdk/module.ts';

const sub = '0199a000-0000-7000-8000-000000000001';
const issuer = 'https://login.example';
const email = 'ben@northwind.example';

type Link = 'theirs' | 'another' | null;
const accounts: { name: string; list: { userName: string; active: boolean; link: Link }[] }[] = [
  { name: 'none', list: [] },
  { name: 'one that fits', list: [{ userName: 'ben', active: true, link: null }] },
  { name: 'one that fits and is not active', list: [{ userName: 'ben', active: false, link: null }] },
  { name: 'one of somebody else', list: [{ userName: 'ben', active: true, link: 'another' }] },
  { name: 'one that is linked', list: [{ userName: 'ben', active: true, link: 'theirs' }] },
  { name: 'one that is linked and not active', list: [{ userName: 'ben', active: false, link: 'theirs' }] },
  {
    name: 'two that fit',
    list: [
      { userName: 'ben', active: true, link: null },
      { userName: 'benny', active: true, link: null },
    ],
  },
  {
    name: 'two, of which the first is not active',
    list: [
      { userName: 'ben', active: false, link: null },
      { userName: 'benny', active: true, link: null },
    ],
  },
  {
    name: 'two of somebody else',
    list: [
      { userName: 'ben', active: true, link: 'another' },
      { userName: 'benny', active: true, link: 'another' },
    ],
  },
];

const ofKit = (decision: ReturnType<typeof decideAccount>): AccountVerdict => {
  switch (decision.outcome) {
    case 'enter':
      return decision.isNewLink ? 'links' : 'linked';
    case 'provision':
      return 'made';
    case 'prove':
      return 'proves';
    default:
      return (
        ({ no_account: 'none', linked_elsewhere: 'taken' } as Record<string, AccountVerdict>)[decision.reason] ??
        (decision.reason as AccountVerdict)
      );
  }
};

const cases = accounts.flatMap(({ name, list }) =>
  (['email', 'explicit'] as const).flatMap((linkMode) =>
    (['refuse', 'firstUsername'] as const).flatMap((severalMatches) =>
      [true, false].flatMap((isProvisioned) =>
        [true, false].map((isVerified) => ({ name, list, linkMode, severalMatches, isProvisioned, isVerified })),
      ),
    ),
  ),
);

describe('C28, C32 the account that the module would take', () => {
  it.each(cases)(
    '$name, by $linkMode, $severalMatches, provisioned $isProvisioned, verified $isVerified',
    ({ list, linkMode, severalMatches, isProvisioned, isVerified }) => {
      const profile = profileSchema.parse({ capabilities: ['provision'], linkMode, severalMatches });
      const user = {
        sub,
        email,
        emailVerified: isVerified,
        preferredUsername: 'ben',
        access: isProvisioned ? { provision: { values: {} } } : {},
      } as unknown as ModuleUser;
      const kit = list.map(
        ({ userName, active, link }) =>
          ({
            userName,
            email,
            active,
            link: link === null ? null : { issuer, sub: link === 'theirs' ? sub : 'another' },
          }) as unknown as KitAccount,
      );
      const linked = list.find(({ link }) => link === 'theirs');
      const verdict = judgeAccount(
        { emailVerifiedAt: isVerified ? new Date() : null },
        {
          account: linked ? ({ life: 'live', isActive: linked.active } as ModuleAccount) : null,
          fitting: list
            .filter(({ link }) => link !== 'theirs')
            .map(({ userName, active, link }) => ({ userName, isActive: active, isTaken: link === 'another' })),
          profile,
          settings: {
            instanceId: '' as never,
            companyId: '' as never,
            version: 1,
            enabled: true,
            require: { state: 'off', trialEndsAt: null, trialBy: null },
            provisioning: { on: isProvisioned, values: {} },
            deprovisioning: { on: false, graceDays: 14, removal: 'disable' },
            accessGroups: { on: false, rules: [] },
          },
        },
      );
      expect(verdict).toBe(ofKit(decideAccount(user, kit, { issuer, profile })));
    },
  );
});
