// What a connected module is called here: on tiles, in lists, in mails. People may have names of their own for it.
import { invalid, notFound } from '../../lib/errors.ts';
import type { CompanyId, InstanceId } from '../../lib/ids.ts';
import { transaction, type Work } from '../../work.ts';
import { record } from '../audit/commands.ts';
import { moduleNameSchema } from '../modules/module.ts';
import { authorise } from '../roles/authority.ts';

/** @returns the name as it is kept */
export async function renameInstance(work: Work, companyId: CompanyId, id: InstanceId, given: string): Promise<string> {
  await authorise(work, companyId, 'modules.manage');
  const parsed = moduleNameSchema.safeParse(given);
  if (!parsed.success || /\p{Cc}/u.test(parsed.data)) {
    const sentence = 'Enter a name of 1 to 60 characters, on one line.';
    throw invalid(sentence, { name: sentence });
  }
  const name = parsed.data;
  return transaction(work, async (work) => {
    const { instances } = work.store.of(companyId);
    const instance = await instances.hold(id);
    if (!instance) throw notFound('module');
    if (instance.name === name) return name;
    await instances.rename(id, name);
    await record(work, {
      action: 'module.rename',
      companyId,
      target: { kind: 'module', id: instance.moduleId },
      details: { name, before: instance.name, instanceId: id },
    });
    return name;
  });
}
