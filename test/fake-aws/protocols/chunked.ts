import { Refusal } from '../refusal.ts';

/** A body as it was meant. */
export interface Decoded {
  readonly bytes: Buffer;
  /** Headers that came after the body: checksums. By lower-case name. */
  readonly trailers: Readonly<Record<string, string>>;
}

const CRLF = '\r\n';

/**
 * Body of an upload that came in S3's own chunks (`Content-Encoding: aws-chunked`), each with its size and perhaps its signature. Throws
 * S3's `IncompleteBody` where it ends before its last chunk.
 * Source: "Signature calculations for the Authorization header: transferring a payload in multiple chunks", Amazon S3 API Reference.
 */
export function decodeChunks(body: Buffer): Decoded {
  const chunks: Buffer[] = [];
  let at = 0;
  for (;;) {
    const line = lineAt(body, at);
    const size = Number.parseInt(line, 16);
    at += line.length + CRLF.length;
    if (!/^[0-9a-f]+(;|$)/i.test(line) || at + size > body.length) throw incomplete();
    if (size === 0) break;
    chunks.push(body.subarray(at, at + size));
    at += size + CRLF.length;
  }
  return { bytes: Buffer.concat(chunks), trailers: trailersOf(body.subarray(at).toString()) };
}

function lineAt(body: Buffer, at: number): string {
  const end = body.indexOf(CRLF, at);
  if (end < 0) throw incomplete();
  return body.subarray(at, end).toString('latin1');
}

function trailersOf(text: string): Readonly<Record<string, string>> {
  const lines = text.split(CRLF).map((line) => /^([^:]+):\s*(.*)$/.exec(line));
  return Object.fromEntries(
    lines.flatMap((line) => (line?.[1] === undefined ? [] : [[line[1].toLowerCase(), line[2] ?? '']])),
  );
}

function incomplete(): Refusal {
  return new Refusal('IncompleteBody', 'The request body terminated unexpectedly');
}
