const SLOTS = 16_384;

/**
 * The slot of a key whose tag, the text in braces, this is: CRC-16/XMODEM of it.
 * https://valkey.io/topics/cluster-spec/#hash-tags
 */
export function slotOf(tag: string): number {
  let crc = 0;
  for (const byte of Buffer.from(tag)) {
    crc ^= byte << 8;
    for (let bit = 0; bit < 8; bit += 1)
      crc = ((crc & 0x80_00 ? (crc << 1) ^ 0x10_21 : crc << 1) & 0xff_ff) >>> 0;
  }
  return crc % SLOTS;
}
