import { join } from 'node:path';
import { aws_ecr as ecr, aws_ecr_assets as assets, aws_ecs as ecs, IgnoreMode } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import type { RegistryImage } from '../../topology/types.ts';

const REPOSITORY_ROOT = join(import.meta.dirname, '../..');

/**
 * The image that every container runs: one that is in this region's own registry already, by its digest, or one that is built from this
 * repository when it is deployed. What that consists of, and so when a new one is built, is in `.dockerignore`: not the topology.
 */
export function serviceImage(scope: Construct, image: RegistryImage | null): ecs.ContainerImage {
  if (image !== null) {
    const repository = ecr.Repository.fromRepositoryName(scope, 'Repository', image.repository);
    return ecs.ContainerImage.fromEcrRepository(repository, image.digest);
  }
  return ecs.ContainerImage.fromDockerImageAsset(
    new assets.DockerImageAsset(scope, 'Image', {
      directory: REPOSITORY_ROOT,
      file: 'Dockerfile',
      ignoreMode: IgnoreMode.DOCKER,
      platform: assets.Platform.LINUX_ARM64,
      displayName: 'Keyhearth service',
    }),
  );
}
