import { randomInt } from 'node:crypto';
import { Refusal } from '../refusal.ts';
import { type Json, type Properties, isProperties, textAt } from '../values.ts';
import { flagAt, numberAt } from './property-values.ts';

const LENGTH = { usual: 32, most: 4096 } as const;
const KINDS = [
  { excluded: 'ExcludeLowercase', characters: 'abcdefghijklmnopqrstuvwxyz' },
  { excluded: 'ExcludeUppercase', characters: 'ABCDEFGHIJKLMNOPQRSTUVWXYZ' },
  { excluded: 'ExcludeNumbers', characters: '0123456789' },
  { excluded: 'ExcludePunctuation', characters: '!"#$%&\'()*+,-./:;<=>?@[\\]^_`{|}~' },
] as const;

/**
 * A value as Secrets Manager generates it: a password, or a JSON object with a password under a key of its template. Throws
 * `InvalidParameterException` where nothing can be generated. Sources: "GetRandomPassword", AWS Secrets Manager API Reference;
 * "GenerateSecretString", CloudFormation Template Reference.
 */
export function generatedSecret(how: Properties): string {
  const password = randomPassword(how);
  const template = textAt(how, 'SecretStringTemplate');
  const key = textAt(how, 'GenerateStringKey');
  if ((template === undefined) !== (key === undefined)) {
    throw new Refusal(
      'InvalidRequest',
      'You must specify both SecretStringTemplate and GenerateStringKey, or neither.',
    );
  }
  if (template === undefined || key === undefined) return password;
  const parsed = parsedTemplate(template);
  return JSON.stringify({ ...parsed, [key]: password });
}

function randomPassword(how: Properties): string {
  const length = numberAt(how, 'PasswordLength') ?? LENGTH.usual;
  const excluded = new Set(textAt(how, 'ExcludeCharacters') ?? '');
  const kinds = KINDS.filter((kind) => flagAt(how, kind.excluded) !== true).map(({ characters }) =>
    characters.split('').filter((character) => !excluded.has(character)),
  );
  if (flagAt(how, 'IncludeSpace') === true && !excluded.has(' ')) kinds.push([' ']);
  const present = kinds.filter((kind) => kind.length > 0);
  const each = flagAt(how, 'RequireEachIncludedType') ?? true;
  if (present.length === 0 || length < 1 || length > LENGTH.most || (each && length < present.length)) {
    throw new Refusal(
      'InvalidParameterException',
      'The password length or the excluded characters are invalid.',
    );
  }
  const first = each ? present.map((kind) => pick(kind)) : [];
  const all = present.flat();
  const rest = Array.from({ length: length - first.length }, () => pick(all));
  return shuffled([...first, ...rest]).join('');
}

function pick(characters: readonly string[]): string {
  return characters[randomInt(characters.length)] ?? '';
}

function shuffled(characters: readonly string[]): readonly string[] {
  return characters
    .map((character) => ({ character, place: randomInt(2 ** 40) }))
    .toSorted((a, b) => a.place - b.place)
    .map(({ character }) => character);
}

function parsedTemplate(template: string): Properties {
  try {
    // JSON.parse gives JSON.
    const parsed = JSON.parse(template) as Json;
    if (isProperties(parsed)) return parsed;
  } catch {
    // Answered below, like JSON that is no object.
  }
  throw new Refusal('InvalidRequest', 'SecretStringTemplate must be a JSON object.');
}
