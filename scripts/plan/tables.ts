import Table from 'cli-table3';
import { stackNames } from '../../infra/names.ts';
import { changesText, countsOf, isRevision, weakenedText } from './changes-text.ts';
import { isHeld, type StackPlan } from './compare-zone.ts';
import type { Certainty, Effect, Fate } from './effect-types.ts';
import type { Obstacle } from './obstacles.ts';
import type { ZonePlan } from './zone-plan.ts';

const FATE_WORDS: Readonly<Record<Fate, string>> = {
  kept: 'stays',
  deleted: 'goes',
  snapshot: 'leaves a snapshot',
};
const plain = { style: { head: [], border: [], compact: true } };

/**
 * A zone's plan for a terminal: its stacks, what changes and is made anew, what stands in the way. Of a description that is of another
 * zone than the deployed one only that.
 */
export function zoneText(plan: ZonePlan, detail = false): string {
  const { zone, observation, stacks, isAnother, obstacles } = plan;
  const regions = zone.regions.map(({ region }) => region).join(', ');
  const prefix = stackNames.zone(zone).slice(0, -'zone'.length);
  const shortOf = (name: string): string => short(prefix, name);
  const live = stacks.filter(({ kind }) => kind !== 'gone');
  const parts = [
    `Zone ${zone.name} of ${zone.environment}, account ${zone.account}: ${regions}`,
    ...(observation.kind === 'not-compared' ? [observation.why] : []),
    ...(observation.kind === 'compared' ? [observation.surroundings.unseen.join('\n')] : []),
    ...(isAnother ? obstacles.map(obstacleText) : []),
  ];
  if (isAnother) return parts.filter((part) => part !== '').join('\n\n');
  parts.push(
    stackTable(prefix, stacks),
    summary(plan),
    ...notes(prefix, stacks),
    changesText(live, shortOf, detail),
    replacementText(prefix, stacks),
    removalText(prefix, stacks),
    weakenedText(live, shortOf),
    goneText(prefix, stacks),
    strangersText(plan),
    ...obstacles.map(obstacleText),
  );
  return parts.filter((part) => part !== '').join('\n\n');
}

function stackTable(prefix: string, stacks: readonly StackPlan[]): string {
  const table = new Table({
    head: [`stack ${prefix}…`, 'region', 'is', 'added', 'changed', 'anew', 'removed'],
    colAligns: ['left', 'left', 'left', 'right', 'right', 'right', 'right'],
    ...plain,
  });
  for (const stack of stacks) {
    const { name, region, kind, effect } = stack;
    const { changed, anew } = countsOf(effect);
    const counts = [effect.added.length, changed, anew, effect.removed.length].map((count) =>
      count === 0 ? '' : count,
    );
    table.push([
      short(prefix, name),
      region,
      `${kind === 'gone' ? 'not described' : kind}${unusualStatus(stack)}`,
      ...(kind === 'gone' ? ['', '', '', ''] : counts),
    ]);
  }
  return table.toString();
}

/** In a line of its own, where there is something to know of it. */
function unusualStatus({ status, state }: StackPlan): string {
  return status === null || state.advice === null ? '' : `\n${status}`;
}

function counted(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? '' : 's'}`;
}

/** All names of a zone's stacks begin alike. */
function short(prefix: string, name: string): string {
  return name.startsWith(prefix) ? name.slice(prefix.length) : name;
}

/** How much a deployment does, in one line. */
function summary({ observation, stacks, obstacles }: ZonePlan): string {
  if (observation.kind === 'not-compared')
    return `${counted(stacks.length, 'stack')} with ${counted(
      total(stacks, ({ added }) => added.length),
      'resource',
    )} in all.`;
  const ofKind = (kind: StackPlan['kind']): number => stacks.filter((stack) => stack.kind === kind).length;
  const live = stacks.filter(({ kind }) => kind !== 'gone');
  const resources = [
    `${counted(
      total(live, ({ added }) => added.length),
      'resource',
    )} added`,
    `${total(live, (effect) => countsOf(effect).changed)} changed`,
    `${total(live, (effect) => countsOf(effect).anew)} made anew`,
    `${total(live, ({ removed }) => removed.length)} removed`,
  ].join(', ');
  const counts = `${counted(ofKind('new'), 'stack')} new, ${ofKind('changed')} changed, ${ofKind('unchanged')} unchanged; ${resources}.`;
  return obstacles.length === 0 ? counts : `${counts} In the way: ${obstacles.length}, below.`;
}

function total(stacks: readonly StackPlan[], of: (effect: Effect) => number): number {
  return stacks.reduce((sum, { effect }) => sum + of(effect), 0);
}

/** What there is to know of single stacks. */
function notes(prefix: string, stacks: readonly StackPlan[]): readonly string[] {
  const lines = stacks.flatMap((plan) => {
    const { name, state } = plan;
    const reason = plan.reason === null ? '' : ` CloudFormation says: ${plan.reason}`;
    const advice =
      state.advice === null || isHeld(plan) ? [] : [`${short(prefix, name)}: ${state.advice}.${reason}`];
    const unknown = plan.effect.unknownTypes.map(
      (type) =>
        `${short(prefix, name)}: ${type} isn’t among AWS’s schemas that the CDK brings; any change of it may make it anew.`,
    );
    return [...advice, ...unknown, ...staleNotes(prefix, plan)];
  });
  const all = [...lines, ...waitingNotes(prefix, stacks)];
  return all.length === 0 ? [] : [all.join('\n')];
}

/** One for each stack that values are read from. */
function staleNotes(prefix: string, { name, stale }: StackPlan): readonly string[] {
  const sources = [...new Set(stale.map(({ stack }) => stack))];
  return sources.map((source) => {
    const values = stale.filter(({ stack }) => stack === source);
    const will = values.some(({ certainty }) => certainty === 'certain') ? 'will' : 'may';
    const what = values.length === 1 ? 'a value' : `${values.length} values`;
    return `${short(prefix, name)} goes on using ${what} of ${short(prefix, source)} that ${will} be others: its own template is the same, so the CDK leaves it alone. Deploy it with --force afterwards.`;
  });
}

/** Unchanged stacks have nothing to wait for. */
function waitingNotes(prefix: string, stacks: readonly StackPlan[]): readonly string[] {
  const waiting = stacks.filter(({ kind }) => kind !== 'unchanged');
  const blockers = [...new Set(waiting.flatMap(({ waitsFor }) => waitsFor ?? []))];
  return blockers.map((blocker) => {
    const names = waiting
      .filter(({ waitsFor }) => waitsFor === blocker)
      .map(({ name }) => short(prefix, name));
    return `${short(prefix, blocker)} stands before these, which aren’t reached: ${names.join(', ')}.`;
  });
}

function replacementText(prefix: string, stacks: readonly StackPlan[]): string {
  const table = new Table({ head: ['made anew', 'for its', 'the old one'], ...plain });
  for (const { name, effect } of stacks) {
    for (const one of effect.replaced) {
      if (isRevision(one)) continue;
      const { id, type, property, because, certainty, fate } = one;
      const cause = [
        `${property}${doubt(certainty)}`,
        ...(because === null ? [] : sourceLines(prefix, because)),
      ];
      table.push([`${short(prefix, name)}\n  ${id}\n  ${type}`, cause.join('\n'), FATE_WORDS[fate]]);
    }
  }
  return table.length === 0 ? '' : table.toString();
}

/** `<stack> <output>`, each in a line of its own, or a logical id. */
function sourceLines(prefix: string, because: string): readonly string[] {
  const [first = '', ...others] = because.split(' ');
  return [`  from ${short(prefix, first)}`, ...others.map((other) => `  ${other}`)];
}

function doubt(certainty: Certainty): string {
  return certainty === 'maybe' ? ', maybe' : '';
}

function removalText(prefix: string, stacks: readonly StackPlan[]): string {
  const table = new Table({ head: ['removed', 'it'], ...plain });
  for (const { name, kind, effect } of stacks) {
    if (kind === 'gone') continue;
    for (const { id, type, fate, certainty } of effect.removed)
      table.push([`${short(prefix, name)}\n  ${id}\n  ${type}`, `${FATE_WORDS[fate]}${doubt(certainty)}`]);
  }
  return table.length === 0 ? '' : table.toString();
}

/** Stacks that nobody describes any more: no deployment touches them. */
function goneText(prefix: string, stacks: readonly StackPlan[]): string {
  const gone = stacks.filter(({ kind }) => kind === 'gone');
  if (gone.length === 0) return '';
  const regions = [...new Set(gone.map(({ region }) => region))].join(', ');
  return [
    `Not described any more: ${counted(gone.length, 'stack')} in ${regions}. A deployment leaves what is there as it is, and it goes on costing money.`,
    'Taking a region down has an order of its own, in which the accelerator lets go of it first: `npx keyhearth region remove --help`.',
    ...gone.map(({ name, effect, terminationProtection }) => {
      const kept = effect.removed.filter(({ fate }) => fate === 'kept').map(({ type }) => type);
      const stays = kept.length === 0 ? '' : `; would stay: ${[...new Set(kept)].join(', ')}`;
      return `  ${short(prefix, name)}: ${counted(effect.removed.length, 'resource')}${stays}${terminationProtection ? '; protected from deletion' : ''}`;
    }),
  ].join('\n');
}

/** Where they are in the way, that is said instead. */
function strangersText({ observation, obstacles }: ZonePlan): string {
  if (observation.kind !== 'compared' || obstacles.some(({ kind }) => kind === 'zone')) return '';
  return observation.surroundings.strangers
    .map(
      ({ name, regions }) =>
        `The account also has zone ${name} (environment and name) in ${regions.join(', ')}, which isn’t described.`,
    )
    .join('\n');
}

const BY_AWS: ReadonlySet<Obstacle['kind']> = new Set(['refusal', 'name', 'status', 'template']);

function obstacleText({ kind, stack, what, atStake, instead }: Obstacle): string {
  const by = BY_AWS.has(kind) ? 'In the way' : 'Refused';
  return [
    `${by}, ${stack}: ${what}`,
    ...(atStake === null ? [] : [`  At stake: ${atStake}`]),
    `  Instead: ${instead}`,
  ].join('\n');
}
