import fc from 'fast-check';
import { expect, test } from 'vitest';
import { planPorts, portUses } from './port-plan.ts';

const zones = [
  { name: 'global', regions: ['us-east-1', 'eu-west-1', 'ap-southeast-1'] },
  { name: 'eu', regions: ['eu-central-1', 'eu-west-3'] },
];

test('ports are the same for the same topology', () => {
  const plan = planPorts(zones, ['london'], 8700, 1);
  expect(plan.control).toBe(8700);
  expect(plan.zones[0]).toEqual({
    zone: 'global',
    accelerator: 8710,
    clients: { london: 8711 },
    regions: [
      { region: 'us-east-1', direct: 8730, tasks: [8730], postgres: 8750, valkey: { port: 8860, bus: 8880 } },
      { region: 'eu-west-1', direct: 8731, tasks: [8731], postgres: 8751, valkey: { port: 8861, bus: 8881 } },
      {
        region: 'ap-southeast-1',
        direct: 8732,
        tasks: [8732],
        postgres: 8752,
        valkey: { port: 8862, bus: 8882 },
      },
    ],
  });
  expect(plan.zones[1]?.accelerator).toBe(8910);
});

test('no two uses share a port, whatever is planned', () => {
  const names = fc
    .integer({ min: 1, max: 11 })
    .map((count) => Array.from({ length: count }, (_, at) => `r${at}`));
  fc.assert(
    fc.property(
      fc.array(names, { minLength: 1, maxLength: 8 }),
      fc.integer({ min: 1, max: 8 }),
      fc.integer({ min: 1, max: 19 }),
      fc.boolean(),
      (regions, tasks, locations, hasValkey) => {
        const planned = regions.map((list, at) => ({ name: `z${at}`, regions: list }));
        const clients = Array.from({ length: locations }, (_, at) => `l${at}`);
        const plan = planPorts(planned, clients, 9_000, tasks);
        const perRegion = (tasks === 1 ? 2 : 2 + tasks) + (hasValkey ? 2 : 0);
        const expected =
          1 + planned.reduce((sum, zone) => sum + 1 + locations + zone.regions.length * perRegion, 0);
        expect(portUses(plan, hasValkey).size).toBe(expected);
      },
    ),
  );
});

test('what does not fit is said in one sentence', () => {
  expect(() => planPorts(zones, [], 8700, 9)).toThrow('--tasks must be a whole number from 1 to 8.');
  expect(() => planPorts(zones, [], 80, 1)).toThrow('--port must be a whole number from 1024 to 65126');
  expect(() => planPorts(zones, [], 65_200, 1)).toThrow('--port must be');
});
