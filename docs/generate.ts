// Writes the parts of README.md that the code knows best: settings and operator commands. A test holds README to it.
import { readFile, writeFile } from 'node:fs/promises';
import { commands } from '../src/cli/commands.ts';
import { topics } from '../src/config/schema.ts';

const readme = new URL('../README.md', import.meta.url);

function settingsTable(): string {
  const rows = Object.entries(topics).flatMap(([topic, settings]) =>
    Object.entries(settings).map(([name, schema]) => {
      const fallback: unknown = schema.safeParse(undefined).data;
      const shown = fallback === undefined ? '' : `\`${String(fallback)}\``;
      return `| ${topic} | \`${name}\` | ${shown} | ${schema.description ?? ''} |`;
    }),
  );
  return ['| Topic | Setting | Default | Meaning |', '|---|---|---|---|', ...rows].join('\n');
}

function commandTable(): string {
  const rows = commands.map(({ name, summary, options }) => {
    const needed = Object.entries(options)
      .filter(([option, { required }]) => required || option === 'yes')
      .map(([option]) => `\`--${option}\``)
      .join(' ');
    return `| \`${name}\` | ${needed} | ${summary} |`;
  });
  return ['| Command | Needs | What it does |', '|---|---|---|', ...rows].join('\n');
}

/** Replaces what stands between the marks of each section. */
export function withGeneratedParts(text: string): string {
  const parts: Record<string, string> = { settings: settingsTable(), commands: commandTable() };
  return Object.entries(parts).reduce((result, [name, part]) => {
    const section = new RegExp(`(<!-- ${name} -->\n)[\\s\\S]*?(<!-- /${name} -->)`);
    if (!section.test(result)) throw new Error(`README.md has no section ${name}`);
    return result.replace(section, (_all, open: string, close: string) => `${open}${part}\n${close}`);
  }, text);
}

if (import.meta.main) {
  await writeFile(readme, withGeneratedParts(await readFile(readme, 'utf8')));
}
