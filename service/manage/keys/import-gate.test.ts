import { expect, test } from 'vitest';
import { ImportGate } from './import-gate.ts';

const REFUSED = { code: 'database_unavailable', retryAfterS: 1 };

test('one import of a workspace at a time, two in all; whoever ends makes room, however it ends', async () => {
  const gate = new ImportGate();
  const [one, other] = [Promise.withResolvers<string>(), Promise.withResolvers<string>()];
  const first = gate.run('ws_1', () => one.promise);
  await expect(gate.run('ws_1', () => Promise.resolve('second'))).rejects.toMatchObject(REFUSED);
  const failing = gate.run('ws_2', () => other.promise);
  await expect(gate.run('ws_3', () => Promise.resolve('third'))).rejects.toMatchObject(REFUSED);
  other.reject(new Error('broken'));
  await expect(failing).rejects.toThrow('broken');
  expect(await gate.run('ws_3', () => Promise.resolve('third'))).toBe('third');
  one.resolve('first');
  expect(await first).toBe('first');
  expect(await gate.run('ws_1', () => Promise.resolve('again'))).toBe('again');
});
