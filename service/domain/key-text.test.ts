import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createKeyTextInspector, generateKeyText, hashKey, zoneCode } from './key-text.ts';

const prefix = fc.option(fc.stringMatching(/^[a-zA-Z0-9_]{1,16}$/), { nil: undefined });
const bytes = fc.uint8Array({ minLength: 16, maxLength: 255 });
const inspect = createKeyTextInspector('global', ['global', 'eu']);

function make(parts: { prefix: string | undefined; bytes: Uint8Array; zone: string }): string {
  return generateKeyText({
    bytes: parts.bytes,
    zone: parts.zone,
    ...(parts.prefix === undefined ? {} : { prefix: parts.prefix }),
  });
}

test('a generated text carries its prefix, is plain ASCII and is recognised in its own zone', () => {
  fc.assert(
    fc.property(prefix, bytes, (given, random) => {
      const text = make({ prefix: given, bytes: random, zone: 'global' });
      expect(text).toMatch(/^[a-zA-Z0-9_]+$/);
      expect(text.startsWith(given === undefined ? '' : `${given}_`)).toBe(true);
      expect(text.slice(-12, -6)).toBe(`KH${zoneCode('global')}`);
      expect(inspect(text)).toEqual({ kind: 'ours' });
    }),
  );
});

test('a key of another zone of the topology names that zone', () => {
  fc.assert(
    fc.property(prefix, bytes, (given, random) => {
      const text = make({ prefix: given, bytes: random, zone: 'eu' });
      expect(inspect(text)).toEqual({ kind: 'otherZone', zone: 'eu' });
    }),
  );
});

test('one changed character anywhere is noticed', () => {
  fc.assert(
    fc.property(prefix, bytes, fc.nat(), fc.constantFrom('x', 'Z', '7'), (given, random, at, other) => {
      const text = make({ prefix: given, bytes: random, zone: 'global' });
      const place = at % text.length;
      fc.pre(text.charAt(place) !== other);
      const changed = text.slice(0, place) + other + text.slice(place + 1);
      // Where the marker or the zone code itself was hit, the text is no longer marked as of a known zone.
      const inMarker = place >= text.length - 12 && place < text.length - 6;
      expect(inspect(changed).kind).toBe(inMarker ? 'unmarked' : 'malformed');
    }),
  );
});

test('a wrong checksum under the marker of another known zone is malformed too', () => {
  const text = generateKeyText({ bytes: new Uint8Array(16), zone: 'eu' });
  const last = text.endsWith('2') ? '3' : '2';
  expect(inspect(text.slice(0, -1) + last)).toEqual({ kind: 'malformed' });
});

test('texts without a marker, of unknown zones, or too short are unmarked', () => {
  expect(inspect('')).toEqual({ kind: 'unmarked' });
  expect(inspect('sk_live_4eC39HqLyjWDarjtT1zdp7dc')).toEqual({ kind: 'unmarked' });
  expect(inspect(generateKeyText({ bytes: new Uint8Array(16), zone: 'elsewhere' }))).toEqual({
    kind: 'unmarked',
  });
  expect(inspect(generateKeyText({ bytes: new Uint8Array(0), zone: 'global' }))).toEqual({
    kind: 'unmarked',
  });
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      expect(inspect(text)).toEqual({ kind: 'unmarked' });
    }),
  );
});

test('zones whose codes collide are refused by name', () => {
  // Found by search: both names have the same code.
  const [a, b] = findCollision();
  expect(() => createKeyTextInspector(a, [a, b])).toThrow(new RegExp(`"${a}" and "${b}".*rename`));
  expect(() => createKeyTextInspector(a, [a, a])).not.toThrow();
});

test('the own zone need not be listed', () => {
  const inspectAlone = createKeyTextInspector('global', []);
  expect(inspectAlone(generateKeyText({ bytes: new Uint8Array(16), zone: 'global' })).kind).toBe('ours');
});

test('the hash is the SHA-256 of the text in UTF-8', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), (text) => {
      expect(hashKey(text)).toBe(createHash('sha256').update(text, 'utf8').digest('hex'));
    }),
  );
});

/** Two zone names with one code: about 4,000 names suffice on average, since there are 58^4 codes. */
function findCollision(): [string, string] {
  const seen = new Map<string, string>();
  for (let number = 0; ; number += 1) {
    const name = `zone-${number}`;
    const code = zoneCode(name);
    const earlier = seen.get(code);
    if (earlier !== undefined) return [earlier, name];
    seen.set(code, name);
  }
}
