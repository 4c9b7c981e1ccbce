import type { StackFile } from '../../residency/check.ts';
import type { RuleId } from '../../residency/rules.ts';

/** A template that a mutation may change. */
interface Draft extends Omit<
  StackFile,
  'template' | 'assets' | 'manifest' | 'stackName' | 'region' | 'account'
> {
  stackName: string;
  region: string | undefined;
  account: string | undefined;
  template: Record<string, unknown> & {
    Resources: Record<string, Record<string, unknown>>;
    Parameters: Record<string, unknown>;
    Outputs?: Record<string, unknown>;
  };
  manifest: Record<string, Record<string, unknown>>;
  assets: Record<string, Record<string, { destinations: Record<string, Record<string, unknown>> }>>;
}

export interface Mutation {
  readonly rule: RuleId;
  readonly what: string;
  /** The stack whose template it is put into. */
  readonly stack: string;
  readonly mutate: (stack: Draft) => StackFile;
}

export const BASE = 'keyhearth-test-eu-base-eu-central-1';
export const ZONE = 'keyhearth-test-eu-zone';
export const EDGE = 'keyhearth-test-eu-edge';
export const DATA = 'keyhearth-test-eu-data-eu-central-1';

export function change(
  rule: RuleId,
  what: string,
  alter: (stack: Draft) => void,
  stack: string = BASE,
): Mutation {
  const mutate = (draft: Draft): StackFile => {
    alter(draft);
    // The tests' own data, in the form of JSON.
    return draft as unknown as StackFile;
  };
  return { rule, what, stack, mutate };
}

/** What a resource of a type must say, so that a mutation breaks its own rule alone. */
const WHOLE: Readonly<Record<string, object>> = {
  'AWS::S3::Bucket': {
    PublicAccessBlockConfiguration: {
      BlockPublicAcls: true,
      BlockPublicPolicy: true,
      IgnorePublicAcls: true,
      RestrictPublicBuckets: true,
    },
  },
  'AWS::RDS::DBInstance': { PubliclyAccessible: false },
  'AWS::ElasticLoadBalancingV2::LoadBalancer': { Scheme: 'internal' },
  'AWS::EC2::SecurityGroup': { SecurityGroupEgress: [] },
  'AWS::Route53::HostedZone': { VPCs: [] },
};

/** Puts a resource into the template. */
export function add(
  rule: RuleId,
  what: string,
  type: string,
  properties: object,
  stack: string = BASE,
): Mutation {
  return change(
    rule,
    what,
    ({ template }) => {
      template.Resources['Injected'] = { Type: type, Properties: { ...WHOLE[type], ...properties } };
    },
    stack,
  );
}

/** Puts a text where any may stand. */
export function text(rule: RuleId, what: string, value: unknown): Mutation {
  return add(rule, what, 'AWS::EC2::RouteTable', { VpcId: value });
}

export function keyPolicy(what: string, principal: unknown): Mutation {
  const statement = { Effect: 'Allow', Principal: principal, Action: 'kms:Decrypt', Resource: '*' };
  return add('Residency-Principal', what, 'AWS::KMS::Key', { KeyPolicy: { Statement: [statement] } });
}

export function rolePolicy(rule: RuleId, what: string, statement: object): Mutation {
  return add(rule, what, 'AWS::IAM::ManagedPolicy', { PolicyDocument: { Statement: statement } });
}

export const FOREIGN = 'arn:aws:kinesis:us-east-1:222222222222:stream/away';

export function output(StackName: string, Region: string, more: object = {}): object {
  return { 'Fn::GetStackOutput': { StackName, Region, OutputName: 'Vpc', ...more } };
}

export function dashboard(what: string, namespace: string, region: string): Mutation {
  const widgets = [{ type: 'metric', properties: { region, metrics: [[namespace, 'Requests']] } }];
  return add(
    'Residency-RegionLiteral',
    what,
    'AWS::CloudWatch::Dashboard',
    { DashboardBody: { 'Fn::Join': ['', [JSON.stringify({ widgets })]] } },
    EDGE,
  );
}

export function subscription(what: string, properties: object): Mutation {
  return add('Residency-Subscription', what, 'AWS::SNS::Subscription', properties);
}

export function refused(type: string): Mutation {
  return add('Residency-ResourceType', type, type, {});
}
