// Identifiers, branded where two could be swapped.
import { randomBytes } from 'node:crypto';

declare const brand: unique symbol;
type Branded<T, B extends string> = T & { readonly [brand]: B };

export type CompanyId = Branded<string, 'CompanyId'>;
export type UserId = Branded<string, 'UserId'>;
export type GroupId = Branded<string, 'GroupId'>;
export type ModuleId = Branded<string, 'ModuleId'>;
export type InstanceId = Branded<string, 'InstanceId'>;

/** A UUIDv7 (RFC 9562 section 5.7): ordered by time, so that indexes stay compact. */
export function newId<T extends string = string>(): T {
  const bytes = randomBytes(16);
  bytes.writeUIntBE(Date.now(), 0, 6);
  bytes[6] = ((bytes[6] as number) & 0x0f) | 0x70;
  bytes[8] = ((bytes[8] as number) & 0x3f) | 0x80;
  const hex = bytes.toString('hex');
  // The brand is only known to the compiler.
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}` as T;
}

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

export function isId(value: string): boolean {
  return uuid.test(value);
}
