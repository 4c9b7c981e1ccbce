/** A template, or a part of it, as it was read from its file. */
type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json };

/** A template and where it is deployed. */
export interface DeployedTemplate {
  readonly stackName: string;
  readonly region: string;
  readonly template: object;
}

/** Who a rule is for: another group, by its id, or an address range. */
export interface Rule {
  readonly id: string;
  readonly direction: 'in' | 'out';
  readonly group: string;
  readonly protocol: string;
  readonly from: number;
  readonly to: number;
  readonly peer: string;
}

interface Route {
  readonly id: string;
  readonly table: string;
  readonly destination: string;
  readonly kind: 'gateway' | 'nat' | 'peering' | 'other';
  readonly target: string;
}

/** A resource with the helpers to read what it refers to, in whichever stack that is. */
export interface Found {
  /** `<stack>#<logical id>`, which is also what a reference to it comes to. */
  readonly id: string;
  readonly type: string;
  readonly region: string;
  /** Text of a property, or the id of what it refers to; '' where it is absent. */
  text(...path: readonly string[]): string;
  texts(...path: readonly string[]): readonly string[];
  number(...path: readonly string[]): number;
  /** Elements of a list of objects. */
  list(...path: readonly string[]): readonly Found[];
}

/** All resources of all templates, with references followed from stack to stack. */
export class NetworkModel {
  readonly resources: readonly Found[];
  readonly rules: readonly Rule[];
  readonly routes: readonly Route[];
  readonly #templates: ReadonlyMap<string, DeployedTemplate>;

  constructor(templates: readonly DeployedTemplate[]) {
    this.#templates = new Map(templates.map((one) => [one.stackName, one]));
    this.resources = templates.flatMap((stack) =>
      entriesOf(partOf(stack, 'Resources')).map(([name, resource]) =>
        this.#found(
          stack,
          `${stack.stackName}#${name}`,
          literal(at(resource, ['Type'])),
          at(resource, ['Properties']),
        ),
      ),
    );
    this.rules = [...this.of('AWS::EC2::SecurityGroup').flatMap(inlineRules), ...this.#ownRules()];
    this.routes = this.of('AWS::EC2::Route').map(routeOf);
  }

  of(type: string, region?: string): readonly Found[] {
    return this.resources.filter(
      (one) => one.type === type && (region === undefined || one.region === region),
    );
  }

  /** The one with this id. */
  get(id: string): Found | undefined {
    return this.resources.find((one) => one.id === id);
  }

  #ownRules(): readonly Rule[] {
    return (['Ingress', 'Egress'] as const).flatMap((kind) =>
      this.of(`AWS::EC2::SecurityGroup${kind}`).map((one) => ruleOf(one, one.id, one.text('GroupId'), kind)),
    );
  }

  #found(stack: DeployedTemplate, id: string, type: string, properties: Json | undefined): Found {
    return {
      id,
      type,
      region: stack.region,
      text: (...path) => this.#text(at(properties, path), stack),
      texts: (...path) => this.#texts(at(properties, path), stack),
      number: (...path) => Number(at(properties, path) ?? Number.NaN),
      list: (...path) =>
        listOf(at(properties, path)).map((element, index) =>
          this.#found(stack, `${id}.${path.join('.')}[${index}]`, `${type}.${path.join('.')}`, element),
        ),
    };
  }

  /** Follows a reference to its resource: `<stack>#<logical id>`, for whichever of its attributes. */
  #text(value: Json | undefined, stack: DeployedTemplate): string {
    if (value === undefined) return '';
    const [key, argument] = entriesOf(value)[0] ?? [];
    if (key === 'Ref')
      return argument === 'AWS::Region' ? stack.region : `${stack.stackName}#${literal(argument)}`;
    if (key === 'Fn::GetAtt') return this.#attribute(argument, stack);
    if (key === 'Fn::GetStackOutput') return this.#output(argument);
    if (key === 'Fn::Join') {
      const [separator, parts] = listOf(argument);
      return this.#texts(parts, stack).join(literal(separator));
    }
    return typeof value === 'object' ? JSON.stringify(value) : String(value);
  }

  #attribute(argument: Json | undefined, stack: DeployedTemplate): string {
    const [resource, attribute] = listOf(argument).map(literal);
    const id = `${stack.stackName}#${resource}`;
    return attribute === 'DefaultSecurityGroup' ? `${id}.default` : id;
  }

  #output(argument: Json | undefined): string {
    const producer = this.#templates.get(literal(at(argument, ['StackName'])));
    if (producer === undefined || producer.region !== at(argument, ['Region'])) return 'unknown stack';
    const value = at(partOf(producer, 'Outputs'), [literal(at(argument, ['OutputName'])), 'Value']);
    return value === undefined ? 'unknown output' : this.#text(value, producer);
  }

  /** Lists go from stack to stack as joined text. */
  #texts(value: Json | undefined, stack: DeployedTemplate): readonly string[] {
    const split = at(value, ['Fn::Split']);
    if (split === undefined) return listOf(value).map((element) => this.#text(element, stack));
    const [separator, text] = listOf(split);
    return this.#text(text, stack).split(literal(separator));
  }
}

function routeOf(route: Found): Route {
  const kinds = { gateway: 'GatewayId', nat: 'NatGatewayId', peering: 'VpcPeeringConnectionId' } as const;
  const common = {
    id: route.id,
    table: route.text('RouteTableId'),
    destination: route.text('DestinationCidrBlock') || 'not an IPv4 range',
  };
  for (const kind of ['gateway', 'nat', 'peering'] as const) {
    const target = route.text(kinds[kind]);
    if (target !== '') return { ...common, kind, target };
  }
  return { ...common, kind: 'other', target: '' };
}

/** EC2 lets everything out of a group that is made without a rule for it. */
function inlineRules(group: Found): readonly Rule[] {
  const rules = (['Ingress', 'Egress'] as const).flatMap((kind) =>
    group.list(`SecurityGroup${kind}`).map((one) => ruleOf(one, one.id, group.id, kind)),
  );
  if (rules.some(({ direction }) => direction === 'out')) return rules;
  const everything = { protocol: '-1', from: 0, to: 65_535, peer: '0.0.0.0/0' };
  return [...rules, { id: `${group.id}.(default)`, direction: 'out', group: group.id, ...everything }];
}

function ruleOf(rule: Found, id: string, group: string, kind: 'Ingress' | 'Egress'): Rule {
  const other = kind === 'Ingress' ? 'SourceSecurityGroupId' : 'DestinationSecurityGroupId';
  return {
    id,
    direction: kind === 'Ingress' ? 'in' : 'out',
    group,
    protocol: rule.text('IpProtocol'),
    from: rule.number('FromPort'),
    to: rule.number('ToPort'),
    peer: rule.text('CidrIp') || rule.text(other) || 'neither a group nor an IPv4 range',
  };
}

function partOf({ template }: DeployedTemplate, name: string): Json | undefined {
  // What comes from a file of JSON.
  return (template as { readonly [key: string]: Json })[name];
}

function at(value: Json | undefined, path: readonly string[]): Json | undefined {
  return path.reduce<Json | undefined>(
    (current, key) => entriesOf(current).find(([name]) => name === key)?.[1],
    value,
  );
}

/** Text where the template can have nothing else. */
function literal(value: Json | undefined): string {
  return typeof value === 'string' ? value : JSON.stringify(value ?? null);
}

function entriesOf(value: Json | undefined): readonly (readonly [string, Json])[] {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? Object.entries(value) : [];
}

function listOf(value: Json | undefined): readonly Json[] {
  // Array.isArray doesn't narrow a readonly array.
  return Array.isArray(value) ? (value as readonly Json[]) : [];
}
