import { compareEpochs, sameEpoch, type Epoch } from '../domain/revision.ts';
import type { PeerState } from '../peers/types.ts';
import type { EpochRow, WriterView } from './epochs.ts';
import type { FeedView } from './ports.ts';
import type { HomeState } from './types.ts';

export interface HomeFacts {
  readonly region: string;
  /** Region in which the zone's database was first made. */
  readonly origin: string;
  readonly writer: WriterView;
  readonly feed: FeedView | null;
  /** Of the peers that answered now. */
  readonly peers: readonly PeerState[];
}

export type HomeDecision =
  | { readonly kind: 'is'; readonly state: HomeState }
  /** This region is to start another epoch in place of this one. */
  | { readonly kind: 'start'; readonly replaces: EpochRow | null };

/** A heartbeat older than this may be that of a home that was lost, so that peers are asked for another one. */
export const HEARTBEAT_DOUBT_MS = 3000;

/**
 * Where the home is, from what this task knows; pure. Home is the region whose own writer endpoint accepts writes, whose epoch is
 * the last one there, and that knows of no higher one. A writable endpoint whose last epoch is another region's is one that was
 * promoted: this region takes over, unless the former home is seen to go on.
 */
export function decideHome(facts: HomeFacts): HomeDecision {
  const { writer } = facts;
  if (writer.kind === 'writable') return decideWithWriter(facts, writer.latest);
  return { kind: 'is', state: findElsewhere(facts) };
}

function decideWithWriter(facts: HomeFacts, latest: EpochRow | null): HomeDecision {
  const { region, origin } = facts;
  const highest = highestKnown(facts);
  if (highest !== null && (latest === null || compareEpochs(highest.epoch, latest.epoch) > 0)) {
    // An old home that came back, or one that is being left: it must not write.
    const state =
      isElsewhere(highest, region) ?? unknown('another region knows a later epoch than this writer');
    return { kind: 'is', state };
  }
  if (latest === null) {
    if (region === origin) return { kind: 'start', replaces: null };
    return { kind: 'is', state: unknown(`the zone's first epoch is started by its origin, ${origin}`) };
  }
  if (latest.region === region) return { kind: 'is', state: { at: 'here', epoch: latest.epoch } };
  const former = facts.peers.find((peer) => peer.region === latest.region);
  if (former !== undefined && former.homeRegion === former.region) {
    return { kind: 'is', state: unknown(`this writer accepts writes, but ${former.region} still is home`) };
  }
  return { kind: 'start', replaces: latest };
}

/** From a region whose own endpoint doesn't accept writes: what the feed says, or peers where the feed can be doubted. */
function findElsewhere({ region, writer, feed, peers }: HomeFacts): HomeState {
  const doubtful = feed === null || feed.heartbeatAgeMs > HEARTBEAT_DOUBT_MS;
  if (doubtful) {
    const claims = peers
      .filter((peer) => peer.homeRegion === peer.region && peer.region !== region)
      .map(knownOf);
    const best = highestOf(claims);
    const newer = best !== null && (feed === null || compareEpochs(best.epoch, feed.epoch) >= 0);
    const state = newer ? isElsewhere(best, region) : null;
    if (state !== null) return state;
  }
  if (feed === null) return unknown(`${explain(writer)}; no heartbeat was seen yet`);
  if (feed.region === region) return unknown(`${explain(writer)}; the last heartbeat is this region's own`);
  return { at: 'elsewhere', epoch: feed.epoch, region: feed.region };
}

interface Known {
  readonly epoch: Epoch;
  readonly homeRegion: string | null;
}

/** Highest epoch that the peers or this task's own feed know. */
function highestKnown({ feed, peers }: HomeFacts): Known | null {
  const known = peers.map(knownOf);
  if (feed !== null) known.push({ epoch: feed.epoch, homeRegion: feed.region });
  return highestOf(known);
}

function knownOf(peer: PeerState): Known | null {
  return peer.epoch === null ? null : { epoch: peer.epoch, homeRegion: peer.homeRegion };
}

function highestOf(known: readonly (Known | null)[]): Known | null {
  let highest: Known | null = null;
  for (const one of known) {
    if (one === null) continue;
    if (highest === null || compareEpochs(one.epoch, highest.epoch) > 0) highest = one;
    // Of those who know the same epoch, one that also knows its home tells more.
    else if (highest.homeRegion === null && sameEpoch(one.epoch, highest.epoch)) highest = one;
  }
  return highest;
}

function isElsewhere(known: Known, region: string): HomeState | null {
  if (known.homeRegion === null || known.homeRegion === region) return null;
  return { at: 'elsewhere', epoch: known.epoch, region: known.homeRegion };
}

function unknown(reason: string): HomeState {
  return { at: 'unknown', reason };
}

function explain(writer: WriterView): string {
  switch (writer.kind) {
    case 'unreachable':
      return `this region's writer endpoint doesn't answer (${writer.reason})`;
    case 'readOnly':
      return "this region's writer endpoint doesn't accept writes";
    case 'empty':
      return "this region's database has no schema yet";
    case 'writable':
      return "this region's writer endpoint accepts writes";
  }
}
