import type { ZoneBorder } from './border.ts';
import type { RuleId } from './rules.ts';

/** A finding, and the text's surroundings. */
export interface Suspect {
  readonly rule: RuleId;
  /** Of the resource; null outside of resources. */
  readonly type: string | null;
  readonly found: string;
  readonly path: string;
  /** Namespace of the metrics of the dashboard's widget that the text stands in; null where it stands elsewhere. */
  readonly widgetNamespace: string | null;
}

/** Something outside the zone that may be named, with the one place where it may, and why. */
export interface Exemption {
  readonly rule: RuleId;
  readonly type: string;
  /** Path of the property, below `Properties`. */
  readonly property: string;
  readonly value: string;
  readonly widgetNamespace: string;
  readonly reason: string;
}

export const EXEMPTIONS: readonly Exemption[] = [
  {
    rule: 'Residency-RegionLiteral',
    type: 'AWS::CloudWatch::Dashboard',
    property: 'DashboardBody',
    value: 'us-west-2',
    widgetNamespace: 'AWS/GlobalAccelerator',
    reason:
      "Global Accelerator keeps its metrics there and nowhere else: counts of connections and bytes, no client's address.",
  },
];

export function isExempt({ rule, type, found, path, widgetNamespace }: Suspect): boolean {
  return EXEMPTIONS.some(
    (one) =>
      one.rule === rule &&
      one.type === type &&
      one.value === found &&
      one.widgetNamespace === widgetNamespace &&
      path.startsWith(`Properties/${one.property}/`),
  );
}

/** A parameter that is a text, with the one template that may have it, and why. */
export interface ParameterExemption {
  readonly parameter: string;
  /** Name of the stack. */
  readonly stack: (border: ZoneBorder) => string;
  readonly reason: string;
}

export const PARAMETER_EXEMPTIONS: readonly ParameterExemption[] = [
  {
    parameter: 'WriterEndpoint',
    stack: ({ dataStack }) => dataStack,
    reason:
      'The endpoint of the global database is known once that exists. Its pattern allows the name of this global database at RDS only, and the network of the tasks leads to databases of the zone only.',
  },
];

/** Whether a template may have this parameter though it is a text. */
export function isExemptParameter(border: ZoneBorder, stackName: string, parameter: string): boolean {
  return PARAMETER_EXEMPTIONS.some((one) => one.parameter === parameter && one.stack(border) === stackName);
}
