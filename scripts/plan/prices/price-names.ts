/** Every price that a plan is computed from, and what it is the price of. The names are those of the files beside this one. */
export const PRICE_UNITS = {
  fargateVcpuHour: 'a vCPU of a Fargate task on ARM, an hour',
  fargateGbHour: 'a GB of memory of a Fargate task on ARM, an hour',
  loadBalancerHour: 'an Application Load Balancer, an hour',
  loadBalancerLcuHour: 'a capacity unit (LCU) of an Application Load Balancer, an hour',
  acceleratorHour: 'an accelerator of Global Accelerator, an hour',
  acceleratorPremiumGb: 'a GB through the accelerator, to clients on the continent of the region',
  publicIpv4Hour: 'a public IPv4 address, an hour',
  auroraAcuHour: 'an Aurora capacity unit (Serverless v2, Standard), an hour',
  auroraStorageGbMonth: 'a GB of an Aurora volume (Standard), a month',
  auroraIoMillion: 'a million reads and writes of an Aurora volume (Standard)',
  auroraReplicatedWriteMillion: 'a million writes of an Aurora global database that reach a further region',
  auroraBackupGbMonth: 'a GB of Aurora backups beyond what is free, a month',
  cacheGbHour: 'a GB in ElastiCache Serverless for Valkey, an hour',
  cacheEcpuMillion: 'a million processing units (ECPU) of ElastiCache Serverless for Valkey',
  endpointHour: 'an interface endpoint in one availability zone, an hour',
  endpointGb: 'a GB through an interface endpoint',
  natHour: 'a NAT gateway, an hour',
  natGb: 'a GB through a NAT gateway',
  interRegionGb: 'a GB to another region of the zone, paid where it comes from',
  crossZoneGb: 'a GB to another availability zone, paid at each of both ends',
  internetGb: 'a GB to the internet',
  kmsKeyMonth: 'a KMS key or a replica of one, a month',
  kmsTenThousand: 'ten thousand requests to KMS',
  secretMonth: 'a secret or a replica of one, a month',
  logIngestGb: 'a GB written to CloudWatch Logs',
  vendedLogGb: 'a GB that an AWS service (flow logs, Lambda) writes to CloudWatch Logs',
  logStorageGbMonth: 'a GB kept in CloudWatch Logs, compressed, a month',
  metricMonth: 'a custom metric of CloudWatch, a month',
  alarmMonth: 'a metric that a CloudWatch alarm looks at, a month',
  dashboardMonth: 'a CloudWatch dashboard, a month',
  firehoseGb: 'a GB taken by Firehose, each record rounded up to 5 KB',
  s3GbMonth: 'a GB in S3 Standard, a month',
  s3PutThousand: 'a thousand objects written to S3',
  hostedZoneMonth: 'a hosted zone of Route 53, a month',
  healthCheckMonth: 'an HTTPS health check of Route 53 at an AWS endpoint, a month',
  wafAclMonth: 'a web ACL of AWS WAF, a month',
  wafRuleMonth: 'a rule or managed group of rules of AWS WAF, a month',
  wafMillion: 'a million requests looked at by AWS WAF',
  ecrGbMonth: 'a GB of images in ECR, a month',
  httpApiMillion: 'a million requests to an HTTP API of API Gateway',
  restApiMillion: 'a million requests to a REST API of API Gateway',
  lambdaMillion: 'a million invocations of Lambda',
  lambdaGbSecond: 'a GB of memory of Lambda on ARM, a second',
  dynamoReadMillion: 'a million read request units of DynamoDB, on demand',
  dynamoWriteMillion: 'a million write request units of DynamoDB, on demand',
  dynamoReplicatedWriteMillion: 'a million replicated write request units of DynamoDB, on demand',
  dynamoReadUnitHour: 'a provisioned read unit of DynamoDB, an hour',
  dynamoWriteUnitHour: 'a provisioned write unit of DynamoDB, replicated or not, an hour',
  dynamoGbMonth: 'a GB in DynamoDB, a month',
} as const;

/** Of instances of a class the price's name is `auroraHour` and the class: `auroraHour r8g.large`. */
export type PriceName = keyof typeof PRICE_UNITS | `auroraHour ${string}`;

const INSTANCE_PRICE = /^auroraHour [a-z0-9]+\.[a-z0-9]+$/;

export function isPriceName(name: string): name is PriceName {
  return Object.hasOwn(PRICE_UNITS, name) || INSTANCE_PRICE.test(name);
}

/** In words. */
export function unitOf(name: PriceName): string {
  if (Object.hasOwn(PRICE_UNITS, name)) {
    // Every other name is one of an instance.
    return PRICE_UNITS[name as keyof typeof PRICE_UNITS];
  }
  return `an Aurora PostgreSQL instance db.${name.slice('auroraHour '.length)} (Standard), an hour`;
}
