/** Invented people, for a user table of any size. */
import type { SeedUser } from './config.ts';

const given = [
  'Amina',
  'Bruno',
  'Chloé',
  'Dmitri',
  'Esther',
  'Farid',
  'Greta',
  'Hugo',
  'Ines',
  'Jonas',
  'Keiko',
  'Luca',
];
const family = ['Andersen', 'Brandt', 'Castro', "D'Angelo", 'Eriksen', 'Fontaine', 'García', 'Haas', 'Ito', 'Jansen'];
const roles = ['Team Access', 'Read only', 'Full Access'];

/** Different addresses, the same at each start; none has a local password. */
export function crowd(count: number): SeedUser[] {
  return Array.from({ length: count }, (_, i) => ({
    name: `${given[i % given.length]} ${family[Math.floor(i / given.length) % family.length]}`,
    email: `person.${i + 1}@northwind.example`,
    role: roles[i % roles.length] ?? '',
    status: 'active',
    timeZone: 'Europe/Berlin',
  }));
}
