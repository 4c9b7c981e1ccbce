import { FakeClock } from '../../test/fake-clock.ts';

export const clock = new FakeClock();
