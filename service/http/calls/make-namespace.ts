import type { Principal } from '../../domain/principal.ts';
import { Problem, type ProblemCode, PROBLEMS } from '../../domain/problem.ts';
import { parseRevision, type Revision } from '../../domain/revision.ts';
import type { PassedAnswer } from '../../peers/types.ts';
import type { HttpDeps } from '../deps.ts';

/** On whose behalf a namespace is made. */
export interface NamespaceMaker {
  readonly principal: Principal;
  readonly rootKeyText: string;
  readonly requestId: string;
  readonly clientAddress: string;
}

/** Makes the namespace unless there is one of that name; resolves with the revision that shows it. Fails with a Problem. */
export type MakeNamespaceFor = (caller: NamespaceMaker, name: string) => Promise<Revision>;

const PATH = '/v2/ratelimit.createNamespace';

/** Makes namespaces at home: by a write of this task, or by a management call that is passed on with the caller's own credentials. */
export function namespaceMaker(
  deps: Pick<HttpDeps, 'home' | 'manage' | 'peers' | 'peerGate'>,
): MakeNamespaceFor {
  return async (caller, name) => {
    const { principal, rootKeyText, requestId, clientAddress } = caller;
    const home = deps.home.current();
    if (home.at === 'unknown') {
      throw new Problem('no_home', `The home region is not known at the moment: ${home.reason}`, {
        retryAfterS: 1,
      });
    }
    if (home.at === 'here') {
      const context = { principal, requestId, clientAddress, idempotency: null };
      return (await deps.manage.ratelimits.createNamespace(context, { namespace: name })).revision;
    }
    const answer = await deps.peers.pass(home.region, {
      path: PATH,
      body: JSON.stringify({ namespace: name }),
      headers: { authorization: `Bearer ${rootKeyText}` },
      clientAddress,
      requestId,
      write: true,
    });
    const revision = parseRevision(answer.headers['keyhearth-revision'] ?? '');
    if (answer.status === 200 && revision !== undefined) return revision;
    // It marks an answer that refuses this task's signature: a fault between the tasks, and none of the caller.
    const isRefused = answer.headers[deps.peerGate.header] !== undefined;
    throw isRefused ? noHome(home.region, answer) : refusalOf(answer, home.region);
  };
}

/** What home refused with, said again in this task's own answer. */
function refusalOf(answer: PassedAnswer, region: string): Problem {
  const { type, detail } = errorOf(answer.body);
  const code = codeOf(type);
  // A home of a version that has no such call: that isn't the caller's mistake either.
  const isKnown = code !== undefined && code !== 'route_not_found';
  const isCallers = isKnown && answer.status >= 400 && PROBLEMS[code].status === answer.status;
  if (!isCallers) return noHome(region, answer);
  const retryAfterS = Number(answer.headers['retry-after'] ?? '');
  return new Problem(code, detail, retryAfterS > 0 ? { retryAfterS } : {});
}

function noHome(region: string, { status }: PassedAnswer): Problem {
  return new Problem('no_home', `The home region, ${region}, did not make the namespace: ${status}.`, {
    retryAfterS: 1,
  });
}

function errorOf(body: string): { readonly type: string; readonly detail: string } {
  try {
    // Each field is looked at before it is used.
    const { error } = JSON.parse(body) as { error?: { type?: unknown; detail?: unknown } };
    return { type: textOf(error?.type), detail: textOf(error?.detail) };
  } catch {
    return { type: '', detail: '' };
  }
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

function codeOf(type: string): ProblemCode | undefined {
  // The table's own keys.
  const codes = Object.keys(PROBLEMS) as ProblemCode[];
  return codes.find((code) => type.endsWith(`/${PROBLEMS[code].type}`));
}
