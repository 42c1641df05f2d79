// What a product is beside its OAuth client (B.7, B.8): what it can do, how its accounts are matched, what an account needs, and
// what "delete" means there. Data, not code: no two products agree.
import { z } from 'zod';
import { choosableRoles } from '../roles/role.ts';

export const capabilityNames = [
  /** Its people can be imported (A5.1). */ 'userImport',
  /** Log In with KaseyaOne can be required (A8.6). */ 'require',
  /** Accounts are made at first entry or ahead of time (A8.7). */ 'provision',
  /** Accounts end with the access (A8.8). */ 'deprovision',
  /** Access groups decide the permission (D.7). */ 'accessGroups',
  /** It takes Security Event Tokens (RFC 8935). */ 'events',
] as const;

export type Capability = (typeof capabilityNames)[number];

const text = z.string().trim().min(1).max(80);

/** One thing that an account of the product needs beside name and e-mail, such as its permission or time zone. */
export const fieldSchema = z.strictObject({
  name: z.string().regex(/^[a-z][A-Za-z0-9]{0,39}$/),
  label: text,
  /** `permission`: what D.7 decides; `timeZone`: an IANA name. */
  type: z.enum(['permission', 'timeZone', 'choice', 'text']),
  required: z.boolean().default(true),
  /** For `permission` and `choice`: the values, lowest power first. */
  choices: z.array(text).max(100).default([]),
});

export type Field = z.infer<typeof fieldSchema>;

export const profileSchema = z
  .strictObject({
    capabilities: z.array(z.enum(capabilityNames)).default([]),
    /** How a person is matched to an account that is not linked yet; `explicit`: by the module's own login, once (B.8). */
    linkMode: z.enum(['email', 'emailOrUsername', 'explicit']).default('email'),
    /** Several accounts fit: refuse, or take the first username in alphabetical order (Datto RMM). */
    severalMatches: z.enum(['refuse', 'firstUsername']).default('refuse'),
    fields: z.array(fieldSchema).max(20).default([]),
    /** Permissions that make an administrator of the module: the last one is never removed (C36). */
    administrators: z.array(text).max(20).default([]),
    /** One permission, by the first rule, or the union of all rules that fit (C35). */
    permissionMode: z.enum(['one', 'many']).default('one'),
    /** Role derivation (C33): from the company role to a permission. */
    derivation: z
      .partialRecord(z.enum([...choosableRoles, 'Root Admin']), text)
      .nullable()
      .default(null),
    /** What is left of an account that is removed. */
    deletion: z.enum(['remove', 'disable']).default('remove'),
    /** Where its administrators find the switch, and what they have to be there. */
    place: z.string().max(200).default('Settings > Integration Center'),
    enabler: z.string().max(120).default('Administrator'),
    note: z.string().max(300).default(''),
  })
  .superRefine((profile, ctx) => {
    const permissions = profile.fields.filter(({ type }) => type === 'permission');
    if (permissions.length > 1) ctx.addIssue('fields: one of them at most is the permission');
    const known = new Set(permissions[0]?.choices ?? []);
    for (const name of [...profile.administrators, ...Object.values(profile.derivation ?? {})])
      if (!known.has(name)) ctx.addIssue(`${name} is no choice of the permission field`);
    const names = profile.fields.map(({ name }) => name);
    if (new Set(names).size < names.length) ctx.addIssue('fields: each name once');
  });

export type Profile = z.infer<typeof profileSchema>;

export const plainProfile: Profile = profileSchema.parse({});

export const permissionField = ({ fields }: Profile): Field | null =>
  fields.find(({ type }) => type === 'permission') ?? null;

/** With these permissions an account administers the module no more; a profile without any says nothing of it. */
export const demotes = ({ administrators }: Profile, permissions: readonly string[]): boolean =>
  administrators.length > 0 && !permissions.some((one) => administrators.includes(one));

export const canDo = (profile: Profile, capability: Capability): boolean => profile.capabilities.includes(capability);
