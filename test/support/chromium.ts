// The browser that comes with the packages, with the libraries and fonts that a bare machine lacks; unpacked once for each user.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import chromium from '@sparticuz/chromium';

const root = join(import.meta.dirname, '../..');

export interface PackagedChromium {
  executablePath: string;
  env: Record<string, string>;
}

/** How to launch it, for Playwright. */
export async function packagedChromium(): Promise<PackagedChromium> {
  const { version } = JSON.parse(await readFile(join(root, 'node_modules/@sparticuz/chromium/package.json'), 'utf8'));
  const folder = join(tmpdir(), `unified-login-chromium-${version}-${process.getuid?.() ?? 0}`);
  const executablePath = join(folder, 'chromium');
  if (!existsSync(executablePath)) await unpackInto(folder);
  const present = Object.entries(process.env).filter((entry): entry is [string, string] => entry[1] !== undefined);
  const env = { ...Object.fromEntries(present), FONTCONFIG_FILE: join(folder, 'fonts.conf') };
  return {
    executablePath,
    env: lacksLibraries(executablePath) ? { ...env, LD_LIBRARY_PATH: join(folder, 'al2023/lib') } : env,
  };
}

/**
 * The package unpacks into the temporary folder and takes whatever lies there for whole, so two workers at the same moment,
 * or one that was killed, would leave half a browser: ours unpacks aside, and moves into place when it is whole.
 */
async function unpackInto(folder: string): Promise<void> {
  const aside = await mkdtemp(`${folder}-`);
  const before = { TMPDIR: process.env.TMPDIR, CODEBUILD_BUILD_IMAGE: process.env.CODEBUILD_BUILD_IMAGE };
  // The second one has it unpack its libraries too, which it does for a machine of a certain kind only.
  Object.assign(process.env, { TMPDIR: aside, CODEBUILD_BUILD_IMAGE: 'nodejs24' });
  try {
    await chromium.executablePath();
  } finally {
    for (const [name, value] of Object.entries(before)) {
      if (value === undefined) delete process.env[name];
      else process.env[name] = value;
    }
  }
  await writeFile(join(aside, 'fonts.conf'), fontSettings(folder));
  // Refused when another worker was faster; its copy is as good.
  await rename(aside, folder).catch(() => rm(aside, { recursive: true, force: true }));
}

/** Without a single font the browser ends at its first page. */
const fontSettings = (folder: string) => `<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig>
  <include ignore_missing="yes">/etc/fonts/fonts.conf</include>
  <dir>${join(folder, 'fonts')}</dir>
  <cachedir>${join(folder, 'fonts-cache')}</cachedir>
</fontconfig>
`;

/** The machine's own libraries are the better ones where they are. */
function lacksLibraries(path: string): boolean {
  const { status, stdout } = spawnSync('ldd', [path], { encoding: 'utf8' });
  return status !== 0 || stdout.includes('not found');
}
