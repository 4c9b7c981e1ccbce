import { XMLBuilder } from 'fast-xml-parser';
import { isProperties, type Json, type Properties } from '../values.ts';

const builder = new XMLBuilder({
  ignoreAttributes: false,
  attributeNamePrefix: '@',
  suppressEmptyNode: false,
});

/**
 * A document with one element. A list under a name is that element again and again, and none at all for an empty list; `null` is left
 * out. Names that begin with `@` are attributes.
 */
export function toXml(name: string, content: Properties): string {
  return `<?xml version="1.0" encoding="UTF-8"?>\n${builder.build({ [name]: present(content) })}`;
}

/** What XML has no form for isn't handed on: the builder would write `null` and `undefined` as texts. */
function present(value: Json): Json {
  if (Array.isArray(value)) return value.filter((entry) => entry !== null).map((entry) => present(entry));
  if (!isProperties(value)) return value;
  const entries = Object.entries(value).filter(([, entry]) => entry !== null && entry !== undefined);
  return Object.fromEntries(entries.map(([name, entry]) => [name, present(entry)]));
}
