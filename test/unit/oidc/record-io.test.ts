// Requests that ask for the same record at once share the statement, and nothing else.
import { expect, it } from 'vitest';
import type { RecordRepository, RecordRow } from '../../../src/domain/sessions/record-repository.ts';
import { createRecordIo } from '../../../src/oidc/record-io.ts';

const session = () => ({ id: 'a', kind: 'Session', payload: { authorizations: {} } }) as unknown as RecordRow;

function recordsOf(rows: RecordRow[]) {
  const asked: string[][] = [];
  const read = async (ids: string[]) => {
    asked.push(ids);
    return rows;
  };
  return { asked, io: createRecordIo({ read } as unknown as RecordRepository) };
}

it('one statement reads for several, and each gets a record of its own: the engine changes what it is given', async () => {
  const { asked, io } = recordsOf([session()]);
  const [one, two, three] = await Promise.all([io.read('a'), io.read('a'), io.read('a')]);
  expect(asked).toEqual([['a']]);
  Object.assign(one?.payload.authorizations as object, { module: { grantId: 'only in this tab' } });
  expect(two).toEqual(session());
  expect(three).toEqual(session());
});

it('what does not exist is nothing for all who ask', async () => {
  const { io } = recordsOf([]);
  expect(await Promise.all([io.read('a'), io.read('a')])).toEqual([undefined, undefined]);
});
