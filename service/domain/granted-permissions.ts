import type { PermissionObject, RoleObject } from './records.ts';

const ROLE_SLUGS = new WeakMap<RoleObject, ReadonlySet<string>>();
/** So few are looked through one by one: a set of them takes several times their space. */
const FEW = 16;

/**
 * The permissions of a key: its own, and those of its roles. A role's are held once for all keys that have it, since it may have a
 * thousand of them and a million keys.
 */
export class GrantedPermissions {
  readonly #roles: readonly ReadonlySet<string>[];
  readonly #own: readonly string[] | ReadonlySet<string>;

  constructor(roles: readonly RoleObject[], own: readonly PermissionObject[]) {
    this.#roles = roles.map(slugsOf);
    const slugs = own.map(({ slug }) => slug);
    this.#own = slugs.length <= FEW ? slugs : new Set(slugs);
  }

  has(slug: string): boolean {
    if ('has' in this.#own ? this.#own.has(slug) : this.#own.includes(slug)) return true;
    for (const slugs of this.#roles) if (slugs.has(slug)) return true;
    return false;
  }

  /** Slugs, sorted, each once; put together anew each time. */
  [Symbol.iterator](): Iterator<string> {
    const [first, ...more] = this.#roles;
    // Of one role alone, they are sorted as they are.
    if (first !== undefined && more.length === 0 && isEmpty(this.#own)) return first.values();
    const all = new Set(this.#own);
    for (const slugs of this.#roles) for (const slug of slugs) all.add(slug);
    return [...all].toSorted().values();
  }
}

function isEmpty(slugs: readonly string[] | ReadonlySet<string>): boolean {
  return 'has' in slugs ? slugs.size === 0 : slugs.length === 0;
}

/** Sorted as JavaScript does it, whatever the database's order is. */
function slugsOf(role: RoleObject): ReadonlySet<string> {
  let slugs = ROLE_SLUGS.get(role);
  if (slugs === undefined) {
    slugs = new Set(role.permissions.toSorted());
    ROLE_SLUGS.set(role, slugs);
  }
  return slugs;
}
