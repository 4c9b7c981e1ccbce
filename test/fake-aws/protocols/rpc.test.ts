import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Refusal } from '../refusal.ts';
import { decodeCbor, encodeCbor } from './cbor.ts';
import { readRpc, rpcOf, rpcRefusal, rpcResult } from './rpc.ts';

const PATH = '/service/GraniteServiceVersion20100801/operation/DescribeAlarms';

function bytes(hex: string): Buffer {
  return Buffer.from(hex, 'hex');
}

describe('CBOR', () => {
  // From "Examples of Encoded CBOR Data Items", RFC 8949.
  test.each([
    ['00', 0],
    ['1818', 24],
    ['1903e8', 1000],
    ['1a000f4240', 1_000_000],
    ['1b000000e8d4a51000', 1_000_000_000_000],
    ['20', -1],
    ['3903e7', -1000],
    ['fb3ff199999999999a', 1.1],
    ['f4', false],
    ['f5', true],
    ['f6', null],
    ['6449455446', 'IETF'],
    ['83010203', [1, 2, 3]],
    ['a26161016162820203', { a: 1, b: [2, 3] }],
  ])('%s is read and written', (hex, value) => {
    expect(decodeCbor(bytes(hex))).toEqual(value);
    expect(encodeCbor(value).toString('hex')).toBe(hex);
  });

  test.each([
    ['7f657374726561646d696e67ff', 'streaming'],
    ['9f018202039f0405ffff', [1, [2, 3], [4, 5]]],
    ['bf61610161629f0203ffff', { a: 1, b: [2, 3] }],
    ['c11a514b67b0', 1_363_896_240],
    ['4401020304', 'AQIDBA=='],
    ['fa47c35000', 100_000],
  ])('%s is read', (hex, value) => {
    expect(decodeCbor(bytes(hex))).toEqual(value);
  });

  test.each([
    ['', 'without its end'],
    ['83', 'without its end'],
    ['6449', 'without its end'],
    ['9f01', 'without its end'],
    ['0000', 'more than one value'],
    ['1c', 'no such length'],
    ['a10101', 'no text'],
    ['f8ff', 'no such simple value'],
  ])('%j is refused', (hex, reason) => {
    expect(() => decodeCbor(bytes(hex))).toThrow(reason);
  });

  test('whatever is written is read again', () => {
    const values = fc
      .jsonValue({ noUnicodeString: false })
      .filter((value) => !JSON.stringify(value).includes('null'));
    fc.assert(
      fc.property(values, (value) => {
        const json = JSON.parse(JSON.stringify(value));
        expect(decodeCbor(encodeCbor(json))).toEqual(json);
      }),
    );
  });
});

describe('a call to a Query service that doesn’t come in its protocol', () => {
  const wanted = { AlarmNames: ['a'], MaxRecords: 5, Deep: { Flag: true } };
  const input = { AlarmNames: ['a'], MaxRecords: '5', Deep: { Flag: 'true' } };

  test('is known by its headers', () => {
    expect(rpcOf({ 'smithy-protocol': 'rpc-v2-cbor' })).toBe('cbor');
    expect(rpcOf({ 'x-amzn-query-mode': 'true' })).toBe('json');
    expect(rpcOf({})).toBeUndefined();
  });

  test('of CBOR is handed on with texts', () => {
    const read = (path: string, body: Buffer) => readRpc('cbor', { path, headers: {}, body });
    expect(read(PATH, encodeCbor(wanted))).toEqual({ action: 'DescribeAlarms', input });
    expect(read(PATH, Buffer.alloc(0)).input).toEqual({});
    expect(() => read(PATH, bytes('83'))).toThrow(/no CBOR/);
    expect(() => read(PATH, bytes('80'))).toThrow(/no map/);
    expect(() => read('/', encodeCbor(wanted))).toThrow(/no operation/);
  });

  test('of JSON too', () => {
    const headers = { 'x-amz-target': 'GraniteServiceVersion20100801.DescribeAlarms' };
    const read = (body: string) => readRpc('json', { path: '/', headers, body: Buffer.from(body) });
    expect(read(JSON.stringify(wanted))).toEqual({ action: 'DescribeAlarms', input });
    expect(() => read('[]')).toThrow(/no JSON object/);
  });
});

describe('its answer', () => {
  const result = { Alarms: { member: [{ Name: 'a', At: '2013-03-21T20:04:00Z' }] }, None: { member: [] } };
  const expected = { Alarms: [{ Name: 'a', At: 1_363_896_240 }], None: [] };

  test('has lists without names, and moments', () => {
    const cbor = rpcResult('cbor', 'id', result);
    expect(cbor.headers['smithy-protocol']).toBe('rpc-v2-cbor');
    expect(Buffer.from(cbor.body).includes(bytes('c1fb'))).toBe(true);
    expect(decodeCbor(Buffer.from(cbor.body))).toEqual(expected);
    expect(JSON.parse(rpcResult('json', 'id', result).body.toString())).toEqual(expected);
  });

  test('names the code of a refusal', () => {
    const refusal = new Refusal('ResourceNotFound', 'None.', 404);
    const { body, status, headers } = rpcRefusal('cbor', 'id', refusal);
    expect(status).toBe(404);
    expect(headers['x-amzn-query-error']).toBe('ResourceNotFound;Sender');
    expect(decodeCbor(Buffer.from(body))).toEqual({ __type: 'ResourceNotFound', message: 'None.' });
    expect(JSON.parse(rpcRefusal('json', 'id', refusal).body.toString())).toMatchObject({ message: 'None.' });
  });
});
