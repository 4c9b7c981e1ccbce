import { Refusal } from '../refusal.ts';
import { readObject } from '../services/s3.ts';
import { isProperties, textAt, type Json, type Properties } from '../values.ts';
import type { World } from '../world.ts';
import { LIMITS, readTemplate, type Template } from './template.ts';
import { plain } from './text.ts';

/** A parameter of a call that has to be there. @throws Refusal where it is missing */
export function required(input: Properties, name: string): string {
  const value = textAt(input, name);
  if (value === undefined || value === '') {
    throw new Refusal(
      'ValidationError',
      `1 validation error detected: Value null at '${camelCase(name)}' failed to satisfy constraint: Member must not be null`,
    );
  }
  return value;
}

export function flag(input: Properties, name: string): boolean | undefined {
  const value = input[name];
  return value === undefined ? undefined : value === true || value === 'true';
}

export function listIn(input: Properties, name: string): readonly Json[] {
  const value = input[name];
  return Array.isArray(value) ? value : [];
}

/**
 * A name for a new stack or change set: letters, digits and hyphens, a letter first, 128 at most.
 * "CreateStack", StackName (https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_CreateStack.html).
 */
export function newName(input: Properties, parameter: 'ChangeSetName' | 'StackName'): string {
  const name = required(input, parameter);
  const at = `Value '${name}' at '${camelCase(parameter)}' failed to satisfy constraint`;
  if (name.length > 128) {
    throw invalid(`1 validation error detected: ${at}: Member must have length less than or equal to 128`);
  }
  if (!/^[a-zA-Z][-a-zA-Z0-9]*$/u.test(name)) {
    throw invalid(
      `1 validation error detected: ${at}: Member must satisfy regular expression pattern: [a-zA-Z][-a-zA-Z0-9]*`,
    );
  }
  return name;
}

/**
 * The template of a call: in it, or in S3; null where it is to be the stack's own.
 *
 * @throws Refusal where there is none, it is too large or its form is wrong
 */
export function templateIn(input: Properties, world: World): Template | null {
  if (flag(input, 'UsePreviousTemplate') === true) return null;
  const body = textAt(input, 'TemplateBody');
  const url = textAt(input, 'TemplateURL');
  if (body !== undefined && url !== undefined) {
    throw invalid('You must specify only one of the following properties: TemplateBody or TemplateURL.');
  }
  if (body !== undefined) {
    if (Buffer.byteLength(body) > LIMITS.bodyBytes) {
      throw invalid(
        `1 validation error detected: Value at 'templateBody' failed to satisfy constraint: Member must have length less than or equal to ${LIMITS.bodyBytes}`,
      );
    }
    return readTemplate(body);
  }
  if (url === undefined) throw invalid('Either Template URL or Template Body must be specified.');
  const object = readObject(world, url);
  if (object.byteLength > LIMITS.urlBytes) {
    throw invalid(`Template may not exceed ${LIMITS.urlBytes} bytes in size.`);
  }
  return readTemplate(object.toString());
}

/** `Tags` of a call, by "Tag" (…/APIReference/API_Tag.html): 50 at most, none that begins with `aws:`. */
export function tagsIn(input: Properties): readonly Json[] {
  const tags = listIn(input, 'Tags').filter(isProperties);
  if (tags.length > 50) throw invalid('The number of tags exceeds the limit of 50.');
  for (const { Key: key } of tags) {
    if (plain(key).startsWith('aws:'))
      throw invalid('aws: prefixed tag key names are not allowed for external use.');
  }
  return tags.map(({ Key: key = '', Value: value = '' }) => ({ Key: plain(key), Value: plain(value) }));
}

function invalid(sentence: string): Refusal {
  return new Refusal('ValidationError', sentence);
}

function camelCase(name: string): string {
  return name.slice(0, 1).toLowerCase() + name.slice(1);
}
