import {
  EMF_METRIC_NAMES,
  EMF_METRICS,
  type EmfDimension,
  type EmfMetric,
  type EmfNamespace,
} from './metric-table.ts';

/** Different values, each with how often it occurred. Never empty. At most 100 values: more make the whole line invalid. */
export interface Distribution {
  readonly values: readonly number[];
  readonly counts: readonly number[];
}

export interface EmfInput {
  /** Wall clock. */
  readonly timestampMs: number;
  readonly dimensions: Readonly<Record<EmfDimension, string>>;
  /** Shown in the line and searchable in CloudWatch Logs; costs no metric. */
  readonly properties: Readonly<Record<string, string | number>>;
  /** Those without a value, or with one that isn't finite, are left out. */
  readonly values: Readonly<Partial<Record<EmfMetric, number | Distribution>>>;
}

const NAMESPACE: EmfNamespace = 'Keyhearth';
const DIMENSIONS: readonly EmfDimension[] = ['Environment', 'Zone', 'Region'];

/**
 * A log line in CloudWatch's embedded metric format: JSON from which CloudWatch Logs itself takes the metrics. A distribution is
 * written as an object of Values and Counts, as the collectors of OpenTelemetry and CloudWatch do it.
 * Source: “Specification: Embedded metric format” in the CloudWatch user guide.
 */
export function emfDocument({ timestampMs, dimensions, properties, values }: EmfInput): object {
  const given = EMF_METRIC_NAMES.flatMap((name) => {
    const value = memberOf(values[name]);
    return value === null ? [] : [{ name, value }];
  });
  return {
    _aws: {
      Timestamp: Math.round(timestampMs),
      CloudWatchMetrics: [
        {
          Namespace: NAMESPACE,
          Dimensions: [DIMENSIONS],
          Metrics: given.map(({ name }) => ({ Name: name, Unit: EMF_METRICS[name].unit })),
        },
      ],
    },
    ...properties,
    ...dimensions,
    ...Object.fromEntries(given.map(({ name, value }) => [name, value])),
  };
}

function memberOf(value: number | Distribution | undefined): number | object | null {
  if (value === undefined) return null;
  if (typeof value === 'number') return Number.isFinite(value) ? value : null;
  const { values, counts } = value;
  return {
    Values: values,
    Counts: counts,
    Min: Math.min(...values),
    Max: Math.max(...values),
    Count: counts.reduce((total, count) => total + count, 0),
    Sum: values.reduce((total, one, index) => total + one * (counts[index] ?? 0), 0),
  };
}
