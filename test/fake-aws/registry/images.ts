import { createHash } from 'node:crypto';
import type { Place } from '../values.ts';

export interface Manifest {
  /** `sha256:` and 64 hex digits: of the manifest's bytes. */
  readonly digest: string;
  readonly mediaType: string;
  readonly bytes: Buffer;
}

/** A manifest with what its repository knows of it. */
export interface StoredManifest extends Manifest {
  /** In the order in which they were pushed; none where every tag has moved on. */
  readonly tags: readonly string[];
  readonly pushedAt: Date;
}

interface Repository {
  readonly manifests: Map<string, Manifest & { readonly pushedAt: Date }>;
  /** Digest by tag. */
  readonly tags: Map<string, string>;
  readonly blobs: Map<string, Buffer>;
}

/** What the registries of all accounts and regions hold: manifests by digest and tag, blobs by digest. Repositories are resources. */
export class Images {
  readonly #repositories = new Map<string, Repository>();

  /** By tag or digest. */
  find(place: Place, repository: string, reference: string): Manifest | undefined {
    const held = this.#repositories.get(keyOf(place, repository));
    return held?.manifests.get(held.tags.get(reference) ?? reference);
  }

  /** Stores a manifest under its digest, and under the tag that it was pushed as. Returns it. */
  add(
    place: Place,
    repository: string,
    pushed: { reference: string; mediaType: string; bytes: Buffer },
  ): Manifest {
    const held = this.#held(place, repository);
    const digest = digestOf(pushed.bytes);
    const manifest = { digest, mediaType: pushed.mediaType, bytes: pushed.bytes };
    if (!held.manifests.has(digest)) held.manifests.set(digest, { ...manifest, pushedAt: new Date() });
    if (!isDigest(pushed.reference)) held.tags.set(pushed.reference, digest);
    return manifest;
  }

  list(place: Place, repository: string): readonly StoredManifest[] {
    const held = this.#repositories.get(keyOf(place, repository));
    if (held === undefined) return [];
    const tagsOf = (digest: string): readonly string[] =>
      [...held.tags].filter(([, tagged]) => tagged === digest).map(([tag]) => tag);
    return [...held.manifests.values()].map((manifest) => ({ ...manifest, tags: tagsOf(manifest.digest) }));
  }

  /** Has anything been pushed to it? */
  holds(place: Place, repository: string): boolean {
    return this.list(place, repository).length > 0;
  }

  /** Deletes all that a repository holds. */
  forget(place: Place, repository: string): void {
    this.#repositories.delete(keyOf(place, repository));
  }

  blob(place: Place, repository: string, digest: string): Buffer | undefined {
    return this.#repositories.get(keyOf(place, repository))?.blobs.get(digest);
  }

  addBlob(place: Place, repository: string, bytes: Buffer): string {
    const digest = digestOf(bytes);
    this.#held(place, repository).blobs.set(digest, bytes);
    return digest;
  }

  #held(place: Place, repository: string): Repository {
    const key = keyOf(place, repository);
    const held = this.#repositories.get(key) ?? { manifests: new Map(), tags: new Map(), blobs: new Map() };
    this.#repositories.set(key, held);
    return held;
  }
}

export function digestOf(bytes: Buffer): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}

/** Is a reference a digest, and no tag? */
export function isDigest(reference: string): boolean {
  return /^sha256:[0-9a-f]{64}$/.test(reference);
}

function keyOf({ account, region }: Place, repository: string): string {
  return `${account}/${region}/${repository}`;
}
