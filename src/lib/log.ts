// The log is for operators: constant phrases, data as fields, never a secret (API-14).
import { type DestinationStream, type Logger, pino } from 'pino';

export type Log = Logger;

const secretFields = [
  'password',
  'currentPassword',
  'code',
  'token',
  'secret',
  'cookie',
  'authorization',
  'access_token',
  'refresh_token',
  'id_token',
  'client_secret',
  'code_verifier',
];

/** @param destination standard output, unless told. */
export function createLog(level: string, bindings: object = {}, destination?: DestinationStream): Log {
  const options = {
    level,
    base: bindings,
    redact: { paths: secretFields.flatMap((field) => [field, `*.${field}`, `*.*.${field}`]), censor: '[redacted]' },
    formatters: { level: (label: string) => ({ level: label }) },
    timestamp: pino.stdTimeFunctions.isoTime,
  };
  return destination ? pino(options, destination) : pino(options);
}
