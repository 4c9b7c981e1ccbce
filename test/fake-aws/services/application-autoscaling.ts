import {
  SCALABLE_TARGET,
  SCALING_POLICY,
  noTarget,
  registerBounds,
  targetId,
} from '../behaviours/autoscaling.ts';
import { numberAt, requiredText } from '../behaviours/property-values.ts';
import type { Answer, Call, Service } from '../call.ts';
import { type Json, type Properties, textAt, textsAt } from '../values.ts';

/** Application Auto Scaling, API version 2016-02-06, in JSON 1.1 (https://docs.aws.amazon.com/autoscaling/application/APIReference/). */
export const APPLICATION_AUTO_SCALING: Service = {
  signingName: 'application-autoscaling',
  protocol: 'json',
  actions: {
    DescribeScalableTargets: describeTargets,
    DescribeScalingPolicies: describePolicies,
    RegisterScalableTarget: register,
  },
};

const TARGET_KEYS = [
  'ServiceNamespace',
  'ResourceId',
  'ScalableDimension',
  'MinCapacity',
  'MaxCapacity',
  'RoleARN',
] as const;

function describeTargets({ world, account, region, input }: Call): Answer {
  const ids = textsAt(input, 'ResourceIds');
  const targets = world
    .all(SCALABLE_TARGET, { account, region })
    .filter(
      ({ properties }) =>
        properties['ServiceNamespace'] === input['ServiceNamespace'] &&
        (ids.length === 0 || ids.includes(requiredText(properties, 'ResourceId'))),
    );
  return {
    result: {
      ScalableTargets: targets.map(({ properties }) =>
        Object.fromEntries(
          TARGET_KEYS.flatMap((name) => {
            const value = properties[name];
            return value === undefined ? [] : [[name, value]];
          }),
        ),
      ),
    },
  };
}

function describePolicies({ world, account, region, input }: Call): Answer {
  const resourceId = textAt(input, 'ResourceId');
  const policies = world
    .all(SCALING_POLICY, { account, region })
    .map(({ id, properties, state }): Properties => {
      const [resource = '', dimension = '', namespace = ''] = targetOf(state).split('|');
      return {
        PolicyARN: id,
        PolicyName: requiredText(properties, 'PolicyName'),
        PolicyType: requiredText(properties, 'PolicyType'),
        ServiceNamespace: namespace,
        ResourceId: resource,
        ScalableDimension: dimension,
        TargetTrackingScalingPolicyConfiguration:
          properties['TargetTrackingScalingPolicyConfiguration'] ?? {},
      };
    })
    .filter(
      (policy) =>
        policy['ServiceNamespace'] === input['ServiceNamespace'] &&
        (resourceId === undefined || policy['ResourceId'] === resourceId),
    );
  return { result: { ScalingPolicies: policies } };
}

/** Changes the bounds of a target that is there; those that aren't are CloudFormation's to make. */
function register({ world, account, region, input }: Call): Answer {
  const [resource, dimension, namespace] = [
    requiredText(input, 'ResourceId'),
    requiredText(input, 'ScalableDimension'),
    requiredText(input, 'ServiceNamespace'),
  ];
  const target = world.find({ account, region }, SCALABLE_TARGET, targetId(resource, dimension, namespace));
  if (target === undefined) throw noTarget(namespace, resource, dimension);
  const bounds = Object.fromEntries(
    (['MinCapacity', 'MaxCapacity'] as const).flatMap((name) => {
      const value = numberAt(input, name);
      return value === undefined ? [] : [[name, value]];
    }),
  );
  registerBounds(world, target, bounds);
  return {
    result: {
      ScalableTargetARN: `arn:aws:application-autoscaling:${region}:${account}:scalable-target/${world.hex(12)}`,
    },
  };
}

function targetOf(state: ReadonlyMap<string, Json>): string {
  const target = state.get('target');
  return typeof target === 'string' ? target : '';
}
