import { randomUUID } from 'node:crypto';
import { Problem } from '../domain/problem.ts';
import type { TaskStatus } from '../home/types.ts';
import type { CreditLedger, RecordSource } from '../verify/ports.ts';
import * as drawWire from './draw-wire.ts';
import { answerSpend, readSpend } from './earlier-spend.ts';
import type { PeerEndpoint, PeerState, ReadFrom } from './types.ts';
import * as wire from './wire.ts';

export interface PeerEndpointDeps {
  readonly state: () => PeerState;
  readonly taskStatus: Pick<TaskStatus, 'register' | 'report' | 'stopped'>;
  /** What a peer reads whose own reader is lost, or that must know what home has. */
  readonly records: Readonly<Record<ReadFrom, RecordSource>>;
  /** Home's, and refused where it isn't at home. */
  readonly ledger: CreditLedger;
  /** A new id for each draw that is made for a task of the version before. @default a random UUID */
  readonly drawId?: () => string;
}

type Call = (body: string) => string | Promise<string>;

/** The calls that the tasks of a zone answer each other. The caller's signature is checked before a body gets here. */
export function createPeerEndpoint(deps: PeerEndpointDeps): PeerEndpoint {
  const drawId = deps.drawId ?? randomUUID;
  const calls: ReadonlyMap<string, Call> = new Map<string, Call>([
    ['state', () => wire.writeState(deps.state())],
    [
      'report',
      async (body) => {
        await deps.taskStatus.report(read(wire.readReport, body));
        return '{}';
      },
    ],
    [
      'register',
      async (body) => wire.writeFloor(await deps.taskStatus.register(read(wire.readReport, body))),
    ],
    [
      'stopped',
      async (body) => {
        await deps.taskStatus.stopped(read(wire.readStopped, body));
        return '{}';
      },
    ],
    [
      'records',
      async (body) => {
        const { hashes, floor, from } = read(wire.readRecordsCall, body);
        return wire.writeRecords(await deps.records[from].readRecords(hashes, floor));
      },
    ],
    [
      'shared',
      async (body) => {
        const { refs, floor, from } = read(wire.readSharedCall, body);
        return wire.writeShared(await deps.records[from].readShared(refs, floor));
      },
    ],
    ['draw', async (body) => drawWire.writeDrawn(await deps.ledger.draw(read(drawWire.readDraw, body)))],
    [
      'settle',
      async (body) => drawWire.writeSettled(await deps.ledger.settle(read(drawWire.readSettlements, body))),
    ],
    ['spend', async (body) => await answerSpend(deps.ledger, read(readSpend, body), drawId())],
  ]);
  return {
    async answer(call, body) {
      return await calls.get(call)?.(body);
    },
  };
}

function read<T>(reader: (text: string) => T, body: string): T {
  try {
    return reader(body);
  } catch (cause) {
    const message = cause instanceof Error ? cause.message : 'unreadable';
    throw new Problem('invalid_input', 'The body of a private call is not what this version reads.', {
      errors: [{ location: 'body', message }],
      cause,
    });
  }
}
