import fc from 'fast-check';
import { expect, test } from 'vitest';
import { counterName } from './counter-name.ts';

const owner = fc.constantFrom('rlns_1', 'rlns_12', 'key:key_1');
const name = fc.oneof(fc.string({ minLength: 1 }), fc.string({ minLength: 60, maxLength: 512 }));

test('two names of two owners are never counted together, and none takes more than a little memory', () => {
  fc.assert(
    fc.property(owner, name, owner, name, (ownerA, a, ownerB, b) => {
      const isSame = ownerA === ownerB && a === b;
      expect(counterName(ownerA, a) === counterName(ownerB, b)).toBe(isSame);
      expect(counterName(ownerA, a).length).toBeLessThanOrEqual(ownerA.length + 65);
    }),
  );
});

test('a name that looks like a shortened one isn’t taken for it', () => {
  const long = 'x'.repeat(65);
  expect(counterName('rlns_1', counterName('rlns_1', long).slice('rlns_1#'.length))).not.toBe(
    counterName('rlns_1', long),
  );
});
