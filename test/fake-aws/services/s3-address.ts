import { Refusal } from '../refusal.ts';
import type { World } from '../world.ts';

export interface ObjectAddress {
  readonly bucket: string;
  /** Empty for the bucket itself. */
  readonly key: string;
}

/** `s3.eu-central-1.amazonaws.com` and the older forms, perhaps with the bucket before it. */
const HOST =
  /^(?:(?<bucket>.+)\.)?s3(?:[.-](?:dualstack\.)?[a-z]{2}(?:-[a-z]+)+-\d)?\.amazonaws\.com(?:\.cn)?$/;

/** Bucket and key of a path that has both, encoded as it was sent. Throws where it isn't encoded properly. */
export function pathAddress(path: string): ObjectAddress {
  const [, bucket = '', key = ''] = /^\/*([^/]*)\/?(.*)$/s.exec(path) ?? [];
  try {
    return { bucket: decodeURIComponent(bucket), key: decodeURIComponent(key) };
  } catch {
    throw new Refusal('InvalidURI', "Couldn't parse the specified URI.");
  }
}

/**
 * What a URL of S3 stands for: `https://s3.REGION.amazonaws.com/bucket/key`, `https://bucket.s3.REGION.amazonaws.com/key`, or the former
 * on this endpoint. Throws a `ValidationError` where it is no such URL or there is nothing, as CloudFormation answers for a `TemplateURL`.
 * Source: "Virtual hosting of general purpose buckets", Amazon S3 User Guide.
 */
export function readObject(world: World, url: string): Buffer {
  const address = urlAddress(url);
  if (address === undefined) throw new Refusal('ValidationError', 'TemplateURL must be a supported URL.');
  const object = world.objects.find(address.bucket, address.key);
  if (object === undefined) throw new Refusal('ValidationError', 'S3 error: Access Denied');
  return object.bytes;
}

function urlAddress(url: string): ObjectAddress | undefined {
  const parsed = URL.parse(url);
  if (parsed === null) return undefined;
  const { protocol, hostname, pathname } = parsed;
  if (protocol === 'http:' && hostname === '127.0.0.1') return pathAddress(pathname);
  const host = protocol === 'https:' ? HOST.exec(hostname) : null;
  if (host === null) return undefined;
  const bucket = host.groups?.['bucket'];
  return pathAddress(bucket === undefined ? pathname : `/${bucket}${pathname}`);
}
