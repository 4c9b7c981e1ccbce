import { plainPartition, uploadsElsewhere } from './assets.ts';
import type { ZoneBorder } from './border.ts';
import { borderAround } from './border.ts';
import type { Look } from './demands.ts';
import { textOf } from './evaluate.ts';
import { BOOTSTRAP_PARAMETER, isExempt, isKnownParameter } from './exemptions.ts';
import { propertyRulesOf } from './property-rules.ts';
import { runsCode, typeProblem } from './resource-types.ts';
import { isOutput } from './outputs.ts';
import { boundaryProblem, isBoundaryIntact, principalProblem } from './roles.ts';
import type { Finding, RuleId } from './rules.ts';
import { asObject, isObject, select, type Json, type JsonObject, type StackFacts } from './template.ts';
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
  /** What the CDK's manifest says of how it is deployed; null where it says nothing. */
  readonly manifest: JsonObject | null;
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

/** Members of which digits are an account. */
const ACCOUNT_KEY = /account|owner/i;

/** One look at one stack. */
class StackCheck {
  readonly #border: ZoneBorder;
  readonly #stack: StackFile;
  readonly #facts: StackFacts;
  readonly #findings: Finding[] = [];

  constructor(border: ZoneBorder, stack: StackFile) {
    this.#border = border;
    this.#stack = stack;
    const { Resources: resources, Parameters: parameters, Mappings: mappings } = stack.template;
    this.#facts = {
      stackName: stack.stackName,
      account: border.account,
      // What the topology says, should the stack say something else: that is a finding of its own.
      region: border.stacks.get(stack.stackName) ?? '',
      resources: asObject(resources),
      parameters: asObject(parameters),
      mappings: asObject(mappings),
    };
  }

  run(): readonly Finding[] {
    this.#environment();
    this.#assets();
    this.#deployment();
    const {
      Resources: _,
      Parameters: __,
      Outputs: outputs,
      Transform: transform,
      Hooks: hooks,
      ...sections
    } = this.#stack.template;
    if (transform !== undefined)
      this.#report('Residency-CustomCode', null, 'Transform', transform, 'no macro');
    if (hooks !== undefined) this.#report('Residency-CustomCode', null, 'Hooks', hooks, 'no hook');
    this.#parameters();
    this.#outputs(asObject(outputs));
    this.#texts(sections, null, '', new Set());
    for (const [logicalId, resource] of Object.entries(this.#facts.resources)) {
      if (isObject(resource)) this.#resource(logicalId, resource);
      else this.#report('Residency-CustomCode', logicalId, '', resource, 'a resource');
    }
    this.#boundary();
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
    const { account, region } = this.#facts;
    for (const { id, destination } of uploadsElsewhere(this.#stack.assets, this.#border, region)) {
      const allowed = `${region} in ${account}`;
      this.#report('Residency-AssetDestination', null, `assets/${id}`, destination, allowed);
    }
  }

  /** Which roles the CDK takes on to deploy the stack, and who CloudFormation tells. */
  #deployment(): void {
    const { environment, properties } = this.#stack.manifest ?? {};
    const { notificationArns, ...others } = asObject(properties);
    if (notificationArns !== undefined)
      this.#report('Residency-Subscription', null, 'manifest/notificationArns', notificationArns, 'nobody');
    // The CDK's own notation for a partition would shift the parts of an ARN.
    const plain: unknown = JSON.parse(plainPartition({ environment: environment ?? null, ...others }));
    // Made from JSON two words ago.
    this.#texts(plain as Json, null, 'manifest', new Set());
  }

  #parameters(): void {
    const { parameters } = this.#facts;
    for (const [name, parameter] of Object.entries(parameters)) {
      if (!isKnownParameter(this.#border, this.#stack.stackName, name, asObject(parameter))) {
        const allowed = 'a known parameter, or a text with one allowed value';
        this.#report('Residency-Parameter', null, `Parameters/${name}`, parameter, allowed);
      }
    }
    const { Rules: _, Parameters: __, ...others } = this.#stack.template;
    const isRead = new RegExp(`\\{"Ref":"${BOOTSTRAP_PARAMETER}"\\}|\\$\\{${BOOTSTRAP_PARAMETER}\\}`);
    if (isRead.test(JSON.stringify(others)))
      this.#report('Residency-Parameter', null, 'Resources', BOOTSTRAP_PARAMETER, 'read in Rules only');
    this.#texts(parameters, null, 'Parameters', new Set());
  }

  #outputs(outputs: JsonObject): void {
    for (const [name, output] of Object.entries(outputs)) {
      const { Export: exported, Value: value } = asObject(output);
      if (exported !== undefined)
        this.#report('Residency-SharedExport', null, `Outputs/${name}/Export`, exported, 'no Export');
      if (!isOutput(value, this.#look())) {
        const allowed = `something of a resource, or ${this.#border.names.join(', ')}`;
        this.#report('Residency-StackOutput', null, `Outputs/${name}/Value`, value ?? null, allowed);
      }
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
    if (type === 'AWS::IAM::Role') {
      const { PermissionsBoundary: boundary = null } = properties;
      const allowed = boundaryProblem(boundary, look);
      if (allowed !== null)
        this.#report(
          'Residency-RoleBoundary',
          logicalId,
          'Properties/PermissionsBoundary',
          boundary,
          allowed,
        );
    }
    if (type === 'AWS::IAM::ManagedPolicy' && isBoundaryIntact(properties, look) === false) {
      const { PolicyDocument: document = null } = properties;
      const allowed = 'the statements of infra/residency/policies.ts';
      this.#report('Residency-RoleBoundary', logicalId, 'Properties/PolicyDocument', document, allowed);
    }
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

  /** The base stack makes the boundary that every role of the region is given by its name. */
  #boundary(): void {
    const { stack = '', policy = '' } = this.#border.boundaries.get(this.#facts.region) ?? {};
    if (this.#stack.stackName !== stack) return;
    const look = this.#look();
    const isThere = Object.values(this.#facts.resources).some((resource) => {
      const { Type: type, Properties: properties } = asObject(resource);
      return type === 'AWS::IAM::ManagedPolicy' && isBoundaryIntact(asObject(properties), look) !== null;
    });
    if (!isThere) this.#report('Residency-RoleBoundary', null, '', 'no policy', policy);
  }

  #texts(part: Json, logicalId: string | null, start: string, claimed: ReadonlySet<string>): void {
    const type = logicalId === null ? null : typeOf(asObject(this.#facts.resources[logicalId]));
    const look = this.#look();
    const full = (path: string): string => [start, path].filter((step) => step !== '').join('/');
    walk(part, this.#facts, {
      isClaimed: (path) => claimed.size > 0 && isWithin(full(path), claimed),
      text: (text, path, { denied, widgetNamespace }) => {
        const namesAccount = ACCOUNT_KEY.test(memberAt(path));
        for (const { rule, found, allowed } of judgeText(text, this.#border, { denied, namesAccount })) {
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
    const place = region === undefined ? this.#facts.region : textOf(region, this.#facts);
    const isThere = home !== undefined && place === home;
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
    return { border: this.#border, facts: this.#facts };
  }

  #report(rule: RuleId, logicalId: string | null, path: string, found: Json, allowed: string): void {
    const text = typeof found === 'string' ? found : JSON.stringify(found);
    const finding = { rule, logicalId, path, found: text, allowed };
    // A text that can be put together in several ways says the same in most.
    const isKnown = this.#findings.some(
      (one) => one.rule === rule && one.logicalId === logicalId && one.path === path && one.found === text,
    );
    if (!isKnown) this.#findings.push(finding);
  }
}

function typeOf({ Type: type }: JsonObject): string {
  return typeof type === 'string' ? type : 'no type';
}

/** Name of the member that a text belongs to: the last step of a path that isn't a function or a place in a list. */
function memberAt(path: string): string {
  const steps = path.split('/').filter((step) => !/^(?:\d+|Ref|Fn::\w+)$/.test(step));
  return steps.at(-1) ?? '';
}

function isWithin(path: string, claimed: ReadonlySet<string>): boolean {
  return [...claimed].some((one) => path === one || path.startsWith(`${one}/`));
}
