import { describe, expect, it } from 'vitest';
import type { Behaviour } from '../behaviour.ts';
import type { Properties } from '../values.ts';
import { World } from '../world.ts';
import { difference, type Difference } from './changes.ts';
import { plainBehaviour } from './harness.ts';
import { UNKNOWN } from './intrinsics.ts';

/** `maybe`, in AWS's schema: EngineVersion isn't, Engine is, DBClusterIdentifier always replaces. */
const TYPE = 'AWS::RDS::DBCluster';

function change(before: Properties, after: Properties, replaces?: Behaviour['replaces']): Difference {
  const world = new World();
  const resource = world.add({
    account: '1',
    region: 'r',
    type: TYPE,
    id: 'i',
    properties: before,
    attributes: {},
    stack: null,
  });
  return difference(before, after, {
    behaviour: plainBehaviour(TYPE, replaces ? { replaces } : {}),
    resource,
  });
}

describe('what a change does to a resource', () => {
  it('is nothing where nothing differs', () => {
    expect(change({ Engine: 'a', Tags: [{ Key: 'k' }] }, { Engine: 'a', Tags: [{ Key: 'k' }] })).toEqual({
      changed: [],
      replacement: 'False',
    });
  });

  it('is an update, or makes it anew, as its schema says', () => {
    expect(change({ Port: 1 }, { Port: 2 })).toEqual({ changed: ['Port'], replacement: 'False' });
    expect(
      change({ Port: 1, DBClusterIdentifier: 'a' }, { Port: 2, DBClusterIdentifier: 'b' }).replacement,
    ).toBe('True');
    expect(change({ DBClusterIdentifier: 'a' }, {}).replacement).toBe('True');
  });

  it('is for the behaviour to say where the schema leaves it open, and makes it anew where that says nothing', () => {
    expect(change({ Engine: 'a' }, { Engine: 'b' }).replacement).toBe('True');
    expect(change({ Engine: 'a' }, { Engine: 'b' }, () => false).replacement).toBe('False');
    expect(
      change({ Engine: 'a' }, { Engine: 'b' }, (_resource, _properties, changed) =>
        changed.includes('Engine'),
      ).replacement,
    ).toBe('True');
  });

  it('is open where a value is not known yet', () => {
    expect(change({ DBClusterIdentifier: 'a' }, { DBClusterIdentifier: UNKNOWN }).replacement).toBe(
      'Conditional',
    );
    expect(change({ Port: 1 }, { Port: UNKNOWN }).replacement).toBe('False');
  });
});
