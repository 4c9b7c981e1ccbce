import { errorText, UserError } from '../lib/user-error.ts';

export interface TemplateParameter {
  readonly Type?: string;
  readonly Default?: string | number;
  readonly AllowedValues?: readonly (string | number)[];
  readonly NoEcho?: boolean | string;
  readonly ConstraintDescription?: string;
}

export interface TemplateResource {
  readonly Type: string;
  readonly Condition?: string;
  readonly DeletionPolicy?: string;
  readonly UpdateReplacePolicy?: string;
  readonly Properties?: Readonly<Record<string, unknown>>;
}

/** A CloudFormation template, as far as a comparison needs it. */
export interface Template {
  readonly Parameters?: Readonly<Record<string, TemplateParameter>>;
  readonly Mappings?: Readonly<Record<string, unknown>>;
  readonly Conditions?: Readonly<Record<string, unknown>>;
  readonly Resources: Readonly<Record<string, TemplateResource>>;
  readonly Outputs?: Readonly<Record<string, { readonly Value?: unknown; readonly Condition?: string }>>;
}

export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Throws `UserError` where the text isn't a template in JSON; `where` says whose it is. */
export function parseTemplate(text: string, where: string): Template {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch (error) {
    throw new UserError(`The template of ${where} isn't JSON, so it isn't the CDK's: ${errorText(error)}.`);
  }
  if (!isObject(parsed) || !isObject(parsed['Resources']))
    throw new UserError(`The template of ${where} has no resources.`);
  // CloudFormation has taken it, or the CDK has just written it: what it has besides resources is of the documented form.
  return parsed as unknown as Template;
}

/** Values of a parameter that are nobody's business: its template asks CloudFormation not to show them. */
export function isSecret({ NoEcho }: TemplateParameter): boolean {
  return NoEcho === true || NoEcho === 'true';
}
