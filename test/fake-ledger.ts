import type { Draw, Drawn, Settled, Settlement } from '../service/verify/ports.ts';
import { ModelLedger } from './model-ledger.ts';

/** A ledger whose calls a test sees and may interfere with: hold them, lose their answers, repeat them, refuse them. */
export class FakeLedger extends ModelLedger {
  readonly drawn: Draw[] = [];
  readonly settled: Settlement[] = [];
  /** What becomes of a draw; `run` has the model do it. */
  onDraw: (draw: Draw, run: () => Promise<Drawn>) => Promise<Drawn> = async (_draw, run) => await run();
  onSettle: (settlements: readonly Settlement[], run: () => Promise<Settled>) => Promise<Settled> = async (
    _settlements,
    run,
  ) => await run();

  override async draw(draw: Draw): Promise<Drawn> {
    this.drawn.push(draw);
    return await this.onDraw(draw, async () => await super.draw(draw));
  }

  override async settle(settlements: readonly Settlement[]): Promise<Settled> {
    this.settled.push(...settlements);
    return await this.onSettle(settlements, async () => await super.settle(settlements));
  }
}
