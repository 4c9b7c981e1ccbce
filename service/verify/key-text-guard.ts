import { createKeyTextInspector } from '../domain/key-text.ts';
import { Problem } from '../domain/problem.ts';

export interface KeyTextGuardOptions {
  readonly zone: string;
  /** Every zone of the topology and where its calls belong: a hostname or a URL. */
  readonly zones: ReadonlyMap<string, string>;
}

/** Reads a key text's marker, so that texts which can't be a key of this zone cost no look-up. */
export class KeyTextGuard {
  readonly #inspect: ReturnType<typeof createKeyTextInspector>;
  readonly #zones: ReadonlyMap<string, string>;

  constructor(options: KeyTextGuardOptions) {
    this.#inspect = createKeyTextInspector(options.zone, [...options.zones.keys()]);
    this.#zones = options.zones;
  }

  /**
   * Whether the text is one that this zone made (`ours`), can be none of it (`malformed`), or says nothing of that, as imported keys
   * do (`unmarked`). Throws Problem `wrong_zone` for the text of a key of another zone.
   */
  kindOf(text: string): 'ours' | 'malformed' | 'unmarked' {
    const inspected = this.#inspect(text);
    if (inspected.kind !== 'otherZone') return inspected.kind;
    const url = this.#zones.get(inspected.zone) ?? inspected.zone;
    throw new Problem('wrong_zone', `This key belongs to zone "${inspected.zone}": call ${url}.`, {
      headers: { 'keyhearth-zone-url': url },
    });
  }

  /** False where no such key can exist. Throws like `kindOf`. */
  admits(text: string): boolean {
    return this.kindOf(text) !== 'malformed';
  }
}
