/** What an entry says of an error on stderr: on one line, however many settings are wrong. */
export function sentenceOf(error: unknown): string {
  if (error instanceof AggregateError && error.message === '') return error.errors.map(sentenceOf).join('; ');
  const said = error instanceof Error && error.message !== '' ? error.message : String(error);
  return said.split('\n').join('; ');
}
