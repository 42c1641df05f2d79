// A new connection: a guide for its product, its metadata by address or file, or every field by hand. It is added switched off.
import type { ConnectionId } from '../../../domain/federation/connection.ts';
import { createConnection } from '../../../domain/federation/connection-commands.ts';
import { getConnection } from '../../../domain/federation/connection-queries.ts';
import type { ReadMetadata } from '../../../domain/federation/metadata.ts';
import { notFound } from '../../../lib/errors.ts';
import { isId } from '../../../lib/ids.ts';
import type { Runtime } from '../../../runtime.ts';
import type { Context } from '../../context.ts';
import { setFlash } from '../../page.ts';
import { param, type Route, seeOther } from '../../routes.ts';
import { ssoAddresses } from '../../sso/connector.ts';
import { oidcRedirectUri } from '../../sso/oidc-connector.ts';
import { type Desk, type DeskHandler, orRedraw, showDesk } from '../console.ts';
import { companyOf } from '../security/company.ts';
import { endedWords } from './certificates.ts';
import { connectionPath, guarded, ssoPath } from './connection-head.ts';
import { addressField, type Brought, bringOf, broughtBy, readFor } from './metadata.ts';
import { findProduct, type GuideFacts, guideOf, type Product } from './products.ts';
import { attributesOf, firstFields } from './settings-fields.ts';
import {
  attributesAsFields,
  type Fields,
  fieldOf,
  inputFrom,
  marksOf,
  metadataAsFields,
  noMarks,
  typedFrom,
} from './settings-form.ts';
import type { SsoViews } from './views.ts';

type Locals = SsoViews['admin/sso/new'];

/** What is told to identity providers; the company's own where it counts. */
export async function guideFacts(runtime: Runtime, desk: Desk): Promise<GuideFacts> {
  const { publicUrl } = runtime.config;
  const { identifier } = await companyOf(desk);
  const addresses = { ...ssoAddresses(publicUrl), oidcCallback: oidcRedirectUri(publicUrl, desk.companyId) };
  return { addresses, companyIdentifier: identifier };
}

function productAt(key: string): Product {
  const product = findProduct(key);
  if (!product) throw notFound('page');
  return product;
}

interface Drawn {
  product: Product;
  fields: Fields;
  problem: Locals['problem'];
  /** What was read of the metadata, in words. */
  read?: { words: string; warning: string };
  /** As it was typed, where it can't be read. */
  brought?: Brought;
}

/** What a new one begins with. */
const beginning = ({ kind, attributes, isGeneric, name }: Product): Fields => ({
  name: isGeneric ? '' : name,
  ...(kind === 'saml' ? { 'settings.signRequests': 'yes' } : { 'settings.scopes': 'openid email profile' }),
  ...attributesAsFields(attributes),
});

/** What is typed by hand goes along when metadata is read, and comes back. */
const carried = [...firstFields('saml'), ...attributesOf('saml')].map(({ name }) => name);

const carriedFrom = (form: Fields): Fields =>
  Object.fromEntries(carried.flatMap((name) => (form[name] === undefined ? [] : [[name, form[name]]])));

function metadataLocals({ product, fields, read, brought, problem }: Drawn): Locals['metadata'] {
  if (product.kind !== 'saml') return null;
  const bring = bringOf(
    {
      action: `${ssoPath}/metadata/${product.key}`,
      file: `${ssoPath}/metadata`,
      hidden: { name: 'product', value: product.key },
      carried: carried.map((name) => ({ name, value: fields[name] ?? '' })),
    },
    { address: brought?.address ?? fields[addressField] ?? '', text: brought?.text ?? '' },
    problem?.fields ?? {},
  );
  return { ...bring, read: read?.words ?? '', warning: read?.warning ?? '' };
}

/** After reading, the first thing that is still to be typed. */
const stillEmpty = (kind: Product['kind'], fields: Fields): string | undefined =>
  firstFields(kind).find(({ name, optional }) => !optional && !fields[name])?.name;

async function draw(ctx: Context, runtime: Runtime, desk: Desk, drawn: Drawn): Promise<void> {
  const { product, fields, problem, read } = drawn;
  const { kind } = product;
  const focused = read && stillEmpty(kind, fields);
  const marks = problem ? marksOf(kind, problem.fields) : noMarks;
  const wrong = drawn.brought ? drawn.brought.field : marks.wrong;
  const kept = ['settings.signRequests', 'settings.postsRequests', addressField];
  await showDesk(
    ctx,
    runtime,
    desk,
    { view: 'admin/sso/new', title: `Connect ${product.name}`, place: 'sso' },
    {
      problem: problem && { ...problem, field: wrong },
      back: `${ssoPath}/new`,
      product: { key: product.key, name: product.name },
      guide: guideOf(product, await guideFacts(runtime, desk)),
      metadata: metadataLocals(drawn),
      form: {
        action: `${ssoPath}/new/${product.key}`,
        fields: firstFields(kind).map((one) => ({
          ...fieldOf(one, fields, marks),
          isFocused: one.name === focused,
        })),
        more: attributesOf(kind).map((one) => fieldOf(one, fields, marks)),
        hidden: kept.flatMap((name) => (fields[name] ? [{ name, value: fields[name] }] : [])),
      },
    },
  );
}

const show: DeskHandler = (ctx, runtime, desk) => {
  const product = productAt(param(ctx, 'product'));
  return draw(ctx, runtime, desk, { product, fields: beginning(product), problem: null });
};

const add: DeskHandler = async (ctx, runtime, desk) => {
  const product = productAt(param(ctx, 'product'));
  const typed = typedFrom(product.kind, ctx.state.form, undefined);
  await orRedraw(
    ctx,
    async () => {
      const { id } = await createConnection(desk.work, desk.companyId, inputFrom(product.kind, typed));
      setFlash(ctx, runtime, { kind: 'success', text: 'The connection is added, and off. Test it next.' });
      seeOther(ctx, connectionPath(id, 'test'));
    },
    (problem) => draw(ctx, runtime, desk, { product, fields: typed.fields, problem }),
  );
};

const readWords = ({ certificates, unreadable }: ReadMetadata): string =>
  [
    `The metadata is read, with ${certificates.length} ${certificates.length === 1 ? 'certificate' : 'certificates'}. Look through the fields below, and add the connection.`,
    unreadable === 0 ? '' : `${unreadable} more can’t be used.`,
  ]
    .filter(Boolean)
    .join(' ');

/** Reads what was brought into the fields; nothing is saved by that. */
async function fill(ctx: Context, runtime: Runtime, desk: Desk, product: Product): Promise<void> {
  if (product.kind !== 'saml') throw notFound('page');
  const brought = broughtBy(ctx, runtime, desk);
  const typed = { ...beginning(product), ...carriedFrom(ctx.state.form) };
  await orRedraw(
    ctx,
    async () => {
      const metadata = await brought.read();
      const fields = { ...typed, ...metadataAsFields(metadata, brought.address) };
      const ended = endedWords(metadata.certificates, desk);
      const warning = ended && `${ended} Ask your identity provider for the new one before you add it.`;
      await draw(ctx, runtime, desk, { product, fields, problem: null, read: { words: readWords(metadata), warning } });
    },
    (problem) => draw(ctx, runtime, desk, { product, fields: typed, problem, brought }),
  );
}

const readFields: DeskHandler = (ctx, runtime, desk) => fill(ctx, runtime, desk, productAt(param(ctx, 'product')));

/** Files of new connections and of those that are there come to one address: it takes them piece by piece. */
const readFile: DeskHandler = async (ctx, runtime, desk) => {
  const { connection, product = '' } = ctx.state.form;
  if (connection === undefined) return fill(ctx, runtime, desk, productAt(product));
  if (!isId(connection)) throw notFound('connection');
  // Checked to be an id; whose it is, the company's own table says.
  return readFor(ctx, runtime, desk, await getConnection(desk.work, desk.companyId, connection as ConnectionId));
};

export const ssoNewRoutes: Route[] = [
  { method: 'post', path: `${ssoPath}/metadata`, handle: guarded(readFile) },
  { method: 'get', path: `${ssoPath}/new/:product`, handle: guarded(show) },
  { method: 'post', path: `${ssoPath}/new/:product`, handle: guarded(add) },
  { method: 'post', path: `${ssoPath}/metadata/:product`, handle: guarded(readFields) },
];
