// The cases of the contract test: what is done, what has to be seen, and what the module has to do where it is not.
import type { CaseName } from '../../domain/integrations/contract.ts';
import { permissionField } from '../../domain/modules/profile.ts';
import {
  addressOf,
  type Bench,
  changeAndLook,
  failed,
  look,
  passed,
  skipped,
  type TestName,
  userNameOf,
  type Verdict,
  wantedOf,
} from './expectation.ts';

type Case = (bench: Bench) => Promise<Verdict>;

/** Most cases are about the account that the first one made. */
const withAccount =
  (run: (bench: Bench, id: string) => Promise<Verdict>): Case =>
  async (bench) =>
    bench.account === null
      ? skipped('There is no account to try it with: the first case failed.')
      : run(bench, bench.account);

const create: Case = async (bench) => {
  const made = await bench.client.create(wantedOf(bench, 'a'));
  bench.account = made.externalId;
  const status = bench.wire.last('POST')?.status;
  if (status !== 201)
    return failed(`It answered ${status} in place of 201.`, 'Answer POST /Users with 201 and the resource.');
  return passed('The account was made, and answered with its id.');
};

const readBack = withAccount(async (bench, id) => {
  const wanted = wantedOf(bench, 'a');
  const advice = 'Keep every attribute that was sent, and give each account one id for ever.';
  const verdict = await look(
    bench,
    id,
    wanted,
    'All that was sent stands there; name and address find the account.',
    advice,
  );
  if (verdict.outcome !== 'passed') return verdict;
  const found = [
    { by: 'userName', accounts: await bench.client.find('userName', wanted.userName ?? '') },
    { by: 'emails.value', accounts: await bench.client.find('emails.value', wanted.email ?? '') },
  ].filter(({ accounts }) => !accounts.some(({ externalId }) => externalId === id));
  return found.length === 0
    ? verdict
    : failed(
        `It was not found by ${found.map(({ by }) => by).join(' and ')}.`,
        'Support the filters userName eq "…" and emails.value eq "…", without regard to case.',
      );
});

const update = withAccount((bench, id) =>
  changeAndLook(
    bench,
    id,
    { firstName: 'Changed', lastName: 'Test Login' },
    'First and last name were changed.',
    'Take name.givenName and name.familyName in PATCH with replace.',
  ),
);

const permission = withAccount(async (bench, id) => {
  const field = permissionField(bench.profile);
  if (!field) return skipped('This module has no permissions.');
  const { administrators } = bench.profile;
  const choices = field.choices.filter((choice) => !administrators.includes(choice));
  const other = choices[1] ?? field.choices[1];
  if (other === undefined) return skipped('This module has one permission only.');
  return changeAndLook(
    bench,
    id,
    { permissions: [other] },
    `The permission is ${other} now.`,
    'Take roles in PATCH with replace: the values are the permissions, the first one primary.',
  );
});

const timeZone = withAccount(async (bench, id) => {
  if (!bench.profile.fields.some(({ type }) => type === 'timeZone')) return skipped('This module has no time zones.');
  return changeAndLook(
    bench,
    id,
    { timeZone: 'America/New_York' },
    'The time zone is America/New_York now.',
    'Take timezone in PATCH with replace, as an IANA name.',
  );
});

const rename = withAccount(async (bench, id) => {
  const wanted = { userName: userNameOf(bench, 'renamed'), email: addressOf(bench, 'renamed') };
  const advice = 'Take userName and emails in PATCH with replace, and keep the id.';
  const verdict = await changeAndLook(bench, id, wanted, 'Name and address were changed, and the id stayed.', advice);
  if (verdict.outcome !== 'passed') return verdict;
  const found = await bench.client.find('userName', wanted.userName);
  return found.some(({ externalId }) => externalId === id)
    ? verdict
    : failed('It is not found by its new name.', advice);
});

const nonAscii = withAccount((bench, id) =>
  changeAndLook(
    bench,
    id,
    { firstName: 'Zoë Åsa', lastName: 'Łukasiewicz-Ōé 李' },
    'Every letter came back.',
    'Keep names as Unicode, and answer in UTF-8.',
  ),
);

const duplicate = withAccount(async (bench, id) => {
  const seen = await bench.client.read(id);
  const advice =
    'Answer 409 with scimType uniqueness when the user name or the address is taken (RFC 7644 section 3.12).';
  try {
    await bench.client.create({ ...wantedOf(bench, 'b'), email: seen?.email ?? addressOf(bench, 'a') });
  } catch {
    const answer = bench.wire.last('POST');
    if (answer?.status !== 409) return failed(`It refused, but answered ${answer?.status ?? 'nothing'}.`, advice);
    return /"scimType":\s*"uniqueness"/.test(answer.received)
      ? passed('A second account with the address was refused, and the reason was named.')
      : failed('It refused with 409, but did not name the reason.', advice);
  }
  return failed('A second account with the same address was made.', advice);
});

const concurrent = withAccount(async (bench, id) => {
  const { client, wire } = bench;
  const advice =
    'Give each version its own meta.version, and answer 412 to an If-Match with an older one, and only then.';
  const before = await client.read(id);
  const last = { firstName: 'Second', lastName: 'Writer' };
  await client.change(id, { firstName: 'First', lastName: 'Writer' }, before?.etag ?? null);
  if (before?.etag === null || before === null) {
    const verdict = await changeAndLook(bench, id, last, '', advice);
    return verdict.outcome === 'passed'
      ? passed('It keeps no versions: the last write wins. Two changes at once could overwrite each other.')
      : verdict;
  }
  let status: number | null;
  try {
    await client.change(id, last, before.etag);
    status = wire.last('PATCH')?.status ?? null;
  } catch {
    status = wire.last('PATCH')?.status ?? null;
    if (status !== 412)
      return failed(`An old version was refused with ${status ?? 'no answer'} in place of 412.`, advice);
  }
  const fresh = await client.read(id);
  await client.change(id, last, fresh?.etag ?? null);
  const verdict = await look(bench, id, last, '', advice);
  if (verdict.outcome !== 'passed') return verdict;
  return passed(
    status === 412
      ? 'A change of an old version was refused with 412; read anew, it went through.'
      : 'It does not look at If-Match: the last write wins. Two changes at once could overwrite each other.',
  );
});

/** Exactly one account of this name, in the state that was wanted. */
async function exactlyOne(bench: Bench, name: TestName, done: string, advice: string): Promise<Verdict> {
  const wanted = wantedOf(bench, name);
  const [found, ...others] = await bench.client.find('userName', wanted.userName ?? '');
  if (!found) return failed('In the end there was no account.', advice);
  if (others.length > 0) return failed(`In the end there were ${others.length + 1} accounts of one name.`, advice);
  return look(bench, found.externalId, wanted, done, advice);
}

const tooMany: Case = async (bench) => {
  bench.waited();
  bench.wire.disturb([{ kind: 'instead', status: 429, retryAfter: '2' }]);
  await bench.client.create(wantedOf(bench, 'c'));
  const waited = bench.waited();
  if (bench.wire.waiting() > 0)
    return failed('Nothing was sent that could have been too much.', 'Report this: it is ours to mend.');
  if (waited < 2000)
    return failed(`Only ${waited} ms were waited in place of 2 s.`, 'Report this: it is ours to mend.');
  return exactlyOne(
    bench,
    'c',
    `The next try came after ${(waited / 1000).toFixed(1)} s, as Retry-After wanted, and there is exactly one account.`,
    'Take the same POST again after it was refused.',
  );
};

const outage: Case = async (bench) => {
  bench.wire.disturb([
    { kind: 'instead', status: 503, retryAfter: null },
    { kind: 'answer-lost', status: 500 },
  ]);
  await bench.client.create(wantedOf(bench, 'd'));
  if (bench.wire.waiting() > 0) return failed('The outage was not met.', 'Report this: it is ours to mend.');
  return exactlyOne(
    bench,
    'd',
    'Tried again after 503; the account whose answer was lost was found again, and there is exactly one.',
    'Refuse a second account of the same name with 409, and let it be found by name.',
  );
};

const suspend = withAccount((bench, id) =>
  changeAndLook(
    bench,
    id,
    { active: false },
    'The account is not active any more.',
    'Take active: false in PATCH, end every session of the account, and refuse its next login.',
  ),
);

const reactivate = withAccount((bench, id) =>
  changeAndLook(bench, id, { active: true }, 'The account is active again.', 'Take active: true in PATCH.'),
);

const remove = withAccount(async (bench, id) => {
  const { client, profile } = bench;
  const keeps = profile.deletion === 'disable';
  const outcome = await client.remove(id);
  const left = await client.read(id);
  if (left?.isActive)
    return failed(
      'It answered that it is done, and the account is still there and active.',
      'Answer DELETE with 204 only when the account is gone (then 404), or with 405 where accounts are disabled only.',
    );
  if (outcome === 'kept' && !keeps)
    return failed(
      'It does not delete accounts; it was disabled instead.',
      'Answer DELETE with 204, or register the product as one that only disables.',
    );
  if (outcome === 'gone' && left)
    return failed(
      'It answered that it is deleted, and it is still there.',
      'Answer 204 only when the account is gone.',
    );
  if (!left) bench.account = null;
  return passed(
    left ? 'Deleting is refused, as its profile says; the account is disabled for good.' : 'The account is gone.',
  );
});

export const cases: Record<CaseName, Case> = {
  create,
  'read-back': readBack,
  update,
  permission,
  'time-zone': timeZone,
  rename,
  'non-ascii': nonAscii,
  duplicate,
  concurrent,
  'too-many': tooMany,
  outage,
  suspend,
  reactivate,
  delete: remove,
};
