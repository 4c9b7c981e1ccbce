import { Refusal } from '../refusal.ts';
import { type Place, isProperties, textAt, textsAt } from '../values.ts';
import { type Resource, type World, globalPlace } from '../world.ts';
import { textsOf } from './iam-policy-document.ts';
import { objectsAt } from './property-values.ts';

export const ROLE = 'AWS::IAM::Role';
export const POLICY = 'AWS::IAM::Policy';
export const MANAGED_POLICY = 'AWS::IAM::ManagedPolicy';
export const LINKED_ROLE = 'AWS::IAM::ServiceLinkedRole';

const NOT_FOUND_STATUS = 404;
export const CONFLICT_STATUS = 409;

/** ARN of something in IAM: `kind` is `role` or `policy`. */
export function iamArn({ account }: Place, kind: string, path: string, name: string): string {
  return `arn:aws:iam::${account}:${kind}${path}${name}`;
}

/** A role by its name, upper and lower case being the same; service-linked ones too. */
export function roleNamed(world: World, place: Place, name: string): Resource | undefined {
  const wanted = name.toLowerCase();
  return [ROLE, LINKED_ROLE]
    .flatMap((type) => world.all(type, globalPlace(place)))
    .find(({ id }) => id.toLowerCase() === wanted);
}

/** A role by its ARN, in whichever account it is. */
export function roleWithArn(world: World, arn: string): Resource | undefined {
  const [, account, path] = /^arn:aws:iam::(\d{12}):role\/(.+)$/u.exec(arn) ?? [];
  if (account === undefined || path === undefined) return undefined;
  const name = path.slice(path.lastIndexOf('/') + 1);
  const role = roleNamed(world, { account, region: '' }, name);
  return role?.attributes['Arn'] === arn ? role : undefined;
}

/** May a service assume this role, after its trust policy? Conditions aren't looked at. */
export function trusts(role: Resource, service: string): boolean {
  return objectsAt(role.properties, 'AssumeRolePolicyDocument.Statement').some((statement) => {
    const principal = statement['Principal'];
    return (
      statement['Effect'] === 'Allow' &&
      isProperties(principal) &&
      textsOf(principal['Service']).includes(service)
    );
  });
}

/** AWS has those of its own in every account; which ones there are isn't known here. */
function isAwsOwn(arn: string): boolean {
  return /^arn:aws:iam::aws:policy\/.+/u.test(arn);
}

/** Throws IAM's `NoSuchEntity` where neither AWS nor the account has this managed policy. */
export function checkManagedPolicy(world: World, place: Place, arn: string): void {
  if (isAwsOwn(arn) || world.find(globalPlace(place), MANAGED_POLICY, arn) !== undefined) return;
  throw new Refusal('NoSuchEntity', `Policy ${arn} does not exist or is not attachable.`, NOT_FOUND_STATUS);
}

/** Throws IAM's `NoSuchEntity` where the account has no such role. */
export function existingRole(world: World, place: Place, name: string): Resource {
  const role = roleNamed(world, place, name);
  if (role !== undefined) return role;
  throw new Refusal('NoSuchEntity', `The role with name ${name} cannot be found.`, NOT_FOUND_STATUS);
}

/** Policies of a type that another resource attaches to a role. */
export function attachedTo(world: World, place: Place, type: string, role: string): readonly Resource[] {
  return world
    .all(type, globalPlace(place))
    .filter(({ properties }) => textsAt(properties, 'Roles').includes(role));
}

/** Roles that have a managed policy attached or as their boundary. */
export function usersOf(world: World, place: Place, arn: string): readonly Resource[] {
  return world
    .all(ROLE, globalPlace(place))
    .filter(
      ({ properties }) =>
        textAt(properties, 'PermissionsBoundary') === arn ||
        textsAt(properties, 'ManagedPolicyArns').includes(arn),
    );
}
