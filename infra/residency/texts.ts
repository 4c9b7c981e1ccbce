import { HOLE } from './template.ts';
import type { RuleId } from './rules.ts';

/** What texts are measured by. */
export interface Inside {
  readonly account: string;
  readonly regions: readonly string[];
}

export interface TextFinding {
  readonly rule: RuleId;
  readonly found: string;
  readonly allowed: string;
}

/**
 * Codes of regions by their form, not by a list: a region that AWS opens tomorrow is found as well. A letter behind the number is an
 * availability zone, more behind that a local zone.
 */
const REGION =
  /(?<![a-z0-9])([a-z]{2}(?:-gov|-iso[a-z]?)?|eusc-de|eu-isoe)-(north|south|east|west|central|northeast|northwest|southeast|southwest)-\d{1,2}(?![0-9])/gi;

/** Identifiers of availability zones, such as `euc1-az2`. */
const ZONE_ID = /(?<![a-z0-9])([a-z]{3,6}\d)-(?:[a-z]{3}\d-)?az\d(?![0-9])/gi;

/** Region, account and the rest; each ends at what can't be in it, so that several in one text are found. */
const ARN = /arn:[^:\s"']*:[^:\s"']*:([^:\s"']*):([^:\s"'/]*)/g;

/** What CloudFormation puts into a text when it deploys. Secrets may be: they are used as passwords, and their ARN is in the text. */
const LATER = /\{\{resolve:ssm[^}]*\}\}/g;

const URL_HOST = /\bhttps?:\/\/([^/\s"':]+)/gi;

/** Digits that stand alone; those in the middle of a digest don't. */
const ACCOUNT = /(?<![0-9a-z])\d{12}(?![0-9a-z])/gi;

/** What a text names that isn't inside. With `denied`, wildcards are fine: what is refused everywhere is refused outside. */
export function judgeText(text: string, inside: Inside, denied: boolean): readonly TextFinding[] {
  const findings: TextFinding[] = [];
  const regions = inside.regions.join(', ');
  const report = (rule: RuleId, found: string, allowed: string): void => {
    if (!findings.some((one) => one.rule === rule && one.found === found))
      findings.push({ rule, found, allowed });
  };
  for (const [reference] of text.matchAll(LATER))
    report('Residency-Parameter', reference, 'no reference to a parameter');
  let rest = '';
  let end = 0;
  for (const match of text.matchAll(ARN)) {
    const [arn, region = '', account = ''] = match;
    if (!isFine(region, inside.regions, denied)) report('Residency-ArnRegion', arn, regions);
    // `aws` owns the managed policies, which are the same everywhere.
    if (!isFine(account, [inside.account, 'aws'], denied))
      report('Residency-ArnAccount', arn, inside.account);
    rest += `${text.slice(end, match.index)}${HOLE}`;
    end = match.index + arn.length;
  }
  rest += text.slice(end);
  for (const [host] of hostsIn(rest)) report('Residency-GlobalEndpoint', host, `an address in ${regions}`);
  for (const [code] of rest.matchAll(REGION)) {
    if (!inside.regions.includes(code.toLowerCase())) report('Residency-RegionLiteral', code, regions);
  }
  const ids = inside.regions.map(zoneIdPrefix);
  for (const [id, prefix = ''] of rest.matchAll(ZONE_ID)) {
    if (!ids.includes(prefix.toLowerCase()))
      report('Residency-RegionLiteral', id, ids.map((one) => `${one}-az…`).join(', '));
  }
  for (const [account] of rest.matchAll(ACCOUNT)) {
    if (account !== inside.account) report('Residency-AccountLiteral', account, inside.account);
  }
  return findings;
}

/** Empty: the service has none in its ARNs. A hole: a reference, judged where it leads to. */
function isFine(field: string, allowed: readonly string[], denied: boolean): boolean {
  if (field === '' || field === HOLE || allowed.includes(field)) return true;
  return denied && field.includes('*');
}

/** Addresses of AWS that name no region at all; those that name one are found by it. */
function* hostsIn(text: string): Generator<readonly [string]> {
  for (const [, host = ''] of text.matchAll(URL_HOST)) {
    const isAws = /(^|\.)(amazonaws\.com(\.cn)?|aws\.dev|api\.aws|aws\.amazon\.com)$/i.test(host);
    if (isAws && host.search(REGION) < 0) yield [host];
  }
}

/** What the identifiers of a region's availability zones begin with: `eu-central-1` is `euc1`, `ap-northeast-1` `apne1`. */
function zoneIdPrefix(region: string): string {
  const [area = '', direction = '', number = ''] = region.split('-');
  const letters = direction.replace(
    /^(north|south)(east|west)$/,
    (_, first: string, second: string) => `${first[0]}${second[0]}`,
  );
  return `${area}${letters === direction ? direction.charAt(0) : letters}${number}`;
}
