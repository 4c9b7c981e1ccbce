import type { Behaviour } from '../behaviour.ts';
import { physicalName } from '../cloudformation/names.ts';
import { Refusal } from '../refusal.ts';
import { type Json, type Properties, isProperties, textAt, valueAt } from '../values.ts';
import type { Resource, World } from '../world.ts';
import { deploy, deploymentsOf, drain, failureOf, registerTargets, scale } from './ecs-deployments.ts';
import { networkOf } from './ecs-launch.ts';
import { SERVICE, ecsArn, existingCluster, findService, now, stateText } from './ecs-lookups.ts';
import { checkNetwork, checkService, runnableDefinition, wrong } from './ecs-service-checks.ts';
import { numberAt, objectsAt, requiredText } from './property-values.ts';

const NAME_MAX = 255;
/** Changes of these start a deployment: "Updating an Amazon ECS service". */
const DEPLOYED = [
  'CapacityProviderStrategy',
  'EnableExecuteCommand',
  'ForceNewDeployment',
  'LoadBalancers',
  'NetworkConfiguration',
  'PlatformVersion',
  'PropagateTags',
  'ServiceConnectConfiguration',
  'ServiceRegistries',
  'VolumeConfigurations',
];

/**
 * https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-ecs-service.html and ECS's CreateService,
 * UpdateService, DeleteService. It is stable once as many tasks of its newest deployment run as it wants.
 */
export const service: Behaviour = {
  type: SERVICE,

  create(context, properties) {
    const { world, place } = context;
    const cluster = existingCluster(world, place, textAt(properties, 'Cluster')).id;
    const name = textAt(properties, 'ServiceName') ?? physicalName(context, NAME_MAX);
    if (!/^[\w-]{1,255}$/u.test(name)) throw wrong('Invalid service name.');
    if (findService(world, place, cluster, name) !== undefined) {
      throw wrong('Creation of service was not idempotent.');
    }
    const definition = checked(world, place, properties);
    const arn = ecsArn(place, `service/${cluster}/${name}`);
    return {
      id: arn,
      attributes: { ServiceArn: arn, Name: name },
      state: new Map<string, Json>([
        ['cluster', cluster],
        ['createdAt', now()],
        // CreateService: DesiredCount is 1 where CloudFormation is given none.
        ['desiredCount', numberAt(properties, 'DesiredCount') ?? 1],
        ...wishes(definition, properties),
      ]),
    };
  },

  update({ world, place }, resource, properties) {
    const definition = checked(world, place, properties);
    const before = resource.state.get('taskDefinition');
    for (const [name, value] of wishes(definition, properties)) resource.state.set(name, value);
    const old = resource.properties;
    const isChanged = DEPLOYED.some((name) => JSON.stringify(old[name]) !== JSON.stringify(properties[name]));
    resource.state.delete('failure');
    // UpdateService leaves the number alone where the template gives none: auto scaling's stays.
    const desired = numberAt(properties, 'DesiredCount');
    if (desired !== undefined) resource.state.set('desiredCount', desired);
    const isReady = deploymentsOf(resource)[0]?.rolloutState === 'COMPLETED';
    if (before !== definition.id || isChanged || !isReady) deploy(world, resource);
    else if (desired !== undefined) scale(world, resource, desired);
    return undefined;
  },

  // The service ends its tasks before it is gone: "DRAINING".
  remove({ world }, resource) {
    drain(world, resource);
  },

  stable({ world }, resource) {
    if (deploymentsOf(resource).length === 0) deploy(world, resource);
    const failure = failureOf(resource);
    if (failure !== undefined) throw new Refusal(failure.code, failure.message);
    return deploymentsOf(resource)[0]?.rolloutState === 'COMPLETED';
  },
};

/** What UpdateService changes of a service that is there. Answers are built from its state. */
export function updateService(
  world: World,
  resource: Resource,
  { desiredCount, taskDefinition, force }: { desiredCount?: number; taskDefinition?: string; force: boolean },
): void {
  const launchType = launchTypeOf(resource.properties);
  const current = stateText(resource, 'taskDefinition');
  const wanted =
    taskDefinition === undefined
      ? current
      : runnableDefinition(world, resource, taskDefinition, launchType).id;
  if (desiredCount !== undefined) scale(world, resource, desiredCount);
  if (wanted === current && !force) return;
  resource.state.set('taskDefinition', wanted);
  deploy(world, resource);
  registerTargets(world, resource);
}

function launchTypeOf(properties: Properties): string {
  // AWS's own default for accounts is EC2; a capacity provider's name says what it is.
  const provider = objectsAt(properties, 'CapacityProviderStrategy')[0]?.['CapacityProvider'];
  const isFargate = typeof provider === 'string' && provider.startsWith('FARGATE');
  return textAt(properties, 'LaunchType') ?? (isFargate ? 'FARGATE' : 'EC2');
}

function checked(world: World, place: Parameters<typeof checkService>[1], properties: Properties): Resource {
  const name = requiredText(properties, 'TaskDefinition');
  const definition = runnableDefinition(world, place, name, launchTypeOf(properties));
  const network = valueAt(properties, 'NetworkConfiguration.AwsvpcConfiguration');
  checkNetwork(world, place, definition, isProperties(network) ? networkOf(network) : undefined);
  checkService(world, place, definition, properties);
  return definition;
}

/** What of a template's properties deployments go by. */
function wishes(definition: Resource, properties: Properties): readonly (readonly [string, Json])[] {
  return [
    ['taskDefinition', definition.id],
    ['network', valueAt(properties, 'NetworkConfiguration.AwsvpcConfiguration') ?? {}],
    ['loadBalancers', objectsAt(properties, 'LoadBalancers')],
    ['deploymentConfiguration', valueAt(properties, 'DeploymentConfiguration') ?? {}],
  ];
}
