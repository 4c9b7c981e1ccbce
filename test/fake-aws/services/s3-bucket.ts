import { XMLParser } from 'fast-xml-parser';
import { BUCKET } from '../behaviours/s3.ts';
import type { Answer, Call } from '../call.ts';
import { toXml } from '../protocols/xml.ts';
import { Refusal } from '../refusal.ts';
import { isProperties, type Json, type Properties } from '../values.ts';
import type { Resource } from '../world.ts';
import { pathAddress } from './s3-address.ts';

export const NOT_FOUND = 404;
const FORBIDDEN = 403;

const parser = new XMLParser({
  parseTagValue: false,
  ignoreAttributes: true,
  isArray: (name) => name === 'Object' || name === 'Part',
});

/** The bucket and key of a call. Throws `NoSuchBucket`, and what S3 answers for a bucket of another account or region. */
export function bucketAndKey(call: Call): { readonly bucket: Resource; readonly key: string } {
  const { bucket: name, key } = pathAddress(call.path);
  const bucket = ownBucket(call, name);
  // Source: "Error responses", Amazon S3 API Reference. Clients find the region in the sentence.
  if (bucket.region !== call.region)
    throw new Refusal(
      'AuthorizationHeaderMalformed',
      `The authorization header is malformed; the region '${call.region}' is wrong; expecting '${bucket.region}'`,
    );
  return { bucket, key };
}

/**
 * A bucket, whatever its region. Throws for one of another account: buckets' policies aren't looked at, so that nobody reads another
 * account's.
 */
export function ownBucket({ world, account }: Call, name: string): Resource {
  const bucket = world.all(BUCKET).find(({ id }) => id === name);
  if (bucket === undefined)
    throw new Refusal('NoSuchBucket', 'The specified bucket does not exist', NOT_FOUND);
  if (bucket.account !== account) throw new Refusal('AccessDenied', 'Access Denied', FORBIDDEN);
  return bucket;
}

/** An answer of S3's: a document with one element. */
export function s3Answer(name: string, content: Properties): Answer {
  const namespaced = { '@xmlns': 'http://s3.amazonaws.com/doc/2006-03-01/', ...content };
  return {
    raw: { status: 200, headers: { 'content-type': 'application/xml' }, body: toXml(name, namespaced) },
  };
}

/** Entries of a list in the document that a call has as its body. Throws `MalformedXML` where it isn't such a document. */
export function bodyEntries({ body }: Call, root: string, entry: string): readonly Properties[] {
  let parsed: Json;
  try {
    // The parser makes objects, lists and texts alone.
    parsed = parser.parse(body.toString(), true) as Json;
  } catch {
    parsed = null;
  }
  const content = isProperties(parsed) ? parsed[root] : undefined;
  const entries = isProperties(content) ? content[entry] : undefined;
  if (!Array.isArray(entries))
    throw new Refusal(
      'MalformedXML',
      'The XML you provided was not well-formed or did not validate against our published schema',
    );
  return entries.filter((one) => isProperties(one));
}
