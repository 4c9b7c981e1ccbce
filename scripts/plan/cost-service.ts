import ipaddr from 'ipaddr.js';
import type { ZoneDeployment } from '../../topology/deployment.ts';
import { count, largest, named, over, plus, times } from './cost-amount.ts';
import type { BillWriter } from './cost-bill.ts';
import { eventGb } from './cost-data.ts';
import { GB, gbOf, HOURS, type Load, SECONDS } from './cost-load.ts';
import { taskLogGb } from './cost-operations.ts';

/** Interface endpoints of a region, without that of Firehose; a test counts them in the templates. */
const ENDPOINTS = 5;
/** Source: "Elastic Load Balancing pricing", what a capacity unit (LCU) of an Application Load Balancer holds, for targets by address. */
const LCU = { newConnectionsPerSecond: 25, openConnections: 3000, gbPerHour: 1 } as const;
/** Static addresses of an accelerator for IPv4. */
const ACCELERATOR_ADDRESSES = 2;

/** The tasks of a region, their load balancer, and what goes in and out. */
export function serviceLines(bill: BillWriter, load: Load): void {
  const { region, here, tasks, assumed } = load;
  const add = (
    service: string,
    what: string,
    ...rest: readonly [Parameters<BillWriter['add']>[3], Parameters<BillWriter['add']>[4]]
  ) => bill.add(region, service, what, ...rest);
  const memory = over(count(here.size.taskMemoryMb, 'MB'), count(1024));
  add('Fargate', 'processors', times(tasks, count(here.size.taskVcpu, 'vCPU'), HOURS), 'fargateVcpuHour');
  add('Fargate', 'memory', times(tasks, memory, HOURS), 'fargateGbHour');
  add('Load balancer', 'hours', times(count(1, 'load balancer'), HOURS), 'loadBalancerHour');
  add('Load balancer', 'capacity', times(capacityUnits(load), HOURS), 'loadBalancerLcuHour');
  const out = gbOf('answers', load, assumed('responseBytes'));
  add('Data transfer', 'to the internet', out, 'internetGb');
  const both = largest(gbOf('requests', load, assumed('requestBytes')), out);
  add('Accelerator', 'premium of the larger direction', both, 'acceleratorPremiumGb');
  const crossing = gbOf(
    'across zones',
    load,
    assumed('limitedShare'),
    assumed('exchangesPerVerification'),
    assumed('cacheBytes'),
    assumed('crossZoneShare'),
  );
  add('Data transfer', 'between availability zones', times(crossing, count(2, 'ends')), 'crossZoneGb');
  interRegionLines(bill, load);
  endpointLines(bill, load);
  wayOutLines(bill, load);
}

/** What a zone pays once for its way in. */
export function edgeLines(bill: BillWriter): void {
  bill.add('zone', 'Accelerator', 'hours', times(count(1, 'accelerator'), HOURS), 'acceleratorHour');
  const addresses = times(count(ACCELERATOR_ADDRESSES, 'addresses'), HOURS);
  bill.add('zone', 'Accelerator', 'its addresses', addresses, 'publicIpv4Hour');
}

/** The largest of what a unit holds is billed. A listener has one rule, and the first ten cost nothing. */
function capacityUnits({ rate, assumed }: Load): ReturnType<typeof named> {
  const opened = over(
    times(rate, assumed('newConnectionShare')),
    count(LCU.newConnectionsPerSecond, 'per second'),
  );
  const open = over(
    over(rate, assumed('verificationsPerOpenConnection')),
    count(LCU.openConnections, 'connections'),
  );
  const bytes = plus(assumed('requestBytes'), assumed('responseBytes'));
  const gb = over(over(times(rate, count(3600, 's'), bytes), GB), count(LCU.gbPerHour, 'GB an hour'));
  const units = largest(
    named('LCU by new connections', opened),
    named('LCU by open connections', open),
    named('LCU by bytes', gb),
    count(0, 'by rules'),
  );
  return named('LCU', units, 'LCU');
}

/** The peering itself costs nothing. */
function interRegionLines(bill: BillWriter, load: Load): void {
  const { zone, region, isOrigin, assumed } = load;
  const further = zone.regions.length - 1;
  if (further === 0) return;
  const bytes = plus(assumed('requestBytes'), assumed('responseBytes'));
  const calls = gbOf('calls to other regions', load, assumed('homeShare'), bytes);
  bill.add(region, 'Data transfer', 'calls to other regions', calls, 'interRegionGb');
  if (!isOrigin) return;
  const writes = times(assumed('writesPerSecond'), SECONDS, assumed('replicatedBytesPerWrite'));
  const replicated = times(over(writes, GB), count(further, 'further regions'));
  bill.add(
    region,
    'Data transfer',
    'replication of the database, while home is here',
    replicated,
    'interRegionGb',
  );
}

function endpointLines(bill: BillWriter, load: Load): void {
  const { zone, region, here } = load;
  const endpoints = count(ENDPOINTS + (zone.events.kind === 'firehose' ? 1 : 0), 'endpoints');
  const zones = count(here.availabilityZones.length, 'availability zones');
  bill.add(region, 'VPC endpoints', 'hours', times(endpoints, zones, HOURS), 'endpointHour');
  const logs = taskLogGb(load);
  const bytes = zone.events.kind === 'firehose' ? plus(logs, eventGb(load)) : logs;
  bill.add(region, 'VPC endpoints', 'logs and events', bytes, 'endpointGb');
}

/** NAT gateways are there only where events go to an address on the internet. */
function wayOutLines(bill: BillWriter, load: Load): void {
  const { zone, region, here } = load;
  if (!hasWayOut(zone)) return;
  const gateways = times(count(here.availabilityZones.length, 'NAT gateways'), HOURS);
  bill.add(region, 'NAT', 'hours', gateways, 'natHour');
  bill.add(region, 'NAT', 'their addresses', gateways, 'publicIpv4Hour');
  bill.add(region, 'NAT', 'events', eventGb(load), 'natGb');
}

/** As infra/constructs/network.ts decides it; a test holds both against each other. */
export function hasWayOut({ events }: ZoneDeployment): boolean {
  if (events.kind !== 'clickhouse') return false;
  const inside = new Set(['private', 'carrierGradeNat', 'linkLocal', 'loopback']);
  return events.addressRanges.some((range) => !inside.has(ipaddr.IPv4.parseCIDR(range)[0].range()));
}
