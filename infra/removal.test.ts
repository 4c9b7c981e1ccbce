import { expect, test } from 'vitest';
import { allStacks, stacksOf, templateOf } from './test/zones.ts';

interface Policies {
  readonly Type: string;
  readonly DeletionPolicy?: string;
  readonly UpdateReplacePolicy?: string;
}

test('what is kept isn’t kept by a first deployment that failed: the next one would find its name taken', () => {
  const kept = new Set<string>();
  for (const stack of allStacks(stacksOf())) {
    const resources: Record<string, Policies> = templateOf(stack).toJSON()['Resources'];
    for (const [id, { Type, DeletionPolicy, UpdateReplacePolicy }] of Object.entries(resources)) {
      const where = `${stack.stackName} ${id}`;
      expect([where, DeletionPolicy]).not.toEqual([where, 'Retain']);
      if (DeletionPolicy !== 'RetainExceptOnCreate') continue;
      expect([where, UpdateReplacePolicy]).toEqual([where, 'Retain']);
      kept.add(Type);
    }
  }
  expect([...kept]).toEqual(
    expect.arrayContaining([
      'AWS::RDS::DBCluster',
      'AWS::RDS::GlobalCluster',
      'AWS::S3::Bucket',
      'AWS::SecretsManager::Secret',
      'AWS::KMS::Key',
      'AWS::GlobalAccelerator::Accelerator',
    ]),
  );
});
