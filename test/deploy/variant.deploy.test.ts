import { afterAll, beforeAll, expect, test } from 'vitest';
import { stackNames } from '../../infra/names.ts';
import { readAssembly } from '../../scripts/lib/assembly.ts';
import type { Topology, Zone } from '../../topology/types.ts';
import { CERTIFICATE, validationRecord } from '../fake-aws/behaviours/acm.ts';
import { requiredText } from '../fake-aws/behaviours/property-values.ts';
import { jsonCall } from '../fake-aws/signed-call.ts';
import { globalPlace } from '../fake-aws/world.ts';
import fixture from '../topology-fixture.ts';
import { Deployment, done, refused } from './deployment.ts';
import { unprotected } from './topologies.ts';

/**
 * Zones of other kinds than the fixture's, through the real CDK command line: one with all that is optional, and one whose replica comes
 * before what it needs. In this order.
 */
const OWN = { environment: 'own', name: 'own' };
const { account: OWN_ACCOUNT, origin: OWN_REGION } = fixture.environments.trial.zones[0];
const EU = { environment: 'eu', name: 'eu' };
const { account: EU_ACCOUNT, origin: ORIGIN, replicas } = fixture.environments.production.zones[1];
const [REPLICA] = replicas;
const SECRET = 'clickhouse';

let deployment: Deployment;
let app: string;
beforeAll(async () => {
  deployment = await Deployment.start();
  const certificate = await requestCertificate('keys.own.example.com');
  const { environments } = unprotected(deployment.topology);
  const [trial] = environments['trial']?.zones ?? [];
  const eu = environments['production']?.zones.find(({ name }) => name === EU.name);
  if (trial === undefined || eu === undefined) throw new Error('the fixture has other zones');
  const own: Zone = {
    ...trial,
    name: OWN.name,
    hostname: 'keys.own.example.com',
    domain: { certificateArns: { [OWN_REGION]: certificate } },
    sizes: {
      default: { minTasks: 1, maxTasks: 2, databaseInstances: 2, databaseInstanceClass: 'r8g.large' },
    },
    firewall: { requestsPer5Minutes: 10_000 },
    events: { kind: 'clickhouse', secretName: SECRET, addressRanges: ['203.0.113.0/24'], port: 8443 },
  };
  const topology: Topology = {
    environments: { own: { zones: [own] }, eu: { zones: [{ ...eu, knownZones: [] }] } },
  };
  deployment.use(topology);
  [app] = await Promise.all([
    deployment.synth('variants'),
    done(deployment.bootstrap(OWN_ACCOUNT, [OWN_REGION])),
    done(deployment.bootstrap(EU_ACCOUNT, [ORIGIN, REPLICA])),
  ]);
});
afterAll(async () => await deployment?.close());

/** Asks ACM for one, and makes the record that proves it in a public zone of somebody else's. */
async function requestCertificate(hostname: string): Promise<string> {
  const { body } = await jsonCall(deployment.aws.endpoint, {
    account: OWN_ACCOUNT,
    region: OWN_REGION,
    service: 'acm',
    target: 'CertificateManager.RequestCertificate',
    input: { DomainName: hostname, ValidationMethod: 'DNS' },
  });
  const { name, value } = validationRecord(OWN_ACCOUNT, hostname);
  const { world } = deployment.aws;
  const elsewhere = globalPlace({ account: '999999999999', region: OWN_REGION });
  const Id = 'Z0EXAMPLEELSEWHERE';
  const zone = { Name: 'own.example.com.' };
  world.add({
    ...elsewhere,
    type: 'AWS::Route53::HostedZone',
    id: Id,
    properties: zone,
    attributes: { Id },
    stack: null,
  });
  world.add({
    ...elsewhere,
    type: 'AWS::Route53::RecordSet',
    id: `${name}|CNAME||${Id}`,
    properties: { HostedZoneId: Id, Name: name, Type: 'CNAME', TTL: '300', ResourceRecords: [value] },
    attributes: {},
    stack: null,
  });
  return requiredText(body, 'CertificateArn');
}

const deploy = (account: string, ...names: readonly string[]): ReturnType<Deployment['cdk']> =>
  deployment.cdk(
    account,
    'deploy',
    '--app',
    app,
    '--require-approval',
    'never',
    '--concurrency',
    '4',
    ...names,
  );

test('the events’ secret has to be there before the service that reads it', async () => {
  const said = await refused(deploy(OWN_ACCOUNT, 'keyhearth-own-own-*'));
  expect(said).toContain('unable to pull secrets');
});

test('a zone with a firewall, events to ClickHouse, provisioned instances and certificates of one’s own is deployed', async () => {
  const { world } = deployment.aws;
  const place = { account: OWN_ACCOUNT, region: OWN_REGION };
  const SecretString = JSON.stringify({ url: 'https://203.0.113.7:8443', user: 'keyhearth', password: 'x' });
  const arn = `arn:aws:secretsmanager:${OWN_REGION}:${OWN_ACCOUNT}:secret:${SECRET}-AbCdEf`;
  world.add({
    ...place,
    type: 'AWS::SecretsManager::Secret',
    id: arn,
    properties: { Name: SECRET },
    attributes: { Id: arn },
    stack: null,
    state: new Map([['SecretString', SecretString]]),
  });
  await done(deploy(OWN_ACCOUNT, 'keyhearth-own-own-*'));
  const stacks = await deployment.stacks(OWN_ACCOUNT, OWN_REGION);
  for (const { name } of readAssembly(app).filter(({ account }) => account === OWN_ACCOUNT)) {
    expect([name, stacks.get(name)?.StackStatus]).toEqual([name, 'CREATE_COMPLETE']);
  }
  const made = (type: string): number => world.all(type, place).filter(({ stack }) => stack !== null).length;
  expect(made('AWS::WAFv2::WebACLAssociation')).toBe(1);
  expect(made('AWS::EC2::NatGateway')).toBeGreaterThan(0);
  expect(made('AWS::EC2::EIP')).toBe(made('AWS::EC2::NatGateway'));
  expect(made('AWS::KinesisFirehose::DeliveryStream')).toBe(0);
  expect(made(CERTIFICATE)).toBe(0);
  const classes = world
    .all('AWS::RDS::DBInstance', place)
    .map(({ properties }) => properties['DBInstanceClass']);
  expect(classes).toEqual(['db.r8g.large', 'db.r8g.large']);
});

test('it is destroyed, and the certificate and the secret, which are one’s own, stay', async () => {
  const destroy = ['destroy', '--app', app, '--force'];
  await done(deployment.cdk(OWN_ACCOUNT, ...destroy, '--exclusively', stackNames.edge(OWN)));
  expect(await deployment.deleteAcceleratorGroups(OWN_ACCOUNT, [OWN_REGION])).toBe(1);
  await done(deployment.cdk(OWN_ACCOUNT, ...destroy, 'keyhearth-own-own-*'));
  expect([...(await deployment.stacks(OWN_ACCOUNT, OWN_REGION)).keys()]).toEqual(['CDKToolkit']);
  const { world } = deployment.aws;
  const place = { account: OWN_ACCOUNT, region: OWN_REGION };
  expect(world.all(CERTIFICATE, place)).toHaveLength(1);
  expect(world.all('AWS::SecretsManager::Secret', place)).toHaveLength(1);
});

test('a replica’s data before its network, whose outputs don’t exist yet, is refused', async () => {
  const said = await refused(deploy(EU_ACCOUNT, '--exclusively', stackNames.data(EU, REPLICA)));
  expect(said).toContain(`Stack with id ${stackNames.base(EU, REPLICA)} does not exist in ${REPLICA}`);
});

test('a replica’s data before the origin’s, which makes the global database, is refused', async () => {
  const networks = [ORIGIN, REPLICA].map((region) => stackNames.base(EU, region));
  await done(deploy(EU_ACCOUNT, '--exclusively', ...networks));
  const said = await refused(deploy(EU_ACCOUNT, '--exclusively', stackNames.data(EU, REPLICA)));
  expect(said).toMatch(/Global cluster .* not found/);
  const stack = (await deployment.stacks(EU_ACCOUNT, REPLICA)).get(stackNames.data(EU, REPLICA));
  expect(stack?.StackStatus).toBe('ROLLBACK_COMPLETE');
});

test('the local AWS was asked for nothing that it doesn’t know', () => {
  expect(deployment.surprises).toEqual([]);
});
