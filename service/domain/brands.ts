/**
 * Strings that must not be mixed up. A brand costs nothing at run time; values get theirs where they are parsed
 * (a request, a database row) and keep it from there on.
 */
declare const brand: unique symbol;
type Brand<T, Name extends string> = T & { readonly [brand]: Name };

/**
 * What a record is held under: 64 lower-case hexadecimal digits. Of keys and root keys the SHA-256 of the text; held-under.ts says what
 * it is of imported keys and of namespaces.
 */
export type KeyHash = Brand<string, 'KeyHash'>;
export type KeyId = Brand<string, 'KeyId'>;
export type WorkspaceId = Brand<string, 'WorkspaceId'>;
export type ApiId = Brand<string, 'ApiId'>;
export type RootKeyId = Brand<string, 'RootKeyId'>;
export type NamespaceId = Brand<string, 'NamespaceId'>;
