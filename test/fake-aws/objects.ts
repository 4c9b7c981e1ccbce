import { createHash } from 'node:crypto';

/** What a bucket keeps under a key. */
export interface StoredObject {
  readonly key: string;
  readonly bytes: Buffer;
  readonly contentType: string;
  /** Hex digits within quotes. */
  readonly etag: string;
  readonly lastModified: Date;
  /** Headers that come back as they were stored: `x-amz-meta-…`, `cache-control`, `x-amz-checksum-…`, … */
  readonly headers: Readonly<Record<string, string>>;
}

/** What all buckets hold, by bucket and key. Bucket names are unique over all accounts, so a bucket needs no place. Buckets are resources. */
export class Objects {
  readonly #buckets = new Map<string, Map<string, StoredObject>>();

  /** `etag` is given for an object made of parts. @default the digest of the bytes */
  put(bucket: string, object: Pick<StoredObject, 'key' | 'bytes'> & Partial<StoredObject>): StoredObject {
    const stored = {
      contentType: 'binary/octet-stream',
      etag: `"${createHash('md5').update(object.bytes).digest('hex')}"`,
      lastModified: new Date(),
      headers: {},
      ...object,
    };
    const objects = this.#buckets.get(bucket) ?? new Map<string, StoredObject>();
    this.#buckets.set(bucket, objects);
    objects.set(object.key, stored);
    return stored;
  }

  find(bucket: string, key: string): StoredObject | undefined {
    return this.#buckets.get(bucket)?.get(key);
  }

  remove(bucket: string, key: string): void {
    this.#buckets.get(bucket)?.delete(key);
  }

  /** In the order in which S3 lists them: by the bytes of their keys. */
  list(bucket: string): readonly StoredObject[] {
    const objects = [...(this.#buckets.get(bucket)?.values() ?? [])];
    return objects.toSorted((a, b) => Buffer.compare(Buffer.from(a.key), Buffer.from(b.key)));
  }
}
