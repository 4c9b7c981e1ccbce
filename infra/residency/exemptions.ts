import type { ZoneBorder } from './border.ts';
import type { RuleId } from './rules.ts';
import { isList, type JsonObject } from './template.ts';

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

/** A parameter that is a text, in the template of the origin's data, and why. */
export interface ParameterExemption {
  readonly parameter: string;
  readonly reason: string;
}

export const PARAMETER_EXEMPTIONS: readonly ParameterExemption[] = [
  {
    parameter: 'WriterEndpoint',
    reason:
      'The endpoint of the global database is known once that exists. Its pattern allows the name of this global database at RDS only, and the network of the tasks leads to databases of the zone only.',
  },
];

/** Where the CDK's bootstrap stack keeps its version. */
const BOOTSTRAP_VERSION = /^\/cdk-bootstrap\/[a-z0-9]+\/version$/;

/** The CDK's own, with which its template asks whether an account has been prepared; may be read there only. */
export const BOOTSTRAP_PARAMETER = 'BootstrapVersion';

/** What may be given to a template when it is deployed: one text of one, the known numbers and texts. */
export function isKnownParameter(
  { dataStack, edgeStack, globalCluster }: ZoneBorder,
  stackName: string,
  name: string,
  parameter: JsonObject,
): boolean {
  const { Type: type, Default: value, AllowedValues: closed, AllowedPattern: pattern } = parameter;
  if (name === BOOTSTRAP_PARAMETER) {
    return (
      type === 'AWS::SSM::Parameter::Value<String>' &&
      typeof value === 'string' &&
      BOOTSTRAP_VERSION.test(value)
    );
  }
  if (type === 'Number') return stackName === edgeStack && /^Weight[A-Z][A-Za-z]+\d+$/.test(name);
  if (type !== 'String') return false;
  // With one choice, the gate has seen what it will be.
  if (isList(closed) && closed.length === 1) return true;
  if (name === 'GlobalMembership') return stackName === dataStack && isList(closed);
  const exempt = PARAMETER_EXEMPTIONS.find((one) => one.parameter === name);
  return (
    exempt !== undefined &&
    stackName === dataStack &&
    typeof pattern === 'string' &&
    pattern.startsWith(`^(${globalCluster}[.]`)
  );
}
