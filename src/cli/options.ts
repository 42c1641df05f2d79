// Options of operator commands: declared, checked, and named in `help`.
import { parseArgs } from 'node:util';
import { invalid } from '../lib/errors.ts';

export interface OptionSpec {
  about: string;
  type?: 'string' | 'boolean' | 'list' | 'number';
  required?: boolean;
  /** Another spelling. */
  alias?: string;
}

/** What cannot be taken back, and was not asked for by `--yes`: the command has changed nothing, and ends with 2. */
export class Unconfirmed extends Error {
  constructor(sentences: string) {
    super(`${sentences} Nothing has been changed. Add --yes if that is what you want.`);
    this.name = 'Unconfirmed';
  }
}

export type OptionSpecs = Record<string, OptionSpec>;

export interface Options {
  text(name: string): string | undefined;
  /** @throws AppError when it was not given; for options declared as required. */
  need(name: string): string;
  list(name: string): string[];
  flag(name: string): boolean | undefined;
  number(name: string): number | undefined;
}

/** @throws AppError 422 for unknown, malformed or missing options */
export function parseOptions(specs: OptionSpecs, args: string[]): Options {
  const values = parse(specs, args);
  const missing = Object.entries(specs).filter(([name, { required }]) => required && values[name] === undefined);
  if (missing.length > 0) throw invalid(`Missing: ${missing.map(([name]) => `--${name}`).join(', ')}.`);
  const text = (name: string) => {
    const value = values[name];
    return typeof value === 'string' ? value : undefined;
  };
  return {
    text,
    need(name) {
      const value = text(name);
      if (value === undefined) throw invalid(`Missing: --${name}.`);
      return value;
    },
    list(name) {
      const value = values[name];
      return Array.isArray(value) ? value.map(String) : [];
    },
    flag(name) {
      const value = values[name];
      return typeof value === 'boolean' ? value : undefined;
    },
    number(name) {
      const value = text(name);
      if (value === undefined) return undefined;
      if (!/^\d+$/.test(value)) throw invalid(`--${name} takes a whole number.`);
      return Number(value);
    },
  };
}

function parse(specs: OptionSpecs, args: string[]) {
  const options = Object.fromEntries(
    Object.entries(specs).flatMap(([name, { type = 'string', alias }]) => {
      const shape = {
        type: type === 'boolean' ? ('boolean' as const) : ('string' as const),
        multiple: type === 'list',
      };
      return [[name, shape] as const, ...(alias ? [[alias, shape] as const] : [])];
    }),
  );
  let values: Record<string, string | boolean | (string | boolean)[] | undefined>;
  try {
    ({ values } = parseArgs({ args, options, allowNegative: true, strict: true }));
  } catch (error) {
    throw invalid(error instanceof Error ? error.message : 'The options cannot be read.');
  }
  for (const [name, { alias }] of Object.entries(specs))
    if (alias && values[alias] !== undefined) values[name] ??= values[alias];
  return values;
}
