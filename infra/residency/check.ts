import type { ZoneBorder } from './border.ts';
import { borderAround } from './border.ts';
import { isExempt, isExemptParameter } from './exemptions.ts';
import { ownBoundary, principalProblem, type Look } from './demands.ts';
import { propertyRulesOf } from './property-rules.ts';
import { runsCode, typeProblem } from './resource-types.ts';
import type { Finding, RuleId } from './rules.ts';
import { isObject, select, textOf, type Json, type JsonObject, type StackFacts } from './template.ts';
import { judgeText } from './texts.ts';
import { walk } from './walk.ts';

/** A stack as it is about to be deployed. */
export interface StackFile {
  readonly stackName: string;
  /** Undefined where the deployment decides. */
  readonly account: string | undefined;
  readonly region: string | undefined;
  readonly template: JsonObject;
  /** What the CDK uploads for it; null where it uploads nothing. */
  readonly assets: JsonObject | null;
}

/** Everything in a stack that is, goes or comes from outside its zone. Reads plain JSON: it knows nothing of what made it. */
export function checkStack(borders: readonly ZoneBorder[], stack: StackFile): readonly Finding[] {
  const border = borderAround(borders, stack.stackName);
  if (border === null) {
    const allowed = borders.map(({ environment, zone }) => `a stack of ${environment}/${zone}`).join(' or ');
    return [{ rule: 'Residency-UnknownStack', logicalId: null, path: '', found: stack.stackName, allowed }];
  }
  return new StackCheck(border, stack).run();
}

/** Where the CDK's bootstrap stack keeps its version. */
const BOOTSTRAP_VERSION = /^\/cdk-bootstrap\/[a-z0-9]+\/version$/;

/** One look at one stack. */
class StackCheck {
  readonly #border: ZoneBorder;
  readonly #stack: StackFile;
  readonly #facts: StackFacts;
  readonly #resources: JsonObject;
  readonly #findings: Finding[] = [];

  constructor(border: ZoneBorder, stack: StackFile) {
    this.#border = border;
    this.#stack = stack;
    this.#facts = {
      stackName: stack.stackName,
      account: border.account,
      // What the topology says, should the stack say something else: that is a finding of its own.
      region: border.stacks.get(stack.stackName) ?? '',
    };
    const { Resources: resources } = stack.template;
    this.#resources = isObject(resources) ? resources : {};
  }

  run(): readonly Finding[] {
    this.#environment();
    this.#assets();
    const {
      Resources: _,
      Parameters: parameters,
      Outputs: outputs,
      Transform: transform,
      ...sections
    } = this.#stack.template;
    if (transform !== undefined)
      this.#report('Residency-CustomCode', null, 'Transform', transform, 'no macro');
    this.#parameters(isObject(parameters) ? parameters : {});
    this.#outputs(isObject(outputs) ? outputs : {});
    this.#texts(sections, null, '', new Set());
    for (const [logicalId, resource] of Object.entries(this.#resources)) {
      if (isObject(resource)) this.#resource(logicalId, resource);
    }
    return this.#findings;
  }

  #environment(): void {
    const { account = 'any account', region = 'any region' } = this.#stack;
    if (region !== this.#facts.region)
      this.#report('Residency-StackRegion', null, '', region, this.#facts.region);
    if (account !== this.#facts.account)
      this.#report('Residency-StackAccount', null, '', account, this.#facts.account);
  }

  #assets(): void {
    const { files, dockerImages } = this.#stack.assets ?? {};
    for (const [id, asset] of Object.entries({ ...asObject(files), ...asObject(dockerImages) })) {
      const { destinations } = asObject(asset);
      for (const destination of Object.values(asObject(destinations))) {
        const { region } = asObject(destination);
        // The partition is written as a reference in the CDK's own notation; its colons would shift the parts of an ARN.
        const text = JSON.stringify(destination).replaceAll('${AWS::Partition}', 'aws');
        const outside = judgeText(
          text,
          { account: this.#facts.account, regions: [this.#facts.region] },
          false,
        );
        if (region !== this.#facts.region || outside.length > 0) {
          this.#report(
            'Residency-AssetDestination',
            null,
            `assets/${id}`,
            text,
            `${this.#facts.region} in ${this.#facts.account}`,
          );
        }
      }
    }
  }

  /** Numbers, texts of a closed list (which are looked at like any other), and the version of the bootstrap stack that the CDK asks for. */
  #parameters(parameters: JsonObject): void {
    for (const [name, parameter] of Object.entries(parameters)) {
      const { Type: type, Default: value, AllowedValues: closed } = asObject(parameter);
      const isVersion =
        type === 'AWS::SSM::Parameter::Value<String>' &&
        typeof value === 'string' &&
        BOOTSTRAP_VERSION.test(value);
      const isFine = type === 'Number' || closed !== undefined || isVersion;
      if (!isFine && !isExemptParameter(this.#border, this.#stack.stackName, name))
        this.#report(
          'Residency-Parameter',
          null,
          `Parameters/${name}`,
          type ?? null,
          'Number, or AllowedValues',
        );
    }
    this.#texts(parameters, null, 'Parameters', new Set());
  }

  #outputs(outputs: JsonObject): void {
    for (const [name, output] of Object.entries(outputs)) {
      const { Export: exported } = asObject(output);
      if (exported !== undefined)
        this.#report('Residency-SharedExport', null, `Outputs/${name}/Export`, exported, 'no Export');
    }
    this.#texts(outputs, null, 'Outputs', new Set());
  }

  #resource(logicalId: string, resource: JsonObject): void {
    const type = typeOf(resource);
    const problem = typeProblem(type);
    if (runsCode(type))
      this.#report('Residency-CustomCode', logicalId, 'Type', type, 'resources that run no code');
    else if (problem !== null)
      this.#report(
        'Residency-ResourceType',
        logicalId,
        'Type',
        type,
        `a reviewed type; this one: ${problem}`,
      );
    const properties = asObject(resource['Properties']);
    const look = this.#look();
    if (type === 'AWS::IAM::Role') this.#role(logicalId, properties, look);
    const claimed = new Set<string>();
    for (const { rule, path, demand, claims } of propertyRulesOf(type)) {
      for (const placed of select(properties, path)) {
        const at = ['Properties', placed.path].filter((step) => step !== '').join('/');
        if (claims) claimed.add(at);
        const allowed = demand(placed.value, look);
        if (allowed !== null) this.#report(rule, logicalId, at, placed.value, allowed);
      }
    }
    this.#texts(resource, logicalId, '', claimed);
  }

  #role(logicalId: string, { PermissionsBoundary: boundary }: JsonObject, look: Look): void {
    const allowed = ownBoundary(boundary ?? null, look);
    if (allowed !== null)
      this.#report(
        'Residency-RoleBoundary',
        logicalId,
        'Properties/PermissionsBoundary',
        boundary ?? 'none',
        allowed,
      );
  }

  #texts(part: Json, logicalId: string | null, start: string, claimed: ReadonlySet<string>): void {
    const type = logicalId === null ? null : typeOf(asObject(this.#resources[logicalId]));
    const look = this.#look();
    const full = (path: string): string => [start, path].filter((step) => step !== '').join('/');
    walk(part, this.#facts, {
      isClaimed: (path) => claimed.size > 0 && isWithin(full(path), claimed),
      text: (text, path, { denied, widgetNamespace }) => {
        for (const { rule, found, allowed } of judgeText(text, this.#border, denied)) {
          const suspect = { rule, type, found, path: full(path), widgetNamespace };
          if (!isExempt(suspect)) this.#report(rule, logicalId, full(path), found, allowed);
        }
      },
      intrinsic: (name, argument, path) => this.#intrinsic(name, argument, logicalId, full(path)),
      statement: (statement, path) => {
        // An endpoint's policy limits who passes; it lets nobody in.
        const found = principalProblem(statement, look, type !== 'AWS::EC2::VPCEndpoint');
        if (found !== null)
          this.#report(
            'Residency-Principal',
            logicalId,
            full(path),
            found,
            `account ${this.#facts.account}, or a service`,
          );
      },
    });
  }

  #intrinsic(name: string, argument: Json, logicalId: string | null, path: string): void {
    if (name === 'Fn::ImportValue')
      this.#report('Residency-SharedExport', logicalId, path, argument, 'Fn::GetStackOutput');
    if (name === 'Fn::Transform') this.#report('Residency-CustomCode', logicalId, path, argument, 'no macro');
    if (name !== 'Fn::GetStackOutput') return;
    const { StackName: stackName, Region: region, RoleArn: role } = asObject(argument);
    const home = this.#border.stacks.get(textOf(stackName, this.#facts) ?? '');
    const isThere = home !== undefined && (textOf(region, this.#facts) ?? this.#facts.region) === home;
    if (!isThere || role !== undefined) {
      this.#report(
        'Residency-StackOutput',
        logicalId,
        path,
        argument,
        `a stack of zone ${this.#border.zone} in its region, without another role`,
      );
    }
  }

  #look(): Look {
    const hasResource = (id: string): boolean => Object.hasOwn(this.#resources, id);
    return { border: this.#border, facts: this.#facts, hasResource };
  }

  #report(rule: RuleId, logicalId: string | null, path: string, found: Json, allowed: string): void {
    const text = typeof found === 'string' ? found : JSON.stringify(found);
    this.#findings.push({ rule, logicalId, path, found: text, allowed });
  }
}

function typeOf({ Type: type }: JsonObject): string {
  return typeof type === 'string' ? type : 'no type';
}

function asObject(value: Json | undefined): JsonObject {
  return isObject(value) ? value : {};
}

function isWithin(path: string, claimed: ReadonlySet<string>): boolean {
  return [...claimed].some((one) => path === one || path.startsWith(`${one}/`));
}
