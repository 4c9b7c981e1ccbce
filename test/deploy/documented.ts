/** A block of shell commands of a page. */
export interface Block {
  /** The heading above it. */
  readonly heading: string;
  readonly commands: string;
}

/** The `sh` blocks of a section (a `##` heading) of a Markdown page, in order. Throws where the page has no such section. */
export function shellBlocks(page: string, section: string): readonly Block[] {
  const from = page.indexOf(`\n## ${section}\n`);
  if (from === -1) throw new Error(`no section ${section}`);
  const to = page.indexOf('\n## ', from + 1);
  const text = page.slice(from, to === -1 ? undefined : to);
  const blocks: Block[] = [];
  let heading = section;
  for (const [, title, commands] of text.matchAll(/^### (.+)$|^```sh\n([\s\S]*?)^```$/gm)) {
    if (title !== undefined) heading = title;
    else if (commands !== undefined) blocks.push({ heading, commands });
  }
  return blocks;
}
