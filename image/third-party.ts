import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Folder of a package: the last `node_modules/<name>` of a path, since packages may have packages of their own. */
const PACKAGE = /^(.*\bnode_modules\/(?:@[^/]+\/)?[^/]+)\//;
const LICENCE_FILE = /^(licen[cs]e|copying|notice)(\..*)?$/i;

/** Name, version and licence of each package that went into the bundle, with the licence's text where the package brings one. */
export function thirdPartyText(root: string, inputs: readonly string[]): string {
  const folders = new Set(inputs.flatMap((path) => PACKAGE.exec(path)?.[1] ?? []));
  const sections = [...folders].toSorted().map((folder) => sectionOf(join(root, folder)));
  return `Keyhearth's image contains the following packages.\n\n${sections.join('\n')}`;
}

function sectionOf(folder: string): string {
  // npm checks that every package has a name and a version; a licence is usual.
  const { name, version, license } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as {
    readonly name: string;
    readonly version: string;
    readonly license?: unknown;
  };
  const texts = readdirSync(folder).filter((file) => LICENCE_FILE.test(file));
  const kind = typeof license === 'string' ? license : 'see its text';
  const lines = ['='.repeat(80), `${name} ${version} (${kind})`, ''];
  for (const file of texts.toSorted()) lines.push(readFileSync(join(folder, file), 'utf8').trim(), '');
  return lines.join('\n');
}
