import { CfnOutput } from 'aws-cdk-lib';
import { expect, test } from 'vitest';
import type { Zone } from '../../topology/types.ts';
import { expectAll, expectResource } from '../test/expect-template.ts';
import { deployment, templateOf, testApp } from '../test/zones.ts';
import { BaseStack } from './base-stack.ts';
import { RegionStack } from './region-stack.ts';
import { ZoneStack } from './zone-stack.ts';

function zoneStackOf(overrides: Partial<Zone> = {}): ZoneStack {
  const app = testApp();
  const zone = deployment(overrides);
  const bases = zone.regions.map(({ region }) => new BaseStack(app, { zone, region }));
  return new ZoneStack(app, { zone, bases });
}

/** A stack of the replica's that reads a secret. */
function readerOf(zoneStack: ZoneStack): RegionStack {
  const { zone } = zoneStack;
  const reader = new RegionStack(zoneStack.node.root, {
    zone,
    region: 'eu-west-3',
    stackName: 'reader',
    description: '',
  });
  new CfnOutput(reader, 'Arn', {
    value: `${zoneStack.arnIn('eu-west-3', zoneStack.masterSecret)}:password::`,
  });
  return reader;
}

function output(region: string, key: string): unknown {
  return {
    'Fn::GetStackOutput': { StackName: `keyhearth-test-eu-base-${region}`, Region: region, OutputName: key },
  };
}

test('the private names are seen in every region’s network', () => {
  const template = templateOf(zoneStackOf({ replicas: ['eu-west-3', 'eu-north-1'] }));
  expectResource(template, 'AWS::Route53::HostedZone', {
    Name: 'test-eu.keyhearth.internal.',
    VPCs: ['eu-central-1', 'eu-north-1', 'eu-west-3'].map((region) => ({
      VPCId: output(region, 'VpcId'),
      VPCRegion: region,
    })),
  });
});

test('the order of the replicas in the topology changes nothing', () => {
  const [one, other] = [
    ['eu-west-3', 'eu-north-1'],
    ['eu-north-1', 'eu-west-3'],
  ] as const;
  const text = (replicas: Zone['replicas']): unknown => templateOf(zoneStackOf({ replicas })).toJSON();
  expect(text(one)).toEqual(text(other));
});

test('both secrets are generated, encrypted with the origin’s key, and copied under each replica’s own', () => {
  const secrets = Object.values(templateOf(zoneStackOf()).findResources('AWS::SecretsManager::Secret'));
  expect(secrets.map(({ Properties }) => Properties.Name)).toEqual([
    'keyhearth/test/eu/database-master',
    'keyhearth/test/eu/peers',
  ]);
  for (const { Properties, DeletionPolicy } of secrets) {
    expect(Properties.KmsKeyId).toEqual(output('eu-central-1', 'DataKeyArn'));
    expect(Properties.ReplicaRegions).toEqual([
      { Region: 'eu-west-3', KmsKeyId: output('eu-west-3', 'DataKeyArn') },
    ]);
    expect(Properties.GenerateSecretString.ExcludePunctuation).toBe(true);
    expect(Properties.GenerateSecretString.PasswordLength).toBeGreaterThanOrEqual(40);
    expect(Properties).not.toHaveProperty('SecretString');
    expect(DeletionPolicy).toBe('RetainExceptOnCreate');
  }
  expect(JSON.parse(secrets[0]?.['Properties'].GenerateSecretString.SecretStringTemplate)).toEqual({
    username: 'keyhearth_master',
  });
});

test('a zone of one region copies nothing', () => {
  const secrets = templateOf(zoneStackOf({ replicas: [] })).findResources('AWS::SecretsManager::Secret');
  for (const { Properties } of Object.values(secrets)) expect(Properties.ReplicaRegions ?? []).toEqual([]);
});

test('without deletion protection the secrets go with their stack', () => {
  expectAll(templateOf(zoneStackOf({ deletionProtection: false })), 'AWS::SecretsManager::Secret', {
    DeletionPolicy: 'Delete',
  });
});

test('a region reads its own copy: the ARN differs from the origin’s by the region only', () => {
  const zoneStack = zoneStackOf();
  const template = templateOf(readerOf(zoneStack));
  expect(template.toJSON()['Outputs'].Arn.Value).toEqual({
    'Fn::Join': [
      '',
      [
        'arn:aws:secretsmanager:eu-west-3:222222222222:secret:',
        {
          'Fn::GetStackOutput': {
            StackName: 'keyhearth-test-eu-zone',
            Region: 'eu-central-1',
            OutputName: 'MasterSecretName',
          },
        },
        ':password::',
      ],
    ],
  });
  const [secret] = Object.keys(templateOf(zoneStack).findResources('AWS::SecretsManager::Secret'));
  expect(templateOf(zoneStack).toJSON()['Outputs'].MasterSecretName.Value).toEqual({
    'Fn::Select': [6, { 'Fn::Split': [':', { Ref: secret }] }],
  });
});

test('whoever reads a secret is deployed after it', () => {
  const zoneStack = zoneStackOf();
  const reader = readerOf(zoneStack);
  templateOf(reader);
  expect(reader.dependencies).toContain(zoneStack);
});

test('a secret of another zone is refused', () => {
  const other = zoneStackOf({ name: 'us' });
  expect(() => zoneStackOf().arnIn('eu-west-3', other.peerSecret)).toThrow(
    'isn’t a secret of'.replace('’', "'"),
  );
});
