import type { FastifyInstance, FastifyRequest } from 'fastify';
import { invalidInput } from './errors.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** The body as it was sent; only on routes of plugins that called `keepRawBody`. */
    rawBody: string;
  }
}

/**
 * The root's body parsers: JSON, and nothing else. `__proto__` in a body is refused, since it is a mistake at best.
 * A content type other than JSON is Fastify's error, which the error mapping words.
 */
export function registerJsonBody(app: FastifyInstance): void {
  const parse = app.getDefaultJsonParser('error', 'error');
  app.removeAllContentTypeParsers();
  app.addContentTypeParser<string>('application/json', { parseAs: 'string' }, (request, body, done) => {
    void parse(request, body, done);
  });
}

/** Like the root's, but keeps the text as it was sent: it is passed on, and hashed, byte for byte. For one plugin's routes. */
export function keepRawBody(app: FastifyInstance): void {
  const parse = app.getDefaultJsonParser('error', 'error');
  app.decorateRequest('rawBody', '');
  app.removeContentTypeParser('application/json');
  app.addContentTypeParser<string>('application/json', { parseAs: 'string' }, (request, body, done) => {
    request.rawBody = body;
    void parse(request, body, done);
  });
}

/** Deepest nesting of a body that is worked with: writing JSON again takes a stack frame for each level. */
const MAX_DEPTH = 100;

/** Escapes that a body can smuggle in what no text of ours may hold; without one of these there is nothing to look for. */
const SUSPICIOUS = /\\u(?:0000|d[89a-f])/i;

/**
 * Refuses what the database can't hold: U+0000 and half surrogate pairs anywhere in a text, and bodies nested beyond reason.
 * Names the field of the body; it builds no longer paths, since strangers can send tens of thousands of tiny values.
 */
export function refuseUnstorable(request: FastifyRequest): void {
  const { body, rawBody } = request;
  if (typeof body !== 'object' || body === null) return;
  const isStorable = SUSPICIOUS.test(rawBody) ? isStorableText : () => true;
  for (const [name, value] of Object.entries(body)) {
    const message = flaw(value, 1, isStorable);
    if (message === undefined) continue;
    throw invalidInput(`body.${name} ${message}.`, {
      location: `body.${name}`,
      message,
      fix: 'Send a value without it.',
    });
  }
}

function flaw(value: unknown, depth: number, isStorable: (text: string) => boolean): string | undefined {
  if (typeof value === 'string' && !isStorable(value)) return BAD_TEXT;
  if (typeof value !== 'object' || value === null) return undefined;
  if (depth === MAX_DEPTH) return `must be nested at most ${MAX_DEPTH} levels deep`;
  if (Array.isArray(value)) {
    for (const item of value) {
      const found = flaw(item, depth + 1, isStorable);
      if (found !== undefined) return found;
    }
    return undefined;
  }
  for (const [name, item] of Object.entries(value)) {
    const found = isStorable(name) ? flaw(item, depth + 1, isStorable) : BAD_TEXT;
    if (found !== undefined) return found;
  }
  return undefined;
}

/** What is wrong with a text that the database can't hold. */
export const BAD_TEXT = 'must not hold U+0000 or half of a surrogate pair';

export function isStorableText(text: string): boolean {
  return text.isWellFormed() && !text.includes('\u0000');
}
