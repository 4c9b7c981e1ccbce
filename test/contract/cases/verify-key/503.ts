import { setTimeout as delay } from 'node:timers/promises';
import { describe, test } from 'vitest';
import type { Answer } from '../../answer.ts';
import type { TargetOf } from '../../target.ts';
import type { Key, Workspace } from '../../workspace.ts';
import { limitLike, limitOf } from '../expected.ts';

/** The transaction that keeps the account may not be idle for longer. */
const BUSY_EVERY_MS = 500;

export function unavailableCases(target: TargetOf): void {
  describe.concurrent('keys.verifyKey answers 503', () => {
    test('where the credits can’t be had in time, and has taken nothing', async ({ expect }) => {
      const workspace = await target().workspace();
      const key = await workspace.createKey({
        credits: { remaining: 2 },
        ratelimits: [limitOf('calls', 3)],
      });
      const { status, error, headers } = await verifyWhileLocked(workspace, key);
      expect([status, error.type]).toEqual([
        503,
        expect.stringMatching(/availability\/credits_unavailable$/),
      ]);
      expect(Number(headers.get('retry-after'))).toBeGreaterThan(0);
      expect(headers.get('content-type')).toBe('application/json');
      // What the ledger did of it, too late, is undone.
      await expect
        .poll(async () => (await workspace.getKey(key))['credits'], { timeout: 10_000 })
        .toEqual({ remaining: 2 });
      const asked = { credits: { cost: 2 } };
      expect(await workspace.verify(key, asked)).toMatchObject({
        code: 'VALID',
        credits: 0,
        ratelimits: [limitLike({ name: 'calls', limit: 3, remaining: 2 })],
      });
      expect(await workspace.verify(key, asked)).toMatchObject({ code: 'USAGE_EXCEEDED', credits: 0 });
    });
  });
}

/** One verification while somebody else has the key's account at home. */
async function verifyWhileLocked(workspace: Workspace, { keyId, key }: Key): Promise<Answer> {
  const answers: Answer[] = [];
  await workspace.target.sql(async (transaction) => {
    await transaction.query(
      `select from credit_accounts where id = (select credit_account_id from keys where id = $1) for update`,
      [keyId],
    );
    const asking = workspace.call('keys.verifyKey', { key }).then((answer) => answers.push(answer));
    while (answers.length === 0) {
      await Promise.race([asking, delay(BUSY_EVERY_MS)]);
      await transaction.query('select');
    }
  });
  const [answer] = answers;
  if (answer === undefined) throw new Error('there was no answer');
  return answer;
}
