import type { Fate, Weakened } from './effect-types.ts';
import { fateOfRemoved, fateOfReplaced } from './fate.ts';
import type { Properties, Resolved } from './resolve.ts';
import { isObject } from './template.ts';

const STRENGTH: Readonly<Record<Fate, number>> = { deleted: 0, snapshot: 1, kept: 2 };
const FATE_WORDS: Readonly<Record<Fate, string>> = {
  kept: 'stay',
  deleted: 'be deleted',
  snapshot: 'be deleted and leave a last snapshot',
};

/** Switches that keep AWS from deleting what has them: of databases and tables, and of load balancers as an attribute. */
const SWITCHES = ['DeletionProtection', 'DeletionProtectionEnabled'] as const;
const SWITCH_ATTRIBUTE = 'deletion_protection.enabled';

/** How long AWS keeps data: of backups, of log lines, of objects in a bucket, of a cache's snapshots. All but the last in days. */
const RETENTIONS: ReadonlySet<string> = new Set([
  'BackupRetentionPeriod',
  'RetentionInDays',
  'ExpirationInDays',
  'NoncurrentVersionExpirationInDays',
  'NoncurrentDays',
  'SnapshotRetentionLimit',
]);

/** What of a stack's resources would be kept less well than it is: nothing is lost by the deployment itself, but more easily afterwards. */
export function weakenedOf(before: Resolved, after: Resolved): readonly Weakened[] {
  return [...after.resources].flatMap(([id, next]) => {
    const old = before.resources.get(id);
    if (old?.Type !== next.Type) return [];
    const sentences = [
      ...weakerFate('leaves its stack', fateOfRemoved(old), fateOfRemoved(next)),
      ...weakerFate('is made anew', fateOfReplaced(old), fateOfReplaced(next)),
      ...(isProtected(old.Properties) && !isProtected(next.Properties)
        ? ['its protection from deletion is switched off']
        : []),
      ...shorterRetentions(old.Properties, next.Properties),
    ];
    return sentences.map((what) => ({ id, type: next.Type, what }));
  });
}

function weakerFate(when: string, from: Fate, to: Fate): readonly string[] {
  if (STRENGTH[to] >= STRENGTH[from]) return [];
  return [`where it ${when} it would ${FATE_WORDS[to]}, and not ${FATE_WORDS[from]}`];
}

function isProtected(properties: Properties): boolean {
  const attributes = properties['LoadBalancerAttributes'];
  const isOn = (value: unknown): boolean => value === true || value === 'true';
  return (
    SWITCHES.some((name) => isOn(properties[name])) ||
    (Array.isArray(attributes) &&
      attributes.some((one) => isObject(one) && one['Key'] === SWITCH_ATTRIBUTE && isOn(one['Value'])))
  );
}

function shorterRetentions(before: Properties, after: Properties): readonly string[] {
  const old = retentionsIn(before);
  return [...retentionsIn(after)].flatMap(([path, to]) => {
    const from = old.get(path);
    return from === undefined || to >= from
      ? []
      : [`${path.split(' ').at(-1)} from ${from} to ${to}: older data is deleted`];
  });
}

/** By the path to it. */
function retentionsIn(value: unknown, path: readonly string[] = []): ReadonlyMap<string, number> {
  const found = new Map<string, number>();
  const entries = Array.isArray(value) ? value.entries() : isObject(value) ? Object.entries(value) : [];
  for (const [key, inner] of entries) {
    const here = [...path, String(key)];
    if (RETENTIONS.has(String(key)) && typeof inner === 'number') found.set(here.join(' '), inner);
    for (const [where, days] of retentionsIn(inner, here)) found.set(where, days);
  }
  return found;
}
