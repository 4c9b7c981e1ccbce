import { CfnOutput, CfnParameter, Stack } from 'aws-cdk-lib';
import type { Construct } from 'constructs';

export interface FixedChoice {
  /** What the description says now. */
  readonly value: string;
  /** Of what, as it reads in a sentence: `the address range of eu-west-3`. */
  readonly what: string;
  /** A sentence: what somebody does who needs another one after all. */
  readonly instead: string;
}

/**
 * A choice that can't be changed once the stack is there. The stack gets a parameter (named `id`) that takes this one value alone.
 * CloudFormation keeps what was chosen first, from one deployment to the next, and refuses a kept value that isn't allowed any more
 * before it touches anything. Put the parameter into the stack where what it guards begins to depend on it; a parameter that comes or
 * goes with its choice lets the choice be made later, or be dropped.
 *
 * The value is in the template as text everywhere else: nothing has to know of the parameter.
 */
export function fixedChoice(scope: Construct, id: string, { value, what, instead }: FixedChoice): void {
  const stack = Stack.of(scope);
  const parameter = new CfnParameter(stack, id, {
    default: value,
    allowedValues: [value],
    description: `Remembers ${what}, which can't be changed. Leave it alone`,
    constraintDescription: `${what} can't be changed to ${value}: put what it was back into the description. ${instead}`,
  });
  // A parameter that nothing reads is an error to those who judge templates.
  new CfnOutput(stack, `${id}Kept`, { value: parameter.valueAsString });
}
