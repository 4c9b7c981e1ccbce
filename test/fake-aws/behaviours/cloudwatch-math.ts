import { invalid } from './refusals.ts';

// "Functions supported for metric math" on "Using math expressions with CloudWatch metrics"
// (https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/using-metric-math.html).
const FUNCTIONS = new Set(
  (
    'ABS ANOMALY_DETECTION_BAND AVG CEIL DATAPOINT_COUNT DATE DAY DB_PERF_INSIGHTS DIFF DIFF_TIME EPOCH FILL FIRST FLOOR HOUR IF ' +
    'INSIGHT_RULE_METRIC LAMBDA LAST LOG LOG10 MAX METRICS METRIC_COUNT MIN MINUTE MONTH PERIOD RATE REMOVE_EMPTY RUNNING_SUM SEARCH ' +
    'SERVICE_QUOTA SLICE SORT STDDEV SUM TIME_SERIES YEAR'
  ).split(' '),
);
const TOKEN =
  /\s*(?:(\d+(?:\.\d+)?|\.\d+)|("[^"]*"|'[^']*')|([A-Za-z]\w*)|(==|!=|<=|>=|&&|\|\||[-+*/^<>()[\],]))/uy;
const BINARY = new Set(['==', '!=', '<=', '>=', '<', '>', '&&', '||', '+', '-', '*', '/', '^', 'AND', 'OR']);

// "CloudWatch Metrics Insights query components and syntax"
// (https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch-metrics-insights-querylanguage.html): conditions are
// equalities joined by AND.
const NAME = `(?:[a-z_][\\w.]*|"[^"]+")`;
const CONDITION = `${NAME}\\s*!?=\\s*'[^']*'`;
const AGGREGATE = '(?:AVG|COUNT|MAX|MIN|SUM)';
const QUERY = new RegExp(
  `^\\s*SELECT\\s+${AGGREGATE}\\s*\\(\\s*${NAME}\\s*\\)` +
    `\\s+FROM\\s+(?:SCHEMA\\s*\\(\\s*${NAME}(?:\\s*,\\s*${NAME})*\\s*\\)|${NAME})` +
    `(?:\\s+WHERE\\s+${CONDITION}(?:\\s+AND\\s+${CONDITION})*)?` +
    `(?:\\s+GROUP\\s+BY\\s+${NAME}(?:\\s*,\\s*${NAME})*)?` +
    `(?:\\s+ORDER\\s+BY\\s+${AGGREGATE}\\s*\\(\\s*\\)(?:\\s+(?:ASC|DESC))?)?` +
    `(?:\\s+LIMIT\\s+\\d+)?\\s*$`,
  'iu',
);

/** Is it a query of Metrics Insights, rather than a formula? */
export function isQuery(expression: string): boolean {
  return /^\s*SELECT\b/iu.test(expression);
}

/**
 * Checks what an alarm computes. Believed: the sentences, but the one about SEARCH.
 *
 * @param id the expression's own, for the sentence
 * @param ids what it may name
 * @throws Refusal `ValidationError`, as PutMetricAlarm does
 */
export function checkExpression(expression: string, id: string, ids: readonly string[]): void {
  if (isQuery(expression)) {
    if (!QUERY.test(expression)) throw invalid(`Error in expression '${id}': invalid Metrics Insights query`);
    return;
  }
  const formula = new Formula(expression, id);
  formula.whole();
  const unknown = formula.names.find((name) => !ids.includes(name));
  if (unknown !== undefined) {
    throw invalid(`Error in expression '${id}': unknown identifier ${unknown}`);
  }
}

/** Reads a formula from left to right; precedence doesn't matter to who only asks whether it is one. */
class Formula {
  /** Ids of other entries. */
  readonly names: string[] = [];
  readonly #tokens: readonly string[];
  readonly #id: string;
  #at = 0;

  constructor(text: string, id: string) {
    this.#id = id;
    this.#tokens = this.#tokensOf(text);
  }

  whole(): void {
    this.#expression();
    if (this.#at < this.#tokens.length) throw this.#unexpected();
  }

  #tokensOf(text: string): readonly string[] {
    const tokens: string[] = [];
    const source = text.trimEnd();
    let from = 0;
    while (from < source.length) {
      TOKEN.lastIndex = from;
      const [whole] = TOKEN.exec(source) ?? [];
      if (whole === undefined) {
        throw invalid(`Error in expression '${this.#id}': unexpected character at position ${from}`);
      }
      tokens.push(whole.trim());
      from += whole.length;
    }
    return tokens;
  }

  #expression(): void {
    this.#operand();
    while (BINARY.has(this.#tokens[this.#at] ?? '')) {
      this.#at += 1;
      this.#operand();
    }
  }

  #operand(): void {
    while (this.#tokens[this.#at] === '-') this.#at += 1;
    const token = this.#tokens[this.#at];
    if (token === undefined) throw this.#unexpected();
    this.#at += 1;
    if (token === '(') {
      this.#expression();
      this.#expect(')');
    } else if (token === '[') {
      this.#list(']');
    } else if (/^[\d."']/u.test(token)) {
      return;
    } else if (this.#tokens[this.#at] === '(') {
      this.#call(token);
    } else if (/^[a-z]/u.test(token)) {
      this.names.push(token);
      // Whatever else is a word of a function: REPEAT, LINEAR.
    } else if (!/^[A-Z]/u.test(token)) {
      this.#at -= 1;
      throw this.#unexpected();
    }
  }

  #call(name: string): void {
    if (!FUNCTIONS.has(name)) throw invalid(`Error in expression '${this.#id}': unknown function ${name}`);
    // "You can't create an alarm based on the SEARCH expression": "Using search expressions in graphs", CloudWatch User Guide.
    if (name === 'SEARCH') throw invalid('SEARCH is not supported on Metric Alarms.');
    this.#at += 1;
    this.#list(')');
  }

  #list(end: string): void {
    if (this.#tokens[this.#at] === end) {
      this.#at += 1;
      return;
    }
    this.#expression();
    while (this.#tokens[this.#at] === ',') {
      this.#at += 1;
      this.#expression();
    }
    this.#expect(end);
  }

  #expect(token: string): void {
    if (this.#tokens[this.#at] !== token) throw this.#unexpected();
    this.#at += 1;
  }

  #unexpected(): Error {
    const token = this.#tokens[this.#at];
    return invalid(
      `Error in expression '${this.#id}': unexpected ${token === undefined ? 'end' : `'${token}'`}`,
    );
  }
}
