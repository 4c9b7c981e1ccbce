import type { Rows } from '../service/manage/ports.ts';

/** How a statement read its tables when it ran. */
export interface PlanReads {
  /** Tables that were read from end to end. */
  readonly scanned: readonly string[];
  /** Rows that one node read of a table at most, with those that it threw away. */
  readonly rowsMax: number;
}

interface PlanNode {
  readonly 'Node Type': string;
  readonly 'Relation Name'?: string;
  readonly 'Actual Rows': number;
  readonly 'Actual Loops': number;
  readonly 'Rows Removed by Filter'?: number;
  readonly Plans?: readonly PlanNode[];
}

/** Runs the statement under EXPLAIN ANALYZE. It does what it does: a caller that only wants to look rolls back. */
export async function explain(rows: Rows, text: string, values: readonly unknown[] = []): Promise<PlanReads> {
  const [row] = await rows.query<{ 'QUERY PLAN': readonly { readonly Plan: PlanNode }[] }>(
    `explain (analyze, format json) ${text}`,
    values,
  );
  const plan = row?.['QUERY PLAN'][0]?.Plan;
  if (plan === undefined) throw new Error('the database gave no plan');
  return readsOf(plan);
}

function readsOf(node: PlanNode): PlanReads {
  const parts = (node.Plans ?? []).map(readsOf);
  const relation = node['Relation Name'];
  const own =
    relation === undefined
      ? 0
      : (node['Actual Rows'] + (node['Rows Removed by Filter'] ?? 0)) * node['Actual Loops'];
  const scanned = relation !== undefined && node['Node Type'] === 'Seq Scan' ? [relation] : [];
  return {
    scanned: [...scanned, ...parts.flatMap((part) => part.scanned)],
    rowsMax: Math.max(own, ...parts.map((part) => part.rowsMax)),
  };
}
