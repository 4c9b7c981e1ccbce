import Table from 'cli-table3';
import { isWorthSaying, type QuotaUse } from './quotas/quota-use.ts';

const LEVELS = { over: 'too low', near: 'more than half', fine: '' } as const;

/** Tasks are the one thing that a deployment has twice for a while. */
function words({ quota, level }: QuotaUse): string {
  return quota.id === 'fargateVcpus' && level === 'near'
    ? 'a deployment at\nfull maxTasks\nwouldn’t fit'
    : LEVELS[level];
}

/** Quotas that may stop a deployment, for a terminal; what there is to know about them stands below. */
export function quotaText(uses: readonly QuotaUse[], problem: string | null): string {
  const told = uses.filter(isWorthSaying);
  if (told.length === 0) return 'Quotas: nothing needs more than half of what AWS allows by default.';
  const table = new Table({
    head: ['quota', 'account', 'region', 'needed', 'allowed', 'is'],
    colAligns: ['left', 'left', 'left', 'right', 'right', 'left'],
    style: { head: [], border: [], compact: true },
  });
  for (const use of told) {
    const { quota, account, region, need, allowed, isApplied } = use;
    const limit = isApplied ? String(allowed) : `${allowed} by default`;
    table.push([quota.name, account, region ?? 'all', need, limit, words(use)]);
  }
  const quotas = [...new Set(told.map(({ quota }) => quota))];
  const notes = quotas.map(({ name, note, adjustable, service, code, source }) =>
    [
      `${name}:`,
      ...(note === null ? [] : [`${note};`]),
      adjustable ? `AWS raises it on request${code === null ? '' : ` (${service} ${code})`},` : 'fixed,',
      source,
    ].join(' '),
  );
  const asked = uses.some(({ isApplied }) => isApplied)
    ? 'Needed is what the description asks for; what else the account uses isn’t known here.'
    : 'Needed is what the description asks for; what else the account uses, and whether AWS has changed a default, isn’t known here. New accounts may start below a default.';
  return [
    table.toString(),
    ...notes.map((note) => `  ${note}`),
    ...(problem === null ? [] : [problem]),
    asked,
  ].join('\n');
}
