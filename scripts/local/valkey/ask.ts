import { connect } from 'node:net';

const timeoutMs = 1_000;
const answerBytesMax = 100_000;

/**
 * Asks a server on loopback one command over a connection of its own, and returns the text of its answer. Fails where it refuses or doesn't
 * answer in time. For looking after a server, not for counting.
 */
export function ask(port: number, password: string, command: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: '127.0.0.1', port });
    let text = '';
    const fail = (error: Error): void => {
      socket.destroy();
      reject(error);
    };
    socket.setTimeout(timeoutMs, () => fail(new Error(`port ${port} didn't answer ${command} in time`)));
    socket.on('error', fail);
    socket.on('data', (chunk: Buffer) => {
      text += chunk.toString('utf8');
      if (text.length > answerBytesMax) fail(new Error(`the answer to ${command} is too long`));
    });
    // The server closes the connection once it has answered QUIT.
    socket.on('end', () => {
      const [login, answer] = splitFirst(text);
      const refused = [login, answer].find((part) => part.startsWith('-'));
      socket.destroy();
      if (refused !== undefined || answer === '') reject(new Error(refused?.trim() ?? 'no answer'));
      else resolve(answer);
    });
    socket.write(`AUTH ${password}\r\n${command}\r\nQUIT\r\n`);
  });
}

/** The first line, and the rest. */
function splitFirst(text: string): readonly [string, string] {
  const at = text.indexOf('\r\n');
  return at === -1 ? [text, ''] : [text.slice(0, at), text.slice(at + 2)];
}
