// The table of contents of the API: one line a file.
import type { Endpoint } from '../endpoint.ts';
import { credentialEndpoints } from './instance-credentials.ts';
import { entryEndpoints } from './instance-entries.ts';
import { exceptionEndpoints } from './instance-exceptions.ts';
import { requireEndpoints } from './instance-require.ts';
import { settingsEndpoints } from './instance-settings.ts';
import { instanceEndpoints } from './instances.ts';

export const endpoints: Endpoint[] = [
  ...instanceEndpoints,
  ...settingsEndpoints,
  ...requireEndpoints,
  ...exceptionEndpoints,
  ...entryEndpoints,
  ...credentialEndpoints,
];
