import type { Construct } from 'constructs';
import { stackNames } from '../names.ts';
import type { BaseStack } from './base-stack.ts';
import { RegionStack } from './region-stack.ts';
import type { ZoneStack } from './zone-stack.ts';

export interface DataStackProps {
  readonly base: BaseStack;
  readonly zoneStack: ZoneStack;
  /** The origin's data stack, for a replica; null for the origin itself. */
  readonly origin: DataStack | null;
}

/** What the service stack needs to know of the region's database. */
export interface RegionDatabase {
  readonly clusterIdentifier: string;
  /** Names the cluster in `rds-db:connect`. */
  readonly clusterResourceId: string;
  /** The writer while the region is home. */
  readonly clusterEndpoint: string;
  /** Endpoints of the instances; the preferred to read from first. */
  readonly readerEndpoints: readonly string[];
  readonly instanceIdentifiers: readonly string[];
  /** Endpoint that leads to the writer wherever it is; null in a zone of one region. */
  readonly globalWriterEndpoint: string | null;
}

export interface RegionCache {
  readonly name: string;
  readonly arn: string;
  readonly endpoint: string;
  readonly userId: string;
  readonly userArn: string;
}

export interface EventStream {
  readonly name: string;
  readonly arn: string;
  readonly bucketName: string;
}

/** What a region keeps: its copy of the database, its cache, its events. */
export class DataStack extends RegionStack {
  readonly database: RegionDatabase;
  readonly cache: RegionCache;
  /** Null where events go to a ClickHouse server. */
  readonly events: EventStream | null;

  constructor(scope: Construct, { base, origin }: DataStackProps) {
    const { zone, here } = base;
    super(scope, {
      zone,
      region: here.region,
      stackName: stackNames.data(zone, here.region),
      description: `Keyhearth zone ${zone.name}: database${origin === null ? ' (origin)' : ''}, cache and events of ${here.region}`,
      holdsData: true,
    });
    this.database = {
      clusterIdentifier: '',
      clusterResourceId: '',
      clusterEndpoint: '',
      readerEndpoints: [],
      instanceIdentifiers: [],
      globalWriterEndpoint: null,
    };
    this.cache = { name: '', arn: '', endpoint: '', userId: '', userArn: '' };
    this.events = null;
  }
}
