import { DIRECTIONS, REGION_FORM } from '../../topology/places.ts';
import { HOLE, UNKNOWN } from './evaluate.ts';
import type { RuleId } from './rules.ts';

/** What texts are measured by. */
export interface Inside {
  readonly account: string;
  readonly regions: readonly string[];
  /** Texts that the topology gives, which may look like a region: hostnames, an image's repository. */
  readonly knownTexts: readonly string[];
  /** The one secret whose contents may be put into a template when it is deployed. */
  readonly masterSecret: string;
}

export interface TextFinding {
  readonly rule: RuleId;
  readonly found: string;
  readonly allowed: string;
}

/** Where a text stands. */
export interface TextPlace {
  /** In a statement that denies: there wildcards are fine, for what is refused everywhere is refused outside. */
  readonly denied: boolean;
  /** Whether digits there are an account. */
  readonly namesAccount: boolean;
}

/**
 * Codes of regions. A letter behind the number is an availability zone; more behind that is a local or wavelength zone, which may be in
 * another country than its region.
 */
const REGION = new RegExp(`(${REGION_FORM})((?:-[a-z0-9]{3,})+-\\d\\w*)?`, 'gi');

/** Part of a region's code beside what is only known later. */
const PART_OF_REGION = new RegExp(
  `[${HOLE}${UNKNOWN}]-?${DIRECTIONS}-\\d|-${DIRECTIONS}-?[${HOLE}${UNKNOWN}]`,
  'gi',
);

/** Identifiers of availability zones, such as `euc1-az2`; with more in the middle, of local and wavelength zones. */
const ZONE_ID = /(?<![a-z0-9])([a-z]{3,6}\d)((?:-[a-z0-9]{3,})*)-az\d(?![0-9])/gi;

/** Region, account and the rest; each ends at what can't be in it, so that several in one text are found. */
const ARN = /arn:[^:\s"']*:[^:\s"']*:([^:\s"']*):([^:\s"'/]*)/g;

/** What CloudFormation puts into a text when it deploys. */
const LATER = /\{\{resolve:[^}]*(?:\}\}|$)/g;

const URL_HOST = /\b[a-z][a-z0-9+.-]*:\/\/(?:[^/\s"'@]*@)?([^/\s"':]+)/gi;

/** Digits that stand alone; those in the middle of a digest don't. */
const ACCOUNT = /(?<![0-9a-z])\d{12}(?![0-9a-z])/gi;

const REGISTRY = /([^/\s"'.]*)\.dkr\.ecr\./gi;

/** What a text names that isn't inside. */
export function judgeText(text: string, inside: Inside, place: TextPlace): readonly TextFinding[] {
  const findings: TextFinding[] = [];
  const regions = inside.regions.join(', ');
  const report = (rule: RuleId, found: string, allowed: string): void => {
    if (!findings.some((one) => one.rule === rule && one.found === found))
      findings.push({ rule, found, allowed });
  };
  for (const [reference] of text.matchAll(LATER)) {
    const secret = `{{resolve:secretsmanager:${inside.masterSecret}:SecretString:`;
    if (!reference.startsWith(secret)) report('Residency-Parameter', reference, `${secret}…`);
  }
  let rest = '';
  let end = 0;
  for (const match of text.matchAll(ARN)) {
    const [arn, region = '', account = ''] = match;
    if (!isFine(region, inside.regions, place.denied)) report('Residency-ArnRegion', arn, regions);
    // `aws` owns the managed policies, which are the same everywhere.
    if (!isFine(account, [inside.account, 'aws'], place.denied))
      report('Residency-ArnAccount', arn, inside.account);
    // Neither a hole nor a word.
    rest += `${text.slice(end, match.index)}:`;
    end = match.index + arn.length;
  }
  rest = withoutKnown(rest + text.slice(end), inside.knownTexts);
  for (const host of hostsIn(rest)) report('Residency-GlobalEndpoint', host, `an address in ${regions}`);
  for (const [code, region = '', beyond] of rest.matchAll(REGION)) {
    if (beyond !== undefined || !inside.regions.includes(region.toLowerCase()))
      report('Residency-RegionLiteral', code, regions);
  }
  for (const [part] of rest.matchAll(PART_OF_REGION)) report('Residency-RegionLiteral', part, regions);
  const ids = inside.regions.map(zoneIdPrefix);
  for (const [id, prefix = '', beyond = ''] of rest.matchAll(ZONE_ID)) {
    if (beyond !== '' || !ids.includes(prefix.toLowerCase()))
      report('Residency-RegionLiteral', id, ids.map((one) => `${one}-az…`).join(', '));
  }
  const accounts = [
    ...Array.from(rest.matchAll(REGISTRY), ([, account = '']) => account),
    ...(place.namesAccount ? Array.from(rest.matchAll(ACCOUNT), ([account]) => account) : []),
  ];
  for (const account of accounts) {
    if (account !== inside.account) report('Residency-AccountLiteral', account, inside.account);
  }
  return findings;
}

/** Each known text only as a whole word. */
function withoutKnown(text: string, known: readonly string[]): string {
  return known.reduce((rest, one) => {
    const start = /^\w/.test(one) ? '(?<![a-z0-9.-])' : '';
    const end = /\w$/.test(one) ? '(?![a-z0-9])' : '';
    const literally = one.replaceAll(/\W/g, String.raw`\$&`);
    return rest.replaceAll(new RegExp(`${start}${literally}${end}`, 'g'), '…');
  }, text);
}

/** Empty: the service has none in its ARNs. */
function isFine(field: string, allowed: readonly string[], denied: boolean): boolean {
  if (field === '' || allowed.includes(field)) return true;
  return denied && field.includes('*');
}

/** Addresses of AWS that name no region at all; those that name one are found by it. */
function* hostsIn(text: string): Generator<string> {
  for (const [, host = ''] of text.matchAll(URL_HOST)) {
    const isAws = /(^|\.)(amazonaws\.com(\.cn)?|aws\.dev|api\.aws|on\.aws|aws\.amazon\.com)$/i.test(host);
    if (isAws && host.search(REGION) < 0) yield host;
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
