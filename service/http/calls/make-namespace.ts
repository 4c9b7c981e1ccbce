import type { Principal } from '../../domain/principal.ts';
import { Problem, type ProblemCode, PROBLEMS } from '../../domain/problem.ts';
import { refusalOf } from '../../domain/refusal.ts';
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

/** All but that there is no such call, which a home of an earlier version says: that isn't the caller's mistake. */
const CODES = Object.keys(PROBLEMS).filter(
  // The table's own keys.
  (code): code is ProblemCode => code !== 'route_not_found',
);

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
    throw isRefused ? noHome(home.region, answer) : said(answer, home.region);
  };
}

/** What home refused with, said again in this task's own answer. */
function said(answer: PassedAnswer, region: string): Problem {
  const refusal = refusalOf(answer.body, CODES);
  const isRefusal = refusal !== undefined && PROBLEMS[refusal.code].status === answer.status;
  if (!isRefusal) return noHome(region, answer);
  const retryAfterS = Number(answer.headers['retry-after'] ?? '');
  return new Problem(refusal.code, refusal.detail, retryAfterS > 0 ? { retryAfterS } : {});
}

function noHome(region: string, { status }: PassedAnswer): Problem {
  return new Problem('no_home', `The home region, ${region}, did not make the namespace: ${status}.`, {
    retryAfterS: 1,
  });
}
