import type { Behaviour, Context, Made } from '../behaviour.ts';
import { Refusal } from '../refusal.ts';
import { type Json, type Place, type Properties, textAt, textsAt } from '../values.ts';
import type { Resource, World } from '../world.ts';
import { addInterface, checkGroups, interfacesOf, removeInterfaces } from './ec2-interfaces.ts';
import { SECURITY_GROUP, SUBNET } from './ec2-lookups.ts';
import { checkAccess, checkSize } from './elasticache-values.ts';
import { requireKey } from './key-lookups.ts';
import { numberAt, requiredText } from './property-values.ts';
import { endpointHash } from './rds-names.ts';
import { zoneOf } from './rds-groups.ts';

const CACHE = 'AWS::ElastiCache::ServerlessCache';
const USER = 'AWS::ElastiCache::User';
const USER_GROUP = 'AWS::ElastiCache::UserGroup';

const COMBINATION = 'InvalidParameterCombination';
const VALUE = 'InvalidParameterValue';
const NOT_FOUND = 404;
const NAME_MAX = 40;
const ENGINES = ['valkey', 'redis', 'memcached'];
const PORT = { all: '6379', reads: '6380', memcached: '11211' } as const;
// "CreateServerlessCache", Amazon ElastiCache API Reference.
const SUBNETS = { least: 2, most: 3 } as const;
const SNAPSHOT_DAYS_MAX = 35;

/** "CreateUser", "DeleteUser", Amazon ElastiCache API Reference; "Authenticating with IAM", ElastiCache User Guide. */
const user: Behaviour = {
  type: USER,
  create(context, properties): Made {
    const { world, place } = context;
    const id = nameOf(properties, 'UserId');
    if (world.find(place, USER, id) !== undefined)
      throw new Refusal('UserAlreadyExists', `User ${id} already exists.`);
    checkUser(properties);
    return { id, attributes: { Status: 'active', Arn: arnOf(place, 'user', id) } };
  },
  update(_context, _resource, properties): undefined {
    checkUser(properties);
  },
  remove({ world, place }, { id }): void {
    // The engine deletes groups first; one that still names the user stands in the way.
    const group = world.all(USER_GROUP, place).find((one) => textsAt(one.properties, 'UserIds').includes(id));
    if (group === undefined) return;
    throw new Refusal(
      'InvalidUserState',
      `User ${id} is a member of user group ${group.id} and can't be deleted.`,
    );
  },
};

/** "CreateUserGroup", "DeleteUserGroup", Amazon ElastiCache API Reference. */
const userGroup: Behaviour = {
  type: USER_GROUP,
  create(context, properties): Made {
    const { world, place } = context;
    const id = nameOf(properties, 'UserGroupId');
    if (world.find(place, USER_GROUP, id) !== undefined) {
      throw new Refusal('UserGroupAlreadyExists', `User Group ${id} already exists.`);
    }
    checkMembers(context, properties);
    return { id, attributes: { Status: 'active', Arn: arnOf(place, 'usergroup', id) } };
  },
  update(context, _resource, properties): undefined {
    checkMembers(context, properties);
  },
  remove({ world, place }, { id }): void {
    const cache = world.all(CACHE, place).find((one) => textAt(one.properties, 'UserGroupId') === id);
    if (cache === undefined) return;
    throw new Refusal(
      'InvalidUserGroupState',
      `User group ${id} is associated with serverless cache ${cache.id} and can't be deleted.`,
    );
  },
};

/** Ref is the cache's name. "CreateServerlessCache", "DeleteServerlessCache", Amazon ElastiCache API Reference. */
const cache: Behaviour = {
  type: CACHE,
  create(context, properties): Made {
    const { world, place } = context;
    const id = nameOf(properties, 'ServerlessCacheName');
    if (world.find(place, CACHE, id) !== undefined) {
      throw new Refusal('ServerlessCacheAlreadyExistsFault', `Serverless Cache ${id} already exists`);
    }
    checkCache(context, properties);
    const subnets = checkSubnets(context, properties);
    requireKey(
      world,
      place,
      textAt(properties, 'KmsKeyId'),
      (key) => new Refusal(VALUE, `The KMS key ${key} can't be found or used.`),
    );
    const arn = arnOf(place, 'serverlesscache', id);
    for (const subnet of subnets) {
      addInterface(world, place, {
        owner: arn,
        subnet,
        groups: textsAt(properties, 'SecurityGroupIds'),
        description: `ElastiCache ${id}`,
        kind: 'vpc_endpoint',
      });
    }
    return { id, attributes: { ARN: arn, ...addressesOf(place, id, properties) } };
  },
  update(context, resource, properties): undefined {
    const { world, place } = context;
    checkCache(context, properties);
    const groups = textsAt(properties, 'SecurityGroupIds');
    for (const one of interfacesOf(world, place, arnOf(place, 'serverlesscache', resource.id))) {
      checkGroups(world, place, textAt(one.attributes, 'VpcId') ?? '', groups);
      one.properties = { ...one.properties, GroupSet: groups };
    }
  },
  remove(context, resource): void {
    const { world, place } = context;
    const snapshot = textAt(resource.properties, 'FinalSnapshotName');
    if (snapshot !== undefined) takeSnapshot(world, place, resource, snapshot);
    removeInterfaces(world, place, arnOf(place, 'serverlesscache', resource.id));
  },
};

export const ELASTICACHE: readonly Behaviour[] = [user, userGroup, cache];

/** Letters, digits and single hyphens, 40 characters; kept in lower case. */
function nameOf(properties: Properties, property: string): string {
  const given = requiredText(properties, property);
  if (/^[a-z](?:-?[a-z0-9])*$/iu.test(given) && given.length <= NAME_MAX) return given.toLowerCase();
  throw new Refusal(
    VALUE,
    `The parameter ${property} is not a valid identifier: at most ${NAME_MAX} letters, digits and single hyphens, beginning with a letter and not ending with a hyphen.`,
  );
}

function checkUser(properties: Properties): void {
  const engine = requiredText(properties, 'Engine').toLowerCase();
  if (engine !== 'valkey' && engine !== 'redis') throw new Refusal(VALUE, `Invalid engine: ${engine}`);
  checkAccess(properties);
  const kind = textAt(properties, 'AuthenticationMode.Type');
  const passwords = [
    ...textsAt(properties, 'Passwords'),
    ...textsAt(properties, 'AuthenticationMode.Passwords'),
  ];
  if (kind === 'iam' && textAt(properties, 'UserId') !== textAt(properties, 'UserName')) {
    throw new Refusal(COMBINATION, 'User Id and User name must be same for authentication type: iam');
  }
  if (kind === 'iam' && passwords.length > 0) {
    throw new Refusal(COMBINATION, 'Passwords are not allowed for authentication type: iam');
  }
  // "Role-Based Access Control": Valkey has no users that come in without a password.
  const open = kind === 'no-password-required' || properties['NoPasswordRequired'] === true;
  if (engine === 'valkey' && open) {
    throw new Refusal(COMBINATION, 'A user of engine valkey must have a password or IAM authentication.');
  }
  if (!open && kind !== 'iam' && passwords.length === 0) {
    throw new Refusal(
      COMBINATION,
      'No password was provided. If you want to create the user without password, please use the NoPasswordRequired flag.',
    );
  }
  if (passwords.length > 2 || passwords.some(({ length }) => length < 16 || length > 128)) {
    throw new Refusal(VALUE, 'Passwords length must be between 16-128 characters.');
  }
}

function checkMembers({ world, place }: Context, properties: Properties): void {
  const engine = requiredText(properties, 'Engine').toLowerCase();
  const ids = textsAt(properties, 'UserIds');
  if (new Set(ids).size !== ids.length)
    throw new Refusal('DuplicateUserName', 'A user is in the group twice.');
  const users = ids.map((id) => {
    // AWS has a user `default` in every account.
    if (id === 'default') return { name: 'default', engine };
    const found = world.find(place, USER, id.toLowerCase());
    if (found === undefined) throw new Refusal('UserNotFound', `User ${id} not found.`, NOT_FOUND);
    const { properties: own } = found;
    return { name: requiredText(own, 'UserName'), engine: requiredText(own, 'Engine').toLowerCase() };
  });
  const names = users.map(({ name }) => name);
  if (new Set(names).size !== names.length) {
    throw new Refusal('DuplicateUserName', 'Two users of the group have the same user name.');
  }
  // A group of Redis OSS has a user named `default`; one of Valkey needn't.
  if (engine === 'redis' && !names.includes('default')) {
    throw new Refusal(
      'DefaultUserRequired',
      'User group needs to contain a user with the user name default.',
    );
  }
  if (engine === 'redis' && users.some((one) => one.engine !== 'redis')) {
    throw new Refusal(COMBINATION, 'A user group of engine redis takes users of engine redis only.');
  }
}

function checkCache({ world, place }: Context, properties: Properties): void {
  const engine = requiredText(properties, 'Engine').toLowerCase();
  if (!ENGINES.includes(engine)) throw new Refusal(VALUE, `Invalid engine: ${engine}`);
  const group = textAt(properties, 'UserGroupId');
  const found = group === undefined ? undefined : world.find(place, USER_GROUP, group.toLowerCase());
  if (group !== undefined && found === undefined) {
    throw new Refusal('UserGroupNotFoundFault', `User Group ${group} not found.`, NOT_FOUND);
  }
  const own = found === undefined ? engine : requiredText(found.properties, 'Engine').toLowerCase();
  // "User groups ... Valkey": a cache of Valkey takes groups of either engine.
  if (engine === 'memcached' ? found !== undefined : own !== engine && engine !== 'valkey') {
    throw new Refusal(
      COMBINATION,
      `User group of engine ${own} can't be used with a cache of engine ${engine}.`,
    );
  }
  const days = numberAt(properties, 'SnapshotRetentionLimit') ?? 0;
  if (days < 0 || days > SNAPSHOT_DAYS_MAX)
    throw new Refusal(VALUE, `Invalid snapshot retention limit: ${days}`);
  checkSize(properties);
}

/** Subnets of one VPC in different availability zones. Without any it would be the default VPC, which accounts don't have here. */
function checkSubnets({ world, place }: Context, properties: Properties): readonly string[] {
  const ids = textsAt(properties, 'SubnetIds');
  if (ids.length < SUBNETS.least || ids.length > SUBNETS.most) {
    throw new Refusal(VALUE, `${ids.length} subnets given: ${SUBNETS.least} or ${SUBNETS.most} are needed.`);
  }
  const subnets = ids.map((id) => {
    const found = world.find(place, SUBNET, id);
    if (found === undefined) throw new Refusal('InvalidSubnet', `Subnet ${id} doesn't exist.`);
    return found;
  });
  const vpcs = new Set(subnets.map((one) => requiredText(one.properties, 'VpcId')));
  const zones = new Set(subnets.map((subnet) => zoneOf(subnet)));
  if (vpcs.size > 1) throw new Refusal(VALUE, 'All subnets must be in the same VPC.');
  if (zones.size < subnets.length)
    throw new Refusal(VALUE, 'Subnets must be in different Availability Zones.');
  for (const id of textsAt(properties, 'SecurityGroupIds')) {
    const group = world.find(place, SECURITY_GROUP, id);
    if (group === undefined || !vpcs.has(textAt(group.attributes, 'VpcId') ?? '')) {
      throw new Refusal(VALUE, `Security group ${id} doesn't exist in the VPC of the subnets.`);
    }
  }
  return ids;
}

function takeSnapshot(world: World, place: Place, resource: Resource, name: string): void {
  const type = 'ElastiCache::ServerlessCacheSnapshot';
  if (world.find(place, type, name) !== undefined) {
    throw new Refusal('ServerlessCacheSnapshotAlreadyExistsFault', `Snapshot ${name} already exists.`);
  }
  const { account, region } = place;
  world.add({
    account,
    region,
    type,
    id: name,
    properties: resource.properties,
    attributes: {},
    stack: null,
  });
}

function addressesOf(place: Place, id: string, properties: Properties): Record<string, Json> {
  const memcached = requiredText(properties, 'Engine').toLowerCase() === 'memcached';
  const address = `${id}-${endpointHash(place).slice(0, 6)}.serverless.${shortRegion(place.region)}.cache.amazonaws.com`;
  const endpoint = { 'Endpoint.Address': address, 'Endpoint.Port': memcached ? PORT.memcached : PORT.all };
  const version = textAt(properties, 'MajorEngineVersion');
  return {
    ...endpoint,
    ...(memcached ? {} : { 'ReaderEndpoint.Address': address, 'ReaderEndpoint.Port': PORT.reads }),
    ...(version === undefined ? {} : { FullEngineVersion: version }),
    Status: 'available',
    CreateTime: new Date().toISOString(),
  };
}

/** `euw1` for eu-west-1, as in the names of caches. */
function shortRegion(region: string): string {
  const [area = '', direction = '', number = ''] = region.split('-');
  const letters = direction.replaceAll(/(north|south|east|west|central)/gu, (word: string) =>
    word.slice(0, 1),
  );
  return `${area}${letters}${number}`;
}

function arnOf({ account, region }: Place, kind: string, id: string): string {
  return `arn:aws:elasticache:${region}:${account}:${kind}:${id}`;
}
