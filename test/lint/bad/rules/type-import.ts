import { Shape } from './language.ts'; // bad: consistent-type-imports

export const shape: Shape = { kind: 'circle' };
