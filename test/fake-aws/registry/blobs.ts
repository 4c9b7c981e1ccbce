import type { Sent } from '../protocols/sent.ts';
import { RegistryRefusal } from './refusals.ts';
import type { RepositoryCall } from './registry.ts';

const NOT_FOUND = 404;

/** Answers a read of a blob; undefined for anything else, since ECR deletes no layers on request. */
export function blobAnswer({
  method,
  rest: digest,
  world,
  place,
  repository,
}: RepositoryCall): Sent | undefined {
  if (method !== 'GET' && method !== 'HEAD') return undefined;
  const bytes = world.images.blob(place, repository, digest);
  if (bytes === undefined) throw new RegistryRefusal('BLOB_UNKNOWN', 'blob unknown to registry', NOT_FOUND);
  const headers = { 'content-type': 'application/octet-stream', 'docker-content-digest': digest };
  return { status: 200, headers, body: bytes };
}
