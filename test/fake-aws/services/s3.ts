import { BUCKET } from '../behaviours/s3.ts';
import { objectsAt } from '../behaviours/property-values.ts';
import type { Answer, Call, Service } from '../call.ts';
import { textAt, valueAt } from '../values.ts';
import { pathAddress } from './s3-address.ts';
import { bucketAndKey, ownBucket, s3Answer } from './s3-bucket.ts';
import { LISTING_ACTIONS } from './s3-listing.ts';
import { OBJECT_ACTIONS } from './s3-objects.ts';
import { UPLOAD_ACTIONS } from './s3-uploads.ts';

export { readObject } from './s3-address.ts';

const BUCKET_ACTIONS = {
  ListBuckets({ world, account }: Call): Answer {
    const own = world.all(BUCKET).filter((bucket) => bucket.account === account);
    return s3Answer('ListAllMyBucketsResult', {
      Owner: { ID: account },
      Buckets: { Bucket: own.map(({ id, region }) => ({ Name: id, BucketRegion: region })) },
    });
  },
  HeadBucket(call: Call): Answer {
    const { region } = ownBucket(call, pathAddress(call.path).bucket);
    const headers = { 'x-amz-bucket-region': region };
    return { raw: { status: region === call.region ? 200 : 301, headers } };
  },
  /** Empty for us-east-1: "GetBucketLocation", Amazon S3 API Reference. */
  GetBucketLocation(call: Call): Answer {
    const { region } = ownBucket(call, pathAddress(call.path).bucket);
    return s3Answer('LocationConstraint', region === 'us-east-1' ? {} : { '#text': region });
  },
  /** Every bucket is encrypted: "GetBucketEncryption", Amazon S3 API Reference. */
  GetBucketEncryption(call: Call): Answer {
    const { properties } = bucketAndKey(call).bucket;
    const rules = objectsAt(properties, 'BucketEncryption.ServerSideEncryptionConfiguration');
    const rule = rules[0] ?? {};
    return s3Answer('ServerSideEncryptionConfiguration', {
      Rule: {
        ApplyServerSideEncryptionByDefault: {
          SSEAlgorithm: textAt(rule, 'ServerSideEncryptionByDefault.SSEAlgorithm') ?? 'AES256',
          KMSMasterKeyID: textAt(rule, 'ServerSideEncryptionByDefault.KMSMasterKeyID') ?? null,
        },
        BucketKeyEnabled: valueAt(rule, 'BucketKeyEnabled') === true,
      },
    });
  },
  GetBucketVersioning(call: Call): Answer {
    const { properties } = bucketAndKey(call).bucket;
    const Status = textAt(properties, 'VersioningConfiguration.Status') ?? null;
    return s3Answer('VersioningConfiguration', { Status });
  },
};

/** What a request is by its query, beside a method on a bucket or object: GET `?location`, … */
const SUBRESOURCES: Readonly<Record<string, string>> = {
  'bucket GET location': 'GetBucketLocation',
  'bucket GET encryption': 'GetBucketEncryption',
  'bucket GET versioning': 'GetBucketVersioning',
  'bucket GET versions': 'ListObjectVersions',
  'bucket GET list-type': 'ListObjectsV2',
  'bucket POST delete': 'DeleteObjects',
  'object POST uploads': 'CreateMultipartUpload',
  'object POST uploadId': 'CompleteMultipartUpload',
  'object PUT uploadId': 'UploadPart',
  'object DELETE uploadId': 'AbortMultipartUpload',
};

const PLAIN: Readonly<Record<string, string>> = {
  'bucket GET': 'ListObjects',
  'bucket HEAD': 'HeadBucket',
  'object GET': 'GetObject',
  'object HEAD': 'HeadObject',
  'object PUT': 'PutObject',
  'object DELETE': 'DeleteObject',
};

/** What narrows or presents an answer, and never makes another action of a request. */
const PARAMETER =
  /^(?:x-id|X-Amz-.+|prefix|delimiter|max-keys|encoding-type|marker|key-marker|version-id-marker|continuation-token|start-after|fetch-owner|partNumber|response-.+|max-buckets|bucket-region)$/i;

/** The S3 of a world whose buckets were made as resources. Keys are kept in memory. */
export const S3: Service = {
  signingName: 's3',
  protocol: 'rest',
  actions: { ...BUCKET_ACTIONS, ...OBJECT_ACTIONS, ...LISTING_ACTIONS, ...UPLOAD_ACTIONS },
  actionOf(method, path, query) {
    const { bucket, key } = pathAddress(path);
    if (bucket === '') return method === 'GET' ? 'ListBuckets' : `${method} /`;
    const on = `${key === '' ? 'bucket' : 'object'} ${method}`;
    const special = [...query.keys()].find((name) => !PARAMETER.test(name));
    if (special === undefined) return PLAIN[on] ?? on;
    return SUBRESOURCES[`${on} ${special}`] ?? `${on} ${special}`;
  },
};
