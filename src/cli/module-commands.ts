import { issueCredential } from '../domain/integrations/credential-commands.ts';
import { catalogue } from '../domain/modules/catalogue.ts';
import { connectModule, createModule, type NewInstance } from '../domain/modules/commands.ts';
import { iconAddress } from '../domain/modules/icon.ts';
import { clientMetadataSchema } from '../domain/modules/module.ts';
import { capabilityNames } from '../domain/modules/profile.ts';
import { AppError, invalid } from '../lib/errors.ts';
import type { CompanyId } from '../lib/ids.ts';
import { transaction, type Work } from '../work.ts';
import type { Command } from './commands.ts';
import { getCompany } from './company-commands.ts';
import type { OptionSpecs, Options } from './options.ts';

// Every field of client metadata is an option: redirect_uris becomes --redirect-uris (or, for lists, --redirect-uri, repeated).
const fields = Object.entries(clientMetadataSchema.shape).map(([field, schema]) => {
  const example: unknown = schema.safeParse(undefined).data;
  const isList = Array.isArray(example);
  const isBoolean = typeof example === 'boolean';
  const type = isList ? ('list' as const) : isBoolean ? ('boolean' as const) : ('string' as const);
  return { field, option: field.replaceAll('_', '-'), type, example };
});

const metadataOptions: OptionSpecs = Object.fromEntries(
  fields.map(({ option, type, example }) => [
    option,
    {
      type,
      about: describe(type, example),
      ...(type === 'list' && option.endsWith('s') ? { alias: option.slice(0, -1) } : {}),
    },
  ]),
);

function describe(type: 'list' | 'boolean' | 'string', example: unknown): string {
  if (type === 'list')
    return `repeatable, or separated by commas${Array.isArray(example) && example.length > 0 ? `; default ${example.join(',')}` : ''}`;
  if (type === 'boolean') return `default ${String(example)}; switch off with --no-...`;
  return example === undefined ? '' : `default ${String(example)}`;
}

function readMetadata(options: Options): Record<string, unknown> {
  const metadata: Record<string, unknown> = {};
  for (const { field, option, type } of fields) {
    if (type === 'list') {
      const values = options.list(option).flatMap((value) => value.split(','));
      if (values.length > 0) metadata[field] = values.map((value) => value.trim());
    } else if (type === 'boolean') {
      const value = options.flag(option);
      if (value !== undefined) metadata[field] = value;
    } else {
      const value = options.text(option);
      if (value !== undefined)
        metadata[field] = field === 'jwks' ? parseJson(value) : field === 'default_max_age' ? Number(value) : value;
    }
  }
  return metadata;
}

/** A refusal that begins with a field of the metadata, such as `redirect_uris.0:`, names the option instead. */
function nameOptions(error: unknown): never {
  if (!(error instanceof AppError) || error.code !== 'invalid') throw error;
  const known = new Map(fields.map(({ field, option }) => [field, `--${option}:`]));
  throw invalid(
    error.message.replace(/\b([a-z_]+)(?:\.\d+)?:/g, (all, field: string) => known.get(field) ?? all),
    error.fields,
  );
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw invalid('--jwks takes a JSON Web Key Set as JSON.');
  }
}

function parseProfileFile(file: Buffer): unknown {
  try {
    return JSON.parse(file.toString('utf8'));
  } catch {
    throw invalid('--profile-file takes a file of JSON.');
  }
}

const createModuleCommand: Command = {
  name: 'create-module',
  summary: 'Registers a module (an OAuth client) and prints its client id and secret, this once',
  options: {
    name: { about: 'Name that people see', required: true },
    'icon-file': { about: 'Its icon: SVG, PNG, JPEG or WebP of 48 KB at most' },
    'client-id': { about: 'A client id of your own choice; random otherwise' },
    product: { about: 'Product of the catalogue that it is (see list-products)' },
    'profile-file': { about: 'A profile of its own instead, as JSON: capabilities, fields, administrators, deletion' },
    capabilities: {
      about: `Without either, what it can do beside signing people in: ${capabilityNames.join(', ')}; repeatable, or separated by commas`,
      type: 'list',
      alias: 'capability',
    },
    ...metadataOptions,
  },
  async run({ runtime, work, options, readFile }) {
    const clientId = options.text('client-id');
    const iconFile = options.text('icon-file');
    const icon = iconFile === undefined ? null : iconAddress(await readFile(iconFile));
    if (iconFile !== undefined && icon === null)
      throw invalid('--icon-file takes an SVG, PNG, JPEG or WebP of 48 KB at most.');
    const product = options.text('product');
    const profileFile = options.text('profile-file');
    const input = {
      name: options.need('name'),
      ...(product === undefined ? {} : { product }),
      ...(profileFile === undefined ? {} : { profile: parseProfileFile(await readFile(profileFile)) }),
      icon,
      capabilities: options.list('capabilities').flatMap((names) => names.split(',').map((name) => name.trim())),
      ...(clientId === undefined ? {} : { clientId }),
      metadata: readMetadata(options),
    };
    const { module, clientSecret } = await createModule(work, input, runtime.complaint).catch(nameOptions);
    const answer = {
      id: module.id,
      name: module.name,
      client_id: module.clientId,
      ...(clientSecret === null ? {} : { client_secret: clientSecret }),
      issuer: work.config.publicUrl,
    };
    return {
      json: answer,
      text: Object.entries(answer)
        .map(([name, value]) => `${name}: ${value}`)
        .join('\n'),
    };
  },
};

/** With the credential by which the module speaks for the instance, as the ceremony would give it. */
function connect(work: Work, companyId: CompanyId, input: NewInstance) {
  return transaction(work, async (work) => {
    const { instanceId } = await connectModule(work, companyId, input);
    const { secret } = await issueCredential(work, companyId, instanceId, work.now);
    return { instanceId, credential: secret };
  });
}

const connectModuleCommand: Command = {
  name: 'connect-module',
  summary:
    'Gives a company an instance of a module, and prints its credential, this once; it joins All Module Access by itself',
  options: {
    company: { about: 'Name or slug of the company', required: true },
    'client-id': { about: 'Client id of the module', required: true },
    name: { about: 'Name of the instance; the name of the module otherwise' },
    'initiate-login-uri': { about: "Where a tile begins the login; the module's initiate_login_uri otherwise" },
    'landing-url': { about: 'Where a person lands after launching it' },
    groups: { about: 'Custom groups that shall open it too; repeatable', type: 'list', alias: 'group' },
    tenant: { about: "The module's own name for whom it serves" },
    'events-url': { about: 'Where it takes Security Event Tokens (RFC 8935)' },
    'local-login-url': { about: 'Where exempt people log in locally' },
    test: { about: 'It is a test tenant: contract tests may make and remove accounts there', type: 'boolean' },
    'scim-url': {
      about:
        'Base address of its SCIM 2.0 service, to import its people from; the bearer token comes from standard input',
    },
  },
  async run({ work, options, readStandardInput }) {
    const company = await getCompany(work, options.need('company'));
    const given = {
      name: options.text('name'),
      initiateLoginUri: options.text('initiate-login-uri'),
      landingUrl: options.text('landing-url'),
      tenant: options.text('tenant'),
      eventsUrl: options.text('events-url'),
      localLoginUrl: options.text('local-login-url'),
    };
    const scimUrl = options.text('scim-url');
    const { instanceId, credential } = await connect(work, company.id, {
      ...(scimUrl === undefined ? {} : { scim: { url: scimUrl, token: (await readStandardInput()).trim() } }),
      clientId: options.need('client-id'),
      ...Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)),
      groups: options.list('groups'),
      isTest: options.flag('test') === true,
    });
    return {
      json: { instanceId, company: company.name, credential },
      text: `Connected to ${company.name} as instance ${instanceId}.\nIts credential, shown this once: ${credential}`,
    };
  },
};

const listProductsCommand: Command = {
  name: 'list-products',
  summary: 'Lists the products of the catalogue: what each can do, and where its administrators connect it',
  options: {},
  async run() {
    const products = catalogue.map(({ key, name, profile }) => ({ key, name, ...profile }));
    return {
      json: { products },
      text: products
        .map(({ key, name, capabilities }) => `${key.padEnd(20)} ${name}: ${capabilities.join(', ') || 'login only'}`)
        .join('\n'),
    };
  },
};

export const moduleCommands: Command[] = [listProductsCommand, createModuleCommand, connectModuleCommand];
