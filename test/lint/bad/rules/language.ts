export type Shape = { readonly kind: 'circle' } | { readonly kind: 'square' };

export function sides(shape: Shape): number {
  let found = 0;
  switch (shape.kind) { // bad: switch-exhaustiveness-check
    case 'circle':
      found = 1;
  }
  return found;
}

export function anything(value: any): string { // bad: no-explicit-any
  return String(value);
}

export function certainly(value: string | null): string {
  return value!; // bad: no-non-null-assertion
}

export function forgotten(work: () => Promise<void>): void {
  work(); // bad: no-floating-promises
}

export function misused(work: () => Promise<void>): void {
  [1].forEach(work); // bad: no-misused-promises
}

export function thrown(): never {
  throw 'text'; // bad: only-throw-error
}

export function printed(): void {
  console.log('text'); // bad: no-console
}

export function same(a: string | null): boolean {
  return a == 'text'; // bad: eqeqeq
}

export function old(): number {
  var count = 1; // bad: no-var
  count += 1;
  return count;
}

export function constant(): number {
  let count = 1; // bad: prefer-const
  return count;
}
