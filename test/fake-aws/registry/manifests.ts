import { REPOSITORY } from '../behaviours/ecr.ts';
import { objectsAt } from '../behaviours/property-values.ts';
import type { Sent } from '../protocols/sent.ts';
import { isProperties, textAt, type Json, type Properties } from '../values.ts';
import { digestOf, isDigest } from './images.ts';
import { RegistryRefusal } from './refusals.ts';
import type { RepositoryCall } from './registry.ts';

const CREATED = 201;
const BAD_REQUEST = 400;
const NOT_FOUND = 404;

/** Answers a read or a push of a manifest; undefined for anything else. */
export function manifestAnswer(call: RepositoryCall): Sent | undefined {
  const { method, rest: reference, world, place, repository } = call;
  if (method === 'PUT') return push(call);
  if (method !== 'GET' && method !== 'HEAD') return undefined;
  const manifest = world.images.find(place, repository, reference);
  if (manifest === undefined)
    throw new RegistryRefusal('MANIFEST_UNKNOWN', 'Requested image not found', NOT_FOUND);
  const headers = { 'content-type': manifest.mediaType, 'docker-content-digest': manifest.digest };
  return { status: 200, headers, body: manifest.bytes };
}

/** "Pushing manifests", OCI Distribution Specification. */
function push(call: RepositoryCall): Sent {
  const { rest: reference, headers, body, world, place, repository, base } = call;
  const content = contentOf(body);
  const digest = digestOf(body);
  if (isDigest(reference) && reference !== digest)
    throw new RegistryRefusal(
      'DIGEST_INVALID',
      'provided digest did not match uploaded content',
      BAD_REQUEST,
    );
  checkReferences(call, content);
  checkTag(call, digest);
  const mediaType = headers['content-type'] ?? textAt(content, 'mediaType') ?? '';
  world.images.add(place, repository, { reference, mediaType, bytes: body });
  return {
    status: CREATED,
    headers: { location: `${base}/manifests/${digest}`, 'docker-content-digest': digest },
    body: '',
  };
}

function contentOf(bytes: Buffer): Properties {
  let content: Json;
  try {
    // What `JSON.parse` returns is JSON, which its type doesn't say.
    content = JSON.parse(bytes.toString()) as Json;
  } catch {
    content = null;
  }
  if (!isProperties(content)) throw new RegistryRefusal('MANIFEST_INVALID', 'manifest invalid', BAD_REQUEST);
  return content;
}

/** An image's blobs, and an index's images, have to be there before it. */
function checkReferences(
  { world: { images }, place, repository }: RepositoryCall,
  content: Properties,
): void {
  const config = textAt(content, 'config.digest');
  const layers = objectsAt(content, 'layers').map((layer) => textAt(layer, 'digest') ?? '');
  const missing = [...(config === undefined ? [] : [config]), ...layers].find(
    (digest) => images.blob(place, repository, digest) === undefined,
  );
  if (missing !== undefined)
    throw new RegistryRefusal('BLOB_UNKNOWN', `blob unknown to registry: ${missing}`, NOT_FOUND);
  const listed = objectsAt(content, 'manifests').map((entry) => textAt(entry, 'digest') ?? '');
  const absent = listed.find((digest) => images.find(place, repository, digest) === undefined);
  if (absent !== undefined)
    throw new RegistryRefusal('MANIFEST_UNKNOWN', `Requested image not found: ${absent}`, NOT_FOUND);
}

/**
 * In a repository whose tags don't change, a tag stays with its image. Pushing the same image again is believed to be accepted.
 * Source: "Preventing image tags from being overwritten in Amazon ECR", Amazon ECR User Guide.
 */
function checkTag({ world, place, repository, rest: tag }: RepositoryCall, digest: string): void {
  const properties = world.find(place, REPOSITORY, repository)?.properties ?? {};
  const tagged = isDigest(tag) ? undefined : world.images.find(place, repository, tag);
  if (tagged === undefined || tagged.digest === digest) return;
  if (textAt(properties, 'ImageTagMutability') !== 'IMMUTABLE') return;
  throw new RegistryRefusal(
    'TAG_INVALID',
    `The image tag '${tag}' already exists in the '${repository}' repository and cannot be overwritten because the repository is immutable.`,
    BAD_REQUEST,
  );
}
