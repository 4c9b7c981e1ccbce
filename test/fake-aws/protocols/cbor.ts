import { isProperties, type Json } from '../values.ts';
import { MOMENT } from './moment.ts';

/** "Specification of the CBOR Encoding", RFC 8949, as far as "Smithy RPC v2 CBOR protocol" uses it. */
const MAJOR = { unsigned: 0, negative: 1, bytes: 2, text: 3, list: 4, map: 5, tag: 6, simple: 7 } as const;
const SIMPLE = { false: 20, true: 21, null: 22, undefined: 23, half: 25, single: 26, double: 27 } as const;
/** Of lengths: it ends with a break. */
const INDEFINITE = 31;
const BREAK = 0xff;
const EPOCH_TAG = 1;
const MAJOR_SHIFT = 5;
const INFO_MASK = 0x1f;
const MILLISECONDS = 1000;

/** Reads a value. Bytes become base64, and a moment its seconds since 1970. Throws where it isn't CBOR. */
export function decodeCbor(bytes: Buffer): Json {
  const reader = new Reader(bytes);
  const value = reader.value();
  if (!reader.isAtEnd) throw new Error('more than one value');
  return value;
}

class Reader {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  get isAtEnd(): boolean {
    return this.#at === this.#bytes.length;
  }

  value(): Json {
    const first = this.#take(1).readUInt8();
    const [major, info] = [first >> MAJOR_SHIFT, first & INFO_MASK];
    switch (major) {
      case MAJOR.unsigned:
        return this.#number(info);
      case MAJOR.negative:
        return -1 - this.#number(info);
      case MAJOR.bytes:
        return this.#chunks(info).toString('base64');
      case MAJOR.text:
        return this.#chunks(info).toString();
      case MAJOR.list:
        return this.#entries(info, () => this.value());
      case MAJOR.map:
        return Object.fromEntries(this.#entries(info, () => [this.#name(), this.value()]));
      case MAJOR.tag:
        this.#number(info);
        return this.value();
      default:
        return this.#simple(info);
    }
  }

  #name(): string {
    const name = this.value();
    if (typeof name !== 'string') throw new Error('a name that is no text');
    return name;
  }

  #take(length: number): Buffer {
    const end = this.#at + length;
    if (end > this.#bytes.length) throw new Error('a value without its end');
    const taken = this.#bytes.subarray(this.#at, end);
    this.#at = end;
    return taken;
  }

  /** An argument: within the head, or in the 1, 2, 4 or 8 bytes after it. */
  #number(info: number): number {
    if (info < 24) return info;
    if (info > 27) throw new Error('no such length');
    const bytes = this.#take(2 ** (info - 24));
    return bytes.length === 8 ? Number(bytes.readBigUInt64BE()) : bytes.readUIntBE(0, bytes.length);
  }

  #chunks(info: number): Buffer {
    if (info !== INDEFINITE) return this.#take(this.#number(info));
    const chunks: Buffer[] = [];
    while (!this.#broke()) chunks.push(this.#chunks(this.#take(1).readUInt8() & INFO_MASK));
    return Buffer.concat(chunks);
  }

  #entries<T>(info: number, entry: () => T): readonly T[] {
    const entries: T[] = [];
    const count = info === INDEFINITE ? Infinity : this.#number(info);
    while (info === INDEFINITE ? !this.#broke() : entries.length < count) entries.push(entry());
    return entries;
  }

  #broke(): boolean {
    if (this.#bytes[this.#at] !== BREAK) return false;
    this.#at += 1;
    return true;
  }

  #simple(info: number): Json {
    switch (info) {
      case SIMPLE.false:
        return false;
      case SIMPLE.true:
        return true;
      case SIMPLE.null:
      case SIMPLE.undefined:
        return null;
      case SIMPLE.single:
        return this.#take(4).readFloatBE();
      case SIMPLE.double:
        return this.#take(8).readDoubleBE();
      default:
        throw new Error('no such simple value');
    }
  }
}

/** Writes a value; texts that are moments become moments. */
export function encodeCbor(value: Json): Buffer {
  if (value === null) return head(MAJOR.simple, SIMPLE.null);
  if (typeof value === 'boolean') return head(MAJOR.simple, value ? SIMPLE.true : SIMPLE.false);
  if (typeof value === 'number') return Number.isSafeInteger(value) ? integer(value) : double(value);
  if (typeof value === 'string')
    return MOMENT.test(value)
      ? Buffer.concat([head(MAJOR.tag, EPOCH_TAG), double(Date.parse(value) / MILLISECONDS)])
      : text(value);
  if (!isProperties(value))
    return Buffer.concat([head(MAJOR.list, value.length), ...value.map((entry) => encodeCbor(entry))]);
  const entries = Object.entries(value).filter(([, entry]) => entry !== null);
  return Buffer.concat([
    head(MAJOR.map, entries.length),
    ...entries.flatMap(([name, entry]) => [text(name), encodeCbor(entry)]),
  ]);
}

function text(value: string): Buffer {
  const bytes = Buffer.from(value);
  return Buffer.concat([head(MAJOR.text, bytes.length), bytes]);
}

function integer(value: number): Buffer {
  return value < 0 ? head(MAJOR.negative, -1 - value) : head(MAJOR.unsigned, value);
}

function double(value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeDoubleBE(value);
  return Buffer.concat([head(MAJOR.simple, SIMPLE.double), bytes]);
}

/** A kind with its argument. Simple values have theirs in the head, always. */
function head(major: number, argument: number): Buffer {
  const kind = major << MAJOR_SHIFT;
  if (argument < 24 || major === MAJOR.simple) return Buffer.from([kind | argument]);
  const size = [1, 2, 4].find((length) => argument < 2 ** (8 * length)) ?? 8;
  const bytes = Buffer.alloc(1 + size);
  bytes.writeUInt8(kind | (24 + Math.log2(size)));
  if (size === 8) bytes.writeBigUInt64BE(BigInt(argument), 1);
  else bytes.writeUIntBE(argument, 1, size);
  return bytes;
}
