import type { Behaviour } from '../behaviour.ts';
import { physicalName } from '../cloudformation/names.ts';
import { Refusal } from '../refusal.ts';
import { type Properties, textAt, textsAt } from '../values.ts';
import type { World } from '../world.ts';
import { CLUSTER, ecsArn, existingCluster, servicesOf, tasksOf } from './ecs-lookups.ts';
import { ensureLinkedRole } from './iam-linked-roles.ts';
import { objectsAt, requiredText } from './property-values.ts';
import { alreadyExists } from './refusals.ts';

const ASSOCIATIONS = 'AWS::ECS::ClusterCapacityProviderAssociations';
const NAME_MAX = 255;
const AWS_OWN_PROVIDERS = new Set(['FARGATE', 'FARGATE_SPOT']);

/** https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-ecs-cluster.html and ECS's CreateCluster, DeleteCluster. */
export const cluster: Behaviour = {
  type: CLUSTER,

  create(context, properties) {
    const { world, place } = context;
    const name = textAt(properties, 'ClusterName') ?? physicalName(context, NAME_MAX);
    if (!/^[a-z0-9_-]{1,255}$/iu.test(name)) {
      throw new Refusal('InvalidParameterException', 'Invalid identifier: Identifier is for cluster name.');
    }
    if (world.find(place, CLUSTER, name) !== undefined) throw alreadyExists(CLUSTER, name);
    checkProviders(world, textsAt(properties, 'CapacityProviders'));
    // CreateCluster: "Amazon ECS attempts to create the Amazon ECS service-linked role for your account."
    ensureLinkedRole(world, place, 'ecs.amazonaws.com');
    return { id: name, attributes: { Arn: ecsArn(place, `cluster/${name}`) } };
  },

  // DeleteCluster: "You must … delete all services … and stop all tasks".
  remove({ world, place }, { id }) {
    if (servicesOf(world, place, id).length > 0) {
      throw new Refusal(
        'ClusterContainsServicesException',
        'The Cluster cannot be deleted while Services are active.',
      );
    }
    if (tasksOf(world, place, id).length > 0) {
      throw new Refusal(
        'ClusterContainsTasksException',
        'The Cluster cannot be deleted while Tasks are active.',
      );
    }
  },
};

/** https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-ecs-clustercapacityproviderassociations.html. */
export const capacityProviders: Behaviour = {
  type: ASSOCIATIONS,

  create({ world, place }, properties) {
    const { id } = existingCluster(world, place, requiredText(properties, 'Cluster'));
    if (world.find(place, ASSOCIATIONS, id) !== undefined) throw alreadyExists(ASSOCIATIONS, id);
    checkAssociations(world, properties);
    return { id };
  },

  update({ world }, _, properties) {
    checkAssociations(world, properties);
    return undefined;
  },

  remove({ world, place }, { id }) {
    const inUse = servicesOf(world, place, id).some(
      ({ properties }) => objectsAt(properties, 'CapacityProviderStrategy').length > 0,
    );
    if (inUse) {
      throw new Refusal(
        'ResourceInUseException',
        'The specified capacity provider is in use and cannot be removed.',
      );
    }
  },
};

function checkAssociations(world: World, properties: Properties): void {
  const providers = textsAt(properties, 'CapacityProviders');
  checkProviders(world, providers);
  const strategy = objectsAt(properties, 'DefaultCapacityProviderStrategy');
  const stranger = strategy.find((entry) => !providers.includes(requiredText(entry, 'CapacityProvider')));
  if (stranger !== undefined) {
    throw new Refusal(
      'InvalidParameterException',
      'The specified capacity provider strategy contains a capacity provider that is not associated with the cluster. Associate the capacity provider with the cluster and try again.',
    );
  }
}

function checkProviders(world: World, names: readonly string[]): void {
  const known = (name: string): boolean =>
    AWS_OWN_PROVIDERS.has(name) || world.all('AWS::ECS::CapacityProvider').some(({ id }) => id === name);
  if (names.every(known)) return;
  throw new Refusal(
    'InvalidParameterException',
    'The specified capacity provider was not found. Specify a valid name or ARN and try again.',
  );
}
