import { b } from './cycle-b.ts'; // bad: no-cycle

export const a = (): number => b();
