import { request } from 'node:http';
import { readJson } from '../lib/json-file.ts';
import { errorCode, UserError } from '../lib/user-error.ts';
import type { ControlCommand, ControlFailure, ControlFile, ControlResult } from './control-protocol.ts';

const notRunning = "The platform isn't running: start it with `npm start`.";

/** Asks the running platform and waits until the effect holds. Fails with `UserError` where none runs or it says what is wrong. */
export async function control(file: string, command: ControlCommand): Promise<ControlResult> {
  // Written by the control server only.
  const access = readJson(file) as ControlFile | undefined;
  if (access === undefined) throw new UserError(notRunning);
  const { status, body } = await post(access, JSON.stringify(command));
  // After a crash the file is left behind, and the port may belong to something else by now: that one doesn't know the token.
  if (![200, 400, 500].includes(status)) throw new UserError(notRunning);
  // The server is of the same version and answers with one of these two.
  if (status === 200) return JSON.parse(body) as ControlResult;
  const { error, isMistake } = JSON.parse(body) as ControlFailure;
  throw isMistake ? new UserError(error) : new Error(error);
}

/** Fails with `UserError` where no platform runs, or not this zone: `local.json` alone may be left from a crash. */
export async function checkRunning(file: string, zone?: string): Promise<void> {
  await control(file, { name: 'databases', zone });
}

/** Not fetch: a promotion may take longer than its time limit for headers. */
function post({ port, token }: ControlFile, body: string): Promise<{ status: number; body: string }> {
  return new Promise((resolve, reject) => {
    const call = request(
      {
        host: '127.0.0.1',
        port,
        method: 'POST',
        headers: { authorization: `Bearer ${token}` },
        agent: false,
      },
      (answer) => {
        const chunks: Buffer[] = [];
        answer.on('data', (chunk: Buffer) => chunks.push(chunk));
        answer.on('error', reject);
        answer.on('end', () =>
          resolve({ status: answer.statusCode ?? 0, body: Buffer.concat(chunks).toString('utf8') }),
        );
      },
    );
    call.on('error', (error) => {
      const isGone = ['ECONNREFUSED', 'ECONNRESET'].includes(errorCode(error) ?? '');
      reject(isGone ? new UserError(notRunning) : error);
    });
    call.end(body);
  });
}
