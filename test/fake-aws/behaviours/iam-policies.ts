import type { Behaviour, Context } from '../behaviour.ts';
import { physicalName } from '../cloudformation/names.ts';
import { Refusal } from '../refusal.ts';
import { type Json, type Properties, textAt, textsAt } from '../values.ts';
import { globalPlace } from '../world.ts';
import {
  CONFLICT_STATUS,
  MANAGED_POLICY,
  POLICY,
  attachedTo,
  existingRole,
  iamArn,
  usersOf,
} from './iam-lookups.ts';
import { checkPolicy, policySize } from './iam-policy-document.ts';
import { checkIamName, checkInlineSize, checkManagedCount, conflict } from './iam-role.ts';
import { requiredText } from './property-values.ts';

// "IAM and AWS STS quotas".
const NAME_MAX = 128;
const MANAGED_SIZE_MAX = 6144;
const ID_DIGITS = 17;

const NAME = /^[\w+=,.@-]{1,128}$/u;

/** An inline policy of roles: https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-iam-policy.html. */
export const policy: Behaviour = {
  type: POLICY,
  scope: 'global',

  create(context, properties) {
    checkInline(context, properties);
    return { id: physicalName(context, NAME_MAX) };
  },

  update(context, { id }, properties) {
    checkInline(context, properties, id);
    return undefined;
  },
};

/** https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-iam-managedpolicy.html and IAM's CreatePolicy, DeletePolicy. */
export const managedPolicy: Behaviour = {
  type: MANAGED_POLICY,
  scope: 'global',

  create(context, properties) {
    const { world, place } = context;
    const name = textAt(properties, 'ManagedPolicyName') ?? physicalName(context, NAME_MAX);
    checkIamName(name, NAME);
    const arn = iamArn(place, 'policy', textAt(properties, 'Path') ?? '/', name);
    const taken = world
      .all(MANAGED_POLICY, globalPlace(place))
      .some(({ id }) => id.slice(id.lastIndexOf('/') + 1).toLowerCase() === name.toLowerCase());
    if (taken) {
      throw new Refusal(
        'EntityAlreadyExists',
        `A policy called ${name} already exists. Duplicate names are not allowed.`,
        CONFLICT_STATUS,
      );
    }
    checkManaged(context, properties);
    return {
      id: arn,
      attributes: {
        PolicyArn: arn,
        PolicyId: `ANPA${world.hex(ID_DIGITS).toUpperCase()}`,
        DefaultVersionId: 'v1',
        IsAttachable: true,
        AttachmentCount: textsAt(properties, 'Roles').length,
        PermissionsBoundaryUsageCount: 0,
      },
    };
  },

  update(context, { id }, properties) {
    checkManaged(context, properties, id);
    return undefined;
  },

  // DeletePolicy: "Before you can delete a managed policy, you must first detach the policy". Its own roles are detached by its handler.
  remove({ world, place }, { id }) {
    if (usersOf(world, place, id).length > 0) throw conflict('Cannot delete a policy attached to entities.');
  },
};

function checkInline(context: Context, properties: Properties, self?: string): void {
  const { world, place } = context;
  checkIamName(requiredText(properties, 'PolicyName'), NAME);
  const document: Json = properties['PolicyDocument'] ?? null;
  checkPolicy(document, 'identity');
  const roles = textsAt(properties, 'Roles');
  const others = [...textsAt(properties, 'Users'), ...textsAt(properties, 'Groups')];
  if (roles.length + others.length === 0) {
    throw new Refusal('ValidationError', 'At least one of [Groups,Roles,Users] must be non-empty.');
  }
  for (const name of roles) {
    const { properties: own } = existingRole(world, place, name);
    checkInlineSize(context, name, own, { document, ...(self === undefined ? {} : { without: self }) });
  }
}

function checkManaged(context: Context, properties: Properties, self?: string): void {
  const { world, place } = context;
  const document: Json = properties['PolicyDocument'] ?? null;
  checkPolicy(document, 'identity');
  if (policySize(document) > MANAGED_SIZE_MAX) {
    throw new Refusal(
      'LimitExceeded',
      `Cannot exceed quota for PolicySize: ${MANAGED_SIZE_MAX}`,
      CONFLICT_STATUS,
    );
  }
  for (const name of textsAt(properties, 'Roles')) {
    const { properties: own } = existingRole(world, place, name);
    const isNew = !attachedTo(world, place, MANAGED_POLICY, name).some(({ id }) => id === self);
    checkManagedCount(context, name, own, isNew ? 1 : 0);
  }
}
