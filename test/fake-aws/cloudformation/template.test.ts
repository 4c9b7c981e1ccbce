import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Json } from '../values.ts';
import { readTemplate } from './template.ts';
import { checkCapabilities, checkTemplate } from './template-check.ts';

const TOPIC = { Type: 'AWS::SNS::Topic' };

function read(document: Json): ReturnType<typeof readTemplate> {
  return readTemplate(JSON.stringify(document));
}

function check(document: Json): void {
  checkTemplate(read(document), (type) => type.startsWith('AWS::'));
}

describe('the form of a template', () => {
  it.each<[string, Json, RegExp]>([
    ['no resources', { Resources: {} }, /At least one Resources member must be defined/u],
    [
      'a section that there is none of',
      { Resources: { A: TOPIC }, Foo: {} },
      /Invalid template property or properties \[Foo\]/u,
    ],
    [
      'an attribute that there is none of',
      { Resources: { A: { ...TOPIC, Foo: 1 } } },
      /Invalid template resource property 'Foo'/u,
    ],
    ['a logical id with a hyphen', { Resources: { 'A-b': TOPIC } }, /Resource name A-b is non alphanumeric/u],
    ['a resource without a type', { Resources: { A: {} } }, /must contain a Type member/u],
    [
      'a deletion policy that there is none of',
      { Resources: { A: { ...TOPIC, DeletionPolicy: 'Keep' } } },
      /Unrecognized DeletionPolicy "Keep"/u,
    ],
    ['a macro', { Resources: { A: TOPIC }, Transform: 'X' }, /no macros/u],
    [
      '501 resources',
      { Resources: Object.fromEntries(Array.from({ length: 501 }, (_, n) => [`A${n}`, TOPIC])) },
      /501, is greater than maximum allowed, 500/u,
    ],
    [
      '201 outputs',
      {
        Resources: { A: TOPIC },
        Outputs: Object.fromEntries(Array.from({ length: 201 }, (_, n) => [`A${n}`, { Value: 'x' }])),
      },
      /201, is greater than maximum allowed, 200/u,
    ],
  ])('refuses %s', (_name, document, sentence) => {
    expect(() => read(document)).toThrow(sentence);
  });

  it('refuses what is neither JSON nor YAML', () => {
    expect(() => readTemplate('{"Resources": ')).toThrow(/JSON not well-formed/u);
    expect(() => readTemplate('Resources: [a')).toThrow(/YAML not well-formed/u);
  });

  it('reads short forms of functions in YAML', () => {
    const template = readTemplate(`
Resources:
  A:
    Type: AWS::SNS::Topic
    Properties:
      TopicName: !Join ["-", [a, !Sub "\${AWS::Region}"]]
      DisplayName: !GetAtt B.TopicName
      KmsMasterKeyId: !If [Own, !Ref Key, !Ref "AWS::NoValue"]
`);
    expect(template.resources.get('A')?.properties).toEqual({
      TopicName: { 'Fn::Join': ['-', ['a', { 'Fn::Sub': '${AWS::Region}' }]] },
      DisplayName: { 'Fn::GetAtt': 'B.TopicName' },
      KmsMasterKeyId: { 'Fn::If': ['Own', { Ref: 'Key' }, { Ref: 'AWS::NoValue' }] },
    });
  });

  it("reads the command line's bootstrap template, which is YAML", () => {
    const folder = dirname(createRequire(import.meta.url).resolve('aws-cdk/package.json'));
    const text = readFileSync(join(folder, 'lib/api/bootstrap/bootstrap-template.yaml'), 'utf8');
    const template = readTemplate(text);
    expect(template.resources.get('StagingBucket')?.type).toBe('AWS::S3::Bucket');
    checkTemplate(template, () => true);
  });
});

describe('what a template says', () => {
  it.each<[string, Json, RegExp]>([
    [
      'an unknown type',
      { Resources: { A: { Type: 'Custom::X' } } },
      /Unrecognized resource types: \[Custom::X\]/u,
    ],
    [
      'a Ref to nothing',
      { Resources: { A: { ...TOPIC, Properties: { TopicName: { Ref: 'B' } } } } },
      /Unresolved resource dependencies \[B\] in the Resources block/u,
    ],
    [
      'a Sub of nothing',
      { Resources: { A: { ...TOPIC, Properties: { TopicName: { 'Fn::Sub': '${B}' } } } } },
      /Unresolved resource dependencies \[B\]/u,
    ],
    [
      'a DependsOn of nothing',
      { Resources: { A: { ...TOPIC, DependsOn: 'B' } } },
      /Unresolved resource dependencies \[B\]/u,
    ],
    [
      'an output of nothing',
      { Resources: { A: TOPIC }, Outputs: { O: { Value: { Ref: 'B' } } } },
      /\[B\] in the Outputs block/u,
    ],
    [
      'an attribute that the type lacks',
      {
        Resources: {
          A: TOPIC,
          B: { ...TOPIC, Properties: { TopicName: { 'Fn::GetAtt': ['A', 'Colour'] } } },
        },
      },
      /resource A does not support attribute type Colour in Fn::GetAtt/u,
    ],
    ['a condition that there is none of', { Resources: { A: { ...TOPIC, Condition: 'C' } } }, /condition C/u],
    [
      'resources that wait for each other',
      { Resources: { A: { ...TOPIC, DependsOn: 'B' }, B: { ...TOPIC, DependsOn: ['A'] } } },
      /Circular dependency between resources: \[A, B\]/u,
    ],
  ])('refuses %s', (_name, document, sentence) => {
    expect(() => check(document)).toThrow(sentence);
  });

  it('needs an acknowledgement for roles, and a stronger one for names of their own', () => {
    const role = (properties: Json): ReturnType<typeof read> =>
      read({ Resources: { A: { Type: 'AWS::IAM::Role', Properties: properties } } });
    const plain = role({});
    const named = role({ RoleName: 'r' });
    expect(() => checkCapabilities(plain, [])).toThrow('Requires capabilities : [CAPABILITY_IAM]');
    expect(() => checkCapabilities(named, ['CAPABILITY_IAM'])).toThrow(
      'Requires capabilities : [CAPABILITY_NAMED_IAM]',
    );
    checkCapabilities(plain, ['CAPABILITY_IAM']);
    checkCapabilities(named, ['CAPABILITY_NAMED_IAM']);
    checkCapabilities(read({ Resources: { A: TOPIC } }), []);
  });
});
