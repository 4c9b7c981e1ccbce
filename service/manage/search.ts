/**
 * The pattern for ILIKE that finds a text anywhere, as it stands: what LIKE would read as a sign of its own is escaped. Null, for
 * anything, where nothing is searched for.
 */
export function searchPattern(search: string | undefined): string | null {
  if (search === undefined || search === '') return null;
  return `%${search.replaceAll(/[\\%_]/g, String.raw`\$&`)}%`;
}
