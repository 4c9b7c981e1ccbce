import { databaseUrls, number, pattern } from './setting-kinds.ts';
import { SETTINGS } from './settings.ts';

/**
 * Settings of the migrator, service/prepare.ts. Those that a task has, too, mean the same; the others are never given to a task, which
 * refuses them.
 */
export const PREPARE_SETTINGS = {
  readerUrls: SETTINGS.readerUrls,
  masterUrls: databaseUrls({
    variable: 'KEYHEARTH_MASTER_URLS',
    description:
      'Where the zone’s writer may be, as the master user and without a password: the region’s own cluster endpoint, then the zone’s global writer endpoint. The first that accepts writes is taken.',
    // It should hold no password, but where it does, it must not be shown with what is wrong about it.
    secret: true,
  }),
  masterPassword: pattern({
    variable: 'KEYHEARTH_MASTER_PASSWORD',
    description: 'Password of the master user.',
    secret: true,
    matches: /^.+$/,
    allowed: 'the password of the master user',
  }),
  appPassword: pattern({
    variable: 'KEYHEARTH_APP_PASSWORD',
    description:
      'Password of keyhearth_app on a server that knows no IAM tokens: set when the role is made; later only where the master user may, else compared. Not given: the role’s password stays as it is.',
    fallback: '',
    secret: true,
    matches: /^[!-~]{16,128}$/,
    allowed: '16 to 128 printable ASCII characters without spaces',
  }),
  prepareMs: number({
    variable: 'KEYHEARTH_PREPARE_MS',
    description:
      'Time after which the migrator gives up; more for a migration that is known to take long, run as a task of its own.',
    fallback: 100_000,
    min: 1000,
    max: 6 * 3_600_000,
    unit: 'ms',
  }),
} as const;
