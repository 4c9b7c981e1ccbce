import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { KeyHash } from '../domain/brands.ts';
import type {
  KeyRow,
  NamespaceRow,
  RecordReads,
  RootKeyRow,
  SharedObject,
  SharedRef,
} from '../domain/records.ts';
import type { TaskReport } from '../home/types.ts';
import type { PeerState } from './types.ts';
import * as wire from './wire.ts';

const text = fc.string({ unit: 'grapheme', maxLength: 20 });
const texts = fc.array(text, { maxLength: 4 });
const textOrNull = fc.option(text);
const xid = fc.bigInt({ min: 0n, max: 2n ** 63n - 1n });
const epoch = fc.record({ counter: fc.nat(), id: fc.stringMatching(/^[0-9a-z]{8}$/) });

/** The brands of the records are given where rows are parsed; generated ones get theirs here. */
function branded<T>(value: fc.Arbitrary<unknown>): fc.Arbitrary<T> {
  return value as fc.Arbitrary<T>;
}

const hash = branded<KeyHash>(fc.stringMatching(/^[0-9a-f]{64}$/));
const limit = { limit: fc.nat(), durationMs: fc.nat() };
const stored = { ...limit, id: text, name: text, autoApply: fc.boolean() };
const exact = fc.constantFrom('local', 'deny');
const ratelimits = fc.array(fc.oneof(fc.record(stored), fc.record({ ...stored, exact })), { maxLength: 3 });
const shared = branded<SharedObject>(
  fc.oneof(
    fc.record({
      kind: fc.constant('workspace'),
      id: text,
      enabled: fc.boolean(),
      rateLimit: fc.option(fc.record(limit)),
    }),
    fc.record({ kind: fc.constant('api'), id: text, workspaceId: text, name: text, ipAllowlist: texts }),
    fc.record({ kind: fc.constant('identity'), id: text, externalId: text, meta: textOrNull, ratelimits }),
    fc.record({ kind: fc.constant('role'), id: text, name: text, permissions: texts }),
    fc.record({ kind: fc.constant('permission'), id: text, slug: text }),
    fc.record({ kind: fc.constant('credits'), id: text, generation: fc.nat(), free: fc.nat() }),
  ),
);
const key = branded<KeyRow>(
  fc.record({
    hash,
    keyId: text,
    workspaceId: text,
    apiId: text,
    identityId: textOrNull,
    name: textOrNull,
    meta: textOrNull,
    enabled: fc.boolean(),
    expiresAtMs: fc.option(fc.nat()),
    roleIds: texts,
    permissionIds: texts,
    ratelimits,
    creditAccountId: textOrNull,
  }),
);
const rootKey = branded<RootKeyRow>(
  fc.record({
    hash,
    rootKeyId: text,
    workspaceId: text,
    enabled: fc.boolean(),
    expiresAtMs: fc.option(fc.nat()),
    permissions: texts,
  }),
);

const namespace = branded<NamespaceRow>(
  fc.record({
    hash,
    namespaceId: text,
    workspaceId: text,
    name: text,
    deleted: fc.boolean(),
    overrides: fc.array(fc.record({ ...limit, id: text, identifier: text }), { maxLength: 3 }),
  }),
);

function readsOf<Row extends { hash: KeyHash }>(row: fc.Arbitrary<Row>) {
  return fc
    .array(fc.record({ row, shared: fc.array(shared, { maxLength: 3 }) }), { maxLength: 4 })
    .map((reads) => new Map(reads.map((read) => [read.row.hash, read])));
}

const records: fc.Arbitrary<RecordReads> = fc.record({
  keys: readsOf(key),
  rootKeys: readsOf(rootKey),
  namespaces: readsOf(namespace),
});
const report: fc.Arbitrary<TaskReport> = fc.record({
  taskId: text,
  region: text,
  slot: textOrNull,
  epoch,
  watermark: xid,
  appliedXids: fc.array(xid, { maxLength: 5 }),
  stalenessMs: fc.double({ min: 0, noNaN: true, noDefaultInfinity: true }),
  cutOffAfterMs: fc.option(fc.nat()),
});
const state: fc.Arbitrary<PeerState> = fc.record({
  region: text,
  taskId: text,
  epoch: fc.option(epoch),
  homeRegion: textOrNull,
});
const refs: fc.Arbitrary<SharedRef[]> = fc.array(
  fc.record({
    kind: fc.constantFrom('workspace', 'api', 'identity', 'role', 'permission', 'credits'),
    id: text,
  }),
);

const epochOf = fc.record({ counter: fc.nat(), id: text });
const from = fc.constantFrom('home', 'reader');
const joinFloor = fc.record(
  { epoch, xid: fc.bigInt({ min: 0n, max: 2n ** 63n }), atMs: fc.integer() },
  {
    requiredKeys: ['epoch', 'xid'],
  },
);

const floor = fc.record({
  mark: fc.option(fc.record({ epoch: epochOf, watermark: xid, met: fc.nat() })),
  revision: fc.option(fc.record({ epoch: epochOf, xid })),
});

test.each<
  [
    what: string,
    arbitrary: fc.Arbitrary<unknown>,
    write: (value: never) => string,
    read: (text: string) => unknown,
  ]
>([
  ['state', state, wire.writeState, wire.readState],
  ['report', report, wire.writeReport, wire.readReport],
  [
    'records call',
    fc.record({ hashes: fc.array(hash), floor, from }),
    wire.writeRecordsCall,
    wire.readRecordsCall,
  ],
  ['records', records, wire.writeRecords, wire.readRecords],
  ['floor', joinFloor, wire.writeFloor, wire.readFloor],
  ['shared call', fc.record({ refs, floor, from }), wire.writeSharedCall, wire.readSharedCall],
  ['shared', fc.array(shared), wire.writeShared, wire.readShared],
  ['stopped', text, wire.writeStopped, wire.readStopped],
])('%s comes back exactly as it was written', (_what, arbitrary, write, read) => {
  fc.assert(
    fc.property(arbitrary, (value) => {
      // The table pairs each writer with the values of its own type.
      expect(read(write(value as never))).toEqual(value);
    }),
    { numRuns: 60 },
  );
});

test('transaction ids beyond what a number holds stay exact', () => {
  const big: TaskReport = {
    taskId: 't',
    region: 'r',
    slot: null,
    epoch: { counter: 1, id: 'abcd1234' },
    watermark: 9_007_199_254_740_993n,
    appliedXids: [9_007_199_254_740_995n],
    stalenessMs: 0,
    cutOffAfterMs: null,
  };
  expect(wire.readReport(wire.writeReport(big))).toStrictEqual(big);
});

test('what a newer version adds is read over', () => {
  const written = { ...JSON.parse(wire.writeStopped('task_1')), reason: 'SIGTERM' } as object;
  expect(wire.readStopped(JSON.stringify(written))).toBe('task_1');
});

test.each(['', 'kh_secret{', '[]', '{}', '{"taskId":7}'])('%j is refused, and not repeated', (body) => {
  expect(() => wire.readStopped(body)).toThrow(/^a peer wrote something/);
  expect(() => wire.readStopped(body)).not.toThrow(/kh_secret/);
});
