import type { Behaviour } from '../behaviour.ts';
import { Refusal } from '../refusal.ts';
import { textAt, type Json, type Properties } from '../values.ts';
import { plainBehaviour } from './harness.ts';
import { physicalName } from './names.ts';

/**
 * A parameter whose value says how it behaves: `fail…` can't be set, `stay…` can't be deleted, `slow…` never comes into use. Its name
 * can't be changed; its value can. The other types are there to be named.
 */
const parameter: Behaviour = {
  type: 'AWS::SSM::Parameter',
  create: (context, properties) => {
    refuse(properties, 'fail');
    const id = textAt(properties, 'Name') ?? physicalName(context, 64);
    return { id, attributes: { Value: properties['Value'] ?? null } };
  },
  update: (_context, _resource, properties) => {
    refuse(properties, 'fail');
    return { Value: properties['Value'] ?? null };
  },
  remove: (_context, { properties }) => refuse(properties, 'stay'),
  stable: (_context, { properties }) => !textAt(properties, 'Value')?.startsWith('slow'),
};

function refuse(properties: Properties, word: string): void {
  const value = textAt(properties, 'Value');
  if (value?.startsWith(word)) throw new Refusal('ParameterPatternMismatchException', `it says ${value}`);
}

export const EXAMPLES: readonly Behaviour[] = [
  parameter,
  plainBehaviour('AWS::SNS::Topic'),
  plainBehaviour('AWS::SNS::Subscription'),
  plainBehaviour('AWS::IAM::Role', { scope: 'global' }),
];

/** A parameter in a template. */
export function parameterOf(
  value: Json,
  properties: Properties = {},
  attributes: Properties = {},
): Properties {
  return {
    Type: 'AWS::SSM::Parameter',
    Properties: { Type: 'String', Value: value, ...properties },
    ...attributes,
  };
}

/** A role in a template: a type of which an account has each name once. */
export function roleOf(properties: Properties): Properties {
  const statement = {
    Effect: 'Allow',
    Action: 'sts:AssumeRole',
    Principal: { Service: 'ecs.amazonaws.com' },
  };
  return {
    Type: 'AWS::IAM::Role',
    Properties: {
      AssumeRolePolicyDocument: { Version: '2012-10-17', Statement: [statement] },
      ...properties,
    },
  };
}
