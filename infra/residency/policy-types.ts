/** A statement of an IAM policy without principals, as it is in JSON. */
export interface PolicyStatement {
  readonly Sid: string;
  readonly Effect: 'Allow' | 'Deny';
  readonly Action?: string | readonly string[];
  readonly NotAction?: string | readonly string[];
  readonly Resource?: string | readonly string[];
  readonly NotResource?: string | readonly string[];
  readonly Condition?: Readonly<Record<string, Readonly<Record<string, string | readonly string[]>>>>;
}

/** An IAM policy, as it is in JSON. */
export interface PolicyDocument {
  readonly Version: '2012-10-17';
  readonly Statement: readonly PolicyStatement[];
}

/** What a zone's policies are made of. */
export interface ZonePolicyInput {
  readonly account: string;
  readonly regions: readonly string[];
}

/** A policy as it is written: a statement a line, for people to read, and no more blanks, for AWS counts characters. */
export function textOf({ Version, Statement }: PolicyDocument): string {
  const lines = Statement.map((statement) => JSON.stringify(statement)).join(',\n');
  return `{"Version":"${Version}","Statement":[\n${lines}\n]}`;
}
