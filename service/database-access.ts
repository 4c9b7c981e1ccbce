import { readSettings } from './env.ts';
import { SETTINGS } from './settings.ts';
import { type DatabaseAccess, databaseAccess } from './store/access.ts';

/**
 * For one-off entries: gets into databases as a task does, by the same settings. The region is only asked for where tokens are
 * signed. Throws an Error naming setting and fix.
 */
export function accessFrom(variables: Readonly<Record<string, string | undefined>>): DatabaseAccess {
  const { databaseAuth, databaseTls } = SETTINGS;
  const settings = readSettings({ databaseAuth, databaseTls }, variables);
  const region =
    settings.databaseAuth === 'iam' ? readSettings({ region: SETTINGS.region }, variables).region : '';
  return databaseAccess({ ...settings, region });
}
