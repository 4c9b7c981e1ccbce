import { CfnOutput, Fn, SecretValue } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import { processingUnitsOf } from '../cache-limits.ts';
import { Cache } from '../constructs/cache.ts';
import { Database, isServerless, type MasterUser } from '../constructs/database.ts';
import { EventStream as Events } from '../constructs/event-stream.ts';
import { GlobalDatabase } from '../constructs/global-database.ts';
import {
  cacheNames,
  clusterIdentifier,
  databaseLogGroupName,
  globalClusterIdentifier,
  instanceIdentifier,
  outputKeys,
  secretNames,
  stackNames,
} from '../names.ts';
import { dataAlarms } from '../observability/data-alarms.ts';
import { RegionAlarms } from '../observability/region-alarms.ts';
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
  readonly port: string;
  readonly userId: string;
  readonly userArn: string;
  /** At most; see infra/cache-limits.ts. */
  readonly processingUnitsPerSecond: number;
}

export interface EventStream {
  readonly name: string;
  readonly arn: string;
  readonly bucketName: string;
}

const SUBNETS = { subnetGroupName: 'Data' };

/**
 * What a region keeps: its copy of the database, its cache, its events. The event stream is there before the service uses it: this
 * version of it emits no events.
 */
export class DataStack extends RegionStack {
  readonly database: RegionDatabase;
  readonly cache: RegionCache;
  /** Null where events go to a ClickHouse server. */
  readonly events: EventStream | null;

  constructor(scope: Construct, { base, zoneStack, origin }: DataStackProps) {
    const { zone, here } = base;
    super(scope, {
      zone,
      region: here.region,
      stackName: stackNames.data(zone, here.region),
      description: `Keyhearth zone ${zone.name}: database${origin === null ? ' (origin)' : ''}, cache and events of ${here.region}`,
      holdsData: true,
    });
    // The origin's cluster reads the master secret. A replica's joins a global database that has its primary, and leaves before that.
    this.addStackDependency(origin ?? zoneStack);
    this.database = origin === null ? this.#original(base) : this.#copy(base, origin);
    this.cache = this.#cache(base);
    this.events = zone.events.kind === 'firehose' ? this.#events(base) : null;
    const { database, cache, events } = this;
    const serverless = isServerless(here.size);
    new RegionAlarms(this, 'Alarms', {
      zone,
      region: here.region,
      topic: base.alarmTopic,
      plans: dataAlarms({ zone, database, cache, events, serverless }),
    });
  }

  /** The database that all others are copies of, as part of a global database where there are others. */
  #original(base: BaseStack): RegionDatabase {
    const { zone } = this;
    const several = zone.regions.length > 1;
    const identifier = globalClusterIdentifier(zone);
    const { deletionProtection } = zone;
    const global = new GlobalDatabase(this, 'Global', { identifier, several, deletionProtection });
    const made = this.#database(base, this.#masterUser(), global.membership);
    if (!several) return this.#described(made, null);
    const { globalClusterIdentifier: identifierKey, globalWriterEndpoint } = outputKeys.data;
    new CfnOutput(this, identifierKey, { value: identifier });
    return this.#described(
      made,
      this.#output(globalWriterEndpoint, global.writerEndpoint(made.clusterEndpoint)),
    );
  }

  /** No user, no password, no database name: they come with the data. */
  #copy(base: BaseStack, origin: DataStack): RegionDatabase {
    const identifier = globalClusterIdentifier(this.zone);
    const made = this.#database(base, null, identifier);
    new CfnOutput(this, outputKeys.data.globalClusterIdentifier, { value: identifier });
    return this.#described(made, origin.database.globalWriterEndpoint);
  }

  /** By the secret's literal name: whether CloudFormation looks into a reference to another stack inside such a text isn't documented. */
  #masterUser(): MasterUser {
    const field = (jsonField: string): string =>
      SecretValue.secretsManager(secretNames.master(this.zone), { jsonField }).unsafeUnwrap();
    return { username: field('username'), password: field('password') };
  }

  #database(base: BaseStack, master: MasterUser | null, globalCluster: string | null): Database {
    const { zone, here } = this;
    return new Database(this, 'Database', {
      identifier: clusterIdentifier(zone, here.region),
      instanceIdentifier: (number) => instanceIdentifier(zone, here.region, number),
      here,
      vpc: base.vpc,
      subnets: SUBNETS,
      securityGroup: base.securityGroups.database,
      encryptionKey: base.dataKey,
      master,
      globalCluster,
      backupDays: zone.retention.backupDays,
      logGroupName: databaseLogGroupName(zone, here.region),
      logDays: zone.retention.logDays,
      deletionProtection: zone.deletionProtection,
    });
  }

  #described(made: Database, globalWriterEndpoint: string | null): RegionDatabase {
    const { cluster, instances, readerEndpoints } = made;
    new CfnOutput(this, outputKeys.data.clusterIdentifier, { value: cluster.ref });
    return {
      clusterIdentifier: clusterIdentifier(this.zone, this.here.region),
      clusterResourceId: cluster.attrDbClusterResourceId,
      clusterEndpoint: this.#output(outputKeys.data.clusterEndpoint, made.clusterEndpoint),
      readerEndpoints,
      instanceIdentifiers: instances.map(({ ref }) => ref),
      globalWriterEndpoint,
    };
  }

  /** A value that is put together here, for other stacks: they can read an output, but not take one apart. */
  #output(key: string, value: string): string {
    new CfnOutput(this, key, { value });
    return Fn.getStackOutput(this.stackName, key, this.region);
  }

  #cache(base: BaseStack): RegionCache {
    const { zone } = this;
    const processingUnitsPerSecond = processingUnitsOf(this.here.size);
    const { cache, user } = new Cache(this, 'Counters', {
      cacheName: cacheNames.cache(zone),
      userName: cacheNames.user(zone),
      userGroupName: cacheNames.userGroup(zone),
      vpc: base.vpc,
      subnets: SUBNETS,
      securityGroup: base.securityGroups.cache,
      encryptionKey: base.dataKey,
      processingUnitsPerSecond,
    });
    return {
      name: cacheNames.cache(zone),
      arn: cache.attrArn,
      endpoint: cache.attrEndpointAddress,
      port: cache.attrEndpointPort,
      userId: cacheNames.user(zone),
      userArn: user.attrArn,
      processingUnitsPerSecond,
    };
  }

  #events(base: BaseStack): EventStream {
    const { retention, deletionProtection } = this.zone;
    const { stream, bucket } = new Events(this, 'Events', {
      encryptionKey: base.dataKey,
      boundary: base.boundary,
      eventDays: retention.eventDays,
      logDays: retention.logDays,
      deletionProtection,
    });
    new CfnOutput(this, outputKeys.data.eventBucket, { value: bucket.bucketName });
    new CfnOutput(this, outputKeys.data.eventStream, { value: stream.ref });
    return { name: stream.ref, arn: stream.attrArn, bucketName: bucket.bucketName };
  }
}
