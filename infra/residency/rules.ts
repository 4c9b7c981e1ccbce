/** A rule of the residency gate: what it looks at, and what to do about a violation. docs/RESIDENCY.md lists every one. */
export interface Rule {
  readonly description: string;
  readonly fix: string;
}

/** By id. A rule without a test that injects its violation doesn't exist. */
export const RULES = {
  'Residency-UnknownStack': {
    description: 'Every stack belongs to one zone of the topology.',
    fix: 'Give the stack a name of infra/names.ts and list what it is for in infra/residency/border.ts.',
  },
  'Residency-StackRegion': {
    description: 'A stack is deployed to the region that the topology gives it.',
    fix: 'Make the stack with the region of its zone; never without one.',
  },
  'Residency-StackAccount': {
    description: "A stack is deployed to its zone's account.",
    fix: 'Make the stack with the account of its zone; never without one.',
  },
  'Residency-AssetDestination': {
    description:
      'What is uploaded for a stack goes to its own region and account, where its images come from.',
    fix: "Publish with the CDK's default synthesizer of the stack.",
  },
  'Residency-ResourceType': {
    description: 'Every type of resource has been reviewed for what it may send out of its region.',
    fix: 'Review the type: does any property of it copy data or name a place? Then add it to infra/residency/resource-types.ts.',
  },
  'Residency-CustomCode': {
    description: 'Nothing in a template runs code while it is deployed: code could do anything, anywhere.',
    fix: 'Say it with resources of CloudFormation: no custom resource, no Lambda function, no macro, no nested template.',
  },
  'Residency-RegionLiteral': {
    description: 'No text names a region or an availability zone outside the zone.',
    fix: "Take the region from the zone's deployment.",
  },
  'Residency-GlobalEndpoint': {
    description: "No text holds an address of AWS that is in no region of the zone, or in AWS's default one.",
    fix: 'Use the regional address, with a region of the zone in it.',
  },
  'Residency-ArnRegion': {
    description: 'An ARN names a region of the zone.',
    fix: 'Name the region; in a policy that allows something, `*` is no region.',
  },
  'Residency-ArnAccount': {
    description: "An ARN names the zone's account.",
    fix: 'Name the account; in a policy that allows something, `*` is no account.',
  },
  'Residency-AccountLiteral': {
    description: 'No text names another AWS account.',
    fix: "Take the account from the zone's deployment.",
  },
  'Residency-Parameter': {
    description: 'No text enters a template when it is deployed, since the gate could not have seen it.',
    fix: 'Put it into the topology. The parameters that there may be are in infra/residency/exemptions.ts; one with a single allowed value is fine.',
  },
  'Residency-StackOutput': {
    description:
      'A stack reads outputs of its own zone only, where they are; outputs are of resources, not texts.',
    fix: 'Zones share nothing: make the resource in both. Give out what a Ref or an attribute of a resource says.',
  },
  'Residency-SharedExport': {
    description: 'No export and no import: neither says which zone is at its other end.',
    fix: 'Use a weak reference (Fn::GetStackOutput): it names the stack.',
  },
  'Residency-SecretReplica': {
    description: 'Secrets are replicated inside the zone.',
    fix: 'Replicate to regions of the zone, named literally.',
  },
  'Residency-BucketReplication': {
    description: "A bucket isn't replicated: the ARN of its target doesn't say where it is.",
    fix: 'Each region of the zone has buckets of its own.',
  },
  'Residency-DatabaseCopy': {
    description:
      'A database is made empty or belongs to the global cluster of its zone; it is copied nowhere else.',
    fix: "Use infra/names.ts's identifier; restore a snapshot by hand, inside the zone.",
  },
  'Residency-KeyReplica': {
    description:
      "Keys stay in their region; the multi-Region key is in the origin's base, with replicas inside the zone.",
    fix: "Use a key of each region, or a replica of the key in the origin's base.",
  },
  'Residency-Principal': {
    description:
      "Policies of resources let in the zone's account and AWS services only; no bucket is public.",
    fix: "Name a role of the zone's account, or a service principal without a region, in a statement with a literal effect.",
  },
  'Residency-Network': {
    description:
      'Networks are connected with networks of the zone and with AWS services of their own region.',
    fix: "Peer with a network of the zone by a reference to its stack, in the zone's account.",
  },
  'Residency-EntryPoint': {
    description:
      "Names and the accelerator lead to load balancers of the zone's stacks; there is no other way in.",
    fix: "Take the load balancer from a stack of the zone and its group's region from the topology.",
  },
  'Residency-LogDestination': {
    description: 'Logs, events, metrics and flow logs go to resources of the zone, given as references.',
    fix: "Refer to a resource of the zone's stacks. A bucket's name or ARN alone doesn't say where it is.",
  },
  'Residency-Subscription': {
    description: "Notifications go to the topology's e-mail address, or to a resource of the zone.",
    fix: 'Subscribe the address of `alarms`, or refer to a queue in the zone.',
  },
  'Residency-RoleBoundary': {
    description: "Every role is bounded by its region's permission boundary, and tasks have such roles only.",
    fix: "Name the boundary of infra/names.ts on the role; refer to roles of the same stack. The boundary's statements are those of policies.ts.",
  },
} as const satisfies Readonly<Record<string, Rule>>;

export type RuleId = keyof typeof RULES;

/** All rule ids. */
// Object.keys is typed as string[]; the table is frozen at compile time, so its keys are exactly these.
export const RULE_IDS = Object.keys(RULES) as readonly RuleId[];

/** One thing found in one place. */
export interface Finding {
  readonly rule: RuleId;
  /** Null for what isn't part of a resource. */
  readonly logicalId: string | null;
  /** In the template, from the resource where there is one, e.g. `Properties/ReplicaRegions/0/Region`. */
  readonly path: string;
  readonly found: string;
  readonly allowed: string;
}
