import { describe, expect, it } from 'vitest';
import { effectOf } from './effect.ts';
import type { Effect } from './effect-types.ts';
import type { Template } from './template.ts';

const subnet = (CidrBlock: unknown, rest: Partial<Template> = {}): Template => ({
  ...rest,
  Resources: { One: { Type: 'AWS::EC2::Subnet', Properties: { CidrBlock } } },
});
const PLACE = { account: '111122223333', region: 'eu-west-1' };
const between = (template: Template, to: Template): Effect => effectOf({ template, ...PLACE }, to);
const replaced = (effect: Effect): readonly unknown[] =>
  effect.replaced.map(({ property, certainty }) => [property, certainty]);

describe('a value by a mapping', () => {
  const mapped = (range: string, key: unknown = { Ref: 'AWS::Region' }): Template =>
    subnet(
      { 'Fn::FindInMap': ['Ranges', key, 'Range'] },
      { Mappings: { Ranges: { 'eu-west-1': { Range: range } } } },
    );

  it('is what the mapping has', () => {
    expect(between(mapped('a'), subnet('a')).replaced).toEqual([]);
    expect(replaced(between(mapped('a'), mapped('b')))).toEqual([['CidrBlock', 'certain']]);
  });

  it('may be another one where its key isn’t known and the mapping is another one', () => {
    const key = { Ref: 'AWS::Partition' };
    expect(replaced(between(mapped('a', key), mapped('b', key)))).toEqual([['CidrBlock', 'maybe']]);
    expect(between(mapped('a', key), mapped('a', key)).replaced).toEqual([]);
  });
});

it('a stack’s region and account are known', () => {
  const written = subnet({ 'Fn::Sub': '${AWS::Region} ${AWS::AccountId}' });
  expect(between(written, subnet('eu-west-1 111122223333')).replaced).toEqual([]);
});

describe('a condition that only AWS can decide', () => {
  const asks = (partition: string): Partial<Template> => ({
    Conditions: {
      Inner: { 'Fn::Equals': [{ Ref: 'AWS::Partition' }, partition] },
      Outer: { 'Fn::Not': [{ Condition: 'Inner' }] },
    },
  });

  it.each(['Inner', 'Outer'])('may choose another value where it is another one: %s', (name) => {
    const chosen = { 'Fn::If': [name, 'a', 'b'] };
    const [before, after] = [subnet(chosen, asks('aws')), subnet(chosen, asks('aws-cn'))];
    expect(replaced(between(before, after))).toEqual([['CidrBlock', 'maybe']]);
    expect(between(before, before).replaced).toEqual([]);
  });

  it('may take a resource away where it is another one, or new', () => {
    const bucket = (partition: string, rest: object = { Condition: 'Outer' }): Template => ({
      ...asks(partition),
      Resources: { One: { Type: 'AWS::S3::Bucket', ...rest } },
    });
    const removed = (before: Template, after: Template): readonly unknown[] =>
      between(before, after).removed.map(({ id, certainty }) => [id, certainty]);
    expect(removed(bucket('aws'), bucket('aws-cn'))).toEqual([['One', 'maybe']]);
    expect(removed(bucket('aws', {}), bucket('aws'))).toEqual([['One', 'maybe']]);
    expect(removed(bucket('aws'), bucket('aws'))).toEqual([]);
    expect(removed(bucket('aws'), bucket('aws', {}))).toEqual([]);
  });
});
