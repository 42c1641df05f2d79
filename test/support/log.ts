// A log as the product writes it, kept in memory.
import { createLog, type Log } from '../../src/lib/log.ts';

export interface CapturedLog {
  log: Log;
  text(): string;
  lines(): Record<string, unknown>[];
}

/** @param level everything, unless told */
export function captureLog(level = 'trace'): CapturedLog {
  const written: string[] = [];
  const log = createLog(level, {}, { write: (line: string) => void written.push(line) });
  return {
    log,
    text: () => written.join(''),
    lines: () => written.map((line): Record<string, unknown> => JSON.parse(line)),
  };
}
