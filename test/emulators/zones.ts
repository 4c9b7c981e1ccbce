import type { Topology } from '../../topology/types.ts';
import fixture from '../topology-fixture.ts';

const { environments }: Topology = fixture;

/** The hosted zones that the fixture's zones name, by their ids there. */
export const HOSTED_ZONES: ReadonlyMap<string, { readonly account: string; readonly name: string }> = new Map(
  Object.values(environments)
    .flatMap(({ zones }) => zones)
    .flatMap(({ account, domain }) =>
      account === undefined || domain === undefined || !('hostedZoneId' in domain)
        ? []
        : [[domain.hostedZoneId, { account, name: domain.hostedZoneName }] as const],
    ),
);
