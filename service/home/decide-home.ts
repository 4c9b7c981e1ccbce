import { compareEpochs, sameEpoch, type Epoch } from '../domain/revision.ts';
import type { PeerState } from '../peers/types.ts';
import type { EpochRow, WriterView } from './epochs.ts';
import type { FeedView } from './ports.ts';
import type { HomeState } from './types.ts';

/** An epoch that was heard of, and the region that is home in it where that is known too. */
export interface KnownEpoch {
  readonly epoch: Epoch;
  readonly homeRegion: string | null;
}

export interface HomeFacts {
  readonly region: string;
  /** Region in which the zone's database was first made. */
  readonly origin: string;
  readonly writer: WriterView;
  readonly feed: FeedView | null;
  /** Of the peers that answered now. */
  readonly peers: readonly PeerState[];
  /** The highest epoch that this task has ever heard of; null: of none. */
  readonly highest: KnownEpoch | null;
}

export type HomeDecision =
  | { readonly kind: 'is'; readonly state: HomeState }
  /** This region is to start another epoch in place of this one. */
  | { readonly kind: 'start'; readonly replaces: EpochRow | null };

/** A heartbeat older than this may be that of a home that was lost, so that peers are asked for another one. */
export const HEARTBEAT_DOUBT_MS = 3000;

/**
 * Where the home is, from what this task knows; pure. Home is the region whose own writer endpoint accepts writes, whose epoch is
 * the last one there, and that never heard of a higher one: who told it may be out of reach by now, and yet be home. A writable
 * endpoint whose last epoch is another region's is one that was promoted: this region takes over, unless the former home is seen
 * to go on.
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

/**
 * From a region whose own endpoint doesn't accept writes: the home of the latest epoch whose home is known, from the feed, from
 * peers where the feed can be doubted, or from before. What a peer only passes on is no claim.
 */
function findElsewhere({ region, writer, feed, peers, highest }: HomeFacts): HomeState {
  const doubtful = feed === null || feed.heartbeatAgeMs > HEARTBEAT_DOUBT_MS;
  const claims = peers.filter((peer) => peer.homeRegion === peer.region && peer.region !== region);
  const known = [...(doubtful ? claims.map(knownOf) : []), ofFeed(feed), highest];
  const best = highestOf(known.filter((one) => one !== null && one.homeRegion !== null));
  if (best === null) return unknown(`${explain(writer)}; no heartbeat was seen yet`);
  return isElsewhere(best, region) ?? unknown(`${explain(writer)}; the last heartbeat is this region's own`);
}

/** The highest epoch that the peers or this task's own feed know, or that was ever heard of. */
function highestKnown({ feed, peers, highest }: HomeFacts): KnownEpoch | null {
  return highestOf([highest, ofFeed(feed), ...peers.map(knownOf)]);
}

function ofFeed(feed: FeedView | null): KnownEpoch | null {
  return feed === null ? null : { epoch: feed.epoch, homeRegion: feed.region };
}

export function knownOf(peer: PeerState): KnownEpoch | null {
  return peer.epoch === null ? null : { epoch: peer.epoch, homeRegion: peer.homeRegion };
}

export function highestOf(known: readonly (KnownEpoch | null)[]): KnownEpoch | null {
  let highest: KnownEpoch | null = null;
  for (const one of known) {
    if (one === null) continue;
    if (highest === null || compareEpochs(one.epoch, highest.epoch) > 0) highest = one;
    // Of those who know the same epoch, one that also knows its home tells more.
    else if (highest.homeRegion === null && sameEpoch(one.epoch, highest.epoch)) highest = one;
  }
  return highest;
}

export function isElsewhere(known: KnownEpoch, region: string): HomeState | null {
  if (known.homeRegion === null || known.homeRegion === region) return null;
  return { at: 'elsewhere', epoch: known.epoch, region: known.homeRegion };
}

/** Another task of this region is at home right now: what it knows of other regions holds for this one. */
export function isHomeAlready(region: string, feed: FeedView | null): boolean {
  return feed !== null && feed.region === region && feed.heartbeatAgeMs <= HEARTBEAT_DOUBT_MS;
}

/** Whether this region is home by that, or becomes it. */
export function isHere(decision: HomeDecision): boolean {
  return decision.kind === 'start' || decision.state.at === 'here';
}

/** Every region that one of these takes for the home. */
export function homesOf(
  highest: KnownEpoch | null,
  feed: FeedView | null,
  state: HomeState,
): readonly string[] {
  const homes = [
    highest?.homeRegion ?? null,
    feed?.region ?? null,
    state.at === 'elsewhere' ? state.region : null,
  ];
  return homes.filter((home) => home !== null);
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
