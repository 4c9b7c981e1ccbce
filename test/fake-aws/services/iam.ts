import { serviceLinkedRole } from '../behaviours/iam-linked-roles.ts';
import { callContext, createByCall } from '../behaviours/by-call.ts';
import { existingRole, LINKED_ROLE, ROLE } from '../behaviours/iam-lookups.ts';
import { requiredText } from '../behaviours/property-values.ts';
import { members, type Call, type Service } from '../call.ts';
import { type Json, type Properties, textAt } from '../values.ts';
import { globalPlace, type Resource } from '../world.ts';

/** AWS Identity and Access Management: roles, and those that services keep for themselves. */
export const IAM: Service = {
  signingName: 'iam',
  protocol: 'query',
  namespace: 'https://iam.amazonaws.com/doc/2010-05-08/',
  actions: {
    GetRole: (call) => ({
      result: { Role: shapeOf(existingRole(call.world, call, requiredText(call.input, 'RoleName'))) },
    }),
    ListRoles(call) {
      const prefix = textAt(call.input, 'PathPrefix') ?? '/';
      const roles = rolesOf(call)
        .filter((role) => pathOf(role).startsWith(prefix))
        .map((role): Json => shapeOf(role));
      return { result: { Roles: members(roles), IsTruncated: false } };
    },
    CreateServiceLinkedRole(call) {
      const service = requiredText(call.input, 'AWSServiceName');
      const suffix = textAt(call.input, 'CustomSuffix');
      const made = createByCall(callContext(call.world, call, service), serviceLinkedRole, {
        AWSServiceName: service,
        ...(suffix === undefined ? {} : { CustomSuffix: suffix }),
      });
      return { result: { Role: shapeOf(made) } };
    },
  },
};

function rolesOf(call: Call): readonly Resource[] {
  return [ROLE, LINKED_ROLE].flatMap((type) => call.world.all(type, globalPlace(call)));
}

/** What an ARN has between `role` and the role's name. */
function pathOf({ id, attributes }: Resource): string {
  const arn = textAt(attributes, 'Arn') ?? '';
  return arn.slice(arn.indexOf(':role/') + ':role'.length, arn.length - id.length);
}

function shapeOf(role: Resource): Properties {
  const { id, attributes, properties } = role;
  // IAM answers with policies as encoded JSON: "GetRole", IAM API Reference.
  const trust = encodeURIComponent(JSON.stringify(trustOf(role)));
  return {
    Path: pathOf(role),
    RoleName: id,
    RoleId: textAt(attributes, 'RoleId') ?? `AROA${id}`,
    Arn: textAt(attributes, 'Arn') ?? null,
    CreateDate: '1970-01-01T00:00:00Z',
    AssumeRolePolicyDocument: trust,
    Description: textAt(properties, 'Description') ?? null,
  };
}

function trustOf({ type, properties }: Resource): Json {
  if (type !== LINKED_ROLE) return properties['AssumeRolePolicyDocument'] ?? null;
  const Principal = { Service: textAt(properties, 'AWSServiceName') ?? '' };
  return { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Principal, Action: 'sts:AssumeRole' }] };
}
