import type { Company } from '../../../domain/companies/company.ts';
import { notFound } from '../../../lib/errors.ts';
import type { Desk } from '../console.ts';

/** The company as it is now, its policy included. */
export async function companyOf(desk: Desk): Promise<Company> {
  const company = await desk.work.store.companies.findById(desk.companyId);
  if (!company) throw notFound('company');
  return company;
}
