import { textOf, UNKNOWN } from './evaluate.ts';
import { intrinsicOf, isList, isObject, asObject, type Json, type JsonObject } from './template.ts';
import { isReference, typeReferred, type Look } from './demands.ts';

/** The permission boundary of the stack's own region: made in its base stack, named by its ARN in the others. Null where it is. */
export function boundaryProblem(value: Json | undefined, look: Look): string | null {
  const { border, facts } = look;
  const { stack = '', policy = '' } = border.boundaries.get(facts.region) ?? {};
  const arn = `arn:aws:iam::${facts.account}:policy/${policy}`;
  if (textOf(value, facts) === arn) return null;
  const [, id] = intrinsicOf(value) ?? [];
  const isOurs =
    facts.stackName === stack &&
    typeReferred(value, look) === 'AWS::IAM::ManagedPolicy' &&
    typeof id === 'string' &&
    textOf(asObject(asObject(facts.resources[id])['Properties'])['ManagedPolicyName'], facts) === policy;
  return isOurs ? null : arn;
}

/** Whether a document says exactly what the boundary of the stack's region must. Null for a policy that isn't the boundary. */
export function isBoundaryIntact(
  { ManagedPolicyName: name, PolicyDocument: document }: JsonObject,
  look: Look,
): boolean | null {
  const { statements = [], policy } = look.border.boundaries.get(look.facts.region) ?? {};
  if (policy === undefined || textOf(name, look.facts) !== policy) return null;
  // Statements are plain data.
  const wanted = { Version: '2012-10-17', Statement: statements as unknown as Json };
  return canonical(wanted) === canonical(document ?? null);
}

/** The same text for the same policy: IAM takes one thing for a list of it, and members in any order. */
function canonical(value: Json): string {
  if (isList(value)) {
    const [first, ...others] = value;
    return first !== undefined && others.length === 0 ? canonical(first) : `[${value.map(canonical).join()}]`;
  }
  if (!isObject(value)) return JSON.stringify(value);
  const members = Object.entries(value).map(([key, member]) => `${JSON.stringify(key)}:${canonical(member)}`);
  return `{${members.toSorted().join()}}`;
}

/** Principals of a statement that lets in: `*` where it doesn't grant (an endpoint's policy), services, the zone's account. */
export function principalProblem(statement: JsonObject, look: Look, grants: boolean): string | null {
  if (statement['Effect'] === 'Deny') return null;
  if (statement['NotPrincipal'] !== undefined) return 'NotPrincipal';
  const principal = statement['Principal'];
  if (principal === undefined) return null;
  if (!isObject(principal)) return principal === '*' && !grants ? null : JSON.stringify(principal);
  for (const [kind, given] of Object.entries(principal)) {
    for (const one of isList(given) ? given : [given]) {
      if (!isPrincipal(kind, one, look, grants)) return JSON.stringify({ [kind]: one });
    }
  }
  return null;
}

function isPrincipal(kind: string, value: Json, look: Look, grants: boolean): boolean {
  const text = textOf(value, look.facts);
  if (kind === 'Service') return text !== null && isService(text, look.border.regions);
  if (kind !== 'AWS') return false;
  if (text === '*') return !grants;
  if (text === null) return isReference(value, look);
  if (text === look.facts.account) return true;
  // IAM has no region; only an account.
  const [, , service, , account] = text.split(':');
  return (
    (service === 'iam' || service === 'sts') && account === look.facts.account && !text.includes(UNKNOWN)
  );
}

/** Copies objects to other regions, or reads them for an edge: neither has any business in a zone. */
const SERVICES_THAT_LEAVE = ['cloudfront.', 'replication.', 'edgelambda.', 'replicator.'];

/** A name with a region in it acts in that region. */
function isService(name: string, regions: readonly string[]): boolean {
  const [, middle = ''] = /^[a-z0-9-]+((?:\.[a-z0-9-]+)*)\.amazonaws\.com$/.exec(name) ?? [null, '.?'];
  if (SERVICES_THAT_LEAVE.some((start) => name.startsWith(start))) return false;
  return middle.split('.').every((part) => /^[a-z]*$/.test(part) || regions.includes(part));
}
