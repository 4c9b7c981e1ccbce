import type { Look } from './demands.ts';
import { HOLE, textsOf } from './evaluate.ts';
import { intrinsicOf, isList, type Json } from './template.ts';

/** Whether an output is what readers in other stacks take it for: something of a resource, a parameter, or a name of the zone. */
export function isOutput(value: Json | undefined, look: Look): boolean {
  const { facts, border } = look;
  const [name, argument] = intrinsicOf(value) ?? [];
  if (name === 'Ref' && typeof argument === 'string' && Object.hasOwn(facts.parameters, argument))
    return true;
  if (name === 'Fn::If' && isList(argument)) return argument.slice(1).every((side) => isOutput(side, look));
  // With `=` in it, it is an argument of a command, and neither a name nor an ARN.
  const isGood = (text: string): boolean =>
    text === HOLE || border.names.includes(text) || text.includes('=');
  return isWriterAddress(argument) || (textsOf(value, facts)?.every(isGood) ?? false);
}

/** The address of a cluster's writer, which is that of its readers but for one piece. */
function isWriterAddress(joined: Json | undefined): boolean {
  return JSON.stringify(joined ?? null).startsWith(
    '[".cluster-",{"Fn::Split":[".cluster-ro-",{"Fn::GetAtt":',
  );
}
