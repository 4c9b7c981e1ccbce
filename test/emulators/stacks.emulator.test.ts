import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { UpdateTerminationProtectionCommand } from '@aws-sdk/client-cloudformation';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { Resource } from './adapt.ts';
import type { AssemblyStack } from '../../scripts/lib/assembly.ts';
import { Assembly } from './assembly.ts';
import { cdk } from './cdk.ts';
import { Deployment } from './deployment.ts';
import { EMULATORS } from './emulators.ts';
import { expectedFacts, ingressRules } from './expected.ts';
import {
  createCluster,
  createGlobal,
  createOrigin,
  globalDatabases,
  membersOf,
  withoutEngineVersion,
} from './global-database.ts';
import { inspect, INSPECTORS } from './inspect.ts';
import { givesOutputsToChangeSets, isTaken, type Probe } from './probe.ts';
import { leftOutTable } from './report.ts';
import { Server } from './server.ts';
import { topologyWith } from '../deploy/topologies.ts';
import { HOSTED_ZONES } from './zones.ts';

const APP = 'node infra/app.ts';
/** Named by digest: nobody here has a container builder, and an emulator pulls no image. */
const DIGEST = `sha256:${'0'.repeat(64)}`;
/** A region that no zone of the fixture is in. */
const ELSEWHERE = 'eu-north-1';

const folder = mkdtempSync(join(tmpdir(), 'keyhearth-emulators-'));
const synthesized = join(folder, 'synthesized');

beforeAll(async () => {
  const topology = join(folder, 'topology.json');
  writeFileSync(topology, JSON.stringify(topologyWith(DIGEST)));
  await cdk(
    { app: APP, topology, home: folder },
    'synth',
    '--quiet',
    '--strict',
    '--all',
    '-c',
    'environment=all',
    '-o',
    synthesized,
  );
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

// One after the other: each takes the machine to itself, and each test goes on from where the one before it stopped.
describe.each(EMULATORS)('$name', (emulator) => {
  const program = process.env[emulator.variable];
  if (program === undefined)
    throw new Error(`${emulator.variable} has to name the program: run .ci/emulators.sh`);
  const own = join(folder, emulator.name);
  let server: Server;
  let assembly: Assembly;
  let deployment: Deployment;

  /** What each stack had, before it was destroyed. */
  const physicalIds = new Map<string, ReadonlyMap<string, string>>();

  beforeAll(async () => {
    server = await Server.start(emulator.server(program, own));
    assembly = new Assembly(synthesized, join(own, 'assembly'));
    deployment = new Deployment({
      emulator,
      program,
      port: server.port,
      assembly,
      folder: own,
      hostedZones: HOSTED_ZONES,
    });
  });
  afterAll(async () => {
    await server.stop();
  });
  afterEach(({ task }) => {
    if (task.result?.state === 'fail')
      process.stdout.write(`${emulator.name} wrote last:\n${server.logEnd()}\n`);
  });

  test('what is hand-written about it is still so', async () => {
    const caller = await deployment.caller('444444444444', ELSEWHERE);
    const harmless: Probe = {
      template: { Resources: { Topic: { Type: 'AWS::SNS::Topic', Properties: { TopicName: 'probe' } } } },
    };
    expect(await isTaken(caller, harmless)).toBe(true);
    expect(await givesOutputsToChangeSets(caller)).toBe(emulator.givesOutputsToChangeSets);
    const { gaps, undestroyable } = emulator;
    const taken: string[] = [];
    for (const { probe, reason } of [...gaps, ...(undestroyable === undefined ? [] : [undestroyable])]) {
      if (probe !== undefined && (await isTaken(caller, probe))) taken.push(reason);
    }
    expect(taken).toEqual([]);
  });

  // Neither makes a global database from a template: its service is asked for what the templates say.
  test('the clusters of a zone make a global database, that of the origin as its writer', async () => {
    const account = '555555555555';
    const databases = globalDatabases(assembly);
    expect(databases.length).toBeGreaterThan(1);
    for (const database of databases) {
      const origin = await deployment.caller(account, database.origin.region);
      if (!emulator.knowsEngineVersion)
        await expect(createGlobal(origin, database)).rejects.toThrow(/Cannot find version/);
      const made = emulator.knowsEngineVersion ? database : withoutEngineVersion(database);
      await createGlobal(origin, made);
      const writer = await createOrigin(origin, made);
      const readers: string[] = [];
      for (const { region, properties } of made.secondaries)
        readers.push(await createCluster(await deployment.caller(account, region), properties));
      expect(readers.length).toBeGreaterThan(0);
      expect(await membersOf(origin, made.id)).toEqual({ writers: [writer], readers: readers.toSorted() });
    }
  });

  const orphan = 'a region’s cluster of a global database that isn’t there';
  test(`${orphan} is ${emulator.refusesOrphans ? 'refused' : 'made, unlike by AWS'}`, async () => {
    for (const { secondaries } of globalDatabases(assembly)) {
      for (const { region, properties } of secondaries) {
        const made = createCluster(await deployment.caller('666666666666', region), properties);
        if (emulator.refusesOrphans) await expect(made).rejects.toThrow(/global cluster/i);
        else await expect(made).resolves.toContain(region);
      }
    }
  });

  test('the CLI deploys what it can take of all stacks', async () => {
    await deployment.prepare();
    await deployment.deploy();
    process.stdout.write(`${leftOutTable(emulator, deployment.leftOut)}\n`);
    const unused = emulator.gaps.filter(
      ({ reason }) => !deployment.leftOut.some((entry) => entry.reason === reason),
    );
    expect(unused.map(({ type, reason }) => `${type}: ${reason}`)).toEqual([]);
  });

  test('each stack has what its template says, nothing more and nothing less', async () => {
    for (const stack of deployment.deployed) {
      const made = await deployment.resources(stack);
      const wanted = Object.entries(deployment.adapted.get(stack.name)?.Resources ?? {});
      const listed = made.map(({ LogicalResourceId: id, ResourceType: type }) => `${id} ${type}`);
      const { StackStatus: status } = await deployment.described(stack);
      expect({ stack: stack.name, status, resources: listed.toSorted() }).toEqual({
        stack: stack.name,
        status: 'CREATE_COMPLETE',
        resources: wanted.map(([id, { Type: type }]) => `${id} ${type}`).toSorted(),
      });
      physicalIds.set(
        stack.name,
        new Map(
          made.map(({ LogicalResourceId: id = '', PhysicalResourceId: physical = '' }) => [id, physical]),
        ),
      );
    }
  });

  test('the services themselves say so, and have what the templates say but for the known differences', async () => {
    const compared = new Map<string, number>();
    const differences = new Set<string>();
    for (const { stack, id, resource, found } of await inspected()) {
      const type = resource.Type;
      if (found === undefined) differences.add(`${stack.name} ${id}: not there`);
      for (const [fact, value] of Object.entries(expectedFacts(resource))) {
        if (!isDeepStrictEqual(found?.[fact], value)) differences.add(`${type}: ${fact}`);
      }
      compared.set(type, (compared.get(type) ?? 0) + 1);
    }
    const counts = [...compared].map(([type, count]) => `${count} ${type}`).join(', ');
    process.stdout.write(`${emulator.name}: compared with what the services say: ${counts}\n`);
    expect(compared.size).toBeGreaterThan(4);
    const known = emulator.differences.filter(({ fact }) => fact !== 'deletion');
    expect([...differences].toSorted()).toEqual(known.map(({ type, fact }) => `${type}: ${fact}`).toSorted());
  });

  test('security groups let in what the templates say, from where they say it', async () => {
    const wanted = ingressRules(deployment, physicalIds);
    for (const { account, region } of deployment.deployed) {
      const groups = await inspect('AWS::EC2::SecurityGroup', await deployment.caller(account, region));
      for (const [id, { ingress }] of groups) {
        const rules = wanted.get(id);
        if (rules !== undefined) expect({ id, ingress }).toEqual({ id, ingress: rules.toSorted() });
      }
    }
    expect(wanted.size).toBeGreaterThan(0);
  });

  test('the CLI destroys them in the right order', async () => {
    const stacks = destroyable();
    if (emulator.protectsStacks) {
      const protectedStacks = stacks.filter(({ terminationProtection }) => terminationProtection);
      const edge = protectedStacks.filter(({ name }) => name.endsWith('-edge'));
      await expect(deployment.destroy(edge)).rejects.toThrow(/TerminationProtection/);
      for (const { name: StackName, ...place } of protectedStacks) {
        const client = await deployment.client(place);
        await client.send(
          new UpdateTerminationProtectionCommand({ StackName, EnableTerminationProtection: false }),
        );
      }
    }
    const said = await deployment.destroy(stacks);
    const undestroyed = stacks.filter(({ name }) => !said.includes(`${name}: destroyed`));
    expect(undestroyed).toEqual([]);
    const tooEarly = stacks.flatMap(({ name, dependencies }) =>
      dependencies.filter((needed) => {
        const start = said.indexOf(`${needed}: destroying`);
        return start !== -1 && start < said.indexOf(`${name}: destroyed`);
      }),
    );
    expect(tooEarly).toEqual([]);
  });

  test('what was to go is gone, what was to stay is there, but for the known differences', async () => {
    const names = new Set(destroyable().map(({ name }) => name));
    const differences = new Set<string>();
    let [gone, kept] = [0, 0];
    for (const { stack, resource, found } of await inspected()) {
      if (!names.has(stack.name)) continue;
      const isToStay = resource.DeletionPolicy?.startsWith('Retain') === true;
      if (isToStay) kept += 1;
      else gone += 1;
      if ((found !== undefined) !== isToStay) differences.add(resource.Type);
    }
    process.stdout.write(
      `${emulator.name}: destroyed ${names.size} stacks; asked for ${gone} resources gone, ${kept} kept\n`,
    );
    expect(gone).toBeGreaterThan(10);
    const known = emulator.differences.filter(({ fact }) => fact === 'deletion');
    expect([...differences].toSorted()).toEqual(known.map(({ type }) => type).toSorted());
  });

  function destroyable(): readonly AssemblyStack[] {
    const { undestroyable } = emulator;
    return deployment.deployed.filter(
      ({ name }) => undestroyable === undefined || !name.includes(undestroyable.part),
    );
  }

  /** Every resource that was deployed and can be asked for, with what its service says of it now. */
  async function inspected(): Promise<readonly Inspected[]> {
    const all: Inspected[] = [];
    for (const type of Object.keys(INSPECTORS)) {
      const places = new Map<string, Awaited<ReturnType<typeof inspect>>>();
      for (const stack of deployment.deployed) {
        const { account, region, name } = stack;
        const place = `${account} ${region}`;
        const found = places.get(place) ?? (await inspect(type, await deployment.caller(account, region)));
        places.set(place, found);
        for (const [id, resource] of Object.entries(deployment.adapted.get(name)?.Resources ?? {})) {
          if (resource.Type === type)
            all.push({ stack, id, resource, found: found.get(physicalIds.get(name)?.get(id) ?? '') });
        }
      }
    }
    return all;
  }
});

interface Inspected {
  readonly stack: AssemblyStack;
  readonly id: string;
  readonly resource: Resource;
  readonly found: Readonly<Record<string, unknown>> | undefined;
}
