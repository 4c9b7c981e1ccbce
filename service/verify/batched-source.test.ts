import { expect, test } from 'vitest';
import { asHash, buildKeyRow, FakeSource } from '../../test/records.ts';
import { BatchedSource } from './batched-source.ts';

function setUp(): { source: FakeSource; batched: BatchedSource } {
  const source = new FakeSource();
  for (const hash of ['aa', 'bb']) source.putKey(buildKeyRow(hash));
  return { source, batched: new BatchedSource({ source, batchSize: 2, concurrency: 1, maxWaiting: 3 }) };
}

test('reads of one turn share calls; whoever comes while one is under way waits for the next', async () => {
  const { source, batched } = setUp();
  source.hold();
  const first = batched.readRecords([asHash('aa')]);
  await Promise.resolve();
  const later = [batched.readRecords([asHash('aa')]), batched.readRecords([asHash('bb')])];
  await Promise.resolve();
  source.keys.delete(asHash('aa'));
  source.release();
  expect((await first).keys.has(asHash('aa'))).toBe(true);
  for (const reads of await Promise.all(later)) expect([...reads.keys.keys()]).toEqual(['bb']);
  expect(source.asked).toEqual([['aa'], ['aa', 'bb']]);
});

test('a failure reaches everybody who waited for it, and too many are refused', async () => {
  const { source, batched } = setUp();
  source.failure = new Error('home is gone');
  source.hold();
  const reads = ['1', '2', '3', '4'].map(async (hash) => await batched.readRecords([asHash(hash)]));
  const outcomes = Promise.allSettled(reads);
  await expect(reads[3]).rejects.toMatchObject({ code: 'no_home' });
  source.release();
  expect((await outcomes).map(({ status }) => status)).toEqual(Array.from({ length: 4 }, () => 'rejected'));
});

test('a read that names a revision goes by itself', async () => {
  const { source, batched } = setUp();
  const revision = { epoch: { counter: 1, id: 'aaaaaaaa' }, xid: 1n };
  const floor = { mark: null, revision };
  await Promise.all([batched.readRecords([asHash('aa')], floor), batched.readRecords([asHash('bb')], floor)]);
  expect(source.asked).toEqual([['aa'], ['bb']]);
});

test('a read of the few ways in which one key may be held shares a call; one of many goes by itself', async () => {
  const { source, batched } = setUp();
  const reads = await Promise.all([
    batched.readRecords([asHash('aa'), asHash('11'), asHash('12')]),
    batched.readRecords([asHash('bb')]),
  ]);
  for (const { keys } of reads) expect([...keys.keys()]).toEqual(['aa', 'bb']);
  await batched.readRecords(['aa', '1', '2', '3'].map(asHash));
  expect(source.asked).toEqual([
    ['aa', '11', '12', 'bb'],
    ['aa', '1', '2', '3'],
  ]);
});
