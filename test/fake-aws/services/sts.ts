import { callerOf, sessionKeys } from '../account.ts';
import { roleWithArn } from '../behaviours/iam-lookups.ts';
import { textsOf } from '../behaviours/iam-policy-document.ts';
import { numberAt, objectsAt, requiredText } from '../behaviours/property-values.ts';
import type { Answer, Call, Service } from '../call.ts';
import { scopeOf } from '../protocols/signature.ts';
import { Refusal } from '../refusal.ts';
import { isProperties, type Json } from '../values.ts';
import type { Resource } from '../world.ts';

const FORBIDDEN = 403;
const MILLISECONDS = 1000;
/** "AssumeRole", AWS Security Token Service API Reference: the duration that a session has unless the call says otherwise. */
const SESSION_SECONDS = 3600;

/** AWS Security Token Service. Keys that it gives out work for as long as the process runs. */
export const STS: Service = {
  signingName: 'sts',
  protocol: 'query',
  namespace: 'https://sts.amazonaws.com/doc/2011-06-15/',
  actions: {
    GetCallerIdentity(call) {
      const { account, arn, userId } = identityOf(call);
      return { result: { Arn: arn, UserId: userId, Account: account } };
    },
    AssumeRole: assumeRole,
  },
};

function identityOf({ headers, query }: Call): { account: string; arn: string; userId: string } {
  const scope = scopeOf(headers, query);
  const caller = scope === undefined ? undefined : callerOf(scope.accessKeyId, scope.sessionToken);
  if (caller === undefined) throw new Error('a call came through without keys');
  return caller;
}

/** A role that isn't there is refused in the same words as one that trusts somebody else: AWS doesn't tell which it was. */
function assumeRole(call: Call): Answer {
  const { world, input } = call;
  const caller = identityOf(call);
  const arn = requiredText(input, 'RoleArn');
  const session = requiredText(input, 'RoleSessionName');
  if (!/^[\w+=,.@-]{2,64}$/.test(session))
    throw new Refusal(
      'ValidationError',
      `Value '${session}' at 'roleSessionName' failed to satisfy constraint`,
    );
  const role = roleWithArn(world, arn);
  if (role === undefined || !letsAssume(role, caller.account, caller.arn))
    throw new Refusal(
      'AccessDenied',
      `User: ${caller.arn} is not authorized to perform: sts:AssumeRole on resource: ${arn}`,
      FORBIDDEN,
    );
  const { account, id: name } = role;
  const { accessKeyId, secretAccessKey, sessionToken } = sessionKeys({ account, role: name, name: session });
  const seconds = numberAt(input, 'DurationSeconds') ?? SESSION_SECONDS;
  return {
    result: {
      Credentials: {
        AccessKeyId: accessKeyId,
        SecretAccessKey: secretAccessKey,
        SessionToken: sessionToken,
        Expiration: new Date(Date.now() + seconds * MILLISECONDS).toISOString(),
      },
      AssumedRoleUser: {
        AssumedRoleId: `AROATEST${account}:${session}`,
        Arn: `arn:aws:sts::${account}:assumed-role/${name}/${session}`,
      },
    },
  };
}

/**
 * Does the role's trust policy name the caller or its account? Conditions and `NotPrincipal` aren't looked at.
 * Source: "How to use trust policies with IAM roles" and "AWS JSON policy elements: Principal", IAM User Guide.
 */
function letsAssume(role: Resource, account: string, arn: string): boolean {
  return objectsAt(role.properties, 'AssumeRolePolicyDocument.Statement').some((statement) => {
    const isForThis = textsOf(statement['Action']).some((action) =>
      /^(\*|sts:(\*|AssumeRole))$/i.test(action),
    );
    return statement['Effect'] === 'Allow' && isForThis && names(statement['Principal'], account, arn);
  });
}

function names(principal: Json | undefined, account: string, arn: string): boolean {
  const allowed = principal === '*' ? ['*'] : isProperties(principal) ? textsOf(principal['AWS']) : [];
  return allowed.some((one) => ['*', account, `arn:aws:iam::${account}:root`, arn].includes(one));
}
