import { createHash } from 'node:crypto';
import type { Place } from '../values.ts';

export interface Manifest {
  /** `sha256:` and 64 hex digits: of the manifest's bytes. */
  readonly digest: string;
  readonly mediaType: string;
  readonly bytes: Buffer;
}

/** What the registries of all accounts and regions hold: manifests by digest and tag, blobs by digest. Repositories are resources. */
export class Images {
  readonly #manifests = new Map<string, Manifest>();
  readonly #blobs = new Map<string, Buffer>();

  /** By tag or digest. */
  find(place: Place, repository: string, reference: string): Manifest | undefined {
    return this.#manifests.get(keyOf(place, repository, reference));
  }

  /** Stores a manifest under its digest, and under the tag that it was pushed as. Returns it. */
  add(
    place: Place,
    repository: string,
    pushed: { reference: string; mediaType: string; bytes: Buffer },
  ): Manifest {
    const digest = digestOf(pushed.bytes);
    const manifest = { digest, mediaType: pushed.mediaType, bytes: pushed.bytes };
    this.#manifests.set(keyOf(place, repository, digest), manifest);
    this.#manifests.set(keyOf(place, repository, pushed.reference), manifest);
    return manifest;
  }

  blob(place: Place, repository: string, digest: string): Buffer | undefined {
    return this.#blobs.get(keyOf(place, repository, digest));
  }

  addBlob(place: Place, repository: string, bytes: Buffer): string {
    const digest = digestOf(bytes);
    this.#blobs.set(keyOf(place, repository, digest), bytes);
    return digest;
  }
}

export function digestOf(bytes: Buffer): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}

function keyOf({ account, region }: Place, repository: string, reference: string): string {
  return `${account}/${region}/${repository}@${reference}`;
}
