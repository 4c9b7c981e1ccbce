import { expect, test } from 'vitest';
import { decodeChunks } from './chunked.ts';

test('chunks are put together again, their signatures dropped and their trailers kept', () => {
  const body = '5;chunk-signature=ab\r\nhello\r\n7\r\n, world\r\n0\r\nx-amz-checksum-crc32:AAAA\r\n\r\n';
  const { bytes, trailers } = decodeChunks(Buffer.from(body));
  expect(bytes.toString()).toBe('hello, world');
  expect(trailers).toEqual({ 'x-amz-checksum-crc32': 'AAAA' });
});

test('chunks may hold what looks like the end of one', () => {
  const { bytes } = decodeChunks(Buffer.from('7\r\na\r\n0\r\nb\r\n0\r\n\r\n'));
  expect(bytes.toString()).toBe('a\r\n0\r\nb');
});

test.each(['', '5\r\nhel', '5\r\nhello\r\n', 'zz\r\n'])('%j is refused as incomplete', (body) => {
  expect(() => decodeChunks(Buffer.from(body))).toThrow(/terminated unexpectedly/);
});
