// Static files: our `assets/` folder and a short list of files from npm packages, each below an address that holds the hash
// of its content, so that browsers may keep it for a year (WEB-11). Knows nothing of koa; a request never reaches the disk.
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { extname, join, posix, sep } from 'node:path';
import { promisify } from 'node:util';
import { brotliCompress, gzip, constants as zlib } from 'node:zlib';
import { keepUsed, wordsOf } from './css-subset.ts';

export interface AssetRequest {
  /** Request headers of these names; absent ones may be left out. */
  acceptEncoding?: string | undefined;
  ifNoneMatch?: string | undefined;
}

export interface AssetAnswer {
  status: 200 | 304;
  headers: Record<string, string>;
  body: Buffer | null;
}

export interface Assets {
  /** Address with fingerprint of a file such as `css/base.css`; throws for a file that does not exist. */
  url(path: string): string;
  /** Answer for a request path, or null: no such file or not its present fingerprint, which is a 404. */
  serve(path: string, request?: AssetRequest): Promise<AssetAnswer | null>;
}

const types: Record<string, string> = {
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.woff2': 'font/woff2',
};

const inter = '@fontsource-variable/inter/files';
const icons = '@tabler/icons/icons/outline';

/** The only files of npm packages that are served. */
const packaged: Record<string, string> = {
  'css/tabler.css': '@tabler/core/dist/css/tabler.min.css',
  'js/htmx.js': 'htmx.org/dist/htmx.esm.js',
  'js/chart-library.js': 'chart.js/dist/chart.umd.min.js',
  'fonts/inter-latin.woff2': `${inter}/inter-latin-wght-normal.woff2`,
  'fonts/inter-latin-ext.woff2': `${inter}/inter-latin-ext-wght-normal.woff2`,
};

/** Icons that pages use; drawn from one sprite, `icons.svg#<name>`. */
export const iconNames = [
  'alert-circle',
  'apps',
  'arrow-down',
  'arrow-left',
  'arrow-up',
  'arrow-up-right',
  'building',
  'check',
  'chevron-down',
  'chevron-left',
  'chevron-right',
  'circle-check',
  'circle-off',
  'clock-pause',
  'columns-3',
  'copy',
  'device-desktop',
  'devices',
  'download',
  'grid-dots',
  'grip-vertical',
  'home',
  'key',
  'layout-dashboard',
  'lifebuoy',
  'list-search',
  'lock-open',
  'logout',
  'mail',
  'mail-off',
  'moon',
  'pencil',
  'plug-connected',
  'plus',
  'search',
  'settings',
  'shield-lock',
  'sun',
  'trash',
  'unlink',
  'upload',
  'user',
  'user-check',
  'user-minus',
  'user-off',
  'user-plus',
  'users',
  'users-group',
  'x',
] as const;

interface File {
  content: Buffer;
  type: string;
  fingerprint: string;
  /** Compressed bodies, made when first asked for and kept. */
  encoded: Map<'br' | 'gzip', Promise<Buffer>>;
}

const encoders = {
  // Quality 9 takes 25 ms for our largest file; 11 would save a tenth and take over half a second.
  br: (content: Buffer) => promisify(brotliCompress)(content, { params: { [zlib.BROTLI_PARAM_QUALITY]: 9 } }),
  gzip: (content: Buffer) => promisify(gzip)(content, { level: 9 }),
};

/** @param root folder of the project: holds `assets/`, `views/` and `node_modules/`. */
export function createAssets(root: string): Assets {
  const files = fingerprintAll(readSources(root));
  const address = (path: string, file: File) => `/assets/${file.fingerprint}/${path}`;

  return {
    url(path) {
      const file = files.get(path);
      if (!file) throw new Error(`no static file ${path}`);
      return address(path, file);
    },
    async serve(path, request = {}) {
      const [, fingerprint, name] = /^\/assets\/([0-9a-f]{16})\/([\w./-]+)$/.exec(path) ?? [];
      const file = name === undefined ? undefined : files.get(name);
      if (!file || file.fingerprint !== fingerprint) return null;
      return answer(file, request);
    },
  };
}

async function answer(file: File, request: AssetRequest): Promise<AssetAnswer> {
  const encoding = isText(file.type) ? chooseEncoding(request.acceptEncoding ?? '') : null;
  const etag = encoding ? `"${file.fingerprint}-${encoding}"` : `"${file.fingerprint}"`;
  const headers: Record<string, string> = {
    'cache-control': 'public, max-age=31536000, immutable',
    etag,
    'x-content-type-options': 'nosniff',
  };
  if (isText(file.type)) headers.vary = 'accept-encoding';
  if (matches(request.ifNoneMatch ?? '', etag)) return { status: 304, headers, body: null };

  const body = encoding ? await encode(file, encoding) : file.content;
  headers['content-type'] = file.type;
  headers['content-length'] = String(body.length);
  if (encoding) headers['content-encoding'] = encoding;
  return { status: 200, headers, body };
}

function encode(file: File, encoding: 'br' | 'gzip'): Promise<Buffer> {
  const known = file.encoded.get(encoding);
  if (known) return known;
  const made = encoders[encoding](file.content);
  file.encoded.set(encoding, made);
  return made;
}

const isText = (type: string): boolean => /^text\/|svg/.test(type);

/** RFC 9110 12.5.3, as far as browsers go: br before gzip, and `q=0` is a no. */
function chooseEncoding(accept: string): 'br' | 'gzip' | null {
  const wanted = new Set<string>();
  for (const part of accept.toLowerCase().split(',')) {
    const [coding = '', ...parameters] = part.split(';').map((piece) => piece.trim());
    if (!parameters.some((parameter) => /^q=0(\.0*)?$/.test(parameter))) wanted.add(coding);
  }
  if (wanted.has('br')) return 'br';
  return wanted.has('gzip') ? 'gzip' : null;
}

const matches = (ifNoneMatch: string, etag: string): boolean =>
  ifNoneMatch.split(',').some((candidate) => candidate.trim().replace(/^W\//, '') === etag);

/** Our own folder, then the packaged files, then the sprite; read once, at start. */
function readSources(root: string): Map<string, Buffer> {
  const sources = new Map<string, Buffer>();
  const own = join(root, 'assets');
  for (const entry of readdirSync(own, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile() || !(extname(entry.name) in types)) continue;
    const file = join(entry.parentPath, entry.name);
    sources.set(
      file
        .slice(own.length + 1)
        .split(sep)
        .join('/'),
      readFileSync(file),
    );
  }
  for (const [path, from] of Object.entries(packaged)) {
    sources.set(path, readFileSync(join(root, 'node_modules', from)));
  }
  sources.set('css/tabler.css', tabler(root, sources));
  sources.set(
    'icons.svg',
    sprite((name) => readFileSync(join(root, 'node_modules', icons, `${name}.svg`), 'utf8')),
  );
  return sources;
}

/** Only what our pages use, in a cascade layer, so that each rule of ours wins without a contest of selectors. */
function tabler(root: string, sources: Map<string, Buffer>): Buffer {
  // Libraries bring no classes of ours: the words of a large one would keep half of the style sheet.
  const scripts = [...sources]
    .filter(([path]) => path.endsWith('.js') && !(path in packaged))
    .map(([, content]) => content.toString());
  const templates = readdirSync(join(root, 'views'), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ejs'))
    .map((file) => readFileSync(join(root, 'views', file), 'utf8'));
  const css = sources.get('css/tabler.css')?.toString() ?? '';
  const [license = ''] = /\/\*![\s\S]*?\*\//.exec(css) ?? [];
  const rules = css.replace(/^@charset "[^"]*";/, '').replace(/\/\*[\s\S]*?\*\//g, '');
  return Buffer.from(`${license}@layer tabler{${keepUsed(rules, wordsOf([...scripts, ...templates]))}}\n`);
}

function sprite(read: (name: string) => string): Buffer {
  const symbols = iconNames.map((name) => {
    // The first path of each icon is an invisible frame.
    const shapes = read(name)
      .replace(/^[\s\S]*?<svg[^>]*>|<\/svg>\s*$/g, '')
      .replace(/<path stroke="none"[^>]*>/, '')
      .replace(/\s*\n\s*/g, '');
    return `<symbol id="${name}" viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-width="1.75" stroke-linecap="round" stroke-linejoin="round">${shapes}</symbol>`;
  });
  return Buffer.from(`<svg xmlns="http://www.w3.org/2000/svg">${symbols.join('')}</svg>\n`);
}

const references: Record<string, RegExp> = {
  '.css': /(url\(['"]?)(\.\.?\/[^'")]+)(?=['"]?\))/g,
  '.js': /((?:from|import|import\()\s*')(\.\.?\/[^']+)(?=')/g,
};

/** A file that names another is fingerprinted after it, with the other's address inside. */
function fingerprintAll(sources: Map<string, Buffer>): Map<string, File> {
  const files = new Map<string, File>();
  const underWay = new Set<string>();

  const finish = (path: string): File => {
    const known = files.get(path);
    if (known) return known;
    const source = sources.get(path);
    if (!source) throw new Error(`no static file ${path}`);
    if (underWay.has(path)) throw new Error(`static files refer to each other in a circle: ${path}`);
    underWay.add(path);
    const pattern = references[extname(path)];
    const content = pattern && !(path in packaged) ? Buffer.from(linked(source.toString(), pattern, path)) : source;
    const fingerprint = createHash('sha256').update(content).digest('hex').slice(0, 16);
    // readSources admits only extensions of this table.
    const file: File = { content, type: types[extname(path)] as string, fingerprint, encoded: new Map() };
    files.set(path, file);
    return file;
  };

  const linked = (text: string, pattern: RegExp, from: string): string =>
    text.replace(pattern, (_whole, before: string, reference: string) => {
      const path = posix.join(posix.dirname(from), reference);
      return `${before}/assets/${finish(path).fingerprint}/${path}`;
    });

  for (const path of sources.keys()) finish(path);
  return files;
}
