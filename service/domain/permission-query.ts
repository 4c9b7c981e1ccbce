import { Problem } from './problem.ts';

/** Longest text that is parsed, in UTF-16 units. */
export const MAX_QUERY_LENGTH = 1000;
/** Deepest nesting of parentheses: far beyond what anybody writes, and no danger for the stack. */
export const MAX_QUERY_DEPTH = 100;

/** A parsed permission query. Immutable, so that one may be shared by all requests that carry the same text. */
export type PermissionQuery =
  | { readonly kind: 'name'; readonly slug: string }
  | { readonly kind: 'all'; readonly of: readonly PermissionQuery[] }
  | { readonly kind: 'any'; readonly of: readonly PermissionQuery[] };

/**
 * Parses `expr := and (OR and)*`, `and := prim (AND prim)*`, `prim := NAME | '(' expr ')'`. Operators in any case, as whole
 * words; a NAME is of `[A-Za-z0-9_.:*\/-]`, and its `*` is a literal. Throws Problem `permissions_query_syntax_error`, whose
 * detail names the position, counted from 0.
 */
export function parsePermissionQuery(text: string): PermissionQuery {
  if (text.length > MAX_QUERY_LENGTH) {
    throw syntaxError(
      MAX_QUERY_LENGTH,
      `the query is longer than ${MAX_QUERY_LENGTH} characters`,
      'Use a shorter query.',
    );
  }
  return new Parser(text).parse();
}

/** Whether a holder of the permissions that `has` knows satisfies the query. Names match exactly and case-sensitively. */
export function evaluatePermissionQuery(query: PermissionQuery, has: (slug: string) => boolean): boolean {
  if (query.kind === 'name') return has(query.slug);
  const holds = (part: PermissionQuery): boolean => evaluatePermissionQuery(part, has);
  return query.kind === 'all' ? query.of.every(holds) : query.of.some(holds);
}

type TokenKind = 'name' | 'and' | 'or' | 'open' | 'close' | 'end';

interface Token {
  readonly kind: TokenKind;
  readonly text: string;
  readonly position: number;
}

const SPACE = /\s*/y;
const NAME = /[A-Za-z0-9_.:*/-]+/y;

/** Recursive descent with one token of look-ahead; lives for one parse. */
class Parser {
  readonly #text: string;
  #next = 0;
  #token: Token;
  #depth = 0;

  constructor(text: string) {
    this.#text = text;
    this.#token = this.#read();
  }

  parse(): PermissionQuery {
    const query = this.#expression();
    if (this.#token.kind !== 'end') throw this.#unexpected('AND, OR or the end of the query');
    return query;
  }

  #expression(): PermissionQuery {
    const parts = [this.#conjunction()];
    while (this.#token.kind === 'or') {
      this.#advance();
      parts.push(this.#conjunction());
    }
    return combine('any', parts);
  }

  #conjunction(): PermissionQuery {
    const parts = [this.#primary()];
    while (this.#token.kind === 'and') {
      this.#advance();
      parts.push(this.#primary());
    }
    return combine('all', parts);
  }

  #primary(): PermissionQuery {
    const token = this.#token;
    if (token.kind === 'name') {
      this.#advance();
      return { kind: 'name', slug: token.text };
    }
    if (token.kind !== 'open') throw this.#unexpected('a permission or "("');
    if (this.#depth === MAX_QUERY_DEPTH) {
      throw syntaxError(
        token.position,
        `parentheses are nested more than ${MAX_QUERY_DEPTH} deep`,
        'Write the query with fewer parentheses.',
      );
    }
    this.#depth += 1;
    this.#advance();
    const inner = this.#expression();
    if (this.#token.kind !== 'close') {
      throw this.#unexpected(`AND, OR or ")" to match the "(" at position ${token.position}`);
    }
    this.#advance();
    this.#depth -= 1;
    return inner;
  }

  #advance(): void {
    this.#token = this.#read();
  }

  #read(): Token {
    SPACE.lastIndex = this.#next;
    SPACE.test(this.#text);
    const position = SPACE.lastIndex;
    const character = this.#text.charAt(position);
    if (character === '') return { kind: 'end', text: '', position };
    if (character === '(' || character === ')') {
      this.#next = position + 1;
      return { kind: character === '(' ? 'open' : 'close', text: character, position };
    }
    NAME.lastIndex = position;
    const text = NAME.exec(this.#text)?.[0];
    if (text === undefined) throw badCharacter(this.#text, position);
    this.#next = position + text.length;
    return { kind: wordKind(text), text, position };
  }

  #unexpected(expected: string): Problem {
    const { kind, text, position } = this.#token;
    const found = kind === 'end' ? 'the query ended' : `"${text}" was found`;
    return syntaxError(position, `${found} where ${expected} was expected`, `Write ${expected} there.`);
  }
}

function combine(kind: 'all' | 'any', parts: readonly PermissionQuery[]): PermissionQuery {
  const [first] = parts;
  return parts.length === 1 && first !== undefined ? first : { kind, of: parts };
}

function wordKind(text: string): TokenKind {
  if (text.length > 3) return 'name';
  const word = text.toLowerCase();
  return word === 'and' || word === 'or' ? word : 'name';
}

function badCharacter(text: string, position: number): Problem {
  const character = String.fromCodePoint(text.codePointAt(position) ?? 0xfffd).toWellFormed();
  return syntaxError(
    position,
    `the character "${character}" is not allowed`,
    'Permissions consist of letters, digits and the characters _ . : * / -',
  );
}

function syntaxError(position: number, message: string, fix: string): Problem {
  return new Problem(
    'permissions_query_syntax_error',
    `Syntax error in the permission query at position ${position}: ${message}.`,
    { errors: [{ location: 'body.permissions', message: `position ${position}: ${message}`, fix }] },
  );
}
