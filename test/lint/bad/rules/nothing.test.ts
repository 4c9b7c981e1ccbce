import { test } from 'vitest';

test('nothing is asserted here', () => {}); // bad: expect-expect
