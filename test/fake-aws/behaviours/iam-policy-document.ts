import { Refusal } from '../refusal.ts';
import { type Json, type Properties, isProperties } from '../values.ts';

/** What a policy is attached to; each kind has its own required and forbidden elements. */
export type PolicyKind = 'identity' | 'resource' | 'trust';

// "IAM JSON policy elements reference" (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements.html).
const DOCUMENT_KEYS = new Set(['Version', 'Id', 'Statement']);
const STATEMENT_KEYS = new Set([
  'Sid',
  'Effect',
  'Principal',
  'NotPrincipal',
  'Action',
  'NotAction',
  'Resource',
  'NotResource',
  'Condition',
]);
const VERSIONS: ReadonlySet<Json | undefined> = new Set([undefined, '2012-10-17', '2008-10-17']);

// "IAM JSON policy elements: Condition operators"
// (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html).
const OPERATOR = new RegExp(
  '^((ForAllValues|ForAnyValue):)?(' +
    '(String(Not)?(Equals(IgnoreCase)?|Like)|Numeric(Not)?Equals|Numeric(LessThan|GreaterThan)(Equals)?|' +
    'Date(Not)?Equals|Date(LessThan|GreaterThan)(Equals)?|Bool|BinaryEquals|(Not)?IpAddress|' +
    'Arn(Not)?(Equals|Like))(IfExists)?|Null)$',
  'iu',
);

/**
 * Checks a policy as far as IAM does when it is stored. The sentences are IAM's. Libraries that parse policies were tried and let
 * unknown operators, duplicate statement ids and resources that aren't ARNs through.
 * Source: "Grammar of the IAM JSON policy language"
 * (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html).
 *
 * @throws Refusal with `code`
 */
export function checkPolicy(
  document: Json | undefined,
  kind: PolicyKind,
  code = 'MalformedPolicyDocument',
): readonly Properties[] {
  const refuse = (sentence: string): never => {
    throw new Refusal(code, sentence);
  };
  const policy = parsed(document);
  if (policy === undefined) return refuse('Syntax errors in policy.');
  const stray = Object.keys(policy).some((key) => !DOCUMENT_KEYS.has(key));
  if (stray || !VERSIONS.has(policy['Version'])) refuse('Syntax errors in policy.');
  const statements = listOf(policy['Statement']);
  if (statements.length === 0) refuse('Syntax errors in policy.');
  const ids = new Set<Json>();
  return statements.map((statement) => {
    if (!isProperties(statement)) return refuse('Syntax errors in policy.');
    const complaint = complaintOf(statement, kind);
    if (complaint !== undefined) refuse(complaint);
    const id = statement['Sid'];
    if (id !== undefined && id !== '' && ids.has(id)) {
      refuse('Statement IDs (SID) in a single policy must be unique.');
    }
    if (id !== undefined) ids.add(id);
    return statement;
  });
}

/** Texts of an element that may be one text or a list. */
export function textsOf(value: Json | undefined): readonly string[] {
  return listOf(value).filter((entry) => typeof entry === 'string');
}

/** Characters that IAM counts: all but white space ("IAM and AWS STS quotas"). */
export function policySize(document: Json): number {
  const text = typeof document === 'string' ? document : JSON.stringify(document);
  return text.replaceAll(/\s/gu, '').length;
}

function complaintOf(statement: Properties, kind: PolicyKind): string | undefined {
  if (Object.keys(statement).some((key) => !STATEMENT_KEYS.has(key))) return 'Syntax errors in policy.';
  const { Sid: id, Effect: effect } = statement;
  if (effect !== 'Allow' && effect !== 'Deny') return 'Syntax errors in policy.';
  // Resource policies take other characters too.
  if (kind !== 'resource' && id !== undefined && (typeof id !== 'string' || !/^[a-z0-9]*$/iu.test(id))) {
    return 'Statement IDs (SID) must be alpha-numeric. Check that your input satisfies the regular expression [0-9A-Za-z]*';
  }
  return (
    actionComplaint(statement) ??
    targetComplaint(statement, kind) ??
    conditionComplaint(statement['Condition'])
  );
}

function actionComplaint(statement: Properties): string | undefined {
  const actions = [...textsOf(statement['Action']), ...textsOf(statement['NotAction'])];
  if (actions.length === 0) return 'Policy statement must contain actions.';
  if (statement['Action'] !== undefined && statement['NotAction'] !== undefined) {
    return 'Syntax errors in policy.';
  }
  return actions.every((action) => action === '*' || /^[\w-]+:[\w*?]+$/u.test(action))
    ? undefined
    : 'Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.';
}

function targetComplaint(statement: Properties, kind: PolicyKind): string | undefined {
  const hasPrincipal = statement['Principal'] !== undefined || statement['NotPrincipal'] !== undefined;
  const resources = [...textsOf(statement['Resource']), ...textsOf(statement['NotResource'])];
  if (kind === 'identity' && hasPrincipal) return 'Policy document should not specify a principal.';
  if (kind !== 'identity' && !hasPrincipal) return 'Missing required field Principal';
  if (kind === 'trust') {
    if (resources.length > 0) return 'Has prohibited field Resource';
    const isSts = textsOf(statement['Action']).every((action) => /^(sts:|\*$)/u.test(action));
    return isSts ? undefined : 'AssumeRole policy may only specify STS AssumeRole actions.';
  }
  if (kind === 'identity' && resources.length === 0) return 'Policy statement must contain resources.';
  const wrong = resources.find((resource) => resource !== '*' && !/^(arn:|\*)/u.test(resource));
  return wrong === undefined ? undefined : `Resource ${wrong} must be in ARN format or "*".`;
}

function conditionComplaint(condition: Json | undefined): string | undefined {
  if (condition === undefined) return undefined;
  if (!isProperties(condition)) return 'Syntax errors in policy.';
  const wrong = Object.keys(condition).find((operator) => !OPERATOR.test(operator));
  if (wrong !== undefined) return `Invalid Condition type : ${wrong}.`;
  return Object.values(condition).every((keys) => isProperties(keys))
    ? undefined
    : 'Syntax errors in policy.';
}

function parsed(document: Json | undefined): Properties | undefined {
  if (typeof document !== 'string') return isProperties(document) ? document : undefined;
  try {
    // JSON is JSON.
    const value = JSON.parse(document) as Json;
    return isProperties(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function listOf(value: Json | undefined): readonly Json[] {
  if (value === undefined || value === null) return [];
  // A list as it is, and one value as a list of one.
  return Array.isArray(value) ? (value as readonly Json[]) : [value];
}
