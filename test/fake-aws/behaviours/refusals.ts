import { Refusal } from '../refusal.ts';
import type { Properties } from '../values.ts';
import { numberAt } from './property-values.ts';

/** CloudFormation's own answer where a resource of that name is there and the service's call would have overwritten it. */
export function alreadyExists(type: string, name: string): Refusal {
  return new Refusal('AlreadyExists', `Resource of type '${type}' with identifier '${name}' already exists.`);
}

/** As most of AWS's services say that a value isn't one they take. */
export function invalid(sentence: string, code = 'ValidationError'): Refusal {
  return new Refusal(code, sentence);
}

/** A whole number at a path, or what AWS takes where there is none. */
export function numberOr(properties: Properties, path: string, otherwise: number): number {
  return numberAt(properties, path) ?? otherwise;
}
