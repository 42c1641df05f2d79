// Home: My Modules and the places that a role may go to (A1.5-A1.9, D.3); launching a module by its tile (OpenID Connect Core 4).
import type { LinkName } from '../../config/load.ts';
import { listOwnTiles } from '../../domain/modules/tile-commands.ts';
import { landingOf } from '../../domain/modules/tiles.ts';
import { can, type Permission, type Role } from '../../domain/roles/role.ts';
import { forbidden, notFound } from '../../lib/errors.ts';
import { isId } from '../../lib/ids.ts';
import type { Runtime } from '../../runtime.ts';
import type { Context, Handler } from '../context.ts';
import { showPage } from '../page.ts';
import { startSignIn } from '../public/sign-in-routes.ts';
import { param, type Route, seeOther } from '../routes.ts';
import type { ExternalLink, ViewLocals } from '../views.ts';
import { findPerson, getUser, own, type Person, shellOf } from './person.ts';

export type PersonHandler = (ctx: Context, runtime: Runtime, person: Person) => Promise<void>;

/** Nobody signed in: sign in first and come back to this page. */
export function signedInOnly(handle: PersonHandler): Handler {
  return async (ctx, runtime) => {
    const person = await findPerson(ctx, runtime);
    if (person) return handle(ctx, runtime, person);
    if (ctx.method !== 'GET' && ctx.method !== 'HEAD')
      throw forbidden('Your session has ended. Log in again; nothing was changed.');
    startSignIn(ctx, runtime, `${ctx.path}${ctx.search}`);
  };
}

type Section = ViewLocals['home/index']['sections'][number];

interface Place {
  name: LinkName;
  permission: Permission;
  label: string;
  description: string;
}

const places: { id: string; title: string; sentence: string; places: Place[] }[] = [
  {
    id: 'work',
    title: 'Your company',
    sentence: 'Numbers, advice and people for your company.',
    places: [
      {
        name: 'organizationDashboard',
        permission: 'organizationDashboard',
        label: 'Organization Dashboard',
        description: 'Your company at a glance',
      },
      {
        name: 'cooper',
        permission: 'cooper',
        label: 'Cooper Intelligence Engine',
        description: 'Recommendations from your own data',
      },
      {
        name: 'professionalServices',
        permission: 'professionalServices',
        label: 'Professional Services',
        description: 'Help with projects',
      },
      {
        name: 'accountTeam',
        permission: 'accountTeam',
        label: 'My Account Team',
        description: 'The people who look after you',
      },
    ],
  },
  {
    id: 'billing',
    title: 'Billing',
    sentence: 'Subscriptions, licences and invoices.',
    places: [
      {
        name: 'billing',
        permission: 'billing',
        label: 'Billing and subscriptions',
        description: 'Invoices, subscription and licence requests',
      },
    ],
  },
  {
    id: 'more',
    title: 'Learn and meet',
    sentence: 'Courses, the community and the shops.',
    places: [
      { name: 'university', permission: 'university', label: 'University', description: 'All courses' },
      { name: 'community', permission: 'community', label: 'Community', description: 'Ask and answer' },
      { name: 'store', permission: 'store', label: 'Store', description: 'Products and licences' },
      { name: 'merchStore', permission: 'merchStore', label: 'Merch Store', description: 'Things with a logo' },
    ],
  },
];

function linksFor(role: Role, runtime: Runtime, list: Place[]): ExternalLink[] {
  return list.flatMap(({ name, permission, label, description }) => {
    const href = runtime.config.links[name];
    return href && can(role, permission) ? [{ label, href, description }] : [];
  });
}

/** Sections of a role, without the empty ones: a place that the operator has not named does not exist. */
export function sectionsFor(role: Role, runtime: Runtime): Section[] {
  return places
    .map(({ places, ...section }) => ({ ...section, links: linksFor(role, runtime, places) }))
    .filter(({ links }) => links.length > 0);
}

const home: PersonHandler = async (ctx, runtime, person) => {
  const user = await getUser(person);
  const shell = await shellOf(person, user, 'home');
  await showPage(
    ctx,
    runtime,
    'home/index',
    'Home',
    {
      shell,
      greeting: `Welcome, ${user.firstName}`,
      modules: shell.tiles,
      sections: sectionsFor(user.role, runtime),
      emptyModules: 'No module is open to you yet. Ask your administrator to add you to an access group.',
    },
    user.theme,
  );
};

/** A1.9, word for word. */
const coManagedSupport = (brand: string) =>
  `Need help? If you have any issues with using ${brand} please contact your administrator.`;

const support: PersonHandler = async (ctx, runtime, person) => {
  const user = await getUser(person);
  const shell = await shellOf(person, user, 'support');
  const ticketPlace: Place = {
    name: 'support',
    permission: 'support',
    label: user.role === 'Billing and Purchasing' ? 'Billing tickets' : 'Support tickets',
    description: supportScope[user.role],
  };
  await showPage(
    ctx,
    runtime,
    'home/support',
    'Support',
    {
      shell,
      fixedText: can(user.role, 'support') ? null : coManagedSupport(runtime.config.brandName),
      links: linksFor(user.role, runtime, [ticketPlace]),
    },
    user.theme,
  );
};

const supportScope: Record<Role, string> = {
  'Root Admin': 'All tickets of your company',
  Admin: 'All tickets of your company',
  'Billing and Purchasing': 'Tickets about billing',
  User: 'Tickets you submitted or were copied on',
  'Co-Managed User': '',
};

/** Third-party-initiated login: the module is asked to begin, with our issuer and who is coming. */
const launch: PersonHandler = async (ctx, runtime, person) => {
  const id = param(ctx, 'instance');
  if (!isId(id)) throw notFound('module');
  const instance = (await listOwnTiles(person.work, own(person))).find((tile) => tile.id === id);
  if (!instance) throw notFound('module');
  const landing = landingOf(instance, instance.ownLanding);
  const address = instance.initiateLoginUri ?? landing;
  if (!address) throw notFound('address for this module');
  const url = new URL(address);
  if (instance.initiateLoginUri) {
    url.searchParams.set('iss', runtime.config.publicUrl);
    url.searchParams.set('login_hint', person.account.username);
    url.searchParams.set('instance', instance.id);
    if (landing) url.searchParams.set('target_link_uri', landing);
  }
  seeOther(ctx, url.href);
};

export const homeRoutes: Route[] = [
  { method: 'get', path: '/', handle: signedInOnly(home) },
  { method: 'get', path: '/support', handle: signedInOnly(support) },
  { method: 'get', path: '/launch/:instance', handle: signedInOnly(launch) },
];
