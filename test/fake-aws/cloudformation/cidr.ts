import ipaddr from 'ipaddr.js';
import { templateError } from './template.ts';

/**
 * `Fn::Cidr`: the first so many ranges within a range.
 * "Fn::Cidr" (https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/intrinsic-function-reference-cidr.html).
 *
 * @param count how many ranges; 1 to 256
 * @param hostBits bits of each range that are left for its addresses; 8 of IPv4's 32 make a /24
 */
export function cidrs(range: string, count: number, hostBits: number): readonly string[] {
  if (!ipaddr.isValidCIDR(range)) throw templateError(`Fn::Cidr: ${range} is not a CIDR block`);
  if (!(count >= 1 && count <= 256)) {
    throw templateError('Every Fn::Cidr object requires a count between 1 and 256');
  }
  const [address, prefix] = ipaddr.parseCIDR(range);
  const bytes = address.toByteArray();
  const width = bytes.length * 8;
  const size = 1n << BigInt(hostBits);
  const start = bytes.reduce((whole, byte) => (whole << 8n) | BigInt(byte), 0n);
  if (BigInt(count) * size > 1n << BigInt(width - prefix)) {
    throw templateError(`Fn::Cidr: ${count} ranges of ${hostBits} bits don't fit into ${range}`);
  }
  return Array.from({ length: count }, (_, index) => {
    const first = bytesOf(start + BigInt(index) * size, bytes.length);
    return `${ipaddr.fromByteArray(first).toString()}/${width - hostBits}`;
  });
}

function bytesOf(whole: bigint, length: number): number[] {
  return Array.from({ length }, (_, index) => Number((whole >> BigInt(8 * (length - 1 - index))) & 255n));
}
