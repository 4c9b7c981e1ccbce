import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type Draw, type Settlement, SETTLEMENTS_MAX } from '../verify/ports.ts';
import * as wire from './draw-wire.ts';

const EPOCH = { counter: 4, id: 'abcd1234' };
const DRAW: Draw = {
  id: 'draw-1',
  accountId: 'credits_1',
  holder: 'us-east-1/0a1b',
  cost: 1,
  wanted: 9,
  epoch: EPOCH,
};
const DRAWN = { spent: true, leased: 9, free: 90, generation: 2, epoch: EPOCH };
const SETTLEMENT: Settlement = {
  id: 'draw-1',
  accountId: 'credits_1',
  generation: 2,
  epoch: null,
  spent: 0,
  closed: true,
};

const counts = fc.oneof(fc.maxSafeNat(), fc.constantFrom(0, 1, Number.MAX_SAFE_INTEGER));
const ids = fc.stringMatching(/^[A-Za-z0-9_-]{1,64}$/);
const epochs = fc.record({ counter: fc.nat(), id: fc.stringMatching(/^[0-9a-z]{8}$/) });
const known = fc.option(epochs);

test('whatever is written is read as it was', () => {
  const draws = fc.record({
    id: ids,
    accountId: ids,
    holder: ids.map((id) => `eu-west-1/${id}`),
    cost: counts,
    wanted: counts,
    epoch: known,
  });
  const drawns = fc.record({
    spent: fc.boolean(),
    leased: counts,
    free: counts,
    generation: counts,
    epoch: epochs,
  });
  const settlements = fc.array(
    fc.record({
      id: ids,
      accountId: ids,
      generation: counts,
      epoch: known,
      spent: counts,
      closed: fc.boolean(),
    }),
  );
  fc.assert(
    fc.property(draws, drawns, settlements, fc.array(ids), (draw, drawn, told, recalled) => {
      expect(wire.readDraw(wire.writeDraw(draw))).toEqual(draw);
      expect(wire.readDrawn(wire.writeDrawn(drawn))).toEqual(drawn);
      expect(wire.readSettlements(wire.writeSettlements(told))).toEqual(told);
      expect(wire.readSettled(wire.writeSettled({ recalled }))).toEqual({ recalled });
    }),
    { numRuns: 50 },
  );
});

const NO_COUNTS: readonly unknown[] = [-1, 0.5, Number.MAX_SAFE_INTEGER + 1, 1e300, '1', null, undefined];
const NO_IDS: readonly unknown[] = ['', 'a'.repeat(65), 'a b', 'a\0', "a'", 'ä', 1, null, undefined];
const NO_EPOCHS: readonly unknown[] = [
  'abcd1234',
  {},
  { ...EPOCH, counter: -1 },
  { ...EPOCH, counter: 2 ** 31 },
  { ...EPOCH, id: 'ABCD1234' },
  { ...EPOCH, id: 'abcd12345' },
  undefined,
];

/** Each field of `whole`, with each of its wrong values. */
function spoilt(whole: object, fields: Readonly<Record<string, readonly unknown[]>>): readonly object[] {
  return Object.entries(fields).flatMap(([field, values]) =>
    values.map((value) => ({ ...whole, [field]: value })),
  );
}

function expectRefused(read: (text: string) => unknown, wrong: unknown): void {
  const text = JSON.stringify(wrong);
  const readText = (): string => `${text} was read as ${JSON.stringify(read(text))}`;
  expect(readText).toThrow('a peer wrote something unexpected');
}

test('a draw with a field that is out of its bounds is refused', () => {
  const wrong = spoilt(DRAW, {
    id: NO_IDS,
    accountId: NO_IDS,
    holder: ['', 'a\0', 'a\nb', 'a'.repeat(513), 1, null, undefined],
    cost: NO_COUNTS,
    wanted: NO_COUNTS,
    epoch: NO_EPOCHS,
  });
  for (const draw of wrong) expectRefused(wire.readDraw, draw);
});

test('an answer to a draw with a field that is out of its bounds is refused; it always names an epoch', () => {
  const wrong = spoilt(DRAWN, {
    spent: ['true', 1, null, undefined],
    leased: NO_COUNTS,
    free: NO_COUNTS,
    generation: NO_COUNTS,
    epoch: [...NO_EPOCHS, null],
  });
  for (const drawn of wrong) expectRefused(wire.readDrawn, drawn);
});

test('one bad settlement, or one too many, has all of them refused', () => {
  const wrong = spoilt(SETTLEMENT, {
    id: NO_IDS,
    accountId: NO_IDS,
    generation: NO_COUNTS,
    epoch: NO_EPOCHS,
    spent: NO_COUNTS,
    closed: ['true', 1, null, undefined],
  });
  for (const settlement of wrong)
    expectRefused(wire.readSettlements, { settlements: [SETTLEMENT, settlement] });
  const many = Array.from({ length: SETTLEMENTS_MAX }, () => SETTLEMENT);
  expect(wire.readSettlements(JSON.stringify({ settlements: many }))).toHaveLength(SETTLEMENTS_MAX);
  expectRefused(wire.readSettlements, { settlements: [...many, SETTLEMENT] });
});

test('an answer to a settlement that recalls what can’t be a draw, or more than were told, is refused', () => {
  for (const id of NO_IDS) expectRefused(wire.readSettled, { recalled: [id] });
  expectRefused(wire.readSettled, { recalled: Array.from({ length: SETTLEMENTS_MAX + 1 }, () => 'draw-1') });
  expectRefused(wire.readSettled, {});
});

test('fields that a newer version added are left out', () => {
  const more = { more: 1 };
  expect(wire.readDraw(JSON.stringify({ ...DRAW, ...more }))).toEqual(DRAW);
  expect(wire.readDrawn(JSON.stringify({ ...DRAWN, ...more }))).toEqual(DRAWN);
  const told = { settlements: [{ ...SETTLEMENT, ...more }], ...more };
  expect(wire.readSettlements(JSON.stringify(told))).toEqual([SETTLEMENT]);
  expect(wire.readSettled(JSON.stringify({ recalled: [], ...more }))).toEqual({ recalled: [] });
});
