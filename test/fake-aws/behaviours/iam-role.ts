import type { Behaviour, Context } from '../behaviour.ts';
import { physicalName } from '../cloudformation/names.ts';
import { Refusal } from '../refusal.ts';
import { type Json, type Properties, isProperties, textAt, textsAt } from '../values.ts';
import type { Resource } from '../world.ts';
import {
  CONFLICT_STATUS,
  MANAGED_POLICY,
  POLICY,
  ROLE,
  attachedTo,
  checkManagedPolicy,
  iamArn,
  roleNamed,
  roleWithArn,
} from './iam-lookups.ts';
import { checkPolicy, policySize, textsOf } from './iam-policy-document.ts';
import { numberAt, objectsAt } from './property-values.ts';

// "IAM and AWS STS quotas" (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html), defaults.
const NAME_MAX = 64;
const TRUST_POLICY_MAX = 2048;
const INLINE_POLICIES_MAX = 10_240;
const MANAGED_POLICIES_MAX = 10;
const ID_DIGITS = 17;

// "CreateRole", MaxSessionDuration.
const SESSION_SECONDS_MIN = 3600;
const SESSION_SECONDS_MAX = 43_200;

const NAME = /^[\w+=,.@-]{1,64}$/u;

/** https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-iam-role.html and IAM's CreateRole, DeleteRole. */
export const role: Behaviour = {
  type: ROLE,
  scope: 'global',

  create(context, properties) {
    const { world, place } = context;
    const name = textAt(properties, 'RoleName') ?? physicalName(context, NAME_MAX);
    checkIamName(name, NAME);
    if (roleNamed(world, place, name) !== undefined) {
      throw new Refusal('EntityAlreadyExists', `Role with name ${name} already exists.`, CONFLICT_STATUS);
    }
    checkRole(context, name, properties);
    const roleId = `AROA${world.hex(ID_DIGITS).toUpperCase()}`;
    return {
      id: name,
      attributes: {
        Arn: iamArn(place, 'role', textAt(properties, 'Path') ?? '/', name),
        RoleId: roleId,
      },
    };
  },

  update(context, { id }, properties) {
    checkRole(context, id, properties);
    return undefined;
  },

  // DeleteRole: what the role's own template gave it goes with it; what others attached stands in the way.
  remove({ world, place }, { id }) {
    if (attachedTo(world, place, POLICY, id).length > 0) {
      throw conflict('Cannot delete entity, must delete policies first.');
    }
    if (attachedTo(world, place, MANAGED_POLICY, id).length > 0) {
      throw conflict('Cannot delete entity, must detach all policies first.');
    }
  },
};

/** Throws `LimitExceeded` where a role's inline policies, with one more document, are over what IAM keeps. */
export function checkInlineSize(
  { world, place }: Context,
  name: string,
  own: Properties,
  added?: { readonly document: Json; readonly without?: string },
): void {
  const others = attachedTo(world, place, POLICY, name).filter(({ id }) => id !== added?.without);
  const documents: readonly (Json | undefined)[] = [
    ...objectsAt(own, 'Policies').map((policy) => policy['PolicyDocument']),
    ...others.map(({ properties }) => properties['PolicyDocument']),
    added?.document,
  ];
  const size = documents.reduce((sum: number, one) => sum + (one === undefined ? 0 : policySize(one)), 0);
  if (size > INLINE_POLICIES_MAX) {
    throw new Refusal(
      'LimitExceeded',
      `Maximum policy size of ${INLINE_POLICIES_MAX} bytes exceeded for role ${name}`,
      CONFLICT_STATUS,
    );
  }
}

/** Throws `LimitExceeded` where a role would have more managed policies than IAM allows. */
export function checkManagedCount({ world, place }: Context, name: string, own: Properties, more = 0): void {
  const count =
    textsAt(own, 'ManagedPolicyArns').length + attachedTo(world, place, MANAGED_POLICY, name).length + more;
  if (count > MANAGED_POLICIES_MAX) {
    throw new Refusal(
      'LimitExceeded',
      `Cannot exceed quota for PoliciesPerRole: ${MANAGED_POLICIES_MAX}`,
      CONFLICT_STATUS,
    );
  }
}

/** Throws `ValidationError` for names that IAM doesn't take. */
export function checkIamName(name: string, pattern: RegExp): void {
  if (pattern.test(name)) return;
  throw new Refusal(
    'ValidationError',
    `1 validation error detected: Value '${name}' failed to satisfy constraint: Member must satisfy regular expression pattern: ${pattern.source}`,
  );
}

function checkRole(context: Context, name: string, properties: Properties): void {
  const { world, place } = context;
  checkTrust(context, properties['AssumeRolePolicyDocument']);
  checkSession(properties);
  const boundary = textAt(properties, 'PermissionsBoundary');
  if (boundary !== undefined) checkManagedPolicy(world, place, boundary);
  for (const arn of textsAt(properties, 'ManagedPolicyArns')) checkManagedPolicy(world, place, arn);
  for (const policy of objectsAt(properties, 'Policies')) checkPolicy(policy['PolicyDocument'], 'identity');
  checkManagedCount(context, name, properties);
  checkInlineSize(context, name, properties);
}

function checkTrust({ world }: Context, document: Json | undefined): void {
  const statements = checkPolicy(document, 'trust');
  if (policySize(document ?? '') > TRUST_POLICY_MAX) {
    throw new Refusal(
      'LimitExceeded',
      `Cannot exceed quota for ACLSizePerRole: ${TRUST_POLICY_MAX}`,
      CONFLICT_STATUS,
    );
  }
  // "AWS JSON policy elements: Principal" (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html):
  // a role that is named is looked up when the policy is stored.
  for (const { Principal: principal } of statements) {
    if (!isProperties(principal)) continue;
    for (const named of textsOf(principal['AWS'])) {
      if (!isPrincipal(named, (arn) => roleWithArn(world, arn))) {
        throw new Refusal('MalformedPolicyDocument', `Invalid principal in policy: "AWS":"${named}"`);
      }
    }
    for (const named of textsOf(principal['Service'])) {
      if (!/^[a-z0-9.-]+\.amazonaws\.com(\.cn)?$/u.test(named)) {
        throw new Refusal('MalformedPolicyDocument', `Invalid principal in policy: "SERVICE":"${named}"`);
      }
    }
  }
}

function isPrincipal(named: string, roleOf: (arn: string) => Resource | undefined): boolean {
  if (named === '*' || /^(\d{12}|arn:aws:iam::\d{12}:root)$/u.test(named)) return true;
  if (named.startsWith('arn:aws:iam::') && named.includes(':role/')) return roleOf(named) !== undefined;
  return /^arn:aws:(iam::\d{12}:user\/|sts::\d{12}:(assumed-role|federated-user)\/).+/u.test(named);
}

function checkSession(properties: Properties): void {
  const seconds = numberAt(properties, 'MaxSessionDuration') ?? SESSION_SECONDS_MIN;
  if (seconds >= SESSION_SECONDS_MIN && seconds <= SESSION_SECONDS_MAX) return;
  const bound =
    seconds < SESSION_SECONDS_MIN
      ? `greater than or equal to ${SESSION_SECONDS_MIN}`
      : `less than or equal to ${SESSION_SECONDS_MAX}`;
  throw new Refusal(
    'ValidationError',
    `1 validation error detected: Value '${seconds}' at 'maxSessionDuration' failed to satisfy constraint: Member must have value ${bound}`,
  );
}

export function conflict(sentence: string): Refusal {
  return new Refusal('DeleteConflict', sentence, CONFLICT_STATUS);
}
