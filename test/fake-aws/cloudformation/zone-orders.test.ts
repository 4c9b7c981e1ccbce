import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type AssemblyStack, readAssembly } from '../../../scripts/lib/assembly.ts';
import { FIXTURE_OPTIONS } from '../../fixture-options.ts';
import fixture from '../../topology-fixture.ts';
import { BEHAVIOURS } from '../behaviours/index.ts';
import { digestOf } from '../registry/images.ts';
import type { Properties } from '../values.ts';
import { globalPlace } from '../world.ts';
import { Harness } from './harness.ts';

/** AWS promises no order among resources that don't name each other: a zone's templates have to work in each that there can be. */
const SEEDS = [1, 2, 3, 4, 5, 6, 7, 8];

/** All of it takes seconds; the first seed loads AWS's schemas as well, which a busy machine does slowly. */
const BUSY_MS = 120_000;

const ROOT = join(import.meta.dirname, '../../..');
const REPOSITORY = 'keyhearth';
const VERSION = '/cdk-bootstrap/hnb659fds/version';
const MANIFEST = 'application/vnd.oci.image.manifest.v1+json';
const IMAGE = {
  reference: 'latest',
  mediaType: MANIFEST,
  bytes: Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: MANIFEST })),
};

const [TRIAL] = fixture.environments.trial.zones;
const PLACE = { account: TRIAL.account, region: TRIAL.origin };

const folder = mkdtempSync(join(tmpdir(), 'keyhearth-orders-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

let stacks: readonly AssemblyStack[];

/** The app itself, without the CDK's command line around it. */
beforeAll(() => {
  const image = { repository: REPOSITORY, digest: digestOf(IMAGE.bytes) };
  const topology = { environments: { trial: { zones: [{ ...TRIAL, image }] } } };
  const file = join(folder, 'topology.json');
  writeFileSync(file, JSON.stringify(topology));
  const { context } = JSON.parse(readFileSync(join(ROOT, 'cdk.json'), 'utf8')) as { context: object };
  execFileSync(process.execPath, ['infra/app.ts'], {
    cwd: ROOT,
    env: {
      ...process.env,
      NODE_OPTIONS: FIXTURE_OPTIONS,
      KEYHEARTH_TEST_TOPOLOGY: file,
      CDK_OUTDIR: join(folder, 'out'),
      CDK_CONTEXT_JSON: JSON.stringify(context),
      CDK_VALIDATION: 'false',
    },
  });
  stacks = readAssembly(join(folder, 'out'));
}, BUSY_MS);

/** An account as it is once it is bootstrapped and the image is pushed. */
function account(orderSeed: number): Harness {
  const aws = new Harness([...BEHAVIOURS.values()], {}, { orderSeed });
  const add = (type: string, id: string, properties: Properties, attributes: Properties): unknown =>
    aws.world.add({
      ...(type === 'AWS::Route53::HostedZone' ? globalPlace(PLACE) : PLACE),
      type,
      id,
      properties,
      attributes,
      stack: null,
    });
  const value = { Type: 'String', Value: '30' };
  add('AWS::SSM::Parameter', VERSION, { Name: VERSION, ...value }, value);
  const Arn = `arn:aws:ecr:${PLACE.region}:${PLACE.account}:repository/${REPOSITORY}`;
  add('AWS::ECR::Repository', REPOSITORY, { RepositoryName: REPOSITORY }, { Arn });
  aws.world.images.add(PLACE, REPOSITORY, IMAGE);
  const { hostedZoneId: id, hostedZoneName } = TRIAL.domain;
  add('AWS::Route53::HostedZone', id, { Name: `${hostedZoneName}.` }, { Id: id });
  return aws;
}

it.each(SEEDS)(
  'a zone is made and deleted in any order that its templates allow: %i',
  async (seed) => {
    const aws = account(seed);
    for (const { name, template } of stacks) {
      const body = JSON.stringify(JSON.parse(template));
      const input = { StackName: name, TemplateBody: body, Capabilities: ['CAPABILITY_NAMED_IAM'] };
      await aws.call('CreateStack', { ...input, OnFailure: 'DO_NOTHING' }, PLACE);
      expect([await aws.status(name, PLACE), ...(await aws.reasons(name, PLACE))]).toEqual([
        'CREATE_COMPLETE',
      ]);
    }
    for (const { name } of stacks.toReversed()) {
      // Global Accelerator leaves a group in the network, which people delete by hand.
      for (const group of aws.world.all('AWS::EC2::SecurityGroup', PLACE))
        if (group.properties['GroupName'] === 'GlobalAccelerator') aws.world.remove(group);
      await aws.call('DeleteStack', { StackName: name }, PLACE);
      expect([name, await aws.status(name, PLACE), ...(await reasonsOf(aws, name))]).toEqual([
        name,
        undefined,
      ]);
    }
    expect(aws.world.everything().filter(({ stack }) => stack !== null)).toEqual([]);
  },
  BUSY_MS,
);

/** Empty for a stack that is gone. */
async function reasonsOf(aws: Harness, name: string): Promise<readonly string[]> {
  return (await aws.status(name, PLACE)) === undefined ? [] : await aws.reasons(name, PLACE);
}
