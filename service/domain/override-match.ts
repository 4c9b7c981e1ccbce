import type { RateLimitOverride } from './records.ts';

/**
 * Prepares overrides once and returns the function that finds the one for an identifier: an exact one wins; of several patterns the one
 * with the most characters besides `*`, and of those the first by its text, so that the answer never depends on an order of rows.
 */
export function compileOverrides(
  overrides: readonly RateLimitOverride[],
): (identifier: string) => RateLimitOverride | null {
  const exact = new Map<string, RateLimitOverride>();
  const patterns: RateLimitOverride[] = [];
  for (const override of overrides) {
    if (override.identifier.includes('*')) patterns.push(override);
    else exact.set(override.identifier, override);
  }
  const sorted = patterns
    .toSorted((a, b) => weight(b) - weight(a) || (a.identifier < b.identifier ? -1 : 1))
    .map((override) => ({
      override,
      parts: override.identifier.split('*'),
      minLength: weight(override),
    }));
  return (identifier) => {
    const found = exact.get(identifier);
    if (found !== undefined) return found;
    for (const { override, parts, minLength } of sorted) {
      if (identifier.length >= minLength && fits(identifier, parts)) return override;
    }
    return null;
  };
}

function weight({ identifier }: RateLimitOverride): number {
  return identifier.replaceAll('*', '').length;
}

/**
 * Whether the text is the parts in their order with anything between them. Each part is taken as early as it can be, which leaves most
 * for those that follow: no going back, and so no pattern that takes long.
 */
function fits(text: string, parts: readonly string[]): boolean {
  const first = parts[0] ?? '';
  const last = parts.at(-1) ?? '';
  if (text.length < first.length + last.length || !text.startsWith(first) || !text.endsWith(last))
    return false;
  const end = text.length - last.length;
  let from = first.length;
  for (const part of parts.slice(1, -1)) {
    const at = text.indexOf(part, from);
    if (at === -1 || at + part.length > end) return false;
    from = at + part.length;
  }
  return true;
}
