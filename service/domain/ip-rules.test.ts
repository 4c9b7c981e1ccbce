import fc from 'fast-check';
import { expect, test } from 'vitest';
import { compileIpRules, isIpRule } from './ip-rules.ts';

test.each([
  ['10.0.0.0/8', '10.255.0.1', true],
  ['10.0.0.0/8', '11.0.0.1', false],
  ['10.1.2.3/8', '10.9.9.9', true],
  ['192.0.2.7', '192.0.2.7', true],
  ['192.0.2.7', '192.0.2.8', false],
  ['0.0.0.0/0', '203.0.113.9', true],
  ['2001:db8::/32', '2001:db8:1::5', true],
  ['2001:db8::/32', '2001:db9::5', false],
  ['2001:db8::1', '2001:0DB8:0:0::1', true],
  ['fe80::/10', 'fe80::1%eth0', true],
  ['::/0', '10.0.0.1', false],
  ['0.0.0.0/0', '::1', false],
  ['10.0.0.0/8', '::ffff:10.0.0.1', true],
  ['::ffff:10.0.0.0/104', '10.0.0.1', true],
  ['::ffff:10.0.0.1', '10.0.0.1', true],
  ['::/0', '::ffff:10.0.0.1', false],
])('rule %s with address %s: %s', (rule, address, expected) => {
  expect(isIpRule(rule)).toBe(true);
  expect(compileIpRules([rule])(address)).toBe(expected);
});

test('an empty list lets everybody pass, one matching rule of several suffices', () => {
  expect(compileIpRules([])('not an address')).toBe(true);
  const allowed = compileIpRules(['192.0.2.0/24', '2001:db8::/32']);
  expect(allowed('2001:db8::9')).toBe(true);
  expect(allowed('192.0.2.200')).toBe(true);
  expect(allowed('198.51.100.1')).toBe(false);
});

test.each(['', 'unknown', '127.1', '010.0.0.1', '0x7f.0.0.1', '10.0.0.1:8080', '10.0.0.1, 10.0.0.2'])(
  'with rules, the unreadable address %j passes none',
  (address) => {
    expect(compileIpRules(['0.0.0.0/0', '::/0'])(address)).toBe(false);
  },
);

test.each([
  '',
  'all',
  '10.0.0.0/33',
  '10.0.0/8',
  '010.0.0.0/8',
  '::/129',
  '10.0.0.0/-1',
  '10.0.0.0/8/8',
  '10.0.0.0/',
])('%j is no rule', (rule) => {
  expect(isIpRule(rule)).toBe(false);
  expect(() => compileIpRules([rule])).toThrow('neither an address nor a CIDR block');
});

function dotted(value: number): string {
  return [24, 16, 8, 0].map((shift) => (value >>> shift) & 255).join('.');
}

test('an IPv4 block holds exactly the addresses that share its leading bits', () => {
  const bits32 = fc.integer({ min: 0, max: 0xffff_ffff });
  fc.assert(
    fc.property(bits32, bits32, fc.integer({ min: 0, max: 32 }), (network, address, bits) => {
      // A shift by 32 does nothing in JavaScript, so the whole address space is a case of its own.
      const same = bits === 0 || network >>> (32 - bits) === address >>> (32 - bits);
      const allowed = compileIpRules([`${dotted(network)}/${bits}`]);
      expect(allowed(dotted(address))).toBe(same);
      expect(allowed(`::ffff:${dotted(address)}`)).toBe(same);
    }),
  );
});
