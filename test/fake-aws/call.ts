import type { IncomingHttpHeaders } from 'node:http';
import type { Json, Place, Properties } from './values.ts';
import type { World } from './world.ts';

/** One call of an AWS API, whatever protocol it came in. */
export interface Call extends Place {
  readonly world: World;
  /** `DescribeStacks`; for S3, the verb and what is in the query. */
  readonly action: string;
  /**
   * Parameters of a Query or JSON call; lists are lists, whatever `.member.N` it was. A Query call's values are texts, and so is its empty
   * list: ''. EC2's names are those that it is called with: `Filter`, `VpcId`.
   */
  readonly input: Properties;
  readonly method: string;
  /** As it was sent: still encoded. S3: with the bucket in it, wherever it was sent. */
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
  /** Base URL that this endpoint is reached at, for URLs in answers: `http://127.0.0.1:20123`. */
  readonly endpoint: string;
}

/** An answer. Query: `result` becomes XML within `<Action>Result`; JSON: it is the body. S3 and other REST services answer with `raw`. */
export type Answer =
  | { readonly result: Properties }
  | {
      readonly raw: {
        readonly status: number;
        readonly headers?: Readonly<Record<string, string>>;
        readonly body?: string | Buffer;
      };
    };

/** One of AWS's services, as far as the fake has it. */
export interface Service {
  /** As in the credential scope of a signed call: `cloudformation`, `s3`, `ecs`, … */
  readonly signingName: string;
  readonly protocol: 'query' | 'ec2' | 'json' | 'rest';
  /** Namespace of the XML that it answers with (Query only). */
  readonly namespace?: string;
  /** By action. What isn't there is answered with `InvalidAction` (501) and its name, so that whoever needs it sees what is missing. */
  readonly actions: Readonly<Record<string, (call: Call) => Answer | Promise<Answer>>>;
  /** For `rest`: which action a request is. */
  actionOf?(method: string, path: string, query: URLSearchParams): string;
}

/** A list in a Query answer: `<Names><member>…</member></Names>`, or `<DBClusters><DBCluster>…` with a name for its entries. */
export function members(entries: readonly Json[], name = 'member'): Properties {
  return { [name]: entries };
}
