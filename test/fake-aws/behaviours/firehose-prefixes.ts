import { Refusal } from '../refusal.ts';
import { type Properties, textAt } from '../values.ts';
import { flagAt } from './property-values.ts';

// "Understand custom prefixes for Amazon S3 objects", https://docs.aws.amazon.com/firehose/latest/dev/s3-prefixes.html.
const NAMESPACES = ['firehose', 'partitionKeyFromLambda', 'partitionKeyFromQuery', 'timestamp'];
const OF_FIREHOSE = ['error-output-type', 'random-string'];

interface Expression {
  readonly namespace: string;
  readonly value: string;
}

/** @throws Refusal `InvalidArgumentException` where prefixes have expressions that can't be evaluated ("Semantic rules" on that page) */
export function checkPrefixes(properties: Properties, destination: string): void {
  const prefix = textAt(properties, `${destination}.Prefix`) ?? '';
  const errors = textAt(properties, `${destination}.ErrorOutputPrefix`) ?? '';
  const partitioned = flagAt(properties, `${destination}.DynamicPartitioningConfiguration.Enabled`) === true;
  const expressions = expressionsOf(prefix);
  const errorExpressions = expressionsOf(errors);
  if (expressions.some(({ value }) => value === 'error-output-type')) {
    throw refused('Prefix cannot contain !{firehose:error-output-type}');
  }
  if (expressions.length > 0 && errors === '') {
    throw refused('ErrorOutputPrefix cannot be null or empty when Prefix contains expressions');
  }
  if (errorExpressions.length > 0 && !errorExpressions.some(({ value }) => value === 'error-output-type')) {
    throw refused(
      'ErrorOutputPrefix must contain at least one instance of !{firehose:error-output-type} when it contains expressions',
    );
  }
  if (errorExpressions.some(({ namespace }) => namespace.startsWith('partitionKey'))) {
    throw refused('ErrorOutputPrefix cannot contain expressions of partition keys');
  }
  if (!partitioned && expressions.some(({ namespace }) => namespace.startsWith('partitionKey'))) {
    throw refused(
      'Prefix can contain expressions of partition keys only when dynamic partitioning is enabled',
    );
  }
}

function expressionsOf(prefix: string): readonly Expression[] {
  const expressions = [...prefix.matchAll(/!\{([^}]*)\}?/gu)].map(([whole, inner = '']) => {
    const [namespace = '', ...value] = inner.split(':');
    return { whole, namespace, value: value.join(':') };
  });
  for (const { whole, namespace, value } of expressions) {
    const known =
      whole.endsWith('}') &&
      value !== '' &&
      (namespace === 'firehose' ? OF_FIREHOSE.includes(value) : NAMESPACES.includes(namespace));
    if (!known) throw refused(`${whole} is not a valid expression`);
  }
  return expressions;
}

/** Firehose's own words, "Ths" included (hashicorp/terraform-provider-aws pull request 13416). Believed: what follows the colon, but for the first rule about ErrorOutputPrefix. */
function refused(why: string): Refusal {
  return new Refusal(
    'InvalidArgumentException',
    `Ths supplied prefix(es) do not satisfy the following constraint: ${why}`,
  );
}
