import type { ZoneBorder } from './border.ts';
import { asObject, type Json, type JsonObject } from './template.ts';
import { judgeText } from './texts.ts';

/** One upload that leaves the stack's region or account. */
export interface UploadElsewhere {
  readonly id: string;
  /** As JSON. */
  readonly destination: string;
}

/** What the CDK would upload to elsewhere than `region` and the zone's account. `assets`: its list for one stack. */
export function uploadsElsewhere(
  assets: JsonObject | null,
  border: ZoneBorder,
  region: string,
): readonly UploadElsewhere[] {
  const { files, dockerImages } = assets ?? {};
  const all = Object.entries({ ...asObject(files), ...asObject(dockerImages) });
  return all.flatMap(([id, asset]) =>
    Object.values(asObject(asObject(asset)['destinations']))
      .filter((destination) => !isAtHome(asObject(destination), border, region))
      .map((destination) => ({ id, destination: plainPartition(destination) })),
  );
}

function isAtHome(destination: JsonObject, border: ZoneBorder, home: string): boolean {
  const { region, bucketName, repositoryName } = destination;
  const name = bucketName ?? repositoryName;
  // As the CDK's bootstrap stack names them: a bucket of another name may be anywhere.
  const isOwnStore =
    typeof name === 'string' &&
    /^cdk-[a-z0-9]+-(?:container-)?assets-/.test(name) &&
    name.endsWith(`-assets-${border.account}-${home}`);
  const inside = { ...border, regions: [home] };
  const outside = judgeText(plainPartition(destination), inside, { denied: false, namesAccount: true });
  return region === home && isOwnStore && outside.length === 0;
}

/** As JSON, without the CDK's own notation for a partition, whose colons would shift the parts of an ARN. */
export function plainPartition(value: Json | undefined): string {
  return JSON.stringify(value ?? null).replaceAll('${AWS::Partition}', 'aws');
}
