import { createByCall, callContext } from '../behaviours/by-call.ts';
import { ECR as ECR_BEHAVIOURS, REPOSITORY } from '../behaviours/ecr.ts';
import { objectsAt, requiredText } from '../behaviours/property-values.ts';
import type { Answer, Call, Service } from '../call.ts';
import type { StoredManifest } from '../registry/images.ts';
import { passwordOf } from '../registry/token.ts';
import { Refusal } from '../refusal.ts';
import { type Json, type Properties, isProperties, textAt, textsAt } from '../values.ts';
import type { Resource } from '../world.ts';

const MILLISECONDS = 1000;
/** "GetAuthorizationToken", Amazon ECR API Reference. */
const TOKEN_SECONDS = 43_200;

/**
 * Amazon ECR: what is in the registry, and the password for it. A repository's URI is one of this endpoint, so that what programs push
 * goes to it.
 */
export const ECR: Service = {
  signingName: 'ecr',
  protocol: 'json',
  actions: {
    GetAuthorizationToken: ({ account, endpoint }) => ({
      result: {
        authorizationData: [
          {
            authorizationToken: Buffer.from(`AWS:${passwordOf(account)}`).toString('base64'),
            expiresAt: Math.floor(Date.now() / MILLISECONDS) + TOKEN_SECONDS,
            proxyEndpoint: endpoint,
          },
        ],
      },
    }),
    DescribeRepositories(call) {
      const names = textsAt(call.input, 'repositoryNames');
      const found =
        names.length === 0 ? call.world.all(REPOSITORY, call) : names.map((name) => repositoryOf(call, name));
      return { result: { repositories: found.map((one) => repositoryShape(call, one)) } };
    },
    CreateRepository(call) {
      const { world, input } = call;
      const name = requiredText(input, 'repositoryName');
      const [behaviour] = ECR_BEHAVIOURS;
      if (behaviour === undefined) throw new Error('a repository behaves in no way');
      const made = createByCall(callContext(world, call, name), behaviour, {
        RepositoryName: name,
        ImageTagMutability: textAt(input, 'imageTagMutability') ?? 'MUTABLE',
      });
      return { result: { repository: repositoryShape(call, made) } };
    },
    ListImages(call) {
      const name = repositoryNamed(call);
      const ids = call.world.images
        .list(call, name)
        .flatMap(({ digest, tags }): readonly Properties[] =>
          tags.length === 0
            ? [{ imageDigest: digest }]
            : tags.map((tag) => ({ imageDigest: digest, imageTag: tag })),
        );
      return { result: { imageIds: ids } };
    },
    DescribeImages(call) {
      const repository = repositoryNamed(call);
      const wanted = objectsAt(call.input, 'imageIds');
      const images =
        wanted.length === 0
          ? call.world.images.list(call, repository)
          : wanted.map((id) => imageNamed(call, repository, id));
      return { result: { imageDetails: images.map((image) => imageShape(call, repository, image)) } };
    },
    BatchGetImage: batchGetImage,
  },
};

function batchGetImage(call: Call): Answer {
  const repository = repositoryNamed(call);
  const images: Json[] = [];
  const failures: Json[] = [];
  for (const imageId of objectsAt(call.input, 'imageIds')) {
    const found = findImage(call, repository, imageId);
    if (found === undefined) {
      failures.push({ imageId, failureCode: 'ImageNotFound', failureReason: 'Requested image not found' });
      continue;
    }
    images.push({
      registryId: call.account,
      repositoryName: repository,
      imageId: { ...imageId, imageDigest: found.digest },
      imageManifest: found.bytes.toString(),
      imageManifestMediaType: found.mediaType,
    });
  }
  return { result: { images, failures } };
}

/** Throws `RepositoryNotFoundException`. */
function repositoryOf({ world, account, region }: Call, name: string): Resource {
  const repository = world.find({ account, region }, REPOSITORY, name);
  if (repository !== undefined) return repository;
  throw new Refusal(
    'RepositoryNotFoundException',
    `The repository with name '${name}' does not exist in the registry with id '${account}'`,
  );
}

function repositoryNamed(call: Call): string {
  return repositoryOf(call, requiredText(call.input, 'repositoryName')).id;
}

function repositoryShape(
  { account, region, endpoint }: Call,
  { id, attributes, properties }: Resource,
): Properties {
  return {
    repositoryArn: attributes['Arn'] ?? null,
    registryId: account,
    repositoryName: id,
    repositoryUri: `${endpoint.replace(/^http:\/\//, '')}/${account}/${region}/${id}`,
    imageTagMutability: textAt(properties, 'ImageTagMutability') ?? 'MUTABLE',
    createdAt: 0,
  };
}

function findImage(call: Call, repository: string, id: Properties): StoredManifest | undefined {
  const { world } = call;
  const reference = textAt(id, 'imageDigest') ?? textAt(id, 'imageTag') ?? '';
  const digest = world.images.find(call, repository, reference)?.digest;
  return world.images.list(call, repository).find((one) => one.digest === digest);
}

function imageNamed(call: Call, repository: string, id: Properties): StoredManifest {
  const found = findImage(call, repository, id);
  if (found !== undefined) return found;
  const of = (name: string): string => {
    const text = textAt(id, name);
    return text === undefined ? 'null' : `'${text}'`;
  };
  throw new Refusal(
    'ImageNotFoundException',
    `The image with imageId {imageDigest:${of('imageDigest')}, imageTag:${of('imageTag')}} does not exist within the repository with name '${repository}' in the registry with id '${call.account}'`,
  );
}

function imageShape({ account }: Call, repository: string, image: StoredManifest): Properties {
  return {
    registryId: account,
    repositoryName: repository,
    imageDigest: image.digest,
    ...(image.tags.length === 0 ? {} : { imageTags: image.tags }),
    imageSizeInBytes: sizeOf(image.bytes),
    imagePushedAt: image.pushedAt.getTime() / MILLISECONDS,
    imageManifestMediaType: image.mediaType,
  };
}

/** Of what an image's manifest lists. */
function sizeOf(bytes: Buffer): number {
  // What `JSON.parse` returns is JSON, which its type doesn't say; whoever pushed it had to push JSON.
  const manifest = JSON.parse(bytes.toString()) as Json;
  if (!isProperties(manifest)) return 0;
  return objectsAt(manifest, 'layers').reduce(
    (sum, { size }) => sum + (typeof size === 'number' ? size : 0),
    0,
  );
}
