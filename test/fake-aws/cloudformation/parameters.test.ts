import { describe, expect, it } from 'vitest';
import type { Json, Properties } from '../values.ts';
import { World } from '../world.ts';
import { readParameters } from './parameters.ts';
import { readTemplate } from './template.ts';

const PLACE = { account: '111111111111', region: 'eu-west-1' };
const NAME = '/cdk-bootstrap/hnb659fds/version';

function read(
  definition: Properties,
  given: Json = [],
  previous: Parameters<typeof readParameters>[2] = new Map(),
): Json | undefined {
  const world = new World();
  world.add({
    ...PLACE,
    type: 'AWS::SSM::Parameter',
    id: NAME,
    properties: { Value: '30' },
    attributes: {},
    stack: null,
  });
  const template = readTemplate(
    JSON.stringify({ Parameters: { P: definition }, Resources: { A: { Type: 'AWS::SNS::Topic' } } }),
  );
  return readParameters(template, Array.isArray(given) ? given : [given], previous, {
    world,
    place: PLACE,
  }).get('P')?.value;
}

const value = (text: string): Json => ({ ParameterKey: 'P', ParameterValue: text });

describe('parameters', () => {
  it('take what is given, the default, or what the stack had before', () => {
    expect(read({ Type: 'String', Default: 'd' }, value('x'))).toBe('x');
    expect(read({ Type: 'String', Default: 'd' })).toBe('d');
    const before = new Map([['P', { given: 'old', stored: undefined, value: 'old' }]]);
    expect(read({ Type: 'String' }, { ParameterKey: 'P', UsePreviousValue: 'true' }, before)).toBe('old');
  });

  it('are lists where their type says so', () => {
    expect(read({ Type: 'CommaDelimitedList' }, value('a, b'))).toEqual(['a', 'b']);
    expect(read({ Type: 'List<Number>' }, value('1,2'))).toEqual(['1', '2']);
    expect(read({ Type: 'CommaDelimitedList' }, value(''))).toEqual([]);
  });

  it("look up Systems Manager's, and refuse one that isn't there", () => {
    const type = 'AWS::SSM::Parameter::Value<String>';
    expect(read({ Type: type, Default: NAME })).toBe('30');
    expect(() => read({ Type: type, Default: '/none' })).toThrow(
      'Unable to fetch parameters [/none] from parameter store',
    );
  });

  it.each<[string, Properties, Json, RegExp]>([
    ['none where one is needed', { Type: 'String' }, [], /Parameters: \[P\] must have values/u],
    [
      'one that the template lacks',
      { Type: 'String', Default: '' },
      { ParameterKey: 'Q', ParameterValue: '' },
      /Parameters: \[Q\] do not exist/u,
    ],
    [
      'a value that is not listed',
      { Type: 'String', AllowedValues: ['a'] },
      value('b'),
      /'P' must be one of AllowedValues/u,
    ],
    [
      'a value that does not match as a whole',
      { Type: 'String', AllowedPattern: '[a-z]+' },
      value('a1'),
      /'P' must match pattern/u,
    ],
    [
      'a value, in the words of the template',
      { Type: 'String', MaxLength: 1, ConstraintDescription: 'be short' },
      value('ab'),
      /constraint: be short/u,
    ],
    ['what is no number', { Type: 'Number' }, value('x'), /must be a number/u],
    ['a number that is too large', { Type: 'Number', MaxValue: 3 }, value('4'), /not greater than 3/u],
    [
      'a previous value that there is none of',
      { Type: 'String' },
      { ParameterKey: 'P', UsePreviousValue: true },
      /Cannot specify usePreviousValue/u,
    ],
  ])('refuse %s', (_name, definition, given, sentence) => {
    expect(() => read(definition, given)).toThrow(sentence);
  });
});
