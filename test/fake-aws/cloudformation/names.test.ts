import { describe, expect, it } from 'vitest';
import { World } from '../world.ts';
import { physicalName } from './names.ts';

const world = new World();
const context = { world, stack: { id: 'arn', name: 'keyhearth-data' }, logicalId: 'Cluster12345' };

describe('names that CloudFormation makes up', () => {
  it('contain the stack, the logical id and a random part', () => {
    expect(physicalName(context, 128)).toMatch(/^keyhearth-data-Cluster12345-[0-9A-Z]{12}$/u);
  });

  it('keep the random part whole where they have to be cut', () => {
    const name = physicalName(context, 32);
    expect(name.length).toBeLessThanOrEqual(32);
    expect(name).toMatch(/^keyhearth-Cluster12-[0-9A-Z]{12}$/u);
  });

  it('are lower case where AWS wants them so', () => {
    expect(physicalName(context, 63, { lowerCase: true })).toMatch(/^[0-9a-z-]+$/u);
  });

  it('are never the same twice', () => {
    expect(physicalName(context, 64)).not.toBe(physicalName(context, 64));
  });

  it('do without a stack', () => {
    expect(physicalName({ ...context, stack: null }, 64)).toMatch(/^call-Cluster12345-/u);
  });
});
