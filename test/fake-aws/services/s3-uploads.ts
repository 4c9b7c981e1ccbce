import { createHash } from 'node:crypto';
import type { Answer, Call } from '../call.ts';
import type { StoredObject } from '../objects.ts';
import { Refusal } from '../refusal.ts';
import { textAt } from '../values.ts';
import type { World } from '../world.ts';
import { bodyEntries, bucketAndKey, NOT_FOUND, s3Answer } from './s3-bucket.ts';
import { checkIntegrity } from './s3-checksums.ts';
import { keptOf } from './s3-objects.ts';

const NO_CONTENT = 204;
const ID_DIGITS = 32;
/** "Amazon S3 multipart upload limits", Amazon S3 User Guide: of every part but the last. */
const PART_BYTES_MIN = 5 * 1024 * 1024;

interface Upload {
  readonly bucket: string;
  readonly key: string;
  readonly kept: Pick<StoredObject, 'contentType' | 'headers'>;
  readonly parts: Map<number, { readonly bytes: Buffer; readonly etag: string }>;
}

/** Uploads that have begun and haven't ended, by id. */
const uploads = new WeakMap<World, Map<string, Upload>>();

/** Objects that are uploaded in parts. Source: "Uploading and copying objects using multipart upload", Amazon S3 User Guide. */
export const UPLOAD_ACTIONS = {
  CreateMultipartUpload(call: Call): Answer {
    const { bucket, key } = bucketAndKey(call);
    const id = call.world.hex(ID_DIGITS);
    const { contentType, headers } = keptOf(call.headers);
    // Of the parts, and of no object: `x-amz-checksum-algorithm`.
    const own = Object.entries(headers).filter(([name]) => !name.startsWith('x-amz-checksum-'));
    const kept = { contentType, headers: Object.fromEntries(own) };
    uploadsOf(call.world).set(id, { bucket: bucket.id, key, kept, parts: new Map() });
    return s3Answer('InitiateMultipartUploadResult', { Bucket: bucket.id, Key: key, UploadId: id });
  },
  UploadPart(call: Call): Answer {
    const { upload } = uploadOf(call);
    checkIntegrity(call.headers, call.body);
    const etag = `"${md5(call.body).toString('hex')}"`;
    upload.parts.set(Number(call.query.get('partNumber')), { bytes: call.body, etag });
    return { raw: { status: 200, headers: { etag } } };
  },
  CompleteMultipartUpload(call: Call): Answer {
    const { id, upload } = uploadOf(call);
    const parts = bodyEntries(call, 'CompleteMultipartUpload', 'Part').map((named, index, all) => {
      const part = upload.parts.get(Number(textAt(named, 'PartNumber')));
      if (part === undefined || unquoted(textAt(named, 'ETag')) !== unquoted(part.etag))
        throw new Refusal('InvalidPart', 'One or more of the specified parts could not be found.');
      if (index < all.length - 1 && part.bytes.length < PART_BYTES_MIN)
        throw new Refusal('EntityTooSmall', 'Your proposed upload is smaller than the minimum allowed size');
      return part.bytes;
    });
    const etag = `"${md5(Buffer.concat(parts.map((part) => md5(part)))).toString('hex')}-${parts.length}"`;
    const { bucket, key, kept } = upload;
    call.world.objects.put(bucket, { key, bytes: Buffer.concat(parts), etag, ...kept });
    uploadsOf(call.world).delete(id);
    return s3Answer('CompleteMultipartUploadResult', {
      Location: `${call.endpoint}/${bucket}/${encodeURI(key)}`,
      Bucket: bucket,
      Key: key,
      ETag: etag,
    });
  },
  AbortMultipartUpload(call: Call): Answer {
    const { id } = uploadOf(call);
    uploadsOf(call.world).delete(id);
    return { raw: { status: NO_CONTENT } };
  },
};

function uploadsOf(world: World): Map<string, Upload> {
  const known = uploads.get(world) ?? new Map<string, Upload>();
  uploads.set(world, known);
  return known;
}

function uploadOf(call: Call): { readonly id: string; readonly upload: Upload } {
  const { bucket, key } = bucketAndKey(call);
  const id = call.query.get('uploadId') ?? '';
  const upload = uploadsOf(call.world).get(id);
  if (upload?.bucket !== bucket.id || upload.key !== key)
    throw new Refusal('NoSuchUpload', 'The specified upload does not exist.', NOT_FOUND);
  return { id, upload };
}

function md5(bytes: Buffer): Buffer {
  return createHash('md5').update(bytes).digest();
}

function unquoted(etag: string | undefined): string | undefined {
  return etag?.replaceAll('"', '');
}
