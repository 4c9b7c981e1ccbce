import { Refusal } from '../refusal.ts';

/**
 * Which messages a filter pattern of words means: every word of `ERROR "two words"`, none of `-this`, one at least of `?these ?ones`.
 * Throws `InvalidParameterException` for patterns that look into JSON, columns or regular expressions: they aren't understood here.
 * Source: "Filter pattern syntax for metric filters, subscription filters, filter log events, and Live Tail", CloudWatch Logs User Guide.
 */
export function matcherOf(pattern: string): (message: string) => boolean {
  const text = pattern.trim();
  if (text === '') return () => true;
  if (/^[{[%]/u.test(text)) {
    throw new Refusal(
      'InvalidParameterException',
      `Invalid filter pattern: ${text}: only patterns of words are understood here.`,
    );
  }
  const words = [...text.matchAll(/([-?]?)(?:"((?:[^"\\]|\\.)*)"|(\S+))/gu)].map(
    ([, sign = '', quoted, bare]) => ({
      sign,
      word: quoted === undefined ? (bare ?? '') : quoted.replaceAll(/\\(.)/gu, '$1'),
    }),
  );
  const having = (wanted: string): readonly string[] =>
    words.filter(({ sign }) => sign === wanted).map(({ word }) => word);
  const all = having('');
  const none = having('-');
  const any = having('?');
  return (message) =>
    all.every((word) => message.includes(word)) &&
    !none.some((word) => message.includes(word)) &&
    (any.length === 0 || any.some((word) => message.includes(word)));
}
