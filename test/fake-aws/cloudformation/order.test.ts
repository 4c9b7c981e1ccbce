import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Behaviour } from '../behaviour.ts';
import { Refusal } from '../refusal.ts';
import { textAt, type Properties } from '../values.ts';
import { inOrder } from './dependencies.ts';
import { EXAMPLES, parameterOf } from './example-behaviours.ts';
import { Harness } from './harness.ts';
import { ALL, oneByOne } from './order.ts';

const SEEDS = Array.from({ length: 12 }, (_, seed) => seed);

/** Numbers, each with the lower ones that it needs. */
const GRAPHS = fc
  .integer({ min: 1, max: 12 })
  .chain((size) =>
    fc.tuple(
      ...Array.from({ length: size }, (_, index) =>
        fc.subarray(Array.from({ length: index }, (_none, other) => String(other))),
      ),
    ),
  )
  .map((needs) => new Map(needs.map((names, index) => [String(index), new Set(names)])));

describe('an order that a seed chooses', () => {
  it('has each once, after all that it needs', () => {
    fc.assert(
      fc.property(GRAPHS, fc.nat(), (graph, seed) => {
        const order = inOrder(graph, oneByOne(seed));
        expect(order.flat().toSorted()).toEqual([...graph.keys()].toSorted());
        for (const [name, needed] of graph) {
          for (const other of needed) {
            expect(order.findIndex(([one]) => one === other)).toBeLessThan(
              order.findIndex(([one]) => one === name),
            );
          }
        }
      }),
    );
  });

  it('is the same for the same seed, and any that there can be for some seed', () => {
    const free = new Map(['a', 'b', 'c'].map((name) => [name, new Set<string>()]));
    const orderOf = (seed: number): string => inOrder(free, oneByOne(seed)).flat().join('');
    expect(SEEDS.map(orderOf)).toEqual(SEEDS.map(orderOf));
    const found = new Set(Array.from({ length: 100 }, (_, seed) => orderOf(seed)));
    expect([...found].toSorted()).toEqual(['abc', 'acb', 'bac', 'bca', 'cab', 'cba']);
  });

  it('is all at once without one', () => {
    expect(
      inOrder(
        new Map([
          ['a', new Set<string>()],
          ['b', new Set<string>()],
        ]),
        ALL,
      ),
    ).toEqual([['a', 'b']]);
  });
});

/** Parameters that need the one that their description names: there before them, and still there when they go. */
function needing(): readonly Behaviour[] {
  return EXAMPLES.map((one) => {
    if (one.type !== 'AWS::SSM::Parameter') return one;
    return {
      ...one,
      create: (context, properties) => {
        const needed = textAt(properties, 'Description');
        if (needed !== undefined && context.world.find(context.place, one.type, needed) === undefined)
          throw new Refusal('ParameterNotFound', `${needed} is not there`);
        return one.create(context, properties);
      },
      remove: ({ world, place }, { id }) => {
        if (world.all(one.type, place).some(({ properties }) => textAt(properties, 'Description') === id))
          throw new Refusal('ParameterInUse', `${id} is in use`);
      },
    };
  });
}

const FIRST = parameterOf('a', { Name: 'first' });
const SECOND = { Name: 'second', Description: 'first' };

/** What became of a stack with each seed: made and deleted again. */
async function fates(
  resources: Properties,
  seeds: readonly (number | undefined)[],
): Promise<readonly string[]> {
  return await Promise.all(
    seeds.map(async (orderSeed) => {
      const aws = new Harness(needing(), {}, orderSeed === undefined ? {} : { orderSeed });
      await aws.deploy('stack', { Resources: resources });
      const made = await aws.status('stack');
      await aws.call('DeleteStack', { StackName: 'stack' });
      return `${made} ${(await aws.status('stack')) ?? 'DELETE_COMPLETE'}`;
    }),
  );
}

describe('a template', () => {
  it('that lacks a dependency works in the one order of all at once, and fails in others', async () => {
    const resources = { A: FIRST, B: parameterOf('b', SECOND) };
    expect(await fates(resources, [undefined])).toEqual(['CREATE_COMPLETE DELETE_FAILED']);
    const found = new Set(await fates(resources, SEEDS));
    expect([...found].toSorted()).toEqual([
      'CREATE_COMPLETE DELETE_COMPLETE',
      'CREATE_COMPLETE DELETE_FAILED',
      'ROLLBACK_COMPLETE DELETE_COMPLETE',
    ]);
  });

  it('that has all dependencies works in every order', async () => {
    const resources = {
      D: parameterOf('d', { Description: 'second' }, { DependsOn: ['B', 'C'] }),
      B: parameterOf('b', SECOND, { DependsOn: 'A' }),
      C: parameterOf('c', { Description: { Ref: 'A' } }),
      A: FIRST,
      E: parameterOf('e'),
    };
    expect(new Set(await fates(resources, SEEDS))).toEqual(new Set(['CREATE_COMPLETE DELETE_COMPLETE']));
  });

  it('is rolled back in every order', async () => {
    const resources = {
      A: FIRST,
      B: parameterOf('b', SECOND, { DependsOn: 'A' }),
      C: parameterOf('fail', {}, { DependsOn: 'B' }),
      D: parameterOf('d'),
    };
    expect(new Set(await fates(resources, SEEDS))).toEqual(new Set(['ROLLBACK_COMPLETE DELETE_COMPLETE']));
  });
});
