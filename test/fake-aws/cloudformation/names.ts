import { createHash } from 'node:crypto';
import type { Context } from '../behaviour.ts';

/** Letters and digits of the random part, as in names that CloudFormation has been seen to make. */
const SUFFIX_LENGTH = 12;

/**
 * A name that CloudFormation makes up where a template gives none: stack's name, logical id and a random part, joined by hyphens. One
 * that would be too long loses the ends of the logical id and then of the stack's name; the random part stays whole, because it alone
 * makes the name unique. No two calls in a run get the same.
 * Source: "Name Type" in CloudFormation's Template Reference
 * (https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-properties-name.html); where it cuts is believed.
 *
 * @param maxLength most characters that AWS takes for the name of this type; at least 16
 */
export function physicalName(
  { world, stack, logicalId }: Pick<Context, 'world' | 'stack' | 'logicalId'>,
  maxLength: number,
  { lowerCase = false }: { readonly lowerCase?: boolean } = {},
): string {
  const suffix = randomPart(`${stack?.id}/${logicalId}/${world.hex(12)}`);
  const room = maxLength - SUFFIX_LENGTH - 1;
  const stackName = stack?.name ?? 'call';
  // Half of the room each; what one doesn't need, the other gets.
  const half = Math.floor((room - 1) / 2);
  const stackRoom = Math.max(half, room - 1 - logicalId.length);
  const first = stackName.slice(0, stackRoom);
  const second = logicalId.slice(0, Math.max(0, room - first.length - 1));
  const name = [first, second, suffix]
    .map((part) => part.replace(/-+$/u, ''))
    .filter((part) => part !== '')
    .join('-');
  return lowerCase ? name.toLowerCase() : name;
}

function randomPart(seed: string): string {
  const digits = BigInt(`0x${createHash('sha256').update(seed).digest('hex')}`);
  return digits.toString(36).toUpperCase().slice(0, SUFFIX_LENGTH);
}
