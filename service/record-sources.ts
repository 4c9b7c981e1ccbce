import { NO_FLOOR } from './domain/feed.ts';
import { Problem } from './domain/problem.ts';
import type { HomeState } from './home/types.ts';
import type { PeersClient } from './peers/client.ts';
import type { ChangeFeed } from './store/change-feed.ts';
import { problemOf } from './store/failures.ts';
import type { RecordSource } from './verify/ports.ts';

/** Home's database, asked directly where home is here, through a peer elsewhere (`peers` null: not at all). */
export function homeSourceOf(
  home: () => HomeState,
  here: RecordSource,
  peers: PeersClient | null,
): RecordSource {
  async function ask<T>(
    own: () => Promise<T>,
    other: (peers: PeersClient, region: string) => Promise<T>,
  ): Promise<T> {
    const state = home();
    try {
      if (state.at === 'here') return await own();
      if (state.at === 'elsewhere' && peers !== null) return await other(peers, state.region);
    } catch (error) {
      throw problemOf(error);
    }
    throw new Problem('no_home', 'The home of this zone can’t be asked at this moment.', { retryAfterS: 1 });
  }
  return {
    readRecords: async (hashes, floor = NO_FLOOR) =>
      await ask(
        async () => await here.readRecords(hashes, floor),
        async (client, region) => await client.readRecords(region, hashes, floor, 'home'),
      ),
    readShared: async (refs, floor = NO_FLOOR) =>
      await ask(
        async () => await here.readShared(refs, floor),
        async (client, region) => await client.readShared(region, refs, floor, 'home'),
      ),
  };
}

/** The instance that this task's feed runs on, for other regions. */
export function ownReader(feed: ChangeFeed): RecordSource {
  return {
    readRecords: async (hashes, floor) => await feed.reader.records.readRecords(hashes, floor),
    readShared: async (refs, floor) => await feed.reader.records.readShared(refs, floor),
  };
}

/** The other regions' readers, one after another until one answers. */
export function readersOf(peers: PeersClient): RecordSource {
  async function ask<T>(read: (region: string) => Promise<T>): Promise<T> {
    let failure: unknown = new Problem('no_home', 'This zone has no other region.', { retryAfterS: 1 });
    for (const region of peers.regions) {
      try {
        return await read(region);
      } catch (error) {
        failure = error;
      }
    }
    throw failure;
  }
  return {
    readRecords: async (hashes, floor = NO_FLOOR) =>
      await ask(async (region) => await peers.readRecords(region, hashes, floor, 'reader')),
    readShared: async (refs, floor = NO_FLOOR) =>
      await ask(async (region) => await peers.readShared(region, refs, floor, 'reader')),
  };
}
