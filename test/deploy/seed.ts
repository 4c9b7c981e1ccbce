import { regionsOf } from '../../topology/read.ts';
import type { Topology } from '../../topology/types.ts';
import { digestOf } from '../fake-aws/registry/images.ts';
import type { Place } from '../fake-aws/values.ts';
import { globalPlace, type World } from '../fake-aws/world.ts';
import { REPOSITORY, zonesOf } from './topologies.ts';

const MANIFEST = 'application/vnd.oci.image.manifest.v1+json';
const CONFIG = 'application/vnd.oci.image.config.v1+json';

interface Image {
  readonly digest: string;
  readonly config: Buffer;
  readonly manifest: Buffer;
}

/** An image without layers: its manifest and its configuration, which says what it was built for. */
export function imageFor(architecture: 'arm64' | 'amd64'): Image {
  const config = Buffer.from(
    JSON.stringify({ architecture, os: 'linux', rootfs: { type: 'layers', diff_ids: [] } }),
  );
  const manifest = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: MANIFEST,
      config: { mediaType: CONFIG, digest: digestOf(config), size: config.length },
      layers: [],
    }),
  );
  return { digest: digestOf(manifest), config, manifest };
}

/** Makes the repository in a region where it isn't there yet, as people do before they push. */
function addRepository(world: World, place: Place): void {
  if (world.find(place, 'AWS::ECR::Repository', REPOSITORY) !== undefined) return;
  world.add({
    ...place,
    type: 'AWS::ECR::Repository',
    id: REPOSITORY,
    properties: { RepositoryName: REPOSITORY },
    attributes: { Arn: `arn:aws:ecr:${place.region}:${place.account}:repository/${REPOSITORY}` },
    stack: null,
  });
}

/** Puts an image into a region's registry, and its repository where it isn't there yet. */
export function pushImage(world: World, place: Place, { config, manifest }: Image): void {
  addRepository(world, place);
  world.images.addBlob(place, REPOSITORY, config);
  world.images.add(place, REPOSITORY, { reference: 'latest', mediaType: MANIFEST, bytes: manifest });
}

/** What people do before they deploy: the image is in every region of every zone, and the hosted zones are there. */
export function seedZones(world: World, topology: Topology): void {
  for (const { zone } of zonesOf(topology)) {
    const { account, domain } = zone;
    for (const region of regionsOf(zone)) pushImage(world, { account, region }, imageFor('arm64'));
    if (domain === undefined || !('hostedZoneId' in domain)) continue;
    const place = globalPlace({ account, region: zone.origin });
    if (world.find(place, 'AWS::Route53::HostedZone', domain.hostedZoneId) !== undefined) continue;
    world.add({
      ...place,
      type: 'AWS::Route53::HostedZone',
      id: domain.hostedZoneId,
      properties: { Name: `${domain.hostedZoneName}.` },
      attributes: { Id: domain.hostedZoneId },
      stack: null,
    });
  }
}
