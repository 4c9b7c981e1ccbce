/** One thing that is wrong with a topology. */
export interface TopologyProblem {
  /** `<environment>/<zone>`, the environment alone, or `` for the whole. A zone without a usable name goes by its place: `production/#2`. */
  readonly zone: string;
  /** Path inside it, e.g. `replicas[1]`. */
  readonly field: string;
  /** What is wrong, and what would be allowed. */
  readonly message: string;
}

/** A topology that can't be used. The message lists every problem, one a line, each with zone, field and allowed values. */
export class TopologyError extends Error {
  override readonly name = 'TopologyError';
  readonly problems: readonly TopologyProblem[];

  constructor(problems: readonly TopologyProblem[]) {
    const lines = problems.map(
      ({ zone, field, message }) =>
        `  ${[zone, field].filter(Boolean).join(': ') || 'the topology'}: ${message}`,
    );
    super(
      `the topology has ${problems.length === 1 ? 'a problem' : `${problems.length} problems`}:\n${lines.join('\n')}`,
    );
    this.problems = problems;
  }
}
