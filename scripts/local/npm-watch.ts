import { commandOf, identify, isRunning, parentOf, type ProcessIdentity } from '../lib/processes.ts';

const intervalMs = 500;
/** npm, the shell of its script, our own entry that looks for the right Node: no more than these lie between. */
const generationsMax = 4;

/**
 * An npm that is killed passes nothing on to what it started: calls `onGone` once the npm that started us, or our own entry
 * script between the two, doesn't run any more. Never looks at shells: `npm start &` outlives the one that it was typed into.
 */
export function watchNpm(onGone: () => void): { stop(): void } {
  const watched = process.env['npm_lifecycle_event'] === undefined ? [] : startersOf(process.pid);
  if (watched.length === 0) return { stop: () => undefined };
  const timer = setInterval(() => {
    if (watched.every(isRunning)) return;
    clearInterval(timer);
    onGone();
  }, intervalMs);
  timer.unref();
  return { stop: () => clearInterval(timer) };
}

/** The npm above `pid` and our entry scripts between; nothing where there is no npm above. */
function startersOf(pid: number): readonly ProcessIdentity[] {
  const found: ProcessIdentity[] = [];
  let next = parentOf(pid);
  for (let generation = 0; next !== undefined && next > 1 && generation < generationsMax; generation++) {
    const [command, identity] = [commandOf(next), identify(next)];
    if (identity !== undefined && isNpm(command)) return [...found, identity];
    if (identity !== undefined && isOwnEntry(command)) found.push(identity);
    next = parentOf(next);
  }
  return [];
}

/** npm calls itself `npm start`; where the system shows the real command line, that is `node …/npm` or `node …/npm-cli.js`. */
export function isNpm(command: string): boolean {
  return /^(npm|npx)(\s|$)/.test(command) || /^\S*node\S*\s+\S*\/(npm|npx)(-cli\.js)?(\s|$)/.test(command);
}

function isOwnEntry(command: string): boolean {
  return /^\S*node\S*\s+\S*(keyhearth|pinned-node)\.mjs(\s|$)/.test(command);
}
