import { a } from './cycle-a.ts'; // bad: no-cycle

export const b = (): number => a();
