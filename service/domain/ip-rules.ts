import ipaddr from 'ipaddr.js';
import type { IpRule } from './records.ts';

type Address = ipaddr.IPv4 | ipaddr.IPv6;
type Block = readonly [Address, number];

/**
 * Whether a text is an address or a CIDR block that a rule may consist of. IPv4 in its usual form of four decimal parts only:
 * `010.0.0.1` and `127.1` mean different things to different readers.
 */
export function isIpRule(text: string): boolean {
  return parseBlock(text) !== undefined;
}

/**
 * Prepares an allow list and returns the test for one client address. An empty list lets every address pass. With rules, an
 * address that can't be read passes none. An IPv4 address written as IPv6 (`::ffff:10.0.0.1`), as a dual-stack socket gives
 * it, is the IPv4 address. Throws an Error for a rule that `isIpRule` refuses: such a rule must never have been stored.
 */
export function compileIpRules(rules: readonly IpRule[]): (address: string) => boolean {
  if (rules.length === 0) return () => true;
  const blocks = rules.map((rule) => {
    const block = parseBlock(rule);
    if (block === undefined) throw new Error('an IP rule is neither an address nor a CIDR block');
    return block;
  });
  return (text) => {
    const address = parseAddress(text);
    return address !== undefined && blocks.some((block) => matches(address, block));
  };
}

function matches(address: Address, [network, bits]: Block): boolean {
  return address.kind() === network.kind() && address.match(network, bits);
}

function parseAddress(text: string): Address | undefined {
  if (ipaddr.IPv4.isValidFourPartDecimal(text)) return ipaddr.IPv4.parse(text);
  if (!ipaddr.IPv6.isValid(text)) return undefined;
  const address = ipaddr.IPv6.parse(text);
  return address.isIPv4MappedAddress() ? address.toIPv4Address() : address;
}

function parseBlock(text: string): Block | undefined {
  if (!text.includes('/')) {
    const address = parseAddress(text);
    return address === undefined ? undefined : [address, address.kind() === 'ipv4' ? 32 : 128];
  }
  if (ipaddr.IPv4.isValidCIDRFourPartDecimal(text)) return ipaddr.IPv4.parseCIDR(text);
  if (!ipaddr.IPv6.isValidCIDR(text)) return undefined;
  const [network, bits] = ipaddr.IPv6.parseCIDR(text);
  // A block of mapped addresses is a block of IPv4 addresses, since the addresses themselves are read as IPv4.
  return network.isIPv4MappedAddress() && bits >= 96 ? [network.toIPv4Address(), bits - 96] : [network, bits];
}
