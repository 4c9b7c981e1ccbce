import { createHash } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { crc32 } from 'node:zlib';
import { Refusal } from '../refusal.ts';

const CRC_BYTES = 4;

/** Those that Node knows. The others (crc32c, crc64nvme) are kept, and not verified. */
const CHECKSUMS: Readonly<Record<string, (bytes: Buffer) => string>> = {
  'content-md5': (bytes) => createHash('md5').update(bytes).digest('base64'),
  'x-amz-checksum-sha1': (bytes) => createHash('sha1').update(bytes).digest('base64'),
  'x-amz-checksum-sha256': (bytes) => createHash('sha256').update(bytes).digest('base64'),
  'x-amz-checksum-crc32': (bytes) => {
    const sum = Buffer.alloc(CRC_BYTES);
    sum.writeUInt32BE(crc32(bytes));
    return sum.toString('base64');
  },
};

/**
 * Throws `BadDigest` where what arrived isn't what a checksum was made of.
 * Source: "Checking object integrity in Amazon S3", Amazon S3 User Guide.
 */
export function checkIntegrity(headers: IncomingHttpHeaders, bytes: Buffer): void {
  for (const [name, digest] of Object.entries(CHECKSUMS)) {
    const expected = headers[name];
    if (expected !== undefined && expected !== digest(bytes))
      throw new Refusal('BadDigest', `The ${name} you specified did not match what we received.`);
  }
}
