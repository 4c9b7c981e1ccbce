import { expect, test } from 'vitest';
import { type AdaptOptions, type Adaptation, type Template, TemplateAdapter } from './adapt.ts';

const TOPIC = 'AWS::SNS::Topic';
const QUEUE = 'AWS::SQS::Queue';

function adapt(template: Template, options: Partial<AdaptOptions> = {}) {
  return new TemplateAdapter({
    region: 'eu-west-1',
    account: '111111111111',
    unknownTypes: new Set(),
    adaptations: [],
    standIns: new Map(),
    output: (stack, region, name) => `${name} of ${stack} in ${region}`,
    ...options,
  }).adapt(template);
}

function adaptedBy(adaptation: Omit<Adaptation, 'reason'>, template: Template) {
  return adapt(template, { adaptations: [{ ...adaptation, reason: 'so it is' }] });
}

test('a template with nothing to change stays as it is, and nothing is reported', () => {
  const template = { Resources: { A: { Type: TOPIC, Properties: { TopicName: 'a' } } }, Outputs: {} };
  expect(adapt(template)).toEqual({ template, leftOut: [] });
});

test('resources of unknown types go, with what waits for them, and references to them become stand-ins', () => {
  const { template, leftOut } = adapt(
    {
      Resources: {
        Gone: { Type: QUEUE },
        Stays: {
          Type: TOPIC,
          DependsOn: ['Gone', 'Other'],
          Properties: {
            name: { Ref: 'Gone' },
            arn: { 'Fn::GetAtt': ['Gone', 'Arn'] },
            part: { 'Fn::Split': [':', { Ref: 'Gone' }] },
          },
        },
        Other: { Type: TOPIC },
      },
    },
    { unknownTypes: new Set([QUEUE]) },
  );
  const arn = 'arn:aws:left-out:eu-west-1:111111111111:left-out/of/this:Gone';
  expect(Object.keys(template.Resources)).toEqual(['Stays', 'Other']);
  expect(template.Resources['Stays']).toEqual({
    Type: TOPIC,
    DependsOn: ['Other'],
    Properties: { name: 'left-out-gone', arn, part: { 'Fn::Split': [':', arn] } },
  });
  const reference = `${TOPIC}: refers to ${QUEUE}`;
  expect(leftOut.map(({ what }) => what)).toEqual([QUEUE, reference, reference, reference]);
});

test('what stands in for a type was really made, where it was', () => {
  const { template } = adapt(
    { Resources: { Gone: { Type: QUEUE } }, Outputs: { Out: { Value: { Ref: 'Gone' } } } },
    { unknownTypes: new Set([QUEUE]), standIns: new Map([[QUEUE, 'real']]) },
  );
  expect(template.Outputs).toEqual({ Out: { Value: 'real' } });
});

test('an output of another stack becomes its value, or a stand-in where that stack is left out', () => {
  const reference = { 'Fn::GetStackOutput': { StackName: 's', Region: 'eu-west-3', OutputName: 'Name' } };
  const template = { Resources: { A: { Type: TOPIC, Properties: { a: [reference] } } } };
  expect(adapt(template).template.Resources['A']?.Properties).toEqual({ a: ['Name of s in eu-west-3'] });
  const { template: other, leftOut } = adapt(template, { output: () => null });
  expect(other.Resources['A']?.Properties).toEqual({ a: ['left-out-name'] });
  expect(leftOut).toHaveLength(1);
});

test('a property goes from wherever its path leads, lists included, and only there', () => {
  const template = {
    Resources: {
      A: { Type: TOPIC, Properties: { list: [{ one: 1, two: 2 }, { two: 2 }], one: 1 } },
      B: { Type: QUEUE, Properties: { list: [{ one: 1 }] } },
    },
  };
  const { template: adapted, leftOut } = adaptedBy({ type: TOPIC, property: 'list.one' }, template);
  expect(adapted.Resources['A']?.Properties).toEqual({ list: [{ two: 2 }, { two: 2 }], one: 1 });
  expect(adapted.Resources['B']).toEqual(template.Resources.B);
  expect(leftOut).toEqual([{ what: `${TOPIC}: list.one`, reason: 'so it is' }]);
});

test('a resource goes only if it has the property, and only while what it follows is gone', () => {
  const template = {
    Resources: { With: { Type: TOPIC, Properties: { a: 1 } }, Without: { Type: TOPIC, Properties: {} } },
  };
  const left = ({ template: adapted }: { readonly template: Template }) => Object.keys(adapted.Resources);
  expect(left(adaptedBy({ type: TOPIC, has: 'a' }, template))).toEqual(['Without']);
  const following = { type: TOPIC, has: 'a', follows: QUEUE, reason: 'so it is' };
  expect(left(adapt(template, { adaptations: [following] }))).toEqual(['With', 'Without']);
  expect(left(adapt(template, { adaptations: [following], unknownTypes: new Set([QUEUE]) }))).toEqual([
    'Without',
  ]);
});

test('a reference is written as the other one that comes to the same, and a policy too', () => {
  const template = {
    Resources: { A: { Type: TOPIC, DeletionPolicy: 'RetainExceptOnCreate' } },
    Outputs: { Out: { Value: { Ref: 'A' } }, Back: { Value: { 'Fn::GetAtt': ['A', 'Arn'] } } },
  };
  const toAttribute = adaptedBy({ type: TOPIC, reference: { from: 'Ref', to: 'Arn' } }, template);
  expect(toAttribute.template.Outputs?.['Out']).toEqual({ Value: { 'Fn::GetAtt': ['A', 'Arn'] } });
  const toRef = adaptedBy({ type: TOPIC, reference: { from: 'Arn', to: 'Ref' } }, template);
  expect(toRef.template.Outputs?.['Back']).toEqual({ Value: { Ref: 'A' } });
  const policy = { from: 'RetainExceptOnCreate', to: 'Retain' };
  const kept = adaptedBy({ type: '*', deletionPolicy: policy }, template);
  expect(kept.template.Resources['A']?.DeletionPolicy).toBe('Retain');
  expect([toAttribute, toRef, kept].map(({ leftOut }) => leftOut.length)).toEqual([1, 1, 1]);
});
