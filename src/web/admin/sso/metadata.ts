// Metadata as an administrator brings it: from an address, a file, or pasted; for a new connection and for one that is there. For that
// one, what would change is shown before anything is saved.
import { readCertificates } from '../../../domain/federation/certificate.ts';
import { takeMetadata } from '../../../domain/federation/connection-commands.ts';
import type { StoredConnection } from '../../../domain/federation/connection-repository.ts';
import {
  bindingWords,
  type CertificateFate,
  isPosted,
  type ReadMetadata,
  type TakenMetadata,
  taken,
} from '../../../domain/federation/metadata.ts';
import { fetchMetadata, metadataOf } from '../../../domain/federation/metadata-commands.ts';
import { conflict, invalid, notFound } from '../../../lib/errors.ts';
import type { Runtime } from '../../../runtime.ts';
import type { Context } from '../../context.ts';
import { setFlash } from '../../page.ts';
import { type Route, seeOther } from '../../routes.ts';
import { readMetadata } from '../../sso/saml-metadata.ts';
import { type Desk, type DeskHandler, orRedraw, showDesk } from '../console.ts';
import { endedWords } from './certificates.ts';
import { connectionAt, connectionHead, connectionPath, guarded, ssoPath } from './connection-head.ts';
import { metadataFields } from './settings-fields.ts';
import { fieldOf, type Marks, noMarks } from './settings-form.ts';
import type { BringMetadata, SsoViews } from './views.ts';

export const addressField = 'settings.metadataUrl';

export interface Brought {
  /** What it was brought by, and so what a problem is tied to. */
  field: typeof addressField | 'metadata' | 'file';
  address: string;
  text: string;
  /** @throws AppError 422 when it is none */
  read(): Promise<ReadMetadata>;
}

/** The largest metadata that identity providers hand out have some hundred kB. */
const mostBytes = 512 * 1024;

/** What came: a file, a text that was pasted, or an address. */
export function broughtBy(ctx: Context, runtime: Runtime, { work, companyId }: Desk): Brought {
  const { form, upload } = ctx.state;
  const address = (form[addressField] ?? '').trim();
  const text = form.metadata ?? '';
  const isFile = upload !== undefined;
  const field = isFile ? 'file' : form.metadata === undefined ? addressField : 'metadata';
  const refuse = (problem: string) => invalid(problem, { [field]: problem });
  async function source(): Promise<string> {
    if (!isFile) {
      if (text.trim() === '') throw refuse('Paste the metadata first.');
      return text;
    }
    if (!upload || upload.name === '') throw refuse('Choose a file first.');
    const bytes = await upload.read(mostBytes);
    if (bytes === null) throw refuse('The file is larger than 512 kB, which no metadata of one identity provider is.');
    return bytes.toString('utf8');
  }
  return {
    field,
    address: field === addressField ? address : '',
    text,
    async read() {
      const got =
        field === addressField
          ? await fetchMetadata(work, companyId, address, { outgoing: runtime.outgoing, readMetadata })
          : metadataOf(await source(), readMetadata);
      if (got.outcome === 'refused') throw refuse(got.problem);
      return got.metadata;
    },
  };
}

/** The three ways, with what was typed and what is wrong with it. */
export function bringOf(
  of: Pick<BringMetadata, 'action' | 'file' | 'hidden' | 'carried'>,
  typed: { address: string; text: string },
  errors: Record<string, string>,
): BringMetadata {
  const [described] = metadataFields('saml');
  if (!described) throw new Error('metadata has an address');
  const wrong = [addressField, 'metadata', 'file'].find((name) => errors[name] !== undefined) ?? null;
  const marks: Marks = { ...noMarks, wrong, errors };
  const pasted = { name: 'metadata', label: 'Metadata', kind: 'lines', maxLength: 60_000, wrong: '' } as const;
  return {
    ...of,
    url: fieldOf({ ...described, optional: false }, { [addressField]: typed.address }, marks),
    text: fieldOf(pasted, { metadata: typed.text }, marks),
    isPasted: typed.text !== '' || errors.metadata !== undefined,
    fileError: errors.file ?? '',
  };
}

type Locals = SsoViews['admin/sso/metadata'];
type SamlConnection = StoredConnection & { settings: { kind: 'saml' } };

const isSaml = (connection: StoredConnection): connection is SamlConnection => connection.settings.kind === 'saml';

async function samlAt(ctx: Context, desk: Desk): Promise<SamlConnection> {
  const connection = await connectionAt(ctx, desk);
  if (!isSaml(connection)) throw notFound('page');
  return connection;
}

const fateWords: Record<CertificateFate, { tone: 'good' | 'off' | 'danger'; word: string }> = {
  stays: { tone: 'off', word: 'Stays' },
  comes: { tone: 'good', word: 'New' },
  goes: { tone: 'danger', word: 'Goes' },
  full: { tone: 'danger', word: 'No room' },
};

const labels = [
  ['entityId', 'Issuer'],
  ['ssoUrl', 'Sign-on URL'],
  ['sloUrl', 'Single logout URL'],
  ['metadataUrl', 'Metadata URL'],
] as const;

function sentencesOf(change: TakenMetadata, { enabled }: StoredConnection): string[] {
  const full = change.certificates.filter(({ fate }) => fate === 'full').length;
  return [
    ...(change.isElsewhere
      ? [
          'It is another identity provider: everybody who is bound to the present one is found by their verified e-mail once more.',
        ]
      : []),
    ...(change.addsOnly
      ? ['All certificates count side by side, so logins go on whichever of them signs.']
      : [enabled ? 'Logins go by it at once: test it right after.' : 'Test it again after that.']),
    ...(full > 0
      ? ['There is room for four certificates: remove those that are not used any more in the settings first.']
      : []),
  ];
}

function previewOf(connection: SamlConnection, metadata: ReadMetadata, address: string, desk: Desk): Locals['preview'] {
  const change = taken(connection.settings, metadata, { address: address === '' ? null : address, now: desk.work.now });
  const lines: { label: string; before: string; after: string }[] = labels.flatMap(([name, label]) => {
    const [before, after] = [connection.settings[name] ?? 'None', change.settings[name] ?? 'None'];
    return before === after ? [] : [{ label, before, after }];
  });
  const [before, after] = [connection.settings, change.settings].map((one) => bindingWords(isPosted(one)));
  if (before !== after) lines.push({ label: 'Our requests go by', before: before ?? '', after: after ?? '' });
  const isSame = lines.length === 0 && change.certificates.every(({ fate }) => fate === 'stays');
  return {
    isSame,
    lines,
    certificates: change.certificates.map(({ certificate, fate }) => ({
      subject: certificate.subject,
      ends: desk.moment(certificate.validTo),
      fingerprint: certificate.fingerprint,
      warning: certificate.validTo <= desk.work.now ? 'Ended' : '',
      fate: { ...fateWords[fate], more: '' },
    })),
    sentences: isSame
      ? []
      : [endedWords(metadata.certificates, desk), ...sentencesOf(change, connection)].filter(Boolean),
    action: connectionPath(connection.id, 'metadata/save'),
    hidden: [
      { name: 'version', value: String(connection.version) },
      { name: 'entityId', value: metadata.entityId },
      { name: 'ssoUrl', value: metadata.ssoUrl },
      { name: 'sloUrl', value: metadata.sloUrl ?? '' },
      { name: 'postsRequests', value: metadata.postsRequests ? 'yes' : '' },
      { name: 'certificates', value: metadata.certificates.map(({ pem }) => pem).join('') },
      { name: 'address', value: address },
    ],
  };
}

async function draw(
  ctx: Context,
  runtime: Runtime,
  desk: Desk,
  {
    connection,
    brought,
    metadata,
    problem,
  }: {
    connection: SamlConnection;
    brought?: Brought;
    metadata?: ReadMetadata;
    problem?: NonNullable<Locals['problem']>;
  },
): Promise<void> {
  const errors = problem?.fields ?? {};
  const bring = bringOf(
    {
      action: connectionPath(connection.id, 'metadata'),
      file: `${ssoPath}/metadata`,
      hidden: { name: 'connection', value: connection.id },
      carried: [],
    },
    {
      address: brought?.address || (connection.settings.metadataUrl ?? ''),
      text: metadata ? '' : (brought?.text ?? ''),
    },
    errors,
  );
  await showDesk(
    ctx,
    runtime,
    desk,
    { view: 'admin/sso/metadata', title: `Metadata of ${connection.name}`, place: 'sso' },
    {
      connection: connectionHead(connection, desk, 'settings'),
      problem: problem
        ? { ...problem, field: brought && errors[brought.field] !== undefined ? brought.field : null }
        : null,
      back: connectionPath(connection.id),
      bring,
      preview: metadata ? previewOf(connection, metadata, brought?.address ?? '', desk) : null,
    },
  );
}

const show: DeskHandler = async (ctx, runtime, desk) =>
  draw(ctx, runtime, desk, { connection: await samlAt(ctx, desk) });

/** Reads, and shows what it would change; nothing is saved. */
export async function readFor(ctx: Context, runtime: Runtime, desk: Desk, connection: StoredConnection): Promise<void> {
  if (!isSaml(connection)) throw notFound('page');
  const brought = broughtBy(ctx, runtime, desk);
  await orRedraw(
    ctx,
    async () => draw(ctx, runtime, desk, { connection, brought, metadata: await brought.read() }),
    (problem) => draw(ctx, runtime, desk, { connection, brought, problem }),
  );
}

const read: DeskHandler = async (ctx, runtime, desk) => readFor(ctx, runtime, desk, await samlAt(ctx, desk));

const save: DeskHandler = async (ctx, runtime, desk) => {
  const connection = await samlAt(ctx, desk);
  const { version, entityId = '', ssoUrl = '', sloUrl = '', certificates = '', address = '' } = ctx.state.form;
  await orRedraw(
    ctx,
    async () => {
      const read = readCertificates(certificates);
      if (read === null) throw conflict('The metadata has to be read once more.');
      const postsRequests = ctx.state.form.postsRequests === 'yes';
      const metadata = { entityId, ssoUrl, sloUrl: sloUrl || null, postsRequests, certificates: read };
      const of = { version: Number(version), metadata, address: address || null };
      const saved = await takeMetadata(desk.work, desk.companyId, connection.id, of);
      if (saved.outcome === 'stale')
        throw conflict(
          'This connection was changed while you looked, so nothing is saved. Read the metadata once more.',
        );
      setFlash(ctx, runtime, { kind: 'success', text: `The metadata of ${connection.name} is saved.` });
      seeOther(ctx, connectionPath(connection.id));
    },
    (problem) => draw(ctx, runtime, desk, { connection, problem }),
  );
};

const path = `${ssoPath}/:connection/metadata`;

export const ssoMetadataRoutes: Route[] = [
  { method: 'get', path, handle: guarded(show) },
  { method: 'post', path, handle: guarded(read) },
  { method: 'post', path: `${path}/save`, handle: guarded(save) },
];
