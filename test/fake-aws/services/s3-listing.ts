import type { Answer, Call } from '../call.ts';
import type { StoredObject } from '../objects.ts';
import type { Json, Properties } from '../values.ts';
import { bucketAndKey, s3Answer } from './s3-bucket.ts';

/** "ListObjectsV2", Amazon S3 API Reference. */
const KEYS_MAX = 1000;

export const LISTING_ACTIONS = {
  /** Everything has one version, since versions aren't kept: an object that is written again is gone, and so is one that is deleted. */
  ListObjectVersions(call: Call): Answer {
    const listed = pageOf(call, call.query.get('key-marker') ?? '');
    const { named } = listed;
    return s3Answer('ListVersionsResult', {
      ...listed.content,
      ...(listed.next === undefined
        ? {}
        : { NextKeyMarker: named(listed.next), NextVersionIdMarker: 'null' }),
      Version: listed.objects.map((object) => ({
        ...entryOf(object, named),
        VersionId: 'null',
        IsLatest: true,
      })),
    });
  },
  ListObjects(call: Call): Answer {
    const listed = pageOf(call, call.query.get('marker') ?? '');
    return s3Answer('ListBucketResult', {
      ...listed.content,
      ...(listed.next === undefined ? {} : { NextMarker: listed.named(listed.next) }),
      Contents: listed.objects.map((object) => entryOf(object, listed.named)),
    });
  },
  ListObjectsV2(call: Call): Answer {
    const token = call.query.get('continuation-token');
    const after =
      token === null ? (call.query.get('start-after') ?? '') : Buffer.from(token, 'base64url').toString();
    const listed = pageOf(call, after);
    return s3Answer('ListBucketResult', {
      ...listed.content,
      KeyCount: listed.objects.length + listed.prefixes,
      ...(listed.next === undefined
        ? {}
        : { NextContinuationToken: Buffer.from(listed.next).toString('base64url') }),
      Contents: listed.objects.map((object) => entryOf(object, listed.named)),
    });
  },
};

interface Page {
  readonly objects: readonly StoredObject[];
  /** How many groups of keys there are beside them. */
  readonly prefixes: number;
  /** Where the next page goes on; undefined for the last one. */
  readonly next: string | undefined;
  /** A key as it is written in the answer. */
  readonly named: (key: string) => string;
  /** What every kind of listing has. */
  readonly content: Properties;
}

function pageOf(call: Call, after: string): Page {
  const { bucket } = bucketAndKey(call);
  const { query, world } = call;
  const prefix = query.get('prefix') ?? '';
  const delimiter = query.get('delimiter') ?? '';
  const max = Math.min(KEYS_MAX, Number(query.get('max-keys') ?? KEYS_MAX));
  const groups = new Set<string>();
  const objects: StoredObject[] = [];
  let last: string | undefined;
  let next: string | undefined;
  for (const object of world.objects.list(bucket.id)) {
    const group = groupOf(object.key, prefix, delimiter);
    const name = group ?? object.key;
    if (!object.key.startsWith(prefix) || name <= after || (group !== undefined && groups.has(group)))
      continue;
    if (objects.length + groups.size === max) {
      next = last;
      break;
    }
    if (group === undefined) objects.push(object);
    else groups.add(group);
    last = name;
  }
  const isEncoded = query.get('encoding-type') === 'url';
  const named = (key: string): string => (isEncoded ? encodeURIComponent(key).replaceAll('%2F', '/') : key);
  const content = {
    Name: bucket.id,
    Prefix: named(prefix),
    MaxKeys: max,
    IsTruncated: next !== undefined,
    ...(delimiter === '' ? {} : { Delimiter: named(delimiter) }),
    ...(isEncoded ? { EncodingType: 'url' } : {}),
    CommonPrefixes: [...groups].map((group): Json => ({ Prefix: named(group) })),
  };
  return { objects, prefixes: groups.size, next, named, content };
}

/** The part of a key up to the first delimiter after the prefix; undefined where there is none. */
function groupOf(key: string, prefix: string, delimiter: string): string | undefined {
  const at = delimiter === '' ? -1 : key.indexOf(delimiter, prefix.length);
  return at < 0 ? undefined : key.slice(0, at + delimiter.length);
}

function entryOf(object: StoredObject, named: (key: string) => string): Properties {
  return {
    Key: named(object.key),
    LastModified: object.lastModified.toISOString(),
    ETag: object.etag,
    Size: object.bytes.length,
    StorageClass: 'STANDARD',
  };
}
