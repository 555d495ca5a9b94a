/**
 * Which media section carries what. The page's first offer always has the same four sections, so
 * that a screen is told from a camera by its place, a share begins without a negotiation, and a
 * camera that is off costs nothing.
 *
 * @typedef {'mic' | 'camera' | 'screen' | 'screenAudio'} Slot
 */

/** @type {{ slot: Slot, kind: 'audio' | 'video' }[]} in the order of the first offer */
export const SLOTS = [
  { slot: 'mic', kind: 'audio' },
  { slot: 'camera', kind: 'video' },
  { slot: 'screen', kind: 'video' },
  { slot: 'screenAudio', kind: 'audio' },
];

/**
 * The first section of a kind is microphone or camera, the second belongs to the shared screen.
 * A client of another make may have offered fewer: then slots are missing.
 * @template {{ receiver: { track: { kind: string } }, direction?: string }} T
 * @param {T[]} transceivers
 * @returns {Partial<Record<Slot, T>>}
 */
export function slotsOf(transceivers) {
  /** @type {Partial<Record<Slot, T>>} */
  const found = {};
  for (const transceiver of transceivers) {
    if (transceiver.direction === 'stopped') continue;
    const entry = SLOTS.find(({ slot, kind }) =>
      kind === transceiver.receiver.track.kind && !found[slot]);
    if (entry) found[entry.slot] = transceiver;
  }
  return found;
}
