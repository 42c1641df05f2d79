// A new connection: a guide for its product, its metadata by address or file, or every field by hand. It is added switched off.
import { createConnection } from '../../../domain/federation/connection-commands.ts';
import type { ReadMetadata } from '../../../domain/federation/metadata.ts';
import { type Fetched, fetchMetadata, metadataOf } from '../../../domain/federation/metadata-commands.ts';
import { invalid, notFound } from '../../../lib/errors.ts';
import type { Runtime } from '../../../runtime.ts';
import type { Context } from '../../context.ts';
import { setFlash } from '../../page.ts';
import { param, type Route, seeOther } from '../../routes.ts';
import { ssoAddresses } from '../../sso/connector.ts';
import { oidcRedirectUri } from '../../sso/oidc-connector.ts';
import { readMetadata } from '../../sso/saml-metadata.ts';
import { type Desk, type DeskHandler, orRedraw, showDesk } from '../console.ts';
import { companyOf } from '../security/company.ts';
import { connectionPath, guarded, ssoPath } from './connection-head.ts';
import { findProduct, type GuideFacts, guideOf, type Product } from './products.ts';
import { attributesOf, firstFields, metadataFields } from './settings-fields.ts';
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
  read?: string;
  /** As it was typed, where it can't be read. */
  metadataUrl?: string;
}

/** What a new one begins with. */
const beginning = ({ kind, attributes, isGeneric, name }: Product): Fields => ({
  name: isGeneric ? '' : name,
  ...(kind === 'saml' ? { 'settings.signRequests': 'yes' } : { 'settings.scopes': 'openid email profile' }),
  ...attributesAsFields(attributes),
});

function metadataLocals({ product, fields, read, metadataUrl }: Drawn, marks: typeof noMarks): Locals['metadata'] {
  const [described] = metadataFields(product.kind);
  if (!described) return null;
  const value = metadataUrl ?? fields['settings.metadataUrl'] ?? '';
  const { wrong, errors } = marks;
  return {
    action: `${ssoPath}/metadata/${product.key}`,
    file: `${ssoPath}/metadata`,
    url: {
      ...fieldOf({ ...described, optional: false }, { [described.name]: value }, { ...noMarks, wrong, errors }),
      name: described.name,
    },
    fileError: errors.file ?? '',
    read: read ?? '',
  };
}

async function draw(ctx: Context, runtime: Runtime, desk: Desk, drawn: Drawn): Promise<void> {
  const { product, fields, problem } = drawn;
  const { kind } = product;
  const found = problem ? marksOf(kind, problem.fields) : noMarks;
  const file = problem?.fields.file;
  const marks = file === undefined ? found : { ...found, wrong: 'file', errors: { file } };
  const kept = ['settings.signRequests', 'settings.metadataUrl'];
  await showDesk(
    ctx,
    runtime,
    desk,
    { view: 'admin/sso/new', title: `Connect ${product.name}`, place: 'sso' },
    {
      problem: problem && { ...problem, field: marks.wrong },
      back: `${ssoPath}/new`,
      product: { key: product.key, name: product.name },
      guide: guideOf(product, await guideFacts(runtime, desk)),
      metadata: metadataLocals(drawn, marks),
      form: {
        action: `${ssoPath}/new/${product.key}`,
        fields: firstFields(kind).map((one) => fieldOf(one, fields, marks)),
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

async function filled(
  ctx: Context,
  runtime: Runtime,
  desk: Desk,
  { product, read, address, field }: { product: Product; read: () => Promise<Fetched>; address: string; field: string },
): Promise<void> {
  await orRedraw(
    ctx,
    async () => {
      const got = await read();
      if (got.outcome === 'refused') throw invalid(got.problem, { [field]: got.problem });
      const fields = { ...beginning(product), ...metadataAsFields(got.metadata, address) };
      await draw(ctx, runtime, desk, { product, fields, problem: null, read: readWords(got.metadata) });
    },
    (problem) => draw(ctx, runtime, desk, { product, fields: beginning(product), problem, metadataUrl: address }),
  );
}

/** What a metadata address or file can be read for. */
function samlProduct(key: string): Product {
  const product = productAt(key);
  if (product.kind !== 'saml') throw notFound('page');
  return product;
}

const readAddress: DeskHandler = (ctx, runtime, desk) => {
  const product = samlProduct(param(ctx, 'product'));
  const address = (ctx.state.form['settings.metadataUrl'] ?? '').trim();
  const means = { outgoing: runtime.outgoing, readMetadata };
  const read = () => fetchMetadata(desk.work, desk.companyId, address, means);
  return filled(ctx, runtime, desk, { product, read, address, field: 'settings.metadataUrl' });
};

/** The largest metadata that identity providers hand out have some hundred kB. */
const mostBytes = 512 * 1024;

const readFile: DeskHandler = (ctx, runtime, desk) => {
  const product = samlProduct(ctx.state.form.product ?? '');
  const read = async () => {
    const { upload } = ctx.state;
    if (!upload || upload.name === '') throw invalid('Choose a file first.', { file: 'Choose a file first.' });
    const bytes = await upload.read(mostBytes);
    const tooLarge = 'The file is larger than 512 kB, which no metadata of one identity provider is.';
    if (bytes === null) throw invalid(tooLarge, { file: tooLarge });
    return metadataOf(bytes.toString('utf8'), readMetadata);
  };
  return filled(ctx, runtime, desk, { product, read, address: '', field: 'file' });
};

export const ssoNewRoutes: Route[] = [
  { method: 'post', path: `${ssoPath}/metadata`, handle: guarded(readFile) },
  { method: 'get', path: `${ssoPath}/new/:product`, handle: guarded(show) },
  { method: 'post', path: `${ssoPath}/new/:product`, handle: guarded(add) },
  { method: 'post', path: `${ssoPath}/metadata/:product`, handle: guarded(readAddress) },
];
