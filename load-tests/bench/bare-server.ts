import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

import type { BareAnswer } from './types.ts';

/**
 * What the service is compared with: `node:http` alone, which reads each request to its end and answers with the same header and
 * body, byte for byte as long. Sends its port once it listens.
 */
// The parent sends one message, of this shape.
const [answer] = (await once(process, 'message')) as [BareAnswer];
const server = createServer((request, response) => {
  request.resume();
  request.on('end', () => {
    response.writeHead(200, answer.headers);
    response.end(answer.body);
  });
});
server.listen(0, '127.0.0.1');
await once(server, 'listening');
// A listening server's address is an object.
process.send?.((server.address() as AddressInfo).port);
await once(process, 'disconnect');
server.close();
server.closeAllConnections();
