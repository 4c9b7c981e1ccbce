import type { Resource } from './adapt.ts';
import type { Deployment } from './deployment.ts';

type Properties = Readonly<Record<string, unknown>>;

/** Properties that the services give under the same name. */
const PLAIN = [
  'AvailabilityZone',
  'CidrBlock',
  'DeletionProtection',
  'Description',
  'Engine',
  'EngineVersion',
  'GroupDescription',
  'LaunchType',
  'Port',
  'Protocol',
  'Scheme',
  'SslPolicy',
  'Type',
];

/** What a service has to say of a resource, as far as the template says it in plain values. */
export function expectedFacts({ Type: type, Properties: properties = {} }: Resource): Properties {
  const facts: Record<string, unknown> = {};
  const compared = type === 'AWS::SecretsManager::Secret' ? [] : PLAIN;
  for (const name of compared) {
    const value = properties[name];
    if (value !== undefined && typeof value !== 'object') facts[name] = value;
  }
  if (type === 'AWS::KMS::Key') {
    facts['MultiRegion'] = properties['MultiRegion'] ?? false;
    facts['KeyState'] = 'Enabled';
  }
  if (type === 'AWS::SecretsManager::Secret') {
    const replicas = (properties['ReplicaRegions'] ?? []) as readonly { readonly Region: string }[];
    facts['replicas'] = replicas.map(({ Region: region }) => region).toSorted();
  }
  if (type === 'AWS::ECS::Service') {
    const [balancer] = (properties['LoadBalancers'] ?? []) as readonly { readonly ContainerPort: number }[];
    facts['ContainerPort'] = balancer?.ContainerPort;
  }
  return facts;
}

/** Every rule of what may come in, by the group's physical id, as `tcp 443-443 from 0.0.0.0/0`. From all stacks. */
export function ingressRules(
  { adapted }: Deployment,
  physicalIds: ReadonlyMap<string, ReadonlyMap<string, string>>,
): ReadonlyMap<string, readonly string[]> {
  const rules = new Map<string, string[]>();
  for (const [stack, { Resources: resources }] of adapted) {
    const idOf = (value: unknown): string => physicalId(value, physicalIds.get(stack) ?? new Map());
    const add = (group: string, rule: Properties): void => {
      const source = rule['CidrIp'] ?? idOf(rule['SourceSecurityGroupId']);
      const [protocol, from, to, origin] = [rule['IpProtocol'], rule['FromPort'], rule['ToPort'], source].map(
        String,
      );
      const text = `${protocol} ${from}-${to} from ${origin}`;
      rules.set(group, [...(rules.get(group) ?? []), text]);
    };
    for (const [id, { Type: type, Properties: properties = {} }] of Object.entries(resources)) {
      if (type === 'AWS::EC2::SecurityGroup') {
        const group = idOf({ Ref: id });
        rules.set(group, rules.get(group) ?? []);
        const inline = (properties['SecurityGroupIngress'] ?? []) as readonly Properties[];
        for (const rule of inline) add(group, rule);
      }
      if (type === 'AWS::EC2::SecurityGroupIngress') add(idOf(properties['GroupId']), properties);
    }
  }
  return rules;
}

/** Of a reference within a stack, or of an output that has become its value. */
function physicalId(value: unknown, ids: ReadonlyMap<string, string>): string {
  if (typeof value === 'string') return value;
  const { Ref: ref, 'Fn::GetAtt': attribute } = value as {
    readonly Ref?: string;
    readonly 'Fn::GetAtt'?: readonly [string, string];
  };
  return ids.get(ref ?? attribute?.[0] ?? '') ?? '';
}
