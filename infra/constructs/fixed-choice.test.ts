import { Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { expect, test } from 'vitest';
import { testApp } from '../test/zones.ts';
import { fixedChoice } from './fixed-choice.ts';

function parametersOf(value: string): Record<string, Record<string, unknown>> {
  const stack = new Stack(testApp(), 'Stack');
  fixedChoice(stack, 'Colour', { value, what: 'the colour of the shed', instead: 'Build another shed.' });
  return Template.fromStack(stack).toJSON()['Parameters'];
}

test('the one allowed value is the present one, so that CloudFormation refuses what it kept of another', () => {
  const [red, blue] = [parametersOf('red')['Colour'], parametersOf('blue')['Colour']];
  expect(red).toMatchObject({ Type: 'String', Default: 'red', AllowedValues: ['red'] });
  expect(blue?.['AllowedValues']).not.toContain(red?.['Default']);
});

test('the refusal says what can’t be changed to what, and what to do instead', () => {
  expect(parametersOf('blue')['Colour']?.['ConstraintDescription']).toBe(
    "the colour of the shed can't be changed to blue: put what it was back into the description. Build another shed.",
  );
});
