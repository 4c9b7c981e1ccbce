import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  DeleteObjectsCommand,
  GetBucketEncryptionCommand,
  GetBucketLocationCommand,
  GetObjectCommand,
  HeadBucketCommand,
  HeadObjectCommand,
  ListBucketsCommand,
  ListObjectsV2Command,
  ListObjectVersionsCommand,
  PutObjectCommand,
  S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { Readable } from 'node:stream';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { accountKeys } from '../account.ts';
import { startFakeAws, type FakeAws } from '../server.ts';
import { authorization } from '../signed-call.ts';
import type { Properties } from '../values.ts';
import { readObject } from './s3.ts';

const ACCOUNT = '111122223333';
const REGION = 'eu-central-1';
const PART_BYTES = 5 * 1024 * 1024;

let aws: FakeAws;
let s3: S3Client;

beforeAll(async () => {
  aws = await startFakeAws();
  s3 = clientOf(ACCOUNT, REGION);
});

afterAll(() => aws.close());

function clientOf(account: string, region: string): S3Client {
  const { endpoint } = aws;
  return new S3Client({
    endpoint,
    region,
    credentials: accountKeys(account),
    forcePathStyle: true,
    maxAttempts: 1,
  });
}

let buckets = 0;

function newBucket(properties: Properties = {}, region = REGION): string {
  buckets += 1;
  const id = `bucket-${buckets}`;
  aws.world.add({
    account: ACCOUNT,
    region,
    type: 'AWS::S3::Bucket',
    id,
    properties,
    attributes: {},
    stack: null,
  });
  return id;
}

function put(Bucket: string, Key: string, Body: string | Buffer = Key) {
  return s3.send(new PutObjectCommand({ Bucket, Key, Body }));
}

describe('an object', () => {
  test('comes back as it was stored, whatever its key', async () => {
    const Bucket = newBucket();
    const Key = 'a b/ü+%2F&?=/☃.json';
    await s3.send(
      new PutObjectCommand({ Bucket, Key, Body: 'text', ContentType: 'a/b', Metadata: { k: 'v' } }),
    );
    const read = await s3.send(new GetObjectCommand({ Bucket, Key, ChecksumMode: 'ENABLED' }));
    expect(await read.Body?.transformToString()).toBe('text');
    expect(read).toMatchObject({ ContentType: 'a/b', Metadata: { k: 'v' }, ContentLength: 4 });
    expect(read.ETag).toBe('"1cb251ec0d568de6a929b520c4aed8d1"');
    const head = await s3.send(new HeadObjectCommand({ Bucket, Key }));
    expect(head.ContentLength).toBe(4);
  });

  test('that is sent in chunks is stored without them', async () => {
    const Bucket = newBucket();
    const bytes = Buffer.alloc(300_000, 'chunk');
    await s3.send(
      new PutObjectCommand({ Bucket, Key: 'k', Body: Readable.from([bytes]), ContentLength: bytes.length }),
    );
    expect(aws.world.objects.find(Bucket, 'k')?.bytes.equals(bytes)).toBe(true);
    expect(aws.world.objects.find(Bucket, 'k')?.headers).toHaveProperty('x-amz-checksum-crc32');
  });

  test('that doesn’t fit its checksum is refused', async () => {
    const Bucket = newBucket();
    const damaged = new PutObjectCommand({ Bucket, Key: 'k', Body: 'text', ChecksumCRC32: 'AAAAAA==' });
    await expect(s3.send(damaged)).rejects.toMatchObject({ name: 'BadDigest' });
    expect(aws.world.objects.find(Bucket, 'k')).toBeUndefined();
  });

  test('is read in part', async () => {
    const Bucket = newBucket();
    await put(Bucket, 'k', '0123456789');
    const read = async (Range: string) => {
      const { Body, ContentRange } = await s3.send(new GetObjectCommand({ Bucket, Key: 'k', Range }));
      return [await Body?.transformToString(), ContentRange];
    };
    expect(await read('bytes=2-4')).toEqual(['234', 'bytes 2-4/10']);
    expect(await read('bytes=8-')).toEqual(['89', 'bytes 8-9/10']);
    expect(await read('bytes=-3')).toEqual(['789', 'bytes 7-9/10']);
    await expect(read('bytes=10-')).rejects.toMatchObject({ name: 'InvalidRange' });
  });

  test('that isn’t there is NoSuchKey, and a 404 to HEAD', async () => {
    const Bucket = newBucket();
    await expect(s3.send(new GetObjectCommand({ Bucket, Key: 'k' }))).rejects.toMatchObject({
      name: 'NoSuchKey',
    });
    await expect(s3.send(new HeadObjectCommand({ Bucket, Key: 'k' }))).rejects.toMatchObject({
      name: 'NotFound',
    });
  });

  test('is deleted, and deleting it again is fine', async () => {
    const Bucket = newBucket();
    for (const key of ['a', 'b&<', 'c']) await put(Bucket, key);
    await s3.send(new DeleteObjectCommand({ Bucket, Key: 'a' }));
    await s3.send(new DeleteObjectCommand({ Bucket, Key: 'a' }));
    const { Deleted } = await s3.send(
      new DeleteObjectsCommand({ Bucket, Delete: { Objects: [{ Key: 'b&<' }, { Key: 'none' }] } }),
    );
    expect(Deleted?.map(({ Key }) => Key)).toEqual(['b&<', 'none']);
    expect(aws.world.objects.list(Bucket).map(({ key }) => key)).toEqual(['c']);
  });
});

describe('an upload in parts', () => {
  async function begin(Bucket: string) {
    const { UploadId } = await s3.send(
      new CreateMultipartUploadCommand({ Bucket, Key: 'k', ContentType: 'a/b' }),
    );
    const upload = { Bucket, Key: 'k', UploadId };
    const part = async (PartNumber: number, Body: Buffer) => {
      const { ETag } = await s3.send(new UploadPartCommand({ ...upload, PartNumber, Body }));
      return { PartNumber, ETag };
    };
    return { upload, part };
  }

  test('is an object once it is complete', async () => {
    const Bucket = newBucket();
    const { upload, part } = await begin(Bucket);
    const last = await part(2, Buffer.from('end'));
    const first = await part(1, Buffer.alloc(PART_BYTES, 'a'));
    expect(aws.world.objects.find(Bucket, 'k')).toBeUndefined();
    const complete = new CompleteMultipartUploadCommand({
      ...upload,
      MultipartUpload: { Parts: [first, last] },
    });
    expect((await s3.send(complete)).ETag).toMatch(/^"[0-9a-f]{32}-2"$/);
    const stored = aws.world.objects.find(Bucket, 'k');
    expect(stored?.bytes.length).toBe(PART_BYTES + 3);
    expect(stored?.bytes.subarray(-4).toString()).toBe('aend');
    expect(stored?.contentType).toBe('a/b');
    await expect(s3.send(complete)).rejects.toMatchObject({ name: 'NoSuchUpload' });
  });

  test('is refused with a part that is missing, or too small to be in the middle', async () => {
    const { upload, part } = await begin(newBucket());
    const parts = [await part(1, Buffer.from('small')), await part(2, Buffer.from('end'))];
    const small = new CompleteMultipartUploadCommand({ ...upload, MultipartUpload: { Parts: parts } });
    await expect(s3.send(small)).rejects.toMatchObject({ name: 'EntityTooSmall' });
    const missing = { Parts: [{ PartNumber: 3, ETag: '"x"' }] };
    await expect(
      s3.send(new CompleteMultipartUploadCommand({ ...upload, MultipartUpload: missing })),
    ).rejects.toMatchObject({ name: 'InvalidPart' });
  });

  test('that is given up is gone', async () => {
    const { upload, part } = await begin(newBucket());
    await s3.send(new AbortMultipartUploadCommand(upload));
    await expect(part(1, Buffer.from('x'))).rejects.toMatchObject({ name: 'NoSuchUpload' });
  });
});

describe('a listing', () => {
  test('comes in pages, each object once, in the order of keys', async () => {
    const Bucket = newBucket();
    for (const key of ['b', 'a/2', 'a/1', 'ä&', 'c']) await put(Bucket, key);
    const keys: (string | undefined)[] = [];
    let ContinuationToken: string | undefined;
    do {
      const page = await s3.send(new ListObjectsV2Command({ Bucket, MaxKeys: 2, ContinuationToken }));
      keys.push(...(page.Contents ?? []).map(({ Key }) => Key));
      ContinuationToken = page.NextContinuationToken;
    } while (ContinuationToken !== undefined);
    expect(keys).toEqual(['a/1', 'a/2', 'b', 'c', 'ä&']);
  });

  test('groups by a delimiter, across pages', async () => {
    const Bucket = newBucket();
    for (const key of ['a/1', 'a/2', 'b', 'x/y/1']) await put(Bucket, key);
    const first = await s3.send(new ListObjectsV2Command({ Bucket, Delimiter: '/', MaxKeys: 1 }));
    expect(first).toMatchObject({ IsTruncated: true, CommonPrefixes: [{ Prefix: 'a/' }] });
    const { NextContinuationToken: ContinuationToken } = first;
    const rest = await s3.send(new ListObjectsV2Command({ Bucket, Delimiter: '/', ContinuationToken }));
    expect(rest.Contents?.map(({ Key }) => Key)).toEqual(['b']);
    expect(rest).toMatchObject({ IsTruncated: false, CommonPrefixes: [{ Prefix: 'x/' }] });
    const below = await s3.send(new ListObjectsV2Command({ Bucket, Delimiter: '/', Prefix: 'x/y' }));
    expect(below.CommonPrefixes?.map(({ Prefix }) => Prefix)).toEqual(['x/y/']);
  });

  test('of versions has one of each object', async () => {
    const Bucket = newBucket();
    await put(Bucket, 'k', '1');
    await put(Bucket, 'k', '22');
    const { Versions } = await s3.send(new ListObjectVersionsCommand({ Bucket }));
    expect(Versions).toMatchObject([{ Key: 'k', Size: 2, VersionId: 'null', IsLatest: true }]);
  });
});

describe('a bucket', () => {
  test('tells its region', async () => {
    const at = async (region: string) => {
      const Bucket = newBucket({}, region);
      return (await s3.send(new GetBucketLocationCommand({ Bucket }))).LocationConstraint;
    };
    expect(await at(REGION)).toBe(REGION);
    expect(await at('us-east-1')).toBeUndefined();
  });

  test('is encrypted as it says, or with keys of S3', async () => {
    const encryption = async (properties: Properties) => {
      const Bucket = newBucket(properties);
      const answer = await s3.send(new GetBucketEncryptionCommand({ Bucket }));
      return answer.ServerSideEncryptionConfiguration?.Rules?.[0]?.ApplyServerSideEncryptionByDefault;
    };
    expect(await encryption({})).toEqual({ SSEAlgorithm: 'AES256' });
    const ServerSideEncryptionByDefault = { SSEAlgorithm: 'aws:kms', KMSMasterKeyID: 'key-1' };
    const BucketEncryption = { ServerSideEncryptionConfiguration: [{ ServerSideEncryptionByDefault }] };
    expect(await encryption({ BucketEncryption })).toEqual(ServerSideEncryptionByDefault);
  });

  test('that isn’t there is NoSuchBucket', async () => {
    await expect(put('none', 'k')).rejects.toMatchObject({ name: 'NoSuchBucket' });
    await expect(s3.send(new HeadBucketCommand({ Bucket: 'none' }))).rejects.toMatchObject({
      name: 'NotFound',
    });
  });

  test('of another account is closed, and of another region is somewhere else', async () => {
    const Bucket = newBucket();
    const list = new ListObjectsV2Command({ Bucket });
    await expect(clientOf('444455556666', REGION).send(list)).rejects.toMatchObject({ name: 'AccessDenied' });
    await expect(clientOf(ACCOUNT, 'us-east-1').send(list)).rejects.toMatchObject({
      name: 'AuthorizationHeaderMalformed',
      message: expect.stringContaining(`expecting '${REGION}'`),
    });
    const { Buckets } = await clientOf('444455556666', REGION).send(new ListBucketsCommand());
    expect(Buckets).toEqual([]);
  });

  test('is found by its name in the host too', async () => {
    const Bucket = newBucket();
    const { port } = new URL(aws.endpoint);
    await put(Bucket, 'k', 'text');
    const { request } = await import('node:http');
    const status = await new Promise((resolve, reject) => {
      const headers = {
        host: `${Bucket}.localhost:${port}`,
        authorization: authorization({ account: ACCOUNT, region: REGION, service: 's3' }),
      };
      request({ host: '127.0.0.1', port, path: '/k', headers }, (response) => {
        response.resume();
        resolve(response.statusCode);
      })
        .on('error', reject)
        .end();
    });
    expect(status).toBe(200);
  });
});

describe('what CloudFormation reads by a URL', () => {
  test('is found in each form that S3 has, and on this endpoint', async () => {
    const Bucket = newBucket();
    await put(Bucket, 'a/b c.json', 'template');
    for (const url of [
      `https://s3.${REGION}.amazonaws.com/${Bucket}/a/b%20c.json`,
      `https://s3-${REGION}.amazonaws.com/${Bucket}/a/b%20c.json`,
      `https://${Bucket}.s3.${REGION}.amazonaws.com/a/b%20c.json`,
      `https://${Bucket}.s3.amazonaws.com/a/b%20c.json`,
      `${aws.endpoint}/${Bucket}/a/b%20c.json`,
    ])
      expect(readObject(aws.world, url).toString()).toBe('template');
  });

  test('is nothing else', () => {
    const Bucket = newBucket();
    for (const url of ['x', `https://s3.evil.example/${Bucket}/k`, `http://s3.amazonaws.com/${Bucket}/k`])
      expect(() => readObject(aws.world, url)).toThrow('TemplateURL must be a supported URL.');
    expect(() => readObject(aws.world, `https://${Bucket}.s3.amazonaws.com/k`)).toThrow(/S3 error/);
  });
});
