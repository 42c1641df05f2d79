// Explore: every product of the catalogue and every module of this server, with what it can do and where it is connected (A8.3, B.8).
import {
  type KnownModule,
  listKnownModules,
  mostKnownModules,
} from '../../../domain/integrations/connected-queries.ts';
import { catalogue } from '../../../domain/modules/catalogue.ts';
import { type Capability, canDo, type Profile } from '../../../domain/modules/profile.ts';
import type { Route } from '../../routes.ts';
import { type DeskHandler, deskOf, showDesk } from '../console.ts';
import { searchOf } from '../groups/group-head.ts';
import { explorePath, moduleTabs } from './list.ts';
import type { ProductCard } from './views.ts';

const abilities: [Capability, (brand: string) => string][] = [
  ['require', (brand) => `Require Log In with ${brand}`],
  ['provision', () => 'Automatic User Provisioning'],
  ['deprovision', () => 'Automatic User Deprovisioning'],
  ['accessGroups', () => 'Access Groups'],
  ['userImport', () => 'Import from Module'],
  ['events', () => 'Ends sessions by events'],
];

const matchWords: Record<Profile['linkMode'], string> = {
  email: 'Found by verified e-mail address',
  emailOrUsername: 'Found by verified e-mail address or username',
  explicit: 'Each person ties theirs, with a last login at the module',
};

function factsOf(profile: Profile): { label: string; value: string }[] {
  const several = profile.severalMatches === 'firstUsername' ? '; of several, the first by username' : '';
  return [
    { label: 'Where', value: profile.place },
    { label: 'Who', value: profile.place === '' ? '' : profile.enabler },
    { label: 'Accounts', value: `${matchWords[profile.linkMode]}${several}` },
    {
      label: 'Removal',
      value: canDo(profile, 'deprovision')
        ? profile.deletion === 'remove'
          ? 'Deprovisioned accounts can be deleted'
          : 'Deprovisioned accounts stay, disabled'
        : '',
    },
    { label: 'New people need', value: profile.fields.map(({ label }) => label).join(', ') },
  ].filter(({ value }) => value !== '');
}

interface CardOf {
  key: string;
  name: string;
  profile: Profile;
  known: KnownModule | null;
}

function cardOf({ key, name, profile, known }: CardOf, brand: string): ProductCard {
  return {
    key,
    name,
    icon: known?.icon ?? null,
    isRegistered: known !== null,
    connected: known?.connected ?? 0,
    instances: known && known.connected > 0 ? `/admin/modules?${new URLSearchParams({ q: known.name })}` : '',
    abilities: [
      `Log In with ${brand}`,
      ...abilities.filter(([name]) => canDo(profile, name)).map(([, words]) => words(brand)),
    ],
    facts: factsOf(profile),
    note: profile.note,
    address: known?.address ?? null,
  };
}

const explore: DeskHandler = async (ctx, runtime, desk) => {
  const search = searchOf(new URLSearchParams(ctx.querystring));
  const known = await listKnownModules(desk.work, desk.companyId);
  const registered = known.map((module) => ({
    key: module.id,
    name: module.name,
    profile: module.profile,
    known: module,
  }));
  const keys = new Set(known.map(({ product }) => product));
  const others = catalogue.filter(({ key }) => !keys.has(key)).map((product) => ({ ...product, known: null }));
  const words = search.toLowerCase().split(/\s+/).filter(Boolean);
  const cards = [...registered, ...others]
    .filter(({ name, known }) => {
      const text = `${name} ${known?.productName ?? ''}`.toLowerCase();
      return words.every((word) => text.includes(word));
    })
    .map((card) => cardOf(card, runtime.config.brandName));
  await showDesk(
    ctx,
    runtime,
    desk,
    { view: 'admin/modules/explore', title: 'Explore modules', place: 'instances' },
    {
      tabs: moduleTabs('explore'),
      search,
      cards,
      count: `${cards.length} ${cards.length === 1 ? 'module' : 'modules'}`,
      cutAt: known.length === mostKnownModules ? mostKnownModules : null,
    },
  );
};

export const moduleExploreRoutes: Route[] = [
  { method: 'get', path: explorePath, handle: deskOf('modules.manage', explore) },
];
