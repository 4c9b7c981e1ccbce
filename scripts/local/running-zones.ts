import { readJson } from '../lib/json-file.ts';
import { UserError } from '../lib/user-error.ts';
import { checkRunning } from './control-client.ts';
import type { LocalFile, LocalZone } from './local-file.ts';
import { placesOf } from './places.ts';

/** What the running platform offers: every zone by its name, or this one. Fails with `UserError` where it doesn't run. */
export async function runningZones(name?: string): Promise<ReadonlyMap<string, LocalZone>> {
  const places = placesOf();
  await checkRunning(places.control, name);
  const file = readJson(places.localFile);
  if (file === undefined)
    throw new UserError(`There is no ${places.localFile}: start the platform with \`npm start\`.`);
  // Written by the running platform and by nobody else.
  const zones = new Map(Object.entries((file as LocalFile).zones));
  if (name === undefined) return zones;
  const zone = zones.get(name);
  if (zone === undefined)
    throw new UserError(`There is no running zone ${name}; running are ${[...zones.keys()].join(', ')}.`);
  return new Map([[name, zone]]);
}

/** The same for what is measured in one zone: this one, or the first. */
export async function runningZone(name?: string): Promise<readonly [name: string, zone: LocalZone]> {
  const [first] = await runningZones(name);
  if (first === undefined) throw new UserError('No zone runs.');
  return first;
}
