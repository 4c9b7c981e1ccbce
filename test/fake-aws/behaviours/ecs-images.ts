import type { Place, Properties } from '../values.ts';
import { isProperties, textAt } from '../values.ts';
import type { World } from '../world.ts';
import { REPOSITORY } from './ecr.ts';
import { objectsAt } from './property-values.ts';

/** An image in a private registry of ECR. */
export interface ImageAddress extends Place {
  readonly repository: string;
  /** Tag, or digest where there is one: that decides. */
  readonly reference: string;
}

const ADDRESS =
  /^(?<account>\d{12})\.dkr\.ecr\.(?<region>[a-z0-9-]+)\.amazonaws\.com(?:\.cn)?\/(?<repository>[^:@]+)(?::(?<tag>[^@]+))?(?:@(?<digest>sha256:[0-9a-f]{64}))?$/u;

/** Undefined for images of other registries. */
export function imageAddress(image: string): ImageAddress | undefined {
  const { account, region, repository, tag, digest } = ADDRESS.exec(image)?.groups ?? {};
  if (account === undefined || region === undefined || repository === undefined) return undefined;
  return { account, region, repository, reference: digest ?? tag ?? 'latest' };
}

/** Host of the registry that an image without one comes from. */
export function registryOf(image: string): string {
  const [first = ''] = image.split('/');
  return image.includes('/') && /[.:]|^localhost$/u.test(first) ? first : 'docker.io';
}

/**
 * Why ECS can't pull an image of ECR, in its words; undefined where it can. Source: "CannotPullContainer task errors in Amazon ECS"
 * (https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task_cannot_pull_image.html).
 *
 * @param architecture as in `RuntimePlatform.CpuArchitecture`
 */
export function pullProblem(world: World, image: string, architecture: string): string | undefined {
  const address = imageAddress(image);
  if (address === undefined) return undefined;
  const prefix = 'CannotPullContainerError: pull image manifest has been retried 7 time(s):';
  const { repository, reference } = address;
  const manifest =
    world.find(address, REPOSITORY, repository) === undefined
      ? undefined
      : world.images.find(address, repository, reference);
  if (manifest === undefined) return `${prefix} failed to resolve ref ${image}: ${image}: not found`;
  const wanted = architecture === 'ARM64' ? 'arm64' : 'amd64';
  const found = architecturesOf(world, address, manifest.bytes);
  return found.length === 0 || found.includes(wanted)
    ? undefined
    : `${prefix} image Manifest does not contain descriptor matching platform 'linux/${wanted}': ${image}`;
}

/** Those that an index lists, or the one that an image's configuration names; none where the manifest doesn't say. */
function architecturesOf(world: World, address: ImageAddress, bytes: Buffer): readonly string[] {
  const manifest = jsonOf(bytes);
  const listed = objectsAt(manifest, 'manifests').flatMap(
    (entry) => textAt(entry, 'platform.architecture') ?? [],
  );
  if (listed.length > 0) return listed;
  const digest = textAt(manifest, 'config.digest');
  const blob = digest === undefined ? undefined : world.images.blob(address, address.repository, digest);
  const own = blob === undefined ? undefined : textAt(jsonOf(blob), 'architecture');
  return own === undefined ? [] : [own];
}

function jsonOf(bytes: Buffer): Properties {
  try {
    // What JSON.parse gives is JSON.
    const value = JSON.parse(bytes.toString()) as Properties;
    return isProperties(value) ? value : {};
  } catch {
    return {};
  }
}
