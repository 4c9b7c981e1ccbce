import { expect, test } from 'vitest';
import { toXml } from './xml.ts';

function body(content: Parameters<typeof toXml>[1]): string {
  return toXml('A', content).replace(/^<\?xml.*\?>\n/, '');
}

test('texts are escaped', () => {
  expect(body({ B: `<x a="1">&'` })).toBe('<A><B>&lt;x a=&quot;1&quot;&gt;&amp;&apos;</B></A>');
});

test('a list is its element again and again, and nothing at all where it is empty', () => {
  expect(body({ B: { member: ['1', { C: '2' }] } })).toBe(
    '<A><B><member>1</member><member><C>2</C></member></B></A>',
  );
  expect(body({ B: { member: [] } })).toBe('<A><B></B></A>');
});

test('booleans and numbers are texts, and null is left out', () => {
  expect(body({ B: true, C: false, D: 0, E: null, F: '' })).toBe(
    '<A><B>true</B><C>false</C><D>0</D><F></F></A>',
  );
});

test('a name with @ before it is an attribute', () => {
  expect(body({ '@xmlns': 'urn:x', B: '1' })).toBe('<A xmlns="urn:x"><B>1</B></A>');
});
