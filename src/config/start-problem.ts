// Why a start or a command could not reach what its settings name: the setting, what happened, and what to do.
import type { Config } from './load.ts';

type Named = Pick<Config, 'databaseUrl' | 'host' | 'port'>;

const advice: Record<string, string> = {
  ECONNREFUSED: 'nothing listens there. Start PostgreSQL, or mend the host and port in DATABASE_URL',
  ENOTFOUND: 'there is no host of that name. Mend it in DATABASE_URL',
  EAI_AGAIN: 'the name of the host cannot be looked up now. Try again, or mend it in DATABASE_URL',
  ETIMEDOUT: 'it does not answer. Look at the firewall, or mend the host and port in DATABASE_URL',
  EHOSTUNREACH: 'no way leads there. Look at the network, or mend the host and port in DATABASE_URL',
  ECONNRESET: 'it hung up. See that PostgreSQL listens there, and whether it wants TLS (sslmode)',
  // Of PostgreSQL itself: invalid_authorization_specification, invalid_password, invalid_catalog_name.
  '28000': 'PostgreSQL does not let this user in. Mend the user in DATABASE_URL, or pg_hba.conf',
  '28P01': 'PostgreSQL refuses the password. Mend user and password in DATABASE_URL',
  '3D000': 'there is no such database. Make it (createdb), or mend its name in DATABASE_URL',
};

/** The message of an error that nobody foresaw, as it is. The password in DATABASE_URL is never told. */
export function startProblem(error: unknown, { databaseUrl, host, port }: Named): string {
  const message = error instanceof Error ? error.message : String(error);
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  const isListening =
    error instanceof Error && 'syscall' in error && ['listen', 'bind'].includes(String(error.syscall));
  if (code === 'EADDRINUSE')
    return `Another program listens on ${host}:${port} already. End it, or choose another port (PORT).`;
  if (isListening && code === 'EACCES')
    return `Port ${port} may not be used by this user. Choose one above 1023 (PORT), and put a reverse proxy before it.`;
  if (isListening && ['EADDRNOTAVAIL', 'ENOTFOUND'].includes(code))
    return `${host} is not an address of this machine. Choose another (HOST), such as 0.0.0.0 for all.`;
  const reason = advice[code];
  if (databaseUrl === undefined || reason === undefined || !URL.canParse(databaseUrl)) return message;
  const { hostname, port: databasePort } = new URL(databaseUrl);
  return `The database at ${hostname}:${databasePort || '5432'} cannot be used: ${reason}.`;
}
