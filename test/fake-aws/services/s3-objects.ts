import type { IncomingHttpHeaders } from 'node:http';
import type { Answer, Call } from '../call.ts';
import type { StoredObject } from '../objects.ts';
import { Refusal } from '../refusal.ts';
import { textAt } from '../values.ts';
import { bodyEntries, bucketAndKey, NOT_FOUND, s3Answer } from './s3-bucket.ts';
import { checkIntegrity } from './s3-checksums.ts';

const NOT_IMPLEMENTED = 501;
const NO_CONTENT = 204;
const PARTIAL_CONTENT = 206;
const RANGE_NOT_SATISFIABLE = 416;
/** What comes back with an object as it was sent with it. */
const KEPT =
  /^(?:x-amz-meta-.+|x-amz-checksum-.+|cache-control|content-disposition|content-encoding|content-language)$/;

export const OBJECT_ACTIONS = {
  PutObject(call: Call): Answer {
    const { bucket, key } = bucketAndKey(call);
    if (call.headers['x-amz-copy-source'] !== undefined)
      throw new Refusal('NotImplemented', 'This local AWS copies no objects.', NOT_IMPLEMENTED);
    checkIntegrity(call.headers, call.body);
    const object = call.world.objects.put(bucket.id, { key, bytes: call.body, ...keptOf(call.headers) });
    return { raw: { status: 200, headers: { ...checksumsOf(object), etag: object.etag } } };
  },
  GetObject: readAnswer,
  HeadObject: readAnswer,
  DeleteObject(call: Call): Answer {
    const { bucket, key } = bucketAndKey(call);
    call.world.objects.remove(bucket.id, key);
    return { raw: { status: NO_CONTENT } };
  },
  DeleteObjects(call: Call): Answer {
    const { bucket } = bucketAndKey(call);
    const keys = bodyEntries(call, 'Delete', 'Object').map((one) => textAt(one, 'Key') ?? '');
    for (const key of keys) call.world.objects.remove(bucket.id, key);
    return s3Answer('DeleteResult', { Deleted: keys.map((Key) => ({ Key })) });
  },
};

/** Content type and kept headers of an upload. */
export function keptOf(headers: IncomingHttpHeaders): Pick<StoredObject, 'contentType' | 'headers'> {
  const kept = Object.entries(headers).flatMap(([name, value]) => {
    if (!KEPT.test(name) || typeof value !== 'string') return [];
    // The way in which it was sent isn't part of how it is encoded.
    const own = name === 'content-encoding' ? value.replace(/(?:^|,)\s*aws-chunked\s*/, '') : value;
    return own === '' ? [] : [[name, own]];
  });
  return {
    contentType: headers['content-type'] ?? 'binary/octet-stream',
    headers: Object.fromEntries(kept),
  };
}

function readAnswer(call: Call): Answer {
  const { bucket, key } = bucketAndKey(call);
  const object = call.world.objects.find(bucket.id, key);
  if (object === undefined) throw new Refusal('NoSuchKey', 'The specified key does not exist.', NOT_FOUND);
  const range = rangeOf(call.headers.range, object.bytes.length);
  const isPart = range.contentRange !== undefined;
  return {
    raw: {
      status: isPart ? PARTIAL_CONTENT : 200,
      headers: {
        ...withoutChecksums(object.headers),
        // A checksum is of the whole object: with a part of it, a client would find it wrong.
        ...(isPart ? { 'content-range': range.contentRange } : checksumsOf(object)),
        'content-type': object.contentType,
        'last-modified': object.lastModified.toUTCString(),
        'accept-ranges': 'bytes',
        etag: object.etag,
      },
      body: object.bytes.subarray(range.start, range.end),
    },
  };
}

interface Range {
  readonly start: number;
  /** Exclusive. */
  readonly end: number;
  /** Undefined for the whole. */
  readonly contentRange?: string;
}

function rangeOf(header: string | undefined, size: number): Range {
  const [, first = '', last = ''] = /^bytes=(\d*)-(\d*)$/.exec(header ?? '') ?? [];
  if (first === '' && last === '') return { start: 0, end: size };
  const start = first === '' ? Math.max(0, size - Number(last)) : Number(first);
  const end = first === '' || last === '' ? size : Math.min(size, Number(last) + 1);
  if (start >= end)
    throw new Refusal('InvalidRange', 'The requested range is not satisfiable', RANGE_NOT_SATISFIABLE);
  return { start, end, contentRange: `bytes ${start}-${end - 1}/${size}` };
}

function checksumsOf({ headers }: StoredObject): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => isChecksum(name)));
}

function withoutChecksums(headers: StoredObject['headers']): StoredObject['headers'] {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !isChecksum(name)));
}

function isChecksum(name: string): boolean {
  return name.startsWith('x-amz-checksum-');
}
