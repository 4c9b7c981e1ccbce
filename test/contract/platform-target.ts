import { control } from '../../scripts/local/control-client.ts';
import { placesOf } from '../../scripts/local/places.ts';
import { makePlatformPlace, startPlatform } from '../platform.ts';
import { type ContractTarget, makeTarget } from './target.ts';

export interface PlatformService {
  readonly target: ContractTarget;
  stop(): Promise<void>;
}

/** A zone of the local platform as a person would start it, with everything that belongs to it. */
export async function startPlatformService(
  zone: string,
  settings: Readonly<Record<string, string>> = {},
): Promise<PlatformService> {
  const place = await makePlatformPlace(settings);
  const platform = await startPlatform(place, '--zone', zone);
  const { databases = [] } = await control(placesOf(place.dir).control, { name: 'databases', zone });
  const local = platform.local.zones[zone];
  const database = databases.find(({ role }) => role === 'home');
  if (local === undefined || database === undefined) throw new Error(`zone ${zone} does not run`);
  const regions = Object.values(local.regions);
  const urlOf = (wanted: 'home' | 'replica'): string | undefined =>
    regions.find(({ role }) => role === wanted)?.url;
  const target = await makeTarget({
    zone,
    urls: { home: urlOf('home') ?? '', replica: urlOf('replica') ?? null, any: local.url },
    paths: { manage: 'any', verify: 'any' },
    databaseUrl: database.url,
  });
  return {
    target,
    stop: async () => {
      await target.end();
      await platform.stop();
      place.remove();
    },
  };
}
