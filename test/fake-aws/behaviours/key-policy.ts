import type { Context } from '../behaviour.ts';
import { Refusal } from '../refusal.ts';
import { type Json, type Properties, isProperties } from '../values.ts';
import { roleWithArn } from './iam-lookups.ts';
import { checkPolicy, textsOf } from './iam-policy-document.ts';

const MALFORMED = 'MalformedPolicyDocumentException';
// "Key policies in AWS KMS": 32 KB.
const POLICY_BYTES_MAX = 32_768;
const ACCOUNT_ROOT = /^(?:arn:aws:iam::(?<arn>\d{12}):root|(?<bare>\d{12}))$/u;

/**
 * What KMS checks of a key policy: statements with principal, action and resource; principals that exist; and, unless told not to, that
 * the account can go on managing the key. Sources: "PutKeyPolicy" and "CreateKey" (BypassPolicyLockoutSafetyCheck), AWS KMS API
 * Reference; "Creating a key policy", AWS KMS Developer Guide. That the lock-out is looked for with the account's root only is believed.
 */
export function checkKeyPolicy(context: Context, document: Json): void {
  const statements = checkPolicy(document, 'resource', MALFORMED);
  if (Buffer.byteLength(JSON.stringify(document)) > POLICY_BYTES_MAX) {
    throw new Refusal('LimitExceededException', 'Policy exceeds the maximum size of 32768 bytes');
  }
  for (const statement of statements) {
    if (statement['Resource'] === undefined && statement['NotResource'] === undefined) {
      throw new Refusal(MALFORMED, 'Policy contains a statement with no resource.');
    }
    checkPrincipals(context, statement['Principal']);
  }
  if (!statements.some((statement) => letsAccount(context, statement))) {
    throw new Refusal(
      MALFORMED,
      'The new key policy will not allow you to update the key policy in the future.',
    );
  }
}

/** "Policy contains a statement with one or more invalid principals": those of this account that aren't there. Other accounts aren't looked into. */
function checkPrincipals({ world, place }: Context, principal: Json | undefined): void {
  for (const name of principalsOf(principal)) {
    if (name === '*' || ACCOUNT_ROOT.test(name)) continue;
    const role = name.startsWith(`arn:aws:iam::${place.account}:role/`);
    const elsewhere = name.startsWith('arn:aws:') && !name.startsWith(`arn:aws:iam::${place.account}:`);
    if (elsewhere || (role && roleWithArn(world, name) !== undefined)) continue;
    throw new Refusal(MALFORMED, 'Policy contains a statement with one or more invalid principals.');
  }
}

function letsAccount({ place }: Context, statement: Properties): boolean {
  const actions = textsOf(statement['Action']);
  return (
    statement['Effect'] === 'Allow' &&
    actions.some((action) => ['*', 'kms:*', 'kms:Put*', 'kms:PutKeyPolicy'].includes(action)) &&
    principalsOf(statement['Principal']).some((name) => {
      const account = ACCOUNT_ROOT.exec(name)?.groups;
      return (
        name === '*' ||
        account?.['arn'] === place.account ||
        account?.['bare'] === place.account ||
        name.startsWith(`arn:aws:iam::${place.account}:role/`)
      );
    })
  );
}

function principalsOf(principal: Json | undefined): readonly string[] {
  if (principal === '*') return ['*'];
  return isProperties(principal) ? textsOf(principal['AWS']) : [];
}
