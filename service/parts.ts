import { randomBytes } from 'node:crypto';
import type { FastifyInstance } from 'fastify';
import type { Pool } from 'pg';
import type { Logger } from 'pino';
import { buildApp } from './app.ts';
import { FallbackSource } from './cache/fallback-source.ts';
import { HotCache } from './cache/hot-cache.ts';
import { Reverification } from './cache/reverification.ts';
import { systemClock } from './clock.ts';
import { cloudwatchMetrics, type Runs } from './cloudwatch-metrics.ts';
import { EventLoopDelay } from './cloudwatch/event-loop-delay.ts';
import { LatencyHistogram } from './cloudwatch/latency-histogram.ts';
import type { Principal } from './domain/principal.ts';
import { Problem } from './domain/problem.ts';
import type { Env } from './env.ts';
import { HeartbeatWriter } from './home/heartbeat-writer.ts';
import { HomeWatch } from './home/home-watch.ts';
import { Listening } from './home/listening.ts';
import { Members } from './home/members.ts';
import type { FeedView } from './home/ports.ts';
import { Pruner } from './home/pruner.ts';
import { Refiller } from './home/refiller.ts';
import { TaskReporter } from './home/task-reporter.ts';
import { TaskStatusStore } from './home/task-status-store.ts';
import type { TaskReport } from './home/types.ts';
import type { HttpDeps } from './http/deps.ts';
import { createManage } from './manage/create-manage.ts';
import { limitRoutes } from './http/calls/limit.ts';
import { namespaceMaker } from './http/calls/make-namespace.ts';
import { verifyKeyRoute } from './http/verify-key.ts';
import { taskMetrics } from './metrics.ts';
import { createPeers, type PeersClient } from './peers/client.ts';
import { createPeerEndpoint } from './peers/endpoint.ts';
import { createPeerGate } from './peers/gate.ts';
import { databaseAccess } from './store/access.ts';
import { ChangeFeed } from './store/change-feed.ts';
import { databaseOf } from './store/database.ts';
import { EpochWriter } from './store/epoch-writer.ts';
import { PostgresFeedReader } from './store/feed-reader.ts';
import { createPool } from './store/pool.ts';
import { RecordReader } from './store/record-reader.ts';
import { homeRows, rowsOf } from './store/rows.ts';
import { homeSourceOf, ownReader, readersOf } from './record-sources.ts';
import { buildSharing, type SharingParts } from './sharing-parts.ts';
import { Authenticator } from './verify/authenticator.ts';
import { BatchedSource } from './verify/batched-source.ts';
import { RecordFinder } from './verify/finder.ts';
import { KeyTextGuard } from './verify/key-text-guard.ts';
import { NamespaceLimits } from './verify/namespace-limits.ts';
import { Verifier } from './verify/verifier.ts';
import { WorkspaceLimit } from './verify/workspace-limit.ts';
import { createVault } from './vault/create-vault.ts';
import type { ZoneFacts } from './zone-facts.ts';

const LOAD_BATCH = 200;
const LOAD_CONCURRENCY = 4;
const MAX_WAITING_LOADS = 20_000;
const REVERIFY_CHUNK = 100;
const MAX_ROOT_KEYS = 20_000;
const MAX_NAMESPACES = 20_000;
const FEED_TIMEOUT_MS = 1000;
const SWITCH_READER_AFTER_MS = 500;

/** What a task consists of. */
export interface Parts {
  readonly app: FastifyInstance;
  readonly cache: HotCache;
  readonly feed: ChangeFeed;
  readonly home: HomeWatch;
  /** Null where the configuration names all regions of the zone. */
  readonly members: Members | null;
  readonly heartbeat: HeartbeatWriter;
  readonly pruner: Pruner;
  readonly refiller: Refiller;
  readonly reporter: TaskReporter;
  readonly reverification: Reverification;
  readonly peers: PeersClient;
  readonly sharing: SharingParts;
  readonly cloudwatch: Runs;
  readonly pools: readonly Pool[];
  readonly recordPools: readonly Pool[];
}

export interface Status {
  /** What the task still waits for; null: it is ready. */
  readonly readiness: () => string | null;
  readonly closing: () => boolean;
}

export interface TaskFacts {
  readonly env: Env;
  readonly zone: ZoneFacts;
  /** Name of this process among all tasks of the zone. */
  readonly taskId: string;
}

/** Builds a task; starts nothing. */
export function buildParts({ env, zone, taskId }: TaskFacts, log: Logger, status: Status): Parts {
  const clock = systemClock;
  const { maxStalenessMs, stalenessMode: mode } = zone;

  const onIdleError = (error: Error): void => log.warn({ err: error }, 'an idle database connection broke');
  const access = databaseAccess(env);
  const writerPool = createPool({
    url: env.writerUrl,
    access,
    applicationName: 'keyhearth writer',
    connections: env.poolConnections,
    onIdleError,
  });
  // Of their own, so that writes which wait for a lock can't starve the heartbeat and the look for home.
  const homePool = createPool({
    url: env.writerUrl,
    access,
    applicationName: 'keyhearth home',
    connections: 3,
    onIdleError,
  });
  const instances = env.readerUrls.map((url) => ({
    name: new URL(url).host,
    records: createPool({
      url,
      access,
      applicationName: 'keyhearth reader',
      connections: env.poolConnections,
      onIdleError,
    }),
    feed: createPool({
      url,
      access,
      applicationName: 'keyhearth feed',
      connections: 1,
      connectionTimeoutMs: FEED_TIMEOUT_MS,
      statementTimeoutMs: FEED_TIMEOUT_MS,
      onIdleError,
    }),
  }));
  const readers = instances.map(
    ({ name, records: recordsPool, feed: pool }) => new PostgresFeedReader({ name, pool, recordsPool }),
  );

  const named = zone.regions.filter((region) => region !== env.region);
  const members = zone.discovers
    ? new Members({
        region: env.region,
        configured: [...named, zone.origin],
        reader: () => rowsOf(instances[readers.findIndex((one) => one === feed.reader)]?.records ?? homePool),
        monotonicMs: () => clock.monotonicMs(),
        log,
        onChange: (others) => peers.retain(others),
      })
    : null;
  const peers: PeersClient = createPeers({
    region: env.region,
    urls: env.peers,
    urlTemplate: env.peerUrl,
    ...(env.peerServerName === '' ? {} : { serverName: env.peerServerName }),
    ...(members === null ? {} : { regions: () => members.others }),
    ...(members === null && env.peerUrl !== '' ? { regions: () => named } : {}),
    secret: env.peerSecret,
    nowMs: () => clock.nowMs(),
    nonce: () => randomBytes(18).toString('base64url'),
  });
  const database = databaseOf(homePool);
  // What other regions ask of home may not take the connections of the writes that they wait for.
  const homeReadsPool = createPool({
    url: env.writerUrl,
    access,
    applicationName: 'keyhearth home reads',
    connections: env.poolConnections,
    onIdleError,
  });
  const homeRecords = new RecordReader(homeReadsPool);
  // A verification waits for its credits: neither writes nor reads of other regions may stand before it.
  const creditsPool = createPool({
    url: env.writerUrl,
    access,
    applicationName: 'keyhearth credits',
    connections: env.poolConnections,
    onIdleError,
  });
  const homeSource = new BatchedSource({
    source: homeSourceOf(() => home.current(), homeRecords, peers),
    batchSize: LOAD_BATCH,
    concurrency: LOAD_CONCURRENCY,
    maxWaiting: MAX_WAITING_LOADS,
  });

  const feed: ChangeFeed = new ChangeFeed({
    readers,
    clock,
    pollMs: env.pollMs,
    switchAfterMs: SWITCH_READER_AFTER_MS,
    log,
    listener: {
      onChanges: (changes) => {
        cache.onChanges(changes);
        leases.onChanges(changes);
      },
      onEpoch: (later) => {
        cache.onEpoch();
        leases.onEpoch(later);
        reverification.begin();
        void home.look();
      },
      onDistrust: () => {
        cache.onDistrust();
        leases.onDistrust();
      },
    },
  });
  const source = new FallbackSource({
    own: () => feed.reader.records,
    ownAnswers: () => feed.answering,
    home: homeSource,
    others: readersOf(peers),
    onFallback: throttled((error) => log.warn({ err: error }, 'a read failed and is tried elsewhere')),
  });
  const cache = new HotCache({
    source,
    floor: () => ({ mark: feed.mark, revision: null }),
    clock,
    maxKeys: env.maxKeys,
    maxBytes: env.maxKeyBytes,
    maxRootKeys: MAX_ROOT_KEYS,
    maxNamespaces: MAX_NAMESPACES,
    maxAbsent: env.maxAbsent,
    maxAgeMs: env.maxAgeMs,
    loadConcurrency: LOAD_CONCURRENCY,
    loadBatchSize: LOAD_BATCH,
    maxWaitingLoads: MAX_WAITING_LOADS,
    onBackgroundError: throttled((error) => log.warn({ err: error }, 'a record could not be read again')),
  });
  const reverification = new Reverification({ cache, chunk: REVERIFY_CHUNK, log });

  const feedView = (): FeedView | null => {
    const { heartbeat: beat } = feed;
    if (beat === null) return null;
    return { epoch: beat.epoch, region: beat.region, heartbeatAgeMs: feed.stalenessMs() };
  };
  const listening =
    members === null || env.peerUrl === ''
      ? null
      : new Listening({
          region: env.region,
          isCounted: () => members.isCounted,
          monotonicMs: () => clock.monotonicMs(),
          log,
        });
  const home: HomeWatch = new HomeWatch({
    region: env.region,
    origin: zone.origin,
    database,
    peers,
    feedView,
    log,
    ...(members === null ? {} : { members }),
    listening,
  });
  const epoch = () => home.epoch();
  const heartbeat = new HeartbeatWriter({ database, epoch, log, intervalMs: env.heartbeatMs });
  const loseSilentLeases = async (afterMs: number, batch: number) => await ledger.loseSilent(afterMs, batch);
  const pruner = new Pruner({ database, epoch, log, loseSilentLeases });
  const writer = new EpochWriter({ pool: writerPool, epoch });
  const refiller = new Refiller({ writer, epoch, log, nowMs: () => clock.nowMs() });
  const taskStatus = new TaskStatusStore({
    database,
    epoch,
    ownRegion: env.region,
    regions: zone.regions,
    discovers: zone.discovers,
    monotonicMs: () => clock.monotonicMs(),
  });
  const reporter = new TaskReporter({
    taskId,
    home,
    status: taskStatus,
    peers,
    log,
    position: positionOf({
      feed,
      reverification,
      taskId,
      env,
      cutOffAfterMs: mode === 'serve' ? null : maxStalenessMs,
    }),
  });
  feed.onApplied(() => reporter.kick());
  home.onMove(({ at }) => {
    // Also where another task of the region is at home already: nobody can see for how long it was, without a gap.
    if (at === 'here') taskStatus.settle();
    reporter.kick();
  });

  const sharing = buildSharing({
    env,
    taskId,
    clock,
    log,
    creditsPool,
    homeEpoch: epoch,
    latestEpoch: () => feed.heartbeat?.epoch ?? null,
    home: () => home.current(),
    peers,
    maxWorkspaces: MAX_ROOT_KEYS,
  });
  const { limiter, workspaceCounts, exactLimiter, exchange, ledger, leases } = sharing;

  const guard = new KeyTextGuard({ zone: env.zone, zones: zone.zones });
  const finder = new RecordFinder({
    records: cache,
    freshness: feed,
    home: homeSource,
    guard,
    clock,
    maxStalenessMs,
    mode,
  });
  const verifier = new Verifier({ finder, records: cache, limiter, exactLimiter, credits: leases, clock });
  const namespaceLimits = new NamespaceLimits({ finder, records: cache, freshness: feed, limiter, clock });
  const workspaceLimit = new WorkspaceLimit({ limiter: workspaceCounts, clock });
  const admit = (principal: Principal): void => workspaceLimit.admit(principal);
  const authenticator = new Authenticator({ finder, clock });
  const guarded: Pick<Authenticator, 'authenticate' | 'confirm'> = {
    authenticate: (text, need) => {
      if (status.readiness() !== null) throw starting();
      return authenticator.authenticate(text, need);
    },
    confirm: async (text, revision) => await authenticator.confirm(text, revision),
  };

  const measured = {
    cache,
    feed,
    finder,
    verifier,
    home,
    heartbeat,
    writer,
    reporter,
    reverification,
    source,
    pruner,
    refiller,
    taskStatus,
    limiter,
    namespaceLimits,
    workspaceLimit,
    exchange,
    exactLimiter,
    valkey: sharing.valkey,
    ledger,
    leases,
    regions: () => peers.regions.length,
    listening: () => listening?.isWaiting === true,
  };
  const metrics = taskMetrics(measured, { zone: env.zone, region: env.region });
  // Measured always, so that a verification costs the same wherever it runs.
  const verifyMs = new LatencyHistogram(() => clock.monotonicMs());
  const cloudwatch = cloudwatchMetrics({
    intervalMs: env.cloudwatchMetricsMs,
    parts: measured,
    verifyMs,
    eventLoopDelay: new EventLoopDelay(),
    dimensions: {
      Environment: env.environment === '' ? 'default' : env.environment,
      Zone: env.zone,
      Region: env.region,
    },
    taskId,
    clock,
    log,
  });
  const deps: HttpDeps = {
    region: env.region,
    logger: log,
    trustedProxies: env.trustedProxies,
    zoneGuard: (text) => void guard.admits(text),
    authenticate: (text) => guarded.authenticate(text),
    admit,
    manage: createManage({
      writer,
      rows: homeRows(writerPool, epoch),
      zone: env.zone,
      randomBytes,
      vault: createVault(env.vault, { zone: env.zone }),
      nowMs: () => clock.nowMs(),
      recallCredits: async (accountId, wanted) => await ledger.recall(accountId, wanted),
      onLowCredits: (low) => ledger.noteLow(low),
    }),
    home,
    taskStatus,
    waitForRevision: async (revision, timeoutMs) => await feed.waitFor(revision, timeoutMs),
    peers,
    peerGate: createPeerGate({
      secret: env.peerSecret,
      region: env.region,
      nowMs: () => clock.nowMs(),
      onPeer: (region) => members?.heard(region),
    }),
    peerEndpoint: createPeerEndpoint({
      state: () => home.peerState(taskId),
      taskStatus,
      records: {
        home: homeSourceOf(() => home.current(), homeRecords, null),
        reader: ownReader(feed),
      },
      ledger: sharing.ledgerHere,
    }),
    readiness: () => {
      const waitingFor = status.readiness();
      return { ready: waitingFor === null, reasons: waitingFor === null ? [] : [waitingFor] };
    },
    metrics: async () => ({ contentType: metrics.contentType, body: await metrics.metrics() }),
    closing: status.closing,
  };
  const app = buildApp(deps);
  void app.register(
    verifyKeyRoute({ authenticator: guarded, admit, verifier, freshness: feed, stopwatch: verifyMs }),
  );
  void app.register(
    limitRoutes({
      authenticator: guarded,
      admit,
      limits: namespaceLimits,
      freshness: feed,
      makeNamespace: namespaceMaker(deps),
    }),
  );
  const recordPools = instances.map((instance) => instance.records);
  const pools = [
    writerPool,
    homePool,
    homeReadsPool,
    creditsPool,
    ...instances.flatMap((instance) => [instance.records, instance.feed]),
  ];
  return {
    app,
    cache,
    feed,
    home,
    members,
    heartbeat,
    pruner,
    refiller,
    reporter,
    reverification,
    peers,
    sharing,
    cloudwatch,
    pools,
    recordPools,
  };
}

/**
 * Before a task is ready it serves nobody: its feed may not run yet, and home may not know of it, and would take its region for done
 * without it.
 */
function starting(): Problem {
  return new Problem('database_unavailable', 'This task is still starting.', { retryAfterS: 1 });
}

/** At most one call a second gets through; what is reported while something is down would fill the log with the same line. */
function throttled(report: (error: unknown) => void): (error: unknown) => void {
  let quietUntilMs = 0;
  return (error) => {
    const nowMs = performance.now();
    if (nowMs < quietUntilMs) return;
    quietUntilMs = nowMs + 1000;
    report(error);
  };
}

interface PositionDeps {
  readonly feed: ChangeFeed;
  readonly reverification: Reverification;
  readonly taskId: string;
  readonly env: Env;
  readonly cutOffAfterMs: number | null;
}

/**
 * Where this task stands, for home. While records of an earlier writer are still being read again, it stays where it stood
 * before: what the new writer's history holds isn't all applied yet.
 */
function positionOf({
  feed,
  reverification,
  taskId,
  env,
  cutOffAfterMs,
}: PositionDeps): () => TaskReport | null {
  let last: TaskReport | null = null;
  return () => {
    const { epoch, watermark, appliedXids } = feed;
    if (epoch === null || watermark === null) return null;
    const slot = env.taskSlot === '' ? null : env.taskSlot;
    const stalenessMs = Math.round(feed.stalenessMs());
    if (reverification.running) last = last === null ? null : { ...last, stalenessMs };
    else
      last = { taskId, region: env.region, slot, epoch, watermark, appliedXids, stalenessMs, cutOffAfterMs };
    return last;
  };
}
