/**
 * Everything that a call can be refused with: one row each. `type` in an answer is the docs page and `<system>/<category>/<specific>`.
 * The docs table (docs/ERRORS.md) lists the same rows; a test pins the two to each other.
 */
export const PROBLEMS = {
  invalid_input: { status: 400, type: 'application/invalid_input', title: 'Bad Request' },
  authentication_missing: { status: 400, type: 'authentication/missing', title: 'Bad Request' },
  authentication_malformed: { status: 400, type: 'authentication/malformed', title: 'Bad Request' },
  permissions_query_syntax_error: {
    status: 400,
    type: 'application/permissions_query_syntax_error',
    title: 'Bad Request',
  },
  root_key_not_found: { status: 401, type: 'authentication/key_not_found', title: 'Unauthorized' },
  root_key_disabled: { status: 403, type: 'authorization/key_disabled', title: 'Forbidden' },
  root_key_expired: { status: 403, type: 'authorization/key_expired', title: 'Forbidden' },
  workspace_disabled: { status: 403, type: 'authorization/workspace_disabled', title: 'Forbidden' },
  insufficient_permissions: {
    status: 403,
    type: 'authorization/insufficient_permissions',
    title: 'Forbidden',
  },
  key_not_found: { status: 404, type: 'data/key_not_found', title: 'Not Found' },
  api_not_found: { status: 404, type: 'data/api_not_found', title: 'Not Found' },
  role_not_found: { status: 404, type: 'data/role_not_found', title: 'Not Found' },
  permission_not_found: { status: 404, type: 'data/permission_not_found', title: 'Not Found' },
  identity_not_found: { status: 404, type: 'data/identity_not_found', title: 'Not Found' },
  ratelimit_namespace_not_found: {
    status: 404,
    type: 'data/ratelimit_namespace_not_found',
    title: 'Not Found',
  },
  ratelimit_override_not_found: {
    status: 404,
    type: 'data/ratelimit_override_not_found',
    title: 'Not Found',
  },
  route_not_found: { status: 404, type: 'application/route_not_found', title: 'Not Found' },
  identity_already_exists: { status: 409, type: 'data/identity_already_exists', title: 'Conflict' },
  permission_already_exists: { status: 409, type: 'data/permission_already_exists', title: 'Conflict' },
  role_already_exists: { status: 409, type: 'data/role_already_exists', title: 'Conflict' },
  ratelimit_namespace_gone: { status: 410, type: 'data/ratelimit_namespace_gone', title: 'Gone' },
  precondition_failed: {
    status: 412,
    type: 'application/precondition_failed',
    title: 'Precondition Failed',
  },
  rate_limit_not_found: { status: 412, type: 'data/rate_limit_not_found', title: 'Precondition Failed' },
  analytics_not_configured: {
    status: 412,
    type: 'data/analytics_not_configured',
    title: 'Precondition Failed',
  },
  body_too_large: { status: 413, type: 'application/body_too_large', title: 'Payload Too Large' },
  wrong_zone: { status: 421, type: 'routing/wrong_zone', title: 'Misdirected Request' },
  idempotency_key_reused: {
    status: 422,
    type: 'application/idempotency_key_reused',
    title: 'Unprocessable Entity',
  },
  workspace_rate_limited: {
    status: 429,
    type: 'limits/workspace_rate_limited',
    title: 'Too Many Requests',
  },
  headers_too_large: {
    status: 431,
    type: 'application/headers_too_large',
    title: 'Request Header Fields Too Large',
  },
  internal_error: { status: 500, type: 'application/internal_error', title: 'Internal Server Error' },
  no_home: { status: 503, type: 'availability/no_home', title: 'Service Unavailable' },
  too_stale: { status: 503, type: 'availability/too_stale', title: 'Service Unavailable' },
  revision_not_reached: {
    status: 503,
    type: 'availability/revision_not_reached',
    title: 'Service Unavailable',
  },
  database_unavailable: {
    status: 503,
    type: 'availability/database_unavailable',
    title: 'Service Unavailable',
  },
  shutting_down: { status: 503, type: 'availability/shutting_down', title: 'Service Unavailable' },
  credits_unavailable: {
    status: 503,
    type: 'availability/credits_unavailable',
    title: 'Service Unavailable',
  },
  vault_unavailable: {
    status: 503,
    type: 'availability/vault_unavailable',
    title: 'Service Unavailable',
  },
  outcome_unknown: { status: 504, type: 'availability/outcome_unknown', title: 'Gateway Timeout' },
} as const satisfies Record<string, { status: number; type: string; title: string }>;

export type ProblemCode = keyof typeof PROBLEMS;

/** One field of a request that is wrong: where, what, and what would be right. */
export interface FieldProblem {
  /** Path such as `body.ratelimits[0].limit` or `header.authorization`. */
  readonly location: string;
  readonly message: string;
  readonly fix?: string;
}

export interface ProblemOptions {
  readonly errors?: readonly FieldProblem[];
  /** Seconds after which trying again makes sense; sent as `Retry-After`. */
  readonly retryAfterS?: number;
  /** Further response headers, such as where to go instead. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly cause?: unknown;
}

/**
 * A refusal that is meant for the caller: the caller's mistake (4xx) or a dependency's failure (503, 504). Anything else that
 * is thrown is a fault of ours, answered with a bare 500. `detail` reaches the caller: it never holds a key's text.
 */
export class Problem extends Error {
  override readonly name = 'Problem';
  readonly code: ProblemCode;
  readonly errors: readonly FieldProblem[];
  readonly retryAfterS: number | undefined;
  readonly headers: Readonly<Record<string, string>>;

  constructor(code: ProblemCode, detail: string, options: ProblemOptions = {}) {
    super(detail, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.errors = options.errors ?? [];
    this.retryAfterS = options.retryAfterS;
    this.headers = options.headers ?? {};
  }

  get status(): number {
    return PROBLEMS[this.code].status;
  }
}
