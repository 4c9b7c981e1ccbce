import type { Draw, Drawn, Settled, Settlement } from '../verify/ports.ts';
import * as drawWire from './draw-wire.ts';
import { drawnOfEarlierVersion } from './earlier-spend.ts';
import { askLedger, type LedgerPeer, unavailable } from './ledger-peer.ts';

/**
 * Draws at home. `onDrawn` hears that a task there knows draws. Fails with Problem `credits_unavailable` wherever there is no answer; its
 * text alone tells whether the draw may have been done, for whoever asks again does so with the same id, and whoever gives up settles it
 * with 0. The one other failure is `outcome_unknown`, of a home that runs an earlier version (`drawnOfEarlierVersion`): asking again could
 * take the credits twice.
 */
export async function drawAt(peer: LedgerPeer, draw: Draw, onDrawn: () => void): Promise<Drawn> {
  const drawn = await askLedger(peer, {
    name: 'draw',
    body: drawWire.writeDraw(draw),
    read: drawWire.readDrawn,
    none: 'no credits were taken',
    maybe: 'credits may have been taken',
  });
  if (drawn === undefined) return await drawnOfEarlierVersion(peer, draw);
  onDrawn();
  return drawn;
}

/** Settles at home. Fails with Problem `credits_unavailable` wherever there is no answer, and all of it can be told again. */
export async function settleAt(peer: LedgerPeer, settlements: readonly Settlement[]): Promise<Settled> {
  const settled = await askLedger(peer, {
    name: 'settle',
    body: drawWire.writeSettlements(settlements),
    read: drawWire.readSettled,
    none: 'nothing was settled',
    maybe: 'it may have been settled',
  });
  if (settled !== undefined) return settled;
  // Such a task keeps no leases, but one beside it may: what was told is told again until one that does has heard it.
  throw unavailable(
    `The home region, ${peer.region}, knows no settlements, as an earlier version does: nothing was settled.`,
  );
}
