import ipaddr from 'ipaddr.js';

/** RFC 1918, and RFC 6598's range for carriers, which networks in AWS may use as well. */
export const PRIVATE_RANGES = ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', '100.64.0.0/10'];

/** An IPv4 range in CIDR notation. */
export interface AddressRange {
  readonly text: string;
  readonly network: ipaddr.IPv4;
  /** Bits that all its addresses share. */
  readonly prefix: number;
}

/** Undefined for a text that isn't an IPv4 range with four decimal parts. Its address may be any of the range. */
export function parseRange(text: string): AddressRange | undefined {
  if (!ipaddr.IPv4.isValidCIDRFourPartDecimal(text)) return undefined;
  const [network, prefix] = ipaddr.IPv4.parseCIDR(text);
  return { text, network, prefix };
}

/** The same range written from its first address: `10.1.0.1/16` is `10.1.0.0/16`. */
export function canonicalText({ text, prefix }: AddressRange): string {
  return `${ipaddr.IPv4.networkAddressFromCIDR(text).toString()}/${prefix}`;
}

export function isPrivate({ network, prefix }: AddressRange): boolean {
  return PRIVATE_RANGES.some((text) => {
    const [around, most] = ipaddr.IPv4.parseCIDR(text);
    return prefix >= most && network.match(around, most);
  });
}

export function overlap(one: AddressRange, other: AddressRange): boolean {
  return one.network.match(other.network, Math.min(one.prefix, other.prefix));
}
