// What the demo prints: one screen for people, or the same as one JSON object.
import { type DemoState, modules } from './seed.ts';

export interface DemoAnswer {
  company: { name: string; slug: string };
  people: { role: string; username: string; email: string; password: string; totpSecret: string; state: string }[];
  modules: { name: string; url: string }[];
}

export function describe(_issuer: string, state: DemoState): DemoAnswer {
  return {
    company: state.company,
    people: state.people.map(({ role, username, email, password, totpSecret, state }) => ({
      role,
      username,
      email,
      password,
      totpSecret,
      state,
    })),
    modules: modules.map(({ name, url }) => ({ name, url })),
  };
}

export function screen({ company, people, modules }: DemoAnswer, issuer: string): string {
  const rows = people.map(({ role, username, password, state }) => [
    role,
    username,
    password,
    state === 'Active' ? '' : state,
  ]);
  const widths = [0, 1, 2].map((column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const lines = rows.map((row) => `  ${row.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join('   ')}`.trimEnd());
  return `
  KaseyaOne        ${issuer}
${modules.map(({ name, url }) => `  ${name.padEnd(16)} ${url}`).join('\n')}

  Company: ${company.name}        Company Login URL: ${issuer}/login/${company.slug}

${lines.join('\n')}

  Codes:   ${issuer}/dev/authenticator        Mails:   ${issuer}/dev/mailbox

  Try: open ${modules[0]?.url}, choose "Log In with KaseyaOne", sign in; then open ${modules[1]?.url}: no question asked.
  Modules take the same passwords at their own forms: log in to ${modules[0]?.name} as ${people[0]?.email}, then Settings > Integration Center.
  Ctrl-C ends everything. The data stay for the next start; "npm run demo -- --reset" begins anew.

`;
}
