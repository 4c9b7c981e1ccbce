import ipaddr from 'ipaddr.js';
import { type AddressRange, overlap, parseRange } from '../../../topology/address-range.ts';
import { Refusal } from '../refusal.ts';

export { type AddressRange, canonicalText, overlap, parseRange } from '../../../topology/address-range.ts';

/** A block that a template names. Throws EC2's answer to what isn't one. */
export function blockOf(text: string): AddressRange {
  const range = parseRange(text);
  if (range !== undefined) return range;
  throw new Refusal(
    'InvalidParameterValue',
    `Value (${text}) for parameter cidrBlock is invalid. This is not a valid CIDR block.`,
  );
}

/** Is every address of `inner` one of `outer`'s? */
export function contains(outer: AddressRange, inner: AddressRange): boolean {
  return inner.prefix >= outer.prefix && overlap(outer, inner);
}

export function sizeOf({ prefix }: AddressRange): number {
  return 2 ** (32 - prefix);
}

/** The address at an offset within a block. */
export function addressAt({ text }: AddressRange, offset: number): string {
  const bytes = ipaddr.IPv4.networkAddressFromCIDR(text).toByteArray();
  const number = bytes.reduce((sum, byte) => sum * 256 + byte, 0) + offset;
  return [24, 16, 8, 0].map((shift) => Math.floor(number / 2 ** shift) % 256).join('.');
}
