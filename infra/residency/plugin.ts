import { existsSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import {
  Stack,
  Validations,
  type App,
  type IPolicyValidationContext,
  type IPolicyValidationPlugin,
  type PolicyValidationPluginReport,
  type PolicyViolation,
} from 'aws-cdk-lib';
import type { ZoneDeployment } from '../../topology/deployment.ts';
import { borderOf, type ZoneBorder } from './border.ts';
import { checkStack, type StackFile } from './check.ts';
import { RULE_IDS, RULES, type Finding } from './rules.ts';
import { asObject, type JsonObject } from './template.ts';
import { removePolicies } from './write-policies.ts';

/**
 * Judges every template of an app as it was written to disk, and fails the synthesis when anything of a zone is outside of it. Its
 * violations are fatal, which the CDK lets nobody acknowledge.
 */
export class ResidencyCheck implements IPolicyValidationPlugin {
  readonly name = 'Residency';
  readonly version = '1.0.0';
  readonly ruleIds = [...RULE_IDS];
  readonly #borders: readonly ZoneBorder[];

  constructor(zones: readonly ZoneDeployment[]) {
    this.#borders = zones.map(borderOf);
  }

  validate({ stackTemplates, appConstruct }: IPolicyValidationContext): PolicyValidationPluginReport {
    const names = new Map<string, string>();
    for (const construct of appConstruct.node.findAll()) {
      if (Stack.isStack(construct)) names.set(construct.node.path, construct.stackName);
    }
    const violations = stackTemplates.flatMap(({ stackConstructPath, templatePath, accountId, region }) => {
      const stack = readStack(templatePath, {
        stackName: names.get(stackConstructPath) ?? stackConstructPath,
        account: accountId,
        region,
      });
      return checkStack(this.#borders, stack).map((finding) =>
        violationOf(finding, stackConstructPath, templatePath),
      );
    });
    return { success: violations.length === 0, violations };
  }
}

/**
 * Makes synthesis of the app fail when anything lies outside its zone. `zones`: of all stacks that the app makes. Policies that an earlier
 * synthesis left in the app's output folder go now, so that none is there should this one fail.
 */
export function addResidencyCheck(app: App, zones: readonly ZoneDeployment[]): void {
  removePolicies(app.outdir);
  Validations.of(app).addPlugins(new ResidencyCheck(zones));
}

function violationOf(finding: Finding, stackPath: string, templatePath: string): PolicyViolation {
  const { rule, logicalId, path, found, allowed } = finding;
  return {
    ruleName: rule,
    description: `${RULES[rule].description} Found ${shortened(found)}; allowed: ${allowed}.`,
    fix: RULES[rule].fix,
    severity: 'fatal',
    ruleMetadata: { found: shortened(found), allowed },
    violatingResources: [
      {
        ...(logicalId === null ? { constructPath: stackPath } : { resourceLogicalId: logicalId }),
        templatePath,
        locations: path === '' ? [] : [path],
      },
    ],
  };
}

/** A whole policy is no message. */
function shortened(text: string): string {
  return text.length <= 200 ? text : `${text.slice(0, 200)}…`;
}

/** A stack from the files that the CDK has written for it. */
export function readStack(
  templatePath: string,
  identity: Pick<StackFile, 'stackName' | 'account' | 'region'>,
): StackFile {
  return {
    ...identity,
    template: readObject(templatePath),
    assets: assetsOf(templatePath),
    manifest: manifestOf(templatePath),
  };
}

/** What the assembly says of how the template is deployed: the CDK writes it before it validates. */
function manifestOf(templatePath: string): JsonObject | null {
  const { artifacts } = readObject(join(dirname(templatePath), 'manifest.json'));
  const found = Object.values(asObject(artifacts)).find(
    (one) => asObject(asObject(one)['properties'])['templateFile'] === basename(templatePath),
  );
  return found === undefined ? null : asObject(found);
}

/** The CDK lists uploads of `x.template.json` in `x.assets.json` beside it. */
function assetsOf(templatePath: string): JsonObject | null {
  const path = templatePath.replace(/\.template\.json$/, '.assets.json');
  return path !== templatePath && existsSync(path) ? readObject(path) : null;
}

function readObject(path: string): JsonObject {
  // Both files are written by the CDK, and are objects.
  return JSON.parse(readFileSync(path, 'utf8')) as JsonObject;
}
