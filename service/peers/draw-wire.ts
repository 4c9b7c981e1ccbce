import { Type } from 'typebox';
import { type Draw, type Drawn, type Settled, type Settlement, SETTLEMENTS_MAX } from '../verify/ports.ts';
import { reader } from './wire.ts';

/**
 * How peers write a drawing of credits and what became of draws. Whatever is read goes into home's database or decides about credits, so
 * it is bounded here: counts are whole numbers that a number holds exactly, and ids have no letters that a database wouldn't store.
 */

const Count = Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER });
const Id = Type.String({ pattern: '^[A-Za-z0-9_-]{1,64}$' });
/** A task is named by its operator at will, and by ECS with up to 128 characters. */
const Holder = Type.String({ pattern: '^[^\\u0000-\\u001f\\u007f]{1,512}$' });
const EpochWire = Type.Object({
  counter: Type.Integer({ minimum: 0, maximum: 2_147_483_647 }),
  id: Type.String({ pattern: '^[0-9a-z]{8}$' }),
});
const KnownEpoch = Type.Union([EpochWire, Type.Null()]);

const drawReader = reader(
  Type.Object({
    id: Id,
    accountId: Id,
    holder: Holder,
    cost: Count,
    wanted: Count,
    epoch: KnownEpoch,
  }),
);
const drawnReader = reader(
  Type.Object({ spent: Type.Boolean(), leased: Count, free: Count, generation: Count, epoch: EpochWire }),
);
const settlementsReader = reader(
  Type.Object({
    settlements: Type.Array(
      Type.Object({
        id: Id,
        accountId: Id,
        generation: Count,
        epoch: KnownEpoch,
        spent: Count,
        closed: Type.Boolean(),
      }),
      { maxItems: SETTLEMENTS_MAX },
    ),
  }),
);
const settledReader = reader(Type.Object({ recalled: Type.Array(Id, { maxItems: SETTLEMENTS_MAX }) }));

export const writeDraw = ({ id, accountId, holder, cost, wanted, epoch }: Draw): string =>
  JSON.stringify({ id, accountId, holder, cost, wanted, epoch });

export function readDraw(text: string): Draw {
  const { id, accountId, holder, cost, wanted, epoch } = drawReader(text);
  return { id, accountId, holder, cost, wanted, epoch };
}

export const writeDrawn = ({ spent, leased, free, generation, epoch }: Drawn): string =>
  JSON.stringify({ spent, leased, free, generation, epoch });

export function readDrawn(text: string): Drawn {
  const { spent, leased, free, generation, epoch } = drawnReader(text);
  return { spent, leased, free, generation, epoch };
}

export const writeSettlements = (settlements: readonly Settlement[]): string =>
  JSON.stringify({
    settlements: settlements.map(({ id, accountId, generation, epoch, spent, closed }) => ({
      id,
      accountId,
      generation,
      epoch,
      spent,
      closed,
    })),
  });

export function readSettlements(text: string): readonly Settlement[] {
  return settlementsReader(text).settlements.map(({ id, accountId, generation, epoch, spent, closed }) => ({
    id,
    accountId,
    generation,
    epoch,
    spent,
    closed,
  }));
}

export const writeSettled = ({ recalled }: Settled): string => JSON.stringify({ recalled });

export function readSettled(text: string): Settled {
  const { recalled } = settledReader(text);
  return { recalled };
}
