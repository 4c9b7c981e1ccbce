import { Listr } from 'listr2';
import { AccountStacks } from './account-stacks.ts';
import { costTables } from './cost.ts';
import type { WantedStack } from './compare-zone.ts';
import { identify, type Identity } from '../lib/credentials.ts';
import { observeZone } from './observe.ts';
import { readinessText, stepsBefore } from './readiness.ts';
import { lookAround } from './surroundings.ts';
import { quotaText } from './quota-table-text.ts';
import { appliedQuotas, type AppliedQuotas } from './quotas/applied.ts';
import { needsOf } from './quotas/needs.ts';
import { useOf } from './quotas/quota-use.ts';
import { costsOf, isRefused, type PriceOptions, type Report, reportJson } from './report.ts';
import { synthesizeStacks } from './synthesis.ts';
import { zoneText } from './tables.ts';
import { readTarget, type Target, type TargetOptions } from '../lib/target.ts';
import { type Observation, planZone } from './zone-plan.ts';

export interface PlanOptions extends TargetOptions, PriceOptions {
  readonly offline: boolean;
  readonly allowReplacement: boolean;
  /** Every change, and every line of the price with its formula. */
  readonly detail: boolean;
  readonly json: boolean;
}

/** Exit code of a plan that would be stopped. */
const REFUSED = 3;

/** `keyhearth plan`: says what a deployment would do, and does nothing. Fails with `UserError`. */
export async function plan(options: PlanOptions): Promise<void> {
  const target = readTarget(options);
  // First, since it takes no time and a wrong file is a mistake in the command line.
  const costs = costsOf(target.zones, options);
  const report = { ...(await planOf(target, options)), costs };
  await print(options.json ? JSON.stringify(reportJson(report)) : reportText(report, options.detail));
  if (isRefused(report)) process.exitCode = REFUSED;
}

/** All of it: the process ends right afterwards, and would cut off what a pipe hasn't taken yet. */
function print(text: string): Promise<void> {
  return new Promise((resolve, reject) => {
    process.stdout.write(`${text}\n`, (error) => {
      if (error) reject(error);
      else resolve();
    });
  });
}

async function planOf(target: Target, options: PlanOptions): Promise<Omit<Report, 'costs'>> {
  const { environment, zones } = target;
  let stacks: readonly WantedStack[] = [];
  const observations = new Map<string, Observation>();
  let quotas: AppliedQuotas = { uses: [], problem: null };
  const isLive = process.stdout.isTTY && !options.json;
  await new Listr(
    [
      {
        title: 'Make the templates',
        task: async () => {
          stacks = await synthesizeStacks(environment);
        },
      },
      {
        title: 'Look at what is deployed',
        task: async () => {
          const identity = await identityOf(target, options.offline);
          const listings = new AccountStacks();
          for (const zone of zones)
            observations.set(
              zone.name,
              identity.kind === 'none'
                ? options.offline
                  ? NOT_LOOKED
                  : NO_CREDENTIALS
                : await observationOf(zone, target, identity.account, listings),
            );
          const accounts = new Set(zones.map(({ account }) => account));
          const needs = needsOf(
            target.neighbours,
            stacks.filter(({ account }) => accounts.has(account)),
          );
          quotas =
            identity.kind === 'account'
              ? await appliedQuotas(needs, identity.account)
              : { uses: needs.map((need) => useOf(need, null)), problem: null };
        },
      },
    ],
    {
      renderer: isLive ? 'default' : 'silent',
      // What went wrong is said once, at the end.
      rendererOptions: { showErrorMessage: false, collapseErrors: false },
    },
  ).run();
  return {
    environment,
    zones: zones.map((zone) => {
      const seen = observations.get(zone.name) ?? NOT_LOOKED;
      return planZone(zone, stacks, seen, options.allowReplacement);
    }),
    quotas: quotas.uses,
    quotaProblem: quotas.problem,
  };
}

const NOT_LOOKED = {
  kind: 'assumed-empty',
  why: 'With --offline this is planned as if nothing were deployed.',
} as const satisfies Observation;

const NO_CREDENTIALS = {
  kind: 'assumed-empty',
  why: 'There are no AWS credentials, so this is planned as if nothing were deployed.',
} as const satisfies Observation;

async function identityOf({ zones }: Target, offline: boolean): Promise<Identity> {
  const [first] = zones;
  if (offline || first === undefined) return { kind: 'none' };
  return identify(first.origin, '; --offline plans as if nothing were deployed');
}

async function observationOf(
  zone: Target['zones'][number],
  { described }: Target,
  account: string,
  listings: AccountStacks,
): Promise<Observation> {
  if (account !== zone.account) {
    const why = `Not compared: the credentials are for account ${account}. Plan this zone with those of its own (AWS_PROFILE).`;
    return { kind: 'not-compared', why };
  }
  const place = { ...zone, regions: zone.regions.map(({ region }) => region) };
  const surroundings = await lookAround(place, described, listings);
  return {
    kind: 'compared',
    stacks: await observeZone(zone, listings, surroundings.alsoIn),
    surroundings,
  };
}

function reportText({ zones, quotas, quotaProblem, costs }: Report, detail: boolean): string {
  // The same for every zone: nobody was asked.
  const assumed = zones.flatMap(({ observation }) =>
    observation.kind === 'assumed-empty' ? [observation.why] : [],
  );
  const parts = [
    ...new Set(assumed),
    ...zones.map((zone) => zoneText(zone, detail)),
    quotaText(quotas, quotaProblem),
    costTables(costs, { detail }),
    readinessText(zones, stepsBefore(zones, quotas)),
  ];
  return parts.filter((part) => part !== '').join('\n\n');
}
