import { randomBytes, timingSafeEqual } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { writeJson } from '../lib/json-file.ts';
import { errorText, UserError } from '../lib/user-error.ts';
import type { ControlCommand, ControlFailure, ControlFile, ControlResult } from './control-protocol.ts';

export interface ControlServer {
  stop(): Promise<void>;
}

export interface ControlServerOptions {
  readonly port: number;
  /** Where port and token are written for the commands. */
  readonly file: string;
  readonly run: (command: ControlCommand) => Promise<ControlResult>;
}

const bodyBytesMax = 10_000;

/** Listens for commands on loopback. Without the token of `file`, which only its owner can read, every call is refused. */
export async function startControlServer({ port, file, run }: ControlServerOptions): Promise<ControlServer> {
  const token = randomBytes(32).toString('hex');
  const server = createServer((request, response) => {
    void answer(request, response, token, run);
  });
  // A promotion may take longer than the default allows; each command has bounds of its own.
  server.requestTimeout = 0;
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', resolve);
  });
  writeJson(file, { port, token } satisfies ControlFile);
  return {
    stop: async () => {
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await closed;
    },
  };
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  token: string,
  run: ControlServerOptions['run'],
): Promise<void> {
  const send = (status: number, body: ControlResult | ControlFailure): void => {
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  };
  try {
    if (!isAllowed(request.headers.authorization, token))
      return send(403, { error: 'wrong token', isMistake: false });
    // Commands come from control-client.ts of the same version; the token shows that it was this user's.
    const command = JSON.parse(await readBody(request)) as ControlCommand;
    send(200, await run(command));
  } catch (error) {
    send(error instanceof UserError ? 400 : 500, {
      error: errorText(error),
      isMistake: error instanceof UserError,
    });
  }
}

function isAllowed(header: string | undefined, token: string): boolean {
  const given = Buffer.from(header ?? '');
  const wanted = Buffer.from(`Bearer ${token}`);
  return given.length === wanted.length && timingSafeEqual(given, wanted);
}

async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request) {
    // A request without an encoding set gives buffers.
    const buffer = chunk as Buffer;
    bytes += buffer.length;
    if (bytes > bodyBytesMax) throw new Error('the command is too long');
    chunks.push(buffer);
  }
  return Buffer.concat(chunks).toString('utf8');
}
