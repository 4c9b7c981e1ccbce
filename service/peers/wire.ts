import { type Static, type TSchema, Type } from 'typebox';
import { Compile } from 'typebox/compile';
import type { KeyHash } from '../domain/brands.ts';
import type { SnapshotFloor } from '../domain/feed.ts';
import type {
  KeyRow,
  NamespaceRow,
  RecordRead,
  RecordReads,
  RootKeyRow,
  SharedObject,
  SharedRef,
} from '../domain/records.ts';
import type { JoinFloor, TaskReport } from '../home/types.ts';
import type { PeerState, ReadFrom } from './types.ts';

/**
 * How peers write what they say to each other, as JSON: a bigint is its decimal text, a Map the list of its entries. What is
 * read is checked; fields that a newer version added are ignored, so that two versions can talk while one replaces the other.
 *
 * A field that an earlier version doesn't know has no default where it limits what a key may do: without its limits and credits, a key
 * would pass as unlimited for as long as the record is held. Such an answer is refused, and read somewhere else.
 */

const Nullable = <S extends TSchema>(schema: S) => Type.Union([schema, Type.Null()]);
const Texts = Type.Array(Type.String());
const BigIntText = Type.String({ pattern: '^\\d{1,20}$' });
const EpochWire = Type.Object({ counter: Type.Integer(), id: Type.String() });

const PeerStateWire = Type.Object({
  region: Type.String(),
  taskId: Type.String(),
  epoch: Nullable(EpochWire),
  homeRegion: Nullable(Type.String()),
});

const TaskReportWire = Type.Object({
  taskId: Type.String(),
  region: Type.String(),
  slot: Nullable(Type.String()),
  epoch: EpochWire,
  watermark: BigIntText,
  appliedXids: Type.Array(BigIntText),
  stalenessMs: Type.Number(),
  cutOffAfterMs: Nullable(Type.Number()),
});

const RateLimitWire = Type.Object({ limit: Type.Number(), durationMs: Type.Number() });
const StoredRateLimitsWire = Type.Array(
  Type.Object({
    id: Type.String(),
    name: Type.String(),
    limit: Type.Number(),
    durationMs: Type.Number(),
    autoApply: Type.Boolean(),
    // A limit without it is one that each task counts, as all were when there was no such field.
    exact: Type.Optional(Type.Union([Type.Literal('local'), Type.Literal('deny')])),
  }),
);

const SharedObjectWire = Type.Union([
  Type.Object({
    kind: Type.Literal('workspace'),
    id: Type.String(),
    enabled: Type.Boolean(),
    rateLimit: Nullable(RateLimitWire),
  }),
  Type.Object({
    kind: Type.Literal('api'),
    id: Type.String(),
    workspaceId: Type.String(),
    name: Type.String(),
    ipAllowlist: Texts,
  }),
  Type.Object({
    kind: Type.Literal('identity'),
    id: Type.String(),
    externalId: Type.String(),
    meta: Nullable(Type.String()),
    ratelimits: StoredRateLimitsWire,
  }),
  Type.Object({ kind: Type.Literal('role'), id: Type.String(), name: Type.String(), permissions: Texts }),
  Type.Object({ kind: Type.Literal('permission'), id: Type.String(), slug: Type.String() }),
  Type.Object({
    kind: Type.Literal('credits'),
    id: Type.String(),
    generation: Type.Number(),
    free: Type.Number(),
  }),
]);

const KeyRowWire = Type.Object({
  hash: Type.String(),
  keyId: Type.String(),
  workspaceId: Type.String(),
  apiId: Type.String(),
  identityId: Nullable(Type.String()),
  name: Nullable(Type.String()),
  meta: Nullable(Type.String()),
  enabled: Type.Boolean(),
  expiresAtMs: Nullable(Type.Number()),
  roleIds: Texts,
  permissionIds: Texts,
  ratelimits: StoredRateLimitsWire,
  creditAccountId: Nullable(Type.String()),
});

const RootKeyRowWire = Type.Object({
  hash: Type.String(),
  rootKeyId: Type.String(),
  workspaceId: Type.String(),
  enabled: Type.Boolean(),
  expiresAtMs: Nullable(Type.Number()),
  permissions: Texts,
});

const NamespaceRowWire = Type.Object({
  hash: Type.String(),
  namespaceId: Type.String(),
  workspaceId: Type.String(),
  name: Type.String(),
  deleted: Type.Boolean(),
  overrides: Type.Array(
    Type.Object({
      id: Type.String(),
      identifier: Type.String(),
      limit: Type.Number(),
      durationMs: Type.Number(),
    }),
  ),
});

const ReadsWire = <S extends TSchema>(row: S) =>
  Type.Array(Type.Tuple([Type.String(), Type.Object({ row, shared: Type.Array(SharedObjectWire) })]));

const SharedRefWire = Type.Object({
  kind: Type.Enum(['workspace', 'api', 'identity', 'role', 'permission', 'credits']),
  id: Type.String(),
});

const stateReader = reader(PeerStateWire);
const reportReader = reader(TaskReportWire);
const floorReader = reader(
  Type.Object({ epoch: EpochWire, xid: BigIntText, atMs: Type.Optional(Type.Number()) }),
);
const stoppedReader = reader(Type.Object({ taskId: Type.String() }));
const FloorWire = Type.Object({
  mark: Nullable(Type.Object({ epoch: EpochWire, watermark: BigIntText, met: Type.Integer({ minimum: 0 }) })),
  revision: Nullable(Type.Object({ epoch: EpochWire, xid: BigIntText })),
});
const FromWire = Type.Union([Type.Literal('home'), Type.Literal('reader')]);
const hashesReader = reader(Type.Object({ hashes: Texts, floor: FloorWire, from: FromWire }));
const recordsReader = reader(
  Type.Object({
    keys: ReadsWire(KeyRowWire),
    rootKeys: ReadsWire(RootKeyRowWire),
    namespaces: ReadsWire(NamespaceRowWire),
  }),
);
const refsReader = reader(Type.Object({ refs: Type.Array(SharedRefWire), floor: FloorWire, from: FromWire }));
const sharedReader = reader(Type.Object({ objects: Type.Array(SharedObjectWire) }));
export const writeState = (state: PeerState): string => JSON.stringify(state);
export const readState = (text: string): PeerState => stateReader(text);

export function writeReport(report: TaskReport): string {
  return JSON.stringify({
    ...report,
    watermark: String(report.watermark),
    appliedXids: report.appliedXids.map(String),
  });
}

export function readReport(text: string): TaskReport {
  const wire = reportReader(text);
  return { ...wire, watermark: BigInt(wire.watermark), appliedXids: wire.appliedXids.map(BigInt) };
}

export const writeFloor = ({ epoch, xid, atMs }: JoinFloor): string =>
  JSON.stringify({ epoch, xid: String(xid), atMs });

export function readFloor(text: string): JoinFloor {
  const { epoch, xid, atMs } = floorReader(text);
  return { epoch, xid: BigInt(xid), ...(atMs === undefined ? {} : { atMs }) };
}

export const writeStopped = (taskId: string): string => JSON.stringify({ taskId });
export const readStopped = (text: string): string => stoppedReader(text).taskId;

/** What a peer asks for, and the least that the answering snapshot must show. */
export interface RecordsCall {
  readonly hashes: readonly KeyHash[];
  readonly floor: SnapshotFloor;
  readonly from: ReadFrom;
}

export interface SharedCall {
  readonly refs: readonly SharedRef[];
  readonly floor: SnapshotFloor;
  readonly from: ReadFrom;
}

export function writeRecordsCall({ hashes, floor, from }: RecordsCall): string {
  return JSON.stringify({ hashes, floor: toFloorWire(floor), from });
}

export function readRecordsCall(text: string): RecordsCall {
  const { hashes, floor, from } = hashesReader(text);
  // A peer's values were given their brands where it parsed them; the same holds for the casts below.
  return { hashes: hashes as KeyHash[], floor: fromFloorWire(floor), from };
}

function toFloorWire({ mark, revision }: SnapshotFloor): Static<typeof FloorWire> {
  return {
    mark: mark === null ? null : { ...mark, watermark: String(mark.watermark) },
    revision: revision === null ? null : { ...revision, xid: String(revision.xid) },
  };
}

function fromFloorWire({ mark, revision }: Static<typeof FloorWire>): SnapshotFloor {
  return {
    mark: mark === null ? null : { ...mark, watermark: BigInt(mark.watermark) },
    revision: revision === null ? null : { ...revision, xid: BigInt(revision.xid) },
  };
}

export function writeRecords(reads: RecordReads): string {
  return JSON.stringify({
    keys: [...reads.keys],
    rootKeys: [...reads.rootKeys],
    namespaces: [...reads.namespaces],
  });
}

export function readRecords(text: string): RecordReads {
  // Checked against the schema; the brands are as said above.
  const wire = recordsReader(text) as unknown as {
    readonly keys: [KeyHash, RecordRead<KeyRow>][];
    readonly rootKeys: [KeyHash, RecordRead<RootKeyRow>][];
    readonly namespaces: [KeyHash, RecordRead<NamespaceRow>][];
  };
  return {
    keys: new Map(wire.keys),
    rootKeys: new Map(wire.rootKeys),
    namespaces: new Map(wire.namespaces),
  };
}

export function writeSharedCall({ refs, floor, from }: SharedCall): string {
  return JSON.stringify({
    refs: refs.map(({ kind, id }) => ({ kind, id })),
    floor: toFloorWire(floor),
    from,
  });
}

export function readSharedCall(text: string): SharedCall {
  const { refs, floor, from } = refsReader(text);
  return { refs, floor: fromFloorWire(floor), from };
}

export const writeShared = (objects: readonly SharedObject[]): string => JSON.stringify({ objects });
// Checked against the schema; the brands are as said above.
export const readShared = (text: string): readonly SharedObject[] =>
  sharedReader(text).objects as unknown as SharedObject[];

/** Returns the function that parses a text and checks it against the schema; it throws an Error that shows no values. */
export function reader<S extends TSchema>(schema: S): (text: string) => Static<S> {
  const compiled = Compile(schema);
  return (text) => {
    const value: unknown = parse(text);
    if (compiled.Check(value)) return value;
    const [first] = compiled.Errors(value);
    throw new Error(
      `a peer wrote something unexpected: ${first?.instancePath ?? ''} ${first?.message ?? ''}`,
    );
  };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // The parser's own message would quote the text.
    throw new Error('a peer wrote something that is no JSON');
  }
}
