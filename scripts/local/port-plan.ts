import { UserError } from '../lib/user-error.ts';

/** What the port plan needs of a zone. */
export interface PlannedZone {
  readonly name: string;
  /** The origin first. */
  readonly regions: readonly string[];
}

export interface RegionPorts {
  readonly region: string;
  /** The region's direct port: its task, or with several tasks the balancer in front of them. */
  readonly direct: number;
  readonly tasks: readonly number[];
  readonly postgres: number;
  /** Of its shared counters, where this machine has a server for them. */
  readonly valkey: { readonly port: number; readonly bus: number };
}

export interface ZonePorts {
  readonly zone: string;
  /** The zone's accelerator without delay. */
  readonly accelerator: number;
  /** The zone's accelerator as seen from each client location. */
  readonly clients: Readonly<Record<string, number>>;
  readonly regions: readonly RegionPorts[];
}

export interface PortPlan {
  /** Where commands reach the platform. */
  readonly control: number;
  readonly zones: readonly ZonePorts[];
}

const zoneBlock = 200;
const offsets = {
  firstZone: 10,
  clients: 1,
  regions: 20,
  postgres: 40,
  tasks: 60,
  valkey: 150,
  bus: 170,
} as const;
const tasksMax = 8;
const regionsMax = 11;
const clientsMax = 19;

/**
 * Ports of the whole platform: the same for the same topology, base and number of tasks, whichever zones run. From `base` each zone
 * has a block of 200: its accelerator, the client locations, then the regions, their databases, their tasks where a region has several, and
 * their shared counters. Fails with `UserError` where it doesn't fit.
 */
export function planPorts(
  zones: readonly PlannedZone[],
  locations: readonly string[],
  base: number,
  tasks: number,
): PortPlan {
  if (!Number.isInteger(tasks) || tasks < 1 || tasks > tasksMax) {
    throw new UserError(`--tasks must be a whole number from 1 to ${tasksMax}.`);
  }
  const last = base + offsets.firstZone + zones.length * zoneBlock - 1;
  if (!Number.isInteger(base) || base < 1_024 || last > 65_535) {
    const highest = 65_535 - (last - base);
    throw new UserError(
      `--port must be a whole number from 1024 to ${highest}: ports up to ${last - base} above it are used.`,
    );
  }
  if (locations.length > clientsMax) throw new Error(`more than ${clientsMax} client locations`);
  return {
    control: base,
    zones: zones.map((zone, index) => {
      if (zone.regions.length > regionsMax)
        throw new UserError(`Zone ${zone.name} has more than ${regionsMax} regions.`);
      const first = base + offsets.firstZone + index * zoneBlock;
      return {
        zone: zone.name,
        accelerator: first,
        clients: Object.fromEntries(
          locations.map((location, at) => [location, first + offsets.clients + at]),
        ),
        regions: zone.regions.map((region, at) => planRegion(region, at, first, tasks)),
      };
    }),
  };
}

function planRegion(region: string, at: number, first: number, tasks: number): RegionPorts {
  const direct = first + offsets.regions + at;
  const ofTask = (task: number): number => first + offsets.tasks + at * tasksMax + task;
  return {
    region,
    direct,
    tasks: tasks === 1 ? [direct] : Array.from({ length: tasks }, (_, task) => ofTask(task)),
    postgres: first + offsets.postgres + at,
    valkey: { port: first + offsets.valkey + at, bus: first + offsets.bus + at },
  };
}

/** Every port of the plan with what it is for, e.g. "the database of eu-west-1"; those of shared counters only where there are some. */
export function portUses(plan: PortPlan, hasValkey: boolean): ReadonlyMap<number, string> {
  const uses = new Map<number, string>([[plan.control, 'the control of the platform']]);
  for (const zone of plan.zones) {
    uses.set(zone.accelerator, `the accelerator of zone ${zone.zone}`);
    for (const [location, port] of Object.entries(zone.clients)) {
      uses.set(port, `clients in ${location} of zone ${zone.zone}`);
    }
    for (const region of zone.regions) {
      for (const [task, port] of region.tasks.entries()) uses.set(port, `task ${task} of ${region.region}`);
      uses.set(region.direct, `the service of ${region.region}`);
      uses.set(region.postgres, `the database of ${region.region}`);
      if (!hasValkey) continue;
      uses.set(region.valkey.port, `Valkey of ${region.region}`);
      uses.set(region.valkey.bus, `Valkey of ${region.region} (its cluster's bus)`);
    }
  }
  return uses;
}
