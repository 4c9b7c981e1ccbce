import { describe, expect, test } from 'vitest';
import { parseForm } from './form.ts';

function parsed(text: string, named = true): unknown {
  return parseForm(new URLSearchParams(text), { named });
}

describe('parameters of a Query call', () => {
  test('lose what belongs to the protocol', () => {
    expect(parsed('Action=DescribeStacks&Version=2010-05-15&StackName=a')).toEqual({ StackName: 'a' });
  });

  test('members are a list, in the order of their numbers', () => {
    const text = Array.from({ length: 11 }, (_, index) => `Names.member.${11 - index}=n${11 - index}`).join(
      '&',
    );
    expect(parsed(text)).toEqual({ Names: Array.from({ length: 11 }, (_, index) => `n${index + 1}`) });
  });

  test('objects in lists keep their own lists', () => {
    expect(
      parsed('Actions.member.1.Type=forward&Actions.member.1.Targets.member.1.Arn=t&Actions.member.2.Type=x'),
    ).toEqual({ Actions: [{ Type: 'forward', Targets: [{ Arn: 't' }] }, { Type: 'x' }] });
  });

  test('a list whose entries have a name is a list too, and so is one in it', () => {
    expect(parsed('Filters.Filter.1.Name=engine&Filters.Filter.1.Values.Value.1=aurora')).toEqual({
      Filters: [{ Name: 'engine', Values: ['aurora'] }],
    });
  });

  test('an object whose only property is a list stays an object', () => {
    expect(parsed('Config.Groups.member.1.Arn=g')).toEqual({ Config: { Groups: [{ Arn: 'g' }] } });
    expect(parsed('Configs.member.1.Groups.member.1=g')).toEqual({ Configs: [{ Groups: ['g'] }] });
  });

  test('entries are a map', () => {
    expect(parsed('Attributes.entry.1.key=a&Attributes.entry.1.value=1')).toEqual({ Attributes: { a: '1' } });
  });

  test('an empty list stays the empty text that it is sent as', () => {
    expect(parsed('Capabilities=')).toEqual({ Capabilities: '' });
  });

  test('names that objects have of their own are ordinary ones', () => {
    expect(Object.keys(Object(parsed('__proto__.x=1&constructor=2')))).toEqual(['__proto__', 'constructor']);
  });
});

test('EC2’s lists are flattened, and an object with one list stays an object', () => {
  expect(parsed('Filter.1.Name=vpc-id&Filter.1.Value.1=vpc-1&VpcId.1=a&VpcId.2=b', false)).toEqual({
    Filter: [{ Name: 'vpc-id', Value: ['vpc-1'] }],
    VpcId: ['a', 'b'],
  });
  expect(parsed('Launch.Tag.1.Key=a', false)).toEqual({ Launch: { Tag: [{ Key: 'a' }] } });
});
