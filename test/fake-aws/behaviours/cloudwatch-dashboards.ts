import { type Json, type Properties, isProperties, textAt } from '../values.ts';
import { numberAt } from './property-values.ts';
import { invalid } from './refusals.ts';

// "Dashboard Body Structure and Syntax"
// (https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/CloudWatch-Dashboard-Body-Structure.html), and "CloudWatch service quotas".
const WIDGETS_MAX = 500;
const METRICS_MAX = { widget: 500, dashboard: 2500 } as const;
const TYPES = ['alarm', 'chart', 'custom', 'explorer', 'log', 'metric', 'text', 'trace'];
/** Types whose properties name a region. */
const OF_REGION = ['log', 'metric'];
const GRID: Readonly<Record<string, readonly [number, number]>> = {
  x: [0, 23],
  y: [0, Number.POSITIVE_INFINITY],
  width: [1, 24],
  height: [1, 1000],
};

/** @throws Refusal `InvalidParameterInput`, as PutDashboard does; its sentences are those of JSON Schema */
export function checkBody(body: string): void {
  let parsed: unknown;
  try {
    parsed = JSON.parse(body);
  } catch {
    throw refused('The dashboard body is not valid JSON');
  }
  // What JSON.parse gives is JSON.
  const widgets = isProperties(parsed as Properties) ? (parsed as Properties)['widgets'] : undefined;
  if (!Array.isArray(widgets)) throw refused("Should have required property 'widgets'");
  if (widgets.length > WIDGETS_MAX) throw refused(`Should not have more than ${WIDGETS_MAX} items`);
  // A list of JSON is a list of JSON.
  const counts = (widgets as readonly Json[]).map(checkWidget);
  const metrics = counts.reduce((sum, count) => sum + count, 0);
  if (metrics > METRICS_MAX.dashboard) {
    throw refused(`Should not have more than ${METRICS_MAX.dashboard} metrics`);
  }
}

/** Returns the number of its metrics. */
function checkWidget(widget: Json, index: number): number {
  const path = `/widgets/${index}`;
  const properties = isProperties(widget) ? widget['properties'] : undefined;
  const type = isProperties(widget) ? textAt(widget, 'type') : undefined;
  if (!isProperties(widget) || type === undefined || !isProperties(properties)) {
    throw refused(`${path}: should have required properties 'type' and 'properties'`);
  }
  if (!TYPES.includes(type)) throw refused(`${path}/type: Should be one of ${TYPES.join(', ')}`);
  for (const [name, [least, most]] of Object.entries(GRID)) {
    const value = numberAt(widget, name) ?? least;
    if (!Number.isInteger(value) || value < least) throw refused(`${path}/${name}: Should be >= ${least}`);
    if (value > most) throw refused(`${path}/${name}: Should be <= ${most}`);
  }
  if (OF_REGION.includes(type) && textAt(properties, 'region') === undefined) {
    throw refused(`${path}/properties: Should have required property 'region'`);
  }
  const metrics = properties['metrics'];
  const count = type === 'metric' && Array.isArray(metrics) ? metrics.length : 0;
  if (count > METRICS_MAX.widget) {
    throw refused(`${path}/properties/metrics: Should not have more than ${METRICS_MAX.widget} items`);
  }
  return count;
}

function refused(what: string): Error {
  return invalid(
    `The dashboard body is invalid, there are 1 validation errors: [ { message: ${what} } ]`,
    'InvalidParameterInput',
  );
}
