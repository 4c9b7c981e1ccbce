import { describe, expect, it } from 'vitest';
import { Refusal } from '../refusal.ts';
import type { Json } from '../values.ts';
import { isUnknown, resolve, type Scope, UNKNOWN } from './intrinsics.ts';
import { plain } from './text.ts';

const SCOPE: Scope = {
  region: 'eu-west-1',
  ref: (name) => (name === 'AWS::NoValue' ? undefined : name === 'New' ? UNKNOWN : `<${name}>`),
  attribute: (id, name) => `<${id}.${name}>`,
  condition: (name) => name === 'Yes',
  mapping: (map, first, second) => (map === 'Map' && first === 'a' && second === 'b' ? 'found' : undefined),
  importValue: (name) => `imported ${name}`,
  stackOutput: (reference) => `${plain(reference['StackName'])}/${plain(reference['OutputName'])}`,
  dynamic: (text) => text.replace('{{resolve:ssm:/a}}', 'stored'),
};

describe('functions of a template', () => {
  it.each<[string, Json, Json]>([
    ['Ref', { Ref: 'A' }, '<A>'],
    ['GetAtt of a list', { 'Fn::GetAtt': ['A', 'Arn'] }, '<A.Arn>'],
    ['GetAtt of a text, with a dotted attribute', { 'Fn::GetAtt': 'A.Endpoint.Port' }, '<A.Endpoint.Port>'],
    ['Sub', { 'Fn::Sub': '${A}:${A.Arn}:${!Kept}' }, '<A>:<A.Arn>:${Kept}'],
    ['Sub with names of its own', { 'Fn::Sub': ['${x}-${A}', { x: { Ref: 'B' } }] }, '<B>-<A>'],
    ['Join', { 'Fn::Join': [':', ['a', { Ref: 'B' }, 3]] }, 'a:<B>:3'],
    ['Split and Select', { 'Fn::Select': [1, { 'Fn::Split': [',', 'a,b,c'] }] }, 'b'],
    ['Base64', { 'Fn::Base64': 'text' }, 'dGV4dA=='],
    ['Cidr', { 'Fn::Cidr': ['10.0.0.0/16', 2, 8] }, ['10.0.0.0/24', '10.0.1.0/24']],
    ['Cidr of IPv6', { 'Fn::Select': [1, { 'Fn::Cidr': ['2001:db8::/56', 2, 64] }] }, '2001:db8:0:1::/64'],
    ['GetAZs', { 'Fn::Select': [0, { 'Fn::GetAZs': '' }] }, 'eu-west-1a'],
    ['FindInMap', { 'Fn::FindInMap': ['Map', 'a', 'b'] }, 'found'],
    ['FindInMap with a default', { 'Fn::FindInMap': ['Map', 'x', 'b', { DefaultValue: 'd' }] }, 'd'],
    ['ImportValue', { 'Fn::ImportValue': { 'Fn::Sub': '${A}-x' } }, 'imported <A>-x'],
    ['GetStackOutput', { 'Fn::GetStackOutput': { StackName: 's', OutputName: { Ref: 'O' } } }, 's/<O>'],
    ['If', { 'Fn::If': ['Yes', 'a', 'b'] }, 'a'],
    ['Equals of a number and its text', { 'Fn::Equals': [1, '1'] }, true],
    [
      'Not, And, Or',
      {
        'Fn::Not': [
          { 'Fn::And': [{ Condition: 'Yes' }, { 'Fn::Or': [{ Condition: 'No' }, { Condition: 'Yes' }] }] },
        ],
      },
      false,
    ],
    ['Contains', { 'Fn::Contains': [['1', '2'], '2'] }, true],
    [
      'EachMemberIn',
      {
        'Fn::EachMemberIn': [
          ['1', '3'],
          ['1', '2'],
        ],
      },
      false,
    ],
    ['a dynamic reference', 'x-{{resolve:ssm:/a}}', 'x-stored'],
    [
      'NoValue in an object and a list',
      { a: { Ref: 'AWS::NoValue' }, b: [{ Ref: 'AWS::NoValue' }, 1] },
      { b: [1] },
    ],
  ])('%s', (_name, value, expected) => {
    expect(resolve(value, SCOPE)).toEqual(expected);
  });

  it.each<[string, Json, RegExp]>([
    ['a function that there is none of', { 'Fn::Foo': 1 }, /unsupported function: Fn::Foo/u],
    ['Select past the end', { 'Fn::Select': [2, ['a']] }, /nonexistent value at index 2/u],
    [
      'FindInMap of what is not there',
      { 'Fn::FindInMap': ['Map', 'x', 'b'] },
      /Unable to get mapping for Map::x::b/u,
    ],
    ['Join of an object', { 'Fn::Join': ['', [{ a: 1 }]] }, /must be a string/u],
    ['more ranges than fit', { 'Fn::Cidr': ['10.0.0.0/24', 2, 8] }, /don't fit/u],
  ])('refuses %s', (_name, value, sentence) => {
    expect(() => resolve(value, SCOPE)).toThrow(sentence);
    expect(() => resolve(value, SCOPE)).toThrow(Refusal);
  });

  it.each<[Json]>([
    [{ 'Fn::Select': [2, { 'Fn::Split': [':', { Ref: 'New' }] }] }],
    [{ 'Fn::Join': ['', ['arn:', { Ref: 'New' }]] }],
    [{ 'Fn::Base64': { 'Fn::Sub': 'a ${New}' } }],
    [{ 'Fn::Cidr': [{ Ref: 'New' }, 2] }],
    [{ a: [{ Ref: 'New' }] }],
  ])('leaves open what depends on something unknown: %j', (value) => {
    expect(isUnknown(resolve(value, SCOPE))).toBe(true);
  });
});
