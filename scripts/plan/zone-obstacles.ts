import { stackNames } from '../../infra/names.ts';
import type { ZoneDeployment } from '../../topology/deployment.ts';
import type { DeployedStack, StackPlan } from './compare-zone.ts';
import type { Obstacle } from './obstacles.ts';
import { stateOf } from './stack-status.ts';
import type { Surroundings } from './surroundings.ts';
import { isObject } from './template.ts';

/** A zone, what AWS has of it and beside it, and whether this program's own refusals are lifted. */
export interface Observed {
  readonly zone: ZoneDeployment;
  readonly deployed: readonly DeployedStack[];
  readonly plans: readonly StackPlan[];
  readonly surroundings: Surroundings;
  readonly allowReplacement: boolean;
}

/**
 * What makes a plan of single stacks pointless, since the description is of another zone than the deployed one: another origin, another
 * name. None as a rule.
 */
export function identityObstacles(observed: Observed): readonly Obstacle[] {
  return [...anotherOrigin(observed), ...anotherName(observed)];
}

/** What stands in the way of a zone as a whole, beside its single stacks. */
export function zoneObstacles(observed: Observed): readonly Obstacle[] {
  return [...servingRegions(observed), ...lostHostname(observed)];
}

const common = { resource: null, type: null } as const;

/** What a zone has once is in its origin. */
function anotherOrigin({ zone, deployed }: Observed): readonly Obstacle[] {
  const once = [stackNames.zone(zone), stackNames.edge(zone)];
  const elsewhere = deployed.find(
    ({ name, region, status }) =>
      once.includes(name) && region !== zone.origin && stateOf(name, status).kind !== 'absent',
  );
  if (elsewhere === undefined) return [];
  return [
    {
      ...common,
      kind: 'origin',
      stack: elsewhere.name,
      what: `The origin of zone ${zone.name} can’t be changed from ${elsewhere.region} to ${zone.origin}.`,
      atStake:
        'The zone that is deployed would go on as it is, with its keys, and a second, empty one of its name would be begun beside it.',
      instead: `Put \`origin: '${elsewhere.region}'\` back. Where the database takes writes can be moved without it (docs/OPERATIONS.md, "Moving home").`,
    },
  ];
}

/** Only where nothing of the zone is deployed: one that is can't be a renamed one. */
function anotherName(observed: Observed): readonly Obstacle[] {
  const { zone, plans, surroundings, allowReplacement } = observed;
  if (allowReplacement || plans.some(({ kind }) => kind !== 'new')) return [];
  return surroundings.strangers.map(({ name, regions }) => ({
    ...common,
    kind: 'zone',
    stack: stackNames.zone(zone),
    what: `Zone ${name} (environment and name) is deployed in ${regions.join(', ')} and isn’t described: a renamed zone is a new zone.`,
    atStake: `The one that is deployed would go on as it is, with its keys, and ${zone.environment}-${zone.name} would be begun empty beside it.`,
    instead:
      'Put the name back, of the zone or of its environment; if this is to be a further zone, allow it with --allow-replacement.',
  }));
}

/** A region that the accelerator still leads to: a deployment of the edge would cut off its clients before its tasks have let go of them. */
function servingRegions({ zone, deployed }: Observed): readonly Obstacle[] {
  const edge = deployed.find(({ name, region }) => name === stackNames.edge(zone) && region === zone.origin);
  if (edge === undefined) return [];
  const described = new Set<string>(zone.regions.map(({ region }) => region));
  const led = Object.values(edge.template.Resources).flatMap(({ Type, Properties = {} }) => {
    const region = Properties['EndpointGroupRegion'];
    return Type === 'AWS::GlobalAccelerator::EndpointGroup' && typeof region === 'string' ? [region] : [];
  });
  return [...new Set(led)]
    .filter((region) => !described.has(region))
    .map((region) => ({
      ...common,
      kind: 'region',
      stack: edge.name,
      what: `${region} isn’t described any more, and the accelerator still leads clients to it.`,
      atStake:
        'A deployment would take it from the accelerator at once, and cut off requests that its tasks are answering.',
      instead: `\`npx keyhearth region remove ${region} --environment ${zone.environment} --zone ${zone.name}\` takes it away in the order that loses none; or put it back into \`replicas\`.`,
    }));
}

/** The record that clients find the zone by, with a zone of DNS that is someone else's from now on. */
function lostHostname({ zone, deployed, plans, allowReplacement }: Observed): readonly Obstacle[] {
  const edge = plans.find(({ name, kind }) => name === stackNames.edge(zone) && kind === 'changed');
  const before = deployed.find(({ name, region }) => name === edge?.name && region === edge.region);
  if (allowReplacement || edge === undefined || before === undefined) return [];
  const { removed, replaced } = edge.effect;
  return [...removed, ...replaced.filter(({ property }) => property === 'Name')]
    .filter(({ type }) => type === 'AWS::Route53::RecordSet')
    .map(({ id, type }) => {
      const record = before.template.Resources[id]?.Properties ?? {};
      const name = isObject(record) && typeof record['Name'] === 'string' ? record['Name'] : zone.hostname;
      const hostname = name.replace(/\.$/, '');
      return {
        kind: 'hostname',
        stack: edge.name,
        resource: id,
        type,
        what: `The hostname ${hostname} stops resolving: its record leaves the hosted zone.`,
        atStake: 'Clients that call it reach nothing until it is answered elsewhere.',
        instead:
          'Let the other DNS answer it first, with the accelerator’s name (output AcceleratorDnsName of this stack) as its target; then allow it with --allow-replacement.',
      };
    });
}
